"""NIST's Public Key Interoperability Test Suite, where it is at hand: what its document (version 1.0.1) owes for each signed message.

The collection is not part of the project. ``make pkits`` fetches it, or `LGSP_PKITS` names a folder that has its ``certs``, ``crls`` and
``smime``. A message is a detached CMS over a short text, with the signer's certificate and, mostly, those above.

Two things are held otherwise here, and listed as such: DSA is in no table (4.1.4, 4.1.5), and a status that cannot be determined is
`revocation-unknown` and open, not a refusal; nothing that PKITS refuses is accepted for it.
"""

from __future__ import annotations

import email
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from signing.context import PolicyDemand

AT = datetime(2012, 6, 1, tzinfo=UTC)
ANCHOR = "TrustAnchorRootCertificate.crt"
COUNT = 224
_FETCHED = Path(__file__).parents[2] / "var" / "pkits" / "cryptography_vectors"


def folder() -> Path | None:
    """Where the collection is; None where it is nowhere."""
    spec = find_spec("cryptography_vectors")
    package = Path(spec.origin).parent if spec and spec.origin else _FETCHED
    places = (Path(os.environ.get("LGSP_PKITS", "")), package / "x509" / "PKITS_data")
    return next((place for place in places if (place / "smime").is_dir()), None)


@dataclass(frozen=True)
class Message:
    """One signed message. `name` is as PKITS has it: ``InvalidEESignatureTest3``."""

    name: str
    signature: bytes
    content: bytes


def messages(where: Path) -> Iterator[Message]:
    """All of them."""
    for path in sorted((where / "smime").glob("Signed*.eml")):
        raw = path.read_bytes()
        parsed = email.message_from_bytes(raw)
        boundary = f"--{parsed.get_boundary()}\n".encode()
        part = parsed.get_payload(1)
        if not isinstance(part, email.message.Message):
            raise RuntimeError(f"{path.name}: not a signed message")
        signature = part.get_payload(decode=True)
        yield Message(path.stem.removeprefix("Signed"), bytes(signature), raw.split(boundary)[1][:-1])


def owed(name: str) -> tuple[str, ...]:
    """The reasons that a verdict owes, () for a valid message; policy inputs as PKITS has them by default."""
    reason = _REASONS.get(name)
    if reason:
        return (reason,)
    return ("path-constraint",) if name.startswith("Invalid") else ()


_OTHERWISE = {  # our policy, not PKITS's word
    "alg-forbidden": "ValidDSASignaturesTest4 ValidDSAParameterInheritanceTest5",
}
_NAMED = {
    "alg-forbidden": "InvalidDSASignatureTest6",
    "untrusted-chain": "InvalidCASignatureTest2 InvalidEESignatureTest3 InvalidNameChainingEETest1 InvalidNameChainingOrderTest2",
    "not-yet-valid": "InvalidCAnotBeforeDateTest1 InvalidEEnotBeforeDateTest2",
    "expired": "InvalidCAnotAfterDateTest5 InvalidEEnotAfterDateTest6 Invalidpre2000UTCEEnotAfterDateTest7",
    "key-usage": """InvalidkeyUsageCriticalkeyCertSignFalseTest1 InvalidkeyUsageNotCriticalkeyCertSignFalseTest2
        InvalidBasicSelfIssuedCRLSigningKeyTest8""",
    "path-constraint": """DifferentPoliciesTest4 DifferentPoliciesTest5 DifferentPoliciesTest7 DifferentPoliciesTest8
        DifferentPoliciesTest9 DifferentPoliciesTest12""",
    "revoked": """InvalidRevokedCATest2 InvalidRevokedEETest3 InvalidUnknownCRLEntryExtensionTest8 InvalidUnknownCRLExtensionTest9
        InvalidNegativeSerialNumberTest15 InvalidLongSerialNumberTest18 InvalidSeparateCertificateandCRLKeysTest20
        InvalidBasicSelfIssuedOldWithNewTest2 InvalidBasicSelfIssuedNewWithOldTest5 InvalidBasicSelfIssuedCRLSigningKeyTest7
        InvaliddistributionPointTest2 InvaliddistributionPointTest6 InvalidonlySomeReasonsTest15 InvalidonlySomeReasonsTest16
        InvalidonlySomeReasonsTest20 InvalidonlySomeReasonsTest21 InvalidIDPwithindirectCRLTest23 InvalidcRLIssuerTest31
        InvalidcRLIssuerTest32 InvalidcRLIssuerTest34 InvaliddeltaCRLTest3 InvaliddeltaCRLTest4 InvaliddeltaCRLTest6
        InvaliddeltaCRLTest9""",
    "revocation-unknown": """MissingCRLTest1 InvalidBadCRLSignatureTest4 InvalidBadCRLIssuerNameTest5 InvalidWrongCRLTest6
        InvalidUnknownCRLExtensionTest10 InvalidOldCRLnextUpdateTest11 Invalidpre2000CRLnextUpdateTest12
        InvalidSeparateCertificateandCRLKeysTest21 InvalidkeyUsageCriticalcRLSignFalseTest4 InvalidkeyUsageNotCriticalcRLSignFalseTest5
        InvaliddistributionPointTest3 InvaliddistributionPointTest8 InvaliddistributionPointTest9 InvalidonlyContainsUserCertsCRLTest11
        InvalidonlyContainsCACertsCRLTest12 InvalidonlyContainsAttributeCertsTest14 InvalidonlySomeReasonsTest17
        InvalidIDPwithindirectCRLTest26 InvalidcRLIssuerTest27 InvalidcRLIssuerTest35 InvaliddeltaCRLIndicatorNoBaseTest1
        InvaliddeltaCRLTest10""",
}
_REASONS = {name: reason for table in (_OTHERWISE, _NAMED) for reason, names in table.items() for name in names.split()}


