"""The mark of a signature that a hub made on behalf of an agency: a claimed role of XAdES, among the signed properties.

A status that the hub composes for an agency names that agency in From, and the hub signs it. The mark keeps it from ever being taken for
the agency's own signature, whatever the hub's certificate may otherwise sign for. It is looked for wherever it could stand, signed or not:
it can only take away.
"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from schemas.errors import Violation, error
from schemas.message import SignatureReport, VerdictStatus, rfc3339
from schemas.xml import ParsedXml, path_of, text_of
from signing import certificate

ROLE = "on_behalf_of"
_CLAIMED = "{http://uri.etsi.org/01903/v1.3.2#}ClaimedRole"


def role(organ_id: str) -> str:
    """The claimed role of whoever signs for the agency `organ_id`: ``on_behalf_of H32.01``."""
    return f"{ROLE} {organ_id}"


def marks(tree: ParsedXml) -> tuple[Violation, ...]:
    """`on-behalf-of` where anything in the document says that its signer acts for somebody else; empty for an agency's own."""
    if tree.layout is not None and _CLAIMED not in tree.layout.tags:
        return ()
    claimed = ((one, text_of(one).split()) for one in tree.root.iter(_CLAIMED))
    found = [(one, words) for one, words in claimed if words[:1] == [ROLE]]
    return tuple(
        error("on-behalf-of", path=path_of(one), line=one.sourceline or 0, got=" ".join(words), expected="the agency's own signature")
        for one, words in found
    )


def report(signer: x509.Certificate, at: datetime) -> SignatureReport:
    """Of what the hub signed itself a moment ago. Path and revocation of its own certificate are for those to ask who receive it."""
    own = certificate.of(signer)
    return SignatureReport(
        kind="xades",
        signer=own.subject,
        organ_id="",
        integrity="ok",
        coverage="ok",
        path="not checked",
        revocation="not checked",
        time="not checked",
        algorithms="ok",
        status=VerdictStatus.INVALID,
        reasons=("on-behalf-of",),
        certificate_sha256=own.sha256,
        signed_at=rfc3339(at),
    )
