"""Why the X.509 parser refuses a certificate, in the words of verdicts: a weak key and a forbidden algorithm are no defects of form.

The parser reads only what it can use. What it cannot is looked at once more, for a word and nothing else: no certificate that it refuses is
ever believed.
"""

from __future__ import annotations

from typing import Any

from asn1crypto import x509

from signing.algorithms import CURRENT, CURVES, rsa_fault

_RSA = frozenset({"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"})
_EC, _ED25519 = "1.2.840.10045.2.1", "1.3.101.112"
_CURVES = frozenset(uri.removeprefix("urn:oid:") for uri, _, _ in CURVES.values())
_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


def code(der: bytes) -> str:
    """`weak-key`, `alg-forbidden`, or `malformed-signature` where nothing is wrong but the form. Raises nothing."""
    try:
        read = x509.Certificate.load(der, strict=True)["tbs_certificate"]
        return _key_code(read["subject_public_key_info"]) or _signature_code(read["signature"]) or "malformed-signature"
    except _FAULTS:
        return "malformed-signature"


def _key_code(info: Any) -> str:
    name = info["algorithm"]["algorithm"].dotted
    if name in _RSA:
        key = info["public_key"].parsed.native
        return "weak-key" if rsa_fault(key["modulus"], key["public_exponent"]) else ""
    if name == _EC:
        curve = info["algorithm"]["parameters"]
        return "" if curve.name == "named" and curve.chosen.dotted in _CURVES else "weak-key"
    return "" if name == _ED25519 else "alg-forbidden"


def _signature_code(algorithm: Any) -> str:
    return "" if algorithm["algorithm"].dotted in CURRENT.identifiers else "alg-forbidden"
