"""Step 7: what is delivered to one system. Pure: reads no clock and no randomness, so a replay gives the same bytes.

1. the formats the receiving system takes, as its profile says; none named: edXML packets
2. what the stored bytes are; where that is one of them, the received bytes themselves are delivered (DESIGN §2.3)
3. else the first of them that mappings lead to; what cannot be translated is parked (`translation-failed`)
4. what would be lost has to be of a kind that the profile accepts, or a person decides (`translation-lossy`)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from schemas.agency import AgencyCode
from schemas.dvcqg.validate import is_json
from schemas.errors import Parked, Refused, error
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Kind, Parcel
from schemas.translation import engine, formats
from schemas.translation.agreement import EDXML, Agreement
from schemas.translation.engine import Mappings, Translation
from schemas.translation.mapping import LossKind
from schemas.translation.packets import DOCUMENT, STATUS

PACKETS = (DOCUMENT, STATUS)
_SHOWN_LOSSES = 8


@dataclass(frozen=True, slots=True)
class Made:
    """A parcel, and how it came to be: `translation` is None where the received bytes are delivered."""

    parcel: Parcel
    translation: Translation | None = None
    accepted: frozenset[LossKind] = field(default_factory=frozenset)

    def check_losses(self) -> None:
        """Raises `Parked("translation-lossy")` with a violation for every loss that the receiver's profile does not accept."""
        losses = [one for one in self.translation.losses if one.kind not in self.accepted] if self.translation else []
        if losses:
            told = "; ".join(f"{one.kind} {one.path}" for one in losses[:_SHOWN_LOSSES])
            violations = tuple(error("translation-loss", path=one.path, got=one.reason.en, expected=one.kind) for one in losses)
            raise Parked("translation-lossy", got=f"{len(losses)}: {told}", expected="kinds in accept_losses", violations=violations)


def translate(
    raw: bytes,
    *,
    key: str,
    message_id: UUID,
    kind: Kind,
    sender: AgencyCode,
    recipients: tuple[AgencyCode, ...],
    document_id: str,
    content_type: str,
    charset: str,
    agreement: Agreement = EDXML,
    mappings: Callable[[], Mappings] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Made:
    """The parcel for one transmission of the message whose received bytes are `raw`.

    `mappings` gives those of the hub, and is asked only where something has to be translated. Raises `Parked("translation-failed")`,
    with what refused as its violations. What gets lost is for `Made.check_losses`.
    """
    parcel = partial(Parcel, key=key, message_id=message_id, recipients=recipients, sender=sender, kind=kind, document_id=document_id)
    as_received = Made(parcel(content_type=media_type(content_type, charset), body=raw))
    if not agreement.formats and not is_json(raw):
        return as_received
    try:
        source = formats.detect(raw, limits)  # 2
        wanted = agreement.formats or PACKETS  # 1
        if source in wanted:
            return as_received
        known = mappings() if mappings else Mappings.of(())
        reachable = known.reachable(source)
        target = next((one for one in wanted if one in reachable), wanted[0])
        made = engine.translate(raw, source, target, known, charset=charset, limits=limits)  # 3
    except Refused as fault:
        violations = fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),)
        got = f"{fault.code}: {fault.got}" if fault.got else fault.code
        raise Parked("translation-failed", got=got, expected=fault.expected, violations=violations) from fault
    return Made(parcel(content_type=made.content_type, body=made.body), made, agreement.accepted)


def media_type(content_type: str, charset: str) -> str:
    """The Content-Type to hand on. A charset that the sender's protocol named decided how the bytes were read (RFC 7303 §3), so it goes on
    with them; none is invented."""
    kind = content_type or "application/xml"
    return f"{kind}; charset={charset}" if charset else kind
