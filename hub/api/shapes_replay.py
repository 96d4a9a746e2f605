"""The JSON bodies of replays at the REST face."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from pydantic import Field

from hub.api.shapes import Body
from hub.replays import Asked
from replay.job import Mode
from replay.selection import Query

_TIME = r"^$|^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"


class Selection(Body):
    """Which messages; conditions that are given hold together."""

    ids: list[str] = Field(default_factory=list, max_length=10_000, description="messages")
    first: int | None = Field(default=None, ge=0, le=2**53, description="index of the journal, included")
    last: int | None = Field(default=None, ge=0, le=2**53, description="index of the journal, included")
    agency: str = Field(default="", max_length=64)
    system: str = Field(default="", max_length=64)
    kind: str = Field(default="", max_length=64)
    state: str = Field(default="", max_length=16)
    cause: str = Field(default="", max_length=64)
    document: str = Field(default="", max_length=1_000)
    since: str = Field(default="", pattern=_TIME, description="RFC 3339, of acceptance")
    until: str = Field(default="", pattern=_TIME, description="RFC 3339, excluded")


class NewReplay(Body):
    """What is wanted."""

    mode: str = Field(pattern=f"^({'|'.join(Mode)})$")
    query: Selection = Selection()
    dry_run: bool = True
    new_key: bool = False
    rate_per_s: float = Field(default=0.0, ge=0)
    reason: str = Field(default="", max_length=2_000)

    def asked(self) -> Asked:
        """As the core takes it. Raises ValueError for ids and times that are none."""
        q = self.query
        query = Query(
            ids=tuple(UUID(one) for one in q.ids),
            first=q.first,
            last=q.last,
            agency=q.agency,
            system=q.system,
            kind=q.kind,
            state=q.state,
            cause=q.cause,
            document=q.document,
            since=_time(q.since),
            until=_time(q.until),
        )
        return Asked(Mode(self.mode), query, self.dry_run, self.new_key, self.rate_per_s, self.reason)


class Approval(Body):
    """The digest that is approved."""

    digest: str = Field(pattern="^[0-9a-f]{64}$")


class Start(Body):
    """The confirmation, where one is asked for."""

    confirm: str = Field(default="", max_length=100)


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