def _accepting(*numbers: int, explicit: bool = False) -> PolicyDemand:
    return PolicyDemand(frozenset(f"2.16.840.1.101.3.2.1.48.{number}" for number in numbers), explicit)


_EXPLICIT, _NO_MAPPING, _NO_ANY = PolicyDemand(explicit=True), PolicyDemand(inhibit_mapping=True), PolicyDemand(inhibit_any=True)
DEMANDS: tuple[tuple[str, PolicyDemand, bool], ...] = (  # sections 4.8, 4.10 and 4.12 with other inputs than the default
    ("AllCertificatesSamePolicyTest1", _EXPLICIT, True),
    ("AllCertificatesSamePolicyTest1", _accepting(1, explicit=True), True),
    ("AllCertificatesSamePolicyTest1", _accepting(2, explicit=True), False),
    ("AllCertificatesSamePolicyTest1", _accepting(1, 2, explicit=True), True),
    ("AllCertificatesNoPoliciesTest2", _EXPLICIT, False),
    ("DifferentPoliciesTest3", _EXPLICIT, False),
    ("DifferentPoliciesTest3", _accepting(1, 2, explicit=True), False),
    ("OverlappingPoliciesTest6", _accepting(1), True),
    ("OverlappingPoliciesTest6", _accepting(2), False),
    ("AllCertificatesSamePoliciesTest10", _accepting(1), True),
    ("AllCertificatesSamePoliciesTest10", _accepting(2), True),
    ("AllCertificatesAnyPolicyTest11", _accepting(1), True),
    ("AllCertificatesSamePoliciesTest13", _accepting(1), True),
    ("AllCertificatesSamePoliciesTest13", _accepting(2), True),
    ("AllCertificatesSamePoliciesTest13", _accepting(3), True),
    ("AnyPolicyTest14", _accepting(1), True),
    ("AnyPolicyTest14", _accepting(2), False),
    ("UserNoticeQualifierTest18", _accepting(1), True),
    ("UserNoticeQualifierTest18", _accepting(2), True),
    ("ValidPolicyMappingTest1", _accepting(1), True),
    ("ValidPolicyMappingTest1", _accepting(2), False),
    ("ValidPolicyMappingTest1", _NO_MAPPING, False),
    ("InvalidPolicyMappingTest2", _NO_MAPPING, False),
    ("ValidPolicyMappingTest3", _accepting(1), False),
    ("ValidPolicyMappingTest3", _accepting(2), True),
    ("ValidPolicyMappingTest5", _accepting(1), True),
    ("ValidPolicyMappingTest5", _accepting(6), False),
    ("ValidPolicyMappingTest6", _accepting(1), True),
    ("ValidPolicyMappingTest6", _accepting(6), False),
    ("ValidPolicyMappingTest12", _accepting(1), True),
    ("ValidPolicyMappingTest12", _accepting(2), True),
    ("inhibitAnyPolicyTest3", _NO_ANY, False),
)
