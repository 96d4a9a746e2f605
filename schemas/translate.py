"""Step 7: what is delivered to one system. Pure: reads no clock and no randomness, so a replay gives the same bytes.

Where the receiver speaks the sender's format – all of them here – the received bytes themselves are delivered (DESIGN §2.3).
Translation to other formats by mappings is a later capability; it enters here.
"""

from __future__ import annotations

from uuid import UUID

from schemas.agency import AgencyCode
from schemas.message import Kind, Parcel


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
) -> Parcel:
    """The parcel for one transmission of the message whose received bytes are `raw`."""
    return Parcel(
        key=key,
        message_id=message_id,
        recipients=recipients,
        sender=sender,
        kind=kind,
        document_id=document_id,
        content_type=media_type(content_type, charset),
        body=raw,
    )


def media_type(content_type: str, charset: str) -> str:
    """The Content-Type to hand on. A charset that the sender's protocol named decided how the bytes were read (RFC 7303 §3), so it goes on
    with them; none is invented."""
    kind = content_type or "application/xml"
    return f"{kind}; charset={charset}" if charset else kind
