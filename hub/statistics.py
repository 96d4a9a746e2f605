"""Figures on the documents that agencies send: how many, on paper as well or not, urgent, late.

CT 12/CT-UBND 2013 art. 2.g asks for the share of documents exchanged fully electronically, QĐ 28/2018 art. 5.3 and 7.2 for no paper copy
afterwards, art. 6.2 for sending in time. A document is counted once, however many recipients and routes it has; recalls and statuses
are none. `Paper` is taken as its sender wrote it: a document that does not say is neither on paper nor without.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from hub.lineage import DOCUMENTS
from replay.store.engine import Store
from replay.store.tables import messages
from schemas.agency import AgencyCode
from schemas.edxml.semantics import URGENT
from schemas.message import rfc3339

PAPER, NO_PAPER = "1", "0"  # Bussiness/Paper, edxml.md §1.4 [C]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one sender, or of all."""

    documents: int = 0
    electronic: int = 0  # the sender says that no paper copy follows
    paper: int = 0  # one follows
    unsaid: int = 0  # neither is said, or what is said is unknown
    urgent: int = 0
    late: int = 0  # `sent-late`, `urgent-sent-late`
    erased: int = 0  # for good: how they were sent is not known any more, so they are in none of the others

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def electronic_percent(self) -> float | None:
        """Of the documents whose sender said; None where nobody did."""
        said = self.electronic + self.paper
        return round(100 * self.electronic / said, 1) if said else None

    def as_json(self) -> dict[str, Any]:
        """The form that `--json` prints."""
        return {**asdict(self), "electronic_percent": self.electronic_percent}


def documents_sent(store: Store, *, since: datetime | None = None, until: datetime | None = None, sender: str = "") -> dict[str, Figures]:
    """Figures by sender, by one of the ways it wrote its code. `since` included, `until` not; `sender` in either form of its code."""
    there = messages.c.document_id != ""  # what was erased has none
    said = messages.c.paper.in_((PAPER, NO_PAPER))
    wanted: list[ColumnElement[bool]] = [messages.c.kind.in_(DOCUMENTS), messages.c.second_route_of.is_(None)]
    wanted += [messages.c.accepted_at >= rfc3339(since)] if since else []
    wanted += [messages.c.accepted_at < rfc3339(until)] if until else []
    wanted += [messages.c.sender_key == AgencyCode.of(sender).key] if sender else []
    columns = (
        _count(there),
        _count(there, messages.c.paper == NO_PAPER),
        _count(there, messages.c.paper == PAPER),
        _count(there, ~said),
        _count(there, messages.c.priority.in_(sorted(URGENT))),
        _count(there, or_(messages.c.warnings.contains('"sent-late"'), messages.c.warnings.contains('"urgent-sent-late"'))),
        _count(~there),
    )
    question = select(func.min(messages.c.sender), *columns).where(*wanted).group_by(messages.c.sender_key).order_by(messages.c.sender_key)
    with store.read() as conn:
        return {row[0]: Figures(*row[1:]) for row in conn.execute(question)}


def _count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((and_(*conditions), 1), else_=0))
