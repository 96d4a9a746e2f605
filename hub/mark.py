"""What a receiver is told of a message's verdict beside its bytes, wherever it gets them: the mark of `deliver-marked` (DESIGN §2.4).

`legal_value` is that of the newest verdict (`schemas.message.LegalValue`); `verification` stands where a certificate's status was not known
at first, and says what has become of it: pending, confirmed, withdrawn or given-up. The mark is of the moment at which it is read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from replay.store.tables import messages, verifications


@dataclass(frozen=True, slots=True)
class Mark:
    """Both words; "" where there is nothing to say."""

    legal_value: str
    verification: str


def mark_of(verdict: str, state: str | None, newest: str | None) -> Mark:
    """From the columns `messages.verdict`, `verifications.state` and `verifications.verdict`; no row: the last two are None."""
    told = json.loads(newest or verdict or "{}")
    return Mark(str(told.get("legal_value", "")), state or "")


def mark(conn: Connection, message_id: UUID) -> Mark:
    """The mark of one message."""
    joined = messages.outerjoin(verifications, verifications.c.message_id == messages.c.id)
    wanted = select(messages.c.verdict, verifications.c.state, verifications.c.verdict.label("newest"))
    row = conn.execute(wanted.select_from(joined).where(messages.c.id == message_id)).one()
    return mark_of(row.verdict, row.state, row.newest)
