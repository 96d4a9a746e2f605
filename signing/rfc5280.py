"""The path validation algorithm of RFC 5280 §6.1 over one path, by pyhanko-certvalidator: its answer is final (ADR 0011).

The library may fetch nothing: it is given no fetcher, revocation is `revocation.py`'s, and its coroutine is driven by hand to its end;
had it anything to wait for, the path would be refused. Which algorithms are good is asked of our own table.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime, timedelta
from functools import lru_cache

from asn1crypto import x509 as asn1
from asn1crypto.algos import SignedDigestAlgorithm
from asn1crypto.keys import PublicKeyInfo
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import AuthorityWithCert, TrustAnchor
from pyhanko_certvalidator.errors import ValidationError
from pyhanko_certvalidator.name_trees import PKIXSubtrees, process_general_subtrees
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    AcceptAllAlgorithms,
    CertRevTrustPolicy,
    PKIXValidationParams,
)
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_SIGNATURE_VALIDATOR,
    DEFAULT_VALIDATION_CONTEXT,
    SignatureValidationContext,
    SignatureValidator,
)
from pyhanko_certvalidator.validate import async_validate_path

from signing.certificate import Certificate
from signing.context import PolicyDemand

_UNNAMED = frozenset(f"2.16.840.1.101.3.4.3.{n}" for n in (10, 11, 12))  # ECDSA with SHA-3
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, NotImplementedError)


class _Signatures(SignatureValidator):
    """The library's, over the bytes as they are: asn1crypto writes some values otherwise than it read them (a unique identifier).

    Algorithms that it cannot name `certificate.issued` has checked, without which there is no path.
    """

    def __init__(self, path: tuple[Certificate, ...]) -> None:
        self._signed = {cert.parsed.signature: cert.parsed.tbs_certificate_bytes for cert in path}

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: PublicKeyInfo,
        signature_algorithm: SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        if signature_algorithm["algorithm"].dotted not in _UNNAMED:
            octets = self._signed.get(signature, signed_data)
            DEFAULT_SIGNATURE_VALIDATOR.validate_signature(signature, octets, public_key_info, signature_algorithm, context)


def fault(path: tuple[Certificate, ...], at: datetime, demand: PolicyDemand, tolerance: timedelta = timedelta(0)) -> str:
    """Why RFC 5280 refuses `path` (the signer first, the anchor last) at `at`; "" where it accepts.

    `tolerance` is for a path whose periods never overlap: everything else about it can still be said.
    """
    try:
        leaf, *above = read = [_parsed(cert.der) for cert in path]
        if any(one["signature_algorithm"].dump() != one["tbs_certificate"]["signature"].dump() for one in read[:-1]):
            return "the algorithm of a certificate's signature is not the one inside it"  # §4.1.1.2; the library does not look
        if not above:
            return ""  # the signer's certificate is itself the anchor
        anchor = TrustAnchor(AuthorityWithCert(above[-1]))
        chain = ValidationPath(anchor, above[-2::-1] if len(above) > 1 else [], leaf)
        context = ValidationContext(
            trust_manager=SimpleTrustManager.build(trust_roots=[anchor]),
            other_certs=(),
            moment=at,
            time_tolerance=tolerance,
            allow_fetching=False,
            revinfo_policy=CertRevTrustPolicy(NO_REVOCATION),
            algorithm_usage_policy=AcceptAllAlgorithms(),
            signature_validator=_Signatures(path),
        )
        return _driven(async_validate_path(context, chain, _parameters(above[-1], demand)))
    except ValidationError as refusal:
        return str(refusal)
    except _UNREADABLE as defect:  # asn1crypto reads late, and says what it does not like in all these ways
        return f"unreadable: {type(defect).__name__}: {defect}"


def _driven(work: Coroutine[None, None, object]) -> str:
    try:
        work.send(None)
    except StopIteration:
        return ""
    work.close()
    return "the validator would have had to wait for something"


@lru_cache(maxsize=512)
def _parsed(der: bytes) -> asn1.Certificate:
    return asn1.Certificate.load(der, strict=True)


def _parameters(anchor: asn1.Certificate, demand: PolicyDemand) -> PKIXValidationParams:
    """The inputs of §6.1.1. Name constraints of the anchor hold as well (RFC 5937 §3.2); its policies are its own affair."""
    permitted: PKIXSubtrees | None = None
    excluded: PKIXSubtrees | None = None
    constraints = anchor.name_constraints_value
    if constraints is not None:
        permitted = _subtrees(constraints["permitted_subtrees"])
        excluded = _subtrees(constraints["excluded_subtrees"])
    return PKIXValidationParams(
        user_initial_policy_set=demand.accepted or frozenset(["any_policy"]),
        initial_policy_mapping_inhibit=demand.inhibit_mapping,
        initial_explicit_policy=demand.explicit,
        initial_any_policy_inhibit=demand.inhibit_any,
        initial_permitted_subtrees=permitted,
        initial_excluded_subtrees=excluded,
    )


def _subtrees(value: object) -> PKIXSubtrees | None:
    return process_general_subtrees(value) if isinstance(value, asn1.GeneralSubtrees) else None
