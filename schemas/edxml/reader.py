"""The tolerant reader: bytes of a packet into an `Envelope`.

Procedure of `read`:

1. parse, once (`schemas.xml`)
2. is it ours: namespace and root; a SOAP packet, the 2014 dialect and a wrong namespace are told apart
3. document or status
4. values: every element by its name, in whatever order (`parts`)
5. structure: unknown, doubled and missing elements, empty values (`structure`, with the XSD)
6. our own rules: codes, dates, identifiers, attachments (`rules`)
7. any error refuses the packet, with all violations; warnings travel in the envelope

Keys (`document_id`, `subject_key`, `natural_id`) are NFC, so that composed and decomposed Vietnamese name the same document; contents
stay as they were written.
"""

from __future__ import annotations

import json

from schemas.agency import AgencyCode
from schemas.edxml import convert
from schemas.edxml.examination import Examined, examine, examine_tree, judge
from schemas.edxml.packet import DocumentPacket, StatusPacket, nfc
from schemas.errors import Refused, errors_of
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Envelope, Inbound, Kind

__all__ = ["Examined", "examine", "examine_tree", "judge", "read"]

NO_DIALECTS: frozenset[str] = frozenset()


def read(inbound: Inbound, limits: Limits = DEFAULT_LIMITS, dialects: frozenset[str] = NO_DIALECTS) -> Envelope:
    """The envelope of `inbound`, schema-valid and checked; who signed it is not known yet.

    A packet of the 2014 generation is refused with `old-dialect`, unless its dialect's name (`dialects.DIALECTS`) is in `dialects`: then
    the envelope has the values and the tree of its conversion, with each loss among the warnings. Nothing of the tree is signed then.

    Raises `Refused`: what `schemas.xml.parse` raises, `not-edxml`, `soap-envelope`, `old-dialect`, `wrong-namespace`, `resource-limit`,
    or the code of the first error, with all violations.
    """
    try:
        examined = examine(inbound, limits)
    except Refused as fault:
        if fault.code != "old-dialect" or not dialects:
            raise
        examined = convert.examined(inbound, dialects, limits)
    faults = errors_of(examined.violations)
    if faults:  # 7
        first = faults[0]
        raise Refused(first.code, got=first.got, expected=first.expected, violations=examined.violations[: limits.max_violations])
    packet = examined.packet
    if isinstance(packet, StatusPacket):
        return _status_envelope(inbound, packet, examined)
    return _document_envelope(inbound, packet, examined)


def _document_envelope(inbound: Inbound, packet: DocumentPacket, examined: Examined) -> Envelope:
    recipients = tuple({one.agency.key: one.agency for one in reversed(packet.to)}.values())[::-1]
    sender, own = packet.sender.agency, nfc(packet.document_id)
    return Envelope(
        inbound=inbound,
        kind=packet.kind,
        sender=sender,
        recipients=recipients,
        document_id=own,
        subject_key=_subject_of(packet, sender, own),
        natural_id=_key("document", sender.key, own, packet.doc_type, sorted(one.key for one in recipients)),
        packet=packet,
        tree=examined.tree,
        warnings=examined.violations,
    )


def _subject_of(packet: DocumentPacket, sender: AgencyCode, own: str) -> str:
    """The document that the packet is about.

    A recall may name it in three places, and the official sample points `ResponseFor` at another agency's document; so of the candidates,
    in their documented order, the first that can be the sender's own counts, else the first.
    """
    if packet.kind is Kind.DOCUMENT_RECALL:
        targets = packet.recall_targets
        return next((one for one in targets if _may_be_of(sender, one)), targets[0])
    if packet.kind is Kind.DOCUMENT_UPDATE and packet.bussiness and packet.bussiness.document_id:
        return nfc(packet.bussiness.document_id)
    return own


def _may_be_of(sender: AgencyCode, document_id: str) -> bool:
    """False when `document_id` has the official form ``OrganId,date,number`` and names another agency."""
    organ, comma, _ = document_id.partition(",")
    return not comma or AgencyCode.of(organ).same_as(sender)


def _status_envelope(inbound: Inbound, packet: StatusPacket, examined: Examined) -> Envelope:
    about, sender = packet.response_for, packet.sender.agency
    document_id = nfc(about.document_id) or f"{about.agency.key},{nfc(about.code)}"
    return Envelope(
        inbound=inbound,
        kind=Kind.DOCUMENT_STATUS,
        sender=sender,
        recipients=(about.agency,),
        document_id=document_id,
        subject_key=document_id,
        natural_id=_key(
            "status", sender.key, about.agency.key, nfc(about.document_id), nfc(about.code), packet.status_code, packet.timestamp
        ),
        packet=packet,
        tree=examined.tree,
        warnings=examined.violations,
    )


def _key(*values: str | list[str]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
