"""The extensions of a certificate, also where a policy's notice for people is written in letters that its string type has not.

National authorities have issued such certificates: text of Latin-1 in a VisibleString (X.680 §41). The parser refuses all of them for it.
Nobody decides anything by a notice (RFC 5280 §4.2.1.4), so they are read once more without qualifiers; everything else stays as strict.
"""

from __future__ import annotations

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_POLICIES = "2.5.29.32"


def of(parsed: x509.Certificate) -> x509.Extensions:
    """All of them; policies may be without qualifiers. Raises `ValueError` as the parser does."""
    try:
        return parsed.extensions
    except ValueError:
        plain = _without_qualifiers(parsed.public_bytes(Encoding.DER))
        if plain is None:
            raise
    return x509.load_der_x509_certificate(plain).extensions


def _without_qualifiers(der: bytes) -> bytes | None:
    """The certificate with nothing but the identifiers in its policies; its signature fits no more. None where it has no policies."""
    try:
        read = asn1.Certificate.load(der, strict=True)
        found = [one for one in read["tbs_certificate"]["extensions"] if one["extn_id"].dotted == _POLICIES]
        if len(found) != 1:
            return None
        named = [{"policy_identifier": one["policy_identifier"].dotted} for one in found[0]["extn_value"].parsed]
        found[0]["extn_value"] = asn1.CertificatePolicies(named)
        return bytes(read.dump(force=True))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
