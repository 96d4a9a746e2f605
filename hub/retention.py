"""How long messages are kept: which of them are due by the rules in the settings, and erasing those.

A message falls under the rules that fit its kind and priority and were in force when it was accepted; of those the one in force last
holds, of several of one day the first in the file. What no rule fits is kept for ever. Held and undelivered ones are passed over and
counted; the next run finds them again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hub.erase import Eraser
from hub.settings import RetentionRule
from replay.store.tables import message_keys, messages
from schemas.errors import Refused
from schemas.message import VIETNAM, rfc3339

_PAGE = 500
_PASSED_OVER = ("erase-held", "erase-undelivered")


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose time has come."""

    message_id: UUID
    rule: str
    accepted_at: str
    kind: str

    def as_json(self) -> dict[str, Any]:
        """For lists."""
        return {"message_id": str(self.message_id), "class": self.rule, "accepted_at": self.accepted_at, "kind": self.kind}


def rule_for(rules: Sequence[RetentionRule], kind: str, priority: str, accepted_on: date) -> RetentionRule | None:
    """The rule that a message falls under; None: it is kept for ever. `accepted_on` is a day in Vietnam."""
    fitting = [
        rule
        for rule in rules
        if rule.since <= accepted_on
        and (not rule.kinds or any(fnmatchcase(kind, pattern) for pattern in rule.kinds))
        and (not rule.priorities or priority in rule.priorities)
    ]
    return max(fitting, key=lambda rule: rule.since) if fitting else None  # of equal ones `max` takes the first


def due(eraser: Eraser, rules: Sequence[RetentionRule], at: datetime) -> Iterator[Due]:
    """All messages that are due, oldest first; erased ones are not."""
    if not rules:
        return
    latest = rfc3339(at - timedelta(days=min(rule.keep_days for rule in rules)))
    after = -1
    columns = [messages.c[name] for name in ("id", "kind", "priority", "accepted_at")]
    query = select(*columns, messages.c.index.label("position")).join(message_keys, message_keys.c.message_id == messages.c.id)
    while True:
        page = query.where(messages.c.index > after, messages.c.accepted_at < latest, message_keys.c.wrapped.is_not(None))
        with eraser.store.read() as conn:
            rows = conn.execute(page.order_by(messages.c.index).limit(_PAGE)).all()
        if not rows:
            return
        after = rows[-1].position
        for row in rows:
            accepted = datetime.fromisoformat(row.accepted_at)
            rule = rule_for(rules, row.kind, row.priority, accepted.astimezone(VIETNAM).date())
            if rule is not None and accepted + timedelta(days=rule.keep_days) < at.astimezone(UTC):
                yield Due(row.id, rule.name, row.accepted_at, row.kind)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did."""

    erased: tuple[Due, ...]
    passed_over: tuple[tuple[Due, str], ...]  # with the code that says why

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "erased": [one.as_json() for one in self.erased],
            "passed_over": [{**one.as_json(), "code": code} for one, code in self.passed_over],
            "classes": dict(Counter(one.rule for one in self.erased)),
        }


def run(eraser: Eraser, rules: Sequence[RetentionRule], *, by: str, at: datetime) -> Run:
    """Erases everything that is due, each with an entry of its own that names the class. May be repeated, and killed, at any time.

    Raises as `Eraser.erase`, but for what is held or undelivered.
    """
    erased: list[Due] = []
    passed: list[tuple[Due, str]] = []
    for one in due(eraser, rules, at):
        try:
            eraser.begin(one.message_id, by=by, reason=f"retention: {one.rule}", at=at)
            erased.append(one)
        except Refused as fault:
            if fault.code not in _PASSED_OVER:
                raise
            passed.append((one, fault.code))
    for start in range(0, len(erased), _PAGE):
        eraser.clean_up([one.message_id for one in erased[start : start + _PAGE]])
    return Run(tuple(erased), tuple(passed))
