"""Finding messages: what is asked, and one page of what is found, newest first.

Every page costs a bounded amount: the narrowest source of candidates (terms, a state, a code, or all messages; of several narrow ones what
they have in common) is read from the newest on in growing pieces, each piece is checked against the rest of the question, and after
`MAX_EXAMINED` candidates the page ends, full or not, with the place to go on from. A page is cut by index in the journal, so what is
accepted meanwhile moves nothing.

Terms are matched by SQLite's full-text index or PostgreSQL's inverted one. They are of letters and digits only (`replay.terms`), so
nothing a person types is ever part of a query language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, any_, cast, func, literal, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.types import Text

from replay import terms
from replay.store.tables import AnyRow, deliveries, messages, search
from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.folding import words
from schemas.message import rfc3339

MAX_PAGE = 500
MAX_EXAMINED = 10_000  # candidates a page may cost
MAX_WORDS = 40  # of a question
FIRST_PIECE, LAST_PIECE = 200, 2_000
COUNTED = MAX_EXAMINED  # candidates are counted up to here, to find the narrowest source: below, one page sees all of them
CLOCK_STEP = timedelta(days=1)  # the largest step back of the clock that a search by time does not mind
_INDEX = messages.c.index
_ADD = search.insert()
_ADD_TERMS = text("INSERT INTO search_terms(rowid, terms) VALUES (:position, :terms)")
_FORGET_TERMS = text("INSERT INTO search_terms(search_terms, rowid, terms) VALUES ('delete', :position, :terms)")
_LIST = func.string_to_array(search.c.terms, literal_column("' '"))


@dataclass(frozen=True, slots=True)
class Viewer:
    """A system that may see what it brought, what its agencies sent, and what it gets a copy of."""

    system: str
    agencies: tuple[str, ...]  # keys


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; everything that is given has to hold. "" and None ask nothing."""

    words: str = ""  # all of them, anywhere in the subject
    number: str = ""  # số, ký hiệu, or số/ký hiệu
    document_id: str = ""
    dossier: str = ""  # MaHoSo
    agency: str = ""  # sender or recipient, in either form of its code
    sender: str = ""
    recipient: str = ""
    kind: str = ""
    state: str = ""  # of a copy that the viewer may know of
    code: str = ""  # of a copy's failure, or of a warning that the message carries
    since: datetime | None = None  # accepted then or later
    until: datetime | None = None  # accepted before then
    viewer: Viewer | None = None  # None: may see everything

    def groups(self) -> list[list[str]]:
        """Terms: one of each group. Raises `Refused("invalid-request")` for too many words."""
        asked = words(self.words)
        if len(asked) > MAX_WORDS:
            raise Refused("invalid-request", got=f"{len(asked)} words", expected=f"at most {MAX_WORDS} words")
        found = [[terms.word_term(word)] for word in asked]
        if self.words.strip() and not asked:
            found.append([terms.term("n", "")])  # nothing but signs: nothing has that
        if self.number:
            found.append([terms.asked_number(self.number)])
        if self.document_id:
            found.append([terms.term("d", terms.document_key(self.document_id))])
        if self.dossier:
            found.append([terms.term("h", self.dossier.strip().upper())])
        for code, letters in ((self.agency, "ft"), (self.sender, "f"), (self.recipient, "t")):
            if code:
                found.append([terms.term(letter, AgencyCode.of(code).key) for letter in letters])
        if self.kind:
            found.append([terms.term("k", self.kind)])
        if self.viewer is not None:
            found.append([terms.term("s", self.viewer.system), *(terms.term("f", key) for key in self.viewer.agencies)])
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Indexes of messages, newest first."""

    positions: tuple[int, ...]
    next: int | None  # ask for what lies before this; None: there is no more


def add(conn: Connection, position: int, values: Mapping[str, Any]) -> None:
    """Makes a message findable, in the transaction of its acceptance; `values` are those of the acceptance."""
    row = {"position": position, "terms": terms.terms_of(values)}
    conn.execute(_ADD, row)
    if conn.dialect.name == "sqlite":
        conn.execute(_ADD_TERMS, row)


def forget(conn: Connection, position: int) -> None:
    """Takes a message out. SQLite's full-text index keeps a mark and the old terms until it is merged (`replay.erasure`)."""
    found = conn.execute(select(search.c.terms).where(search.c.position == position)).scalar()
    if found is None:
        return
    if conn.dialect.name == "sqlite":
        conn.execute(_FORGET_TERMS, {"position": position, "terms": found})
    conn.execute(search.delete().where(search.c.position == position))


def find(conn: Connection, question: Question, *, limit: int, before: int | None = None) -> Page:
    """A page of at most `limit` messages with an index below `before`. Raises `Refused("invalid-request")`."""
    narrow = _Narrowed(conn, question, before)
    below = narrow.below
    found: list[int] = []
    examined, piece = 0, max(FIRST_PIECE, 2 * limit) if narrow.has_more_to_check else limit + 1
    while len(found) < limit:
        candidates = narrow.candidates(below, piece)
        if not candidates:
            return Page(tuple(found), None)
        matching = narrow.matching(candidates)
        room = limit - len(found)
        found += matching[:room]
        if len(matching) > room:
            return Page(tuple(found), found[-1])
        examined, below = examined + len(candidates), candidates[-1]
        if len(candidates) < piece:
            return Page(tuple(found), None)
        if examined >= MAX_EXAMINED:
            break
        piece = min(4 * piece, LAST_PIECE)
    return Page(tuple(found), below)


class _Narrowed:
    """A question with the source that candidates are taken from, between the indexes where the time that was asked for lies: from `low`,
    below `below`."""

    def __init__(self, conn: Connection, question: Question, before: int | None) -> None:
        self._conn = conn
        self._is_sqlite = conn.dialect.name == "sqlite"
        self._question = question
        self._groups = question.groups()
        self.low, self.below = self._bounds(before)
        self._source = self._narrowest()

    @property
    def has_more_to_check(self) -> bool:
        """Whether a candidate may turn out to be none, but for the edges of a time."""
        return bool(self._question.state or self._question.code)

    def _bounds(self, before: int | None) -> tuple[int, int]:
        low, below = 0, 2**62 if before is None else before
        if self._question.since is not None:
            first = self._at(messages.c.accepted_at >= rfc3339(self._question.since - CLOCK_STEP), newest=False)
            low = below if first is None else first
        if self._question.until is not None:
            last = self._at(messages.c.accepted_at < rfc3339(self._question.until + CLOCK_STEP), newest=True)
            below = min(below, 0 if last is None else last + 1)
        return low, below

    def _at(self, condition: ColumnElement[bool], *, newest: bool) -> int | None:
        by_time = (messages.c.accepted_at.desc(), _INDEX.desc()) if newest else (messages.c.accepted_at, _INDEX)
        found: int | None = self._conn.execute(select(_INDEX).where(condition).order_by(*by_time).limit(1)).scalar()
        return found

    def candidates(self, below: int, count: int) -> list[int]:
        """The newest indexes that the source has below."""
        if self._source.known is not None:
            return [one for one in self._source.known if one < below][:count]
        found: set[int] = set()
        for column, query in self._source.parts:
            part = query.where(column >= self.low, column < below).order_by(column.desc()).limit(count)
            found.update(self._conn.execute(part).scalars())
        return sorted(found, reverse=True)[:count]

    def matching(self, candidates: Sequence[int]) -> list[int]:
        """Those of the candidates for which everything holds, newest first."""
        asked = self._question
        query = select(_INDEX).where(candidates[-1] <= _INDEX, candidates[0] >= _INDEX).order_by(_INDEX.desc())
        if candidates[0] - candidates[-1] >= len(candidates):  # not without a gap
            query = query.where(self._among(candidates))
        if asked.since is not None:
            query = query.where(messages.c.accepted_at >= rfc3339(asked.since))
        if asked.until is not None:
            query = query.where(messages.c.accepted_at < rfc3339(asked.until))
        for condition in self._copies():
            query = query.where(condition)
        if self._groups and not self._source.of_terms:
            query = query.where(*(self._has(group) for group in self._groups))
        return list(self._conn.execute(query).scalars())

    def _copies(self) -> list[ColumnElement[bool]]:
        """What has to hold of one of the message's copies, as far as the viewer may know of it."""
        asked, viewer = self._question, self._question.viewer
        known = [deliveries.c.sequence == _INDEX]  # a copy has its message's index, and the indexes of `deliveries` end with it
        if viewer is not None:
            own = or_(messages.c.principal == viewer.system, messages.c.sender_key.in_(viewer.agencies))
            known.append(or_(deliveries.c.system == viewer.system, own))
        found: list[ColumnElement[bool]] = []
        if asked.state:
            found.append(_a_copy(*known, deliveries.c.state == asked.state))
        if asked.code:
            found.append(or_(_a_copy(*known, deliveries.c.cause == asked.code), self._has([terms.term("e", asked.code)])))
        return found

    def _has(self, group: Sequence[str]) -> ColumnElement[bool]:
        """The message has one of these terms."""
        place = func.instr if self._is_sqlite else func.strpos
        one_of = or_(*(place(search.c.terms, f" {one} ") > 0 for one in group))
        return select(_ONE).where(search.c.position == _INDEX, one_of).correlate(messages).exists()

    def _among(self, candidates: Sequence[int]) -> ColumnElement[bool]:
        """One of the candidates, as one parameter: a list of thousands of them would cost more to write than to look up."""
        if self._is_sqlite:
            rows = func.json_each(literal(json.dumps(candidates), Text))
            return _INDEX.in_(select(literal_column("value", BigInteger)).select_from(rows))
        return any_(literal(list(candidates), ARRAY(BigInteger))) == _INDEX

    def _narrowest(self) -> _Source:
        """What is common to the sources that have fewer than `COUNTED`, else a large one; PostgreSQL has no index of terms in order."""
        asked, found = self._question, []
        if self._groups:
            found.append(_Source((self._by_terms(self._groups),), of_terms=True))
        if asked.code:
            failed = select(deliveries.c.sequence).where(deliveries.c.cause == asked.code).distinct()
            found.append(_Source((self._by_terms([[terms.term("e", asked.code)]]), (deliveries.c.sequence, failed))))
        if asked.state:
            column = deliveries.c.sequence
            found.append(_Source(((column, select(column).where(deliveries.c.state == asked.state).distinct()),)))
        if not found:
            return _Source(((_INDEX, select(_INDEX)),))
        if len(found) == 1:
            return found[0]
        small = [(source, known) for source in found if (known := self._known(source)) is not None]
        if not small:
            return found[0] if self._is_sqlite else found[-1]
        common = frozenset.intersection(*(known for _, known in small))
        return _Source((), any(source.of_terms for source, _ in small), tuple(sorted(common, reverse=True)))

    def _known(self, source: _Source) -> frozenset[int] | None:
        """All candidates of a source; None where they are many."""
        found: set[int] = set()
        for column, query in source.parts:
            part = query.where(column >= self.low, column < self.below).limit(COUNTED)
            found.update(self._conn.execute(part).scalars())
        return frozenset(found) if len(found) < COUNTED else None

    def _by_terms(self, groups: Sequence[Sequence[str]]) -> _Part:
        if self._is_sqlite:
            asked = " AND ".join(f"({' OR '.join(group)})" for group in groups)
            matched = text("search_terms MATCH :asked").bindparams(asked=asked)
            return _ROWID, select(_ROWID).select_from(text("search_terms")).where(matched)
        every = [group[0] for group in groups if len(group) == 1]
        some = [_LIST.op("&&")(_listed(group)) for group in groups if len(group) > 1]
        return search.c.position, select(search.c.position).where(*([_LIST.op("@>")(_listed(every))] if every else []), *some)


_Part: TypeAlias = tuple[ColumnElement[int], Select[Any]]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where candidates come from: the column of their indexes, and the query; of several, all of them. Or they are known already."""

    parts: tuple[_Part, ...]
    of_terms: bool = False  # of all the terms that are asked for: nothing is left to check of them
    known: tuple[int, ...] | None = None  # the newest first


def _a_copy(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(_ONE).where(*conditions).correlate(messages).exists()


_ONE: ColumnElement[int] = literal_column("1")
_ROWID: ColumnElement[int] = literal_column("search_terms.rowid")


def _listed(group: Sequence[str]) -> ColumnElement[Any]:
    return cast(array([literal(one, Text) for one in group]), ARRAY(Text))


def shown(conn: Connection, positions: Sequence[int]) -> tuple[Sequence[AnyRow], Mapping[Any, Sequence[AnyRow]]]:
    """The rows of the messages at `positions`, newest first, and of their deliveries by message."""
    columns = [messages.c[name] for name in ("id", "principal", "kind", "sender", "sender_key", "document_id", "title", "accepted_at")]
    rows = conn.execute(select(*columns, _INDEX.label("position")).where(_INDEX.in_(positions)).order_by(_INDEX.desc())).all()
    copies: dict[Any, list[AnyRow]] = {row.id: [] for row in rows}
    about = [deliveries.c[name] for name in ("message_id", "recipient", "system", "state", "cause")]
    for copy in conn.execute(select(*about).where(deliveries.c.message_id.in_(list(copies))).order_by(deliveries.c.recipient_key)):
        copies[copy.message_id].append(copy)
    return rows, copies
