"""fsck: derives everything anew from the entries and names what does not agree. Trusts nothing but keys and an older checkpoint.

The steps:

1. entries       indexes run from 0 without a gap; each leaf has the form of an entry and the hash that stands beside it
2. openings      each entry has one; its values agree with the commitments, its event, time and message with the leaf and the values
3. messages      each acceptance has its message row, with every column that the journal commits to, its links, and its sender's id,
                 which means it and the bytes it came with; there is no other row
4. receipts      signed by a key of the hub; every field is what the acceptance says
5. payloads      decrypt, and their SHA-256 is the digest that was accepted
6. deliveries    exactly those that the acceptance lists, one per recipient; each stands as its last entry says
7. head          size and frontier are those of the entries; the nodes that tiles are made of are those of the leaves
8. checkpoint    an older one, kept elsewhere: the log of its size had its root
9. accounts      people's names, roles, passwords and locks are those that entries tell of; sessions are those of logins
10. artefacts    what entries say messages were judged and translated with is kept, and is what it was, in force since when they say
11. erasures     what an entry calls erased is gone everywhere; holds and tombstones are those that entries speak of
12. evidence     of every verdict is kept, and is what it was; a verdict that was reached again stands as its last entry says
13. published    checkpoints are signed, and of the tree that the entries make; cosignatures are of them
14. index        the full-text index finds what the rows of `search` say
15. replays       jobs, selections, results, reports and approvals are those that entries tell of

An erased opening or payload is no difference if an ``erased`` entry names its message. What is state of work only (when a delivery is
due, whose lease it is, the excerpt of an answer) is not in the journal and not checked. Reads one snapshot and never holds the writer up.

It is longer than 300 lines because all steps share one pass over the entries.
1 to 6: `replay.fsck_chunk`, `replay.accepted`, `replay.standing`; what rows must be: `replay.derived`; 12 to 15: `replay.fsck_…`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Table, exc, func, select

from replay import artefacts, derived, fsck_index, fsck_pool, fsck_rows
from replay.accounts import Accounts
from replay.checkpoint import Checkpoint
from replay.erasure import Erasures
from replay.findings import Findings, FsckReport
from replay.fsck_chunk import MALFORMED, Examined, Fact, of_another_form
from replay.fsck_evidence import Evidence
from replay.fsck_pool import Kit
from replay.fsck_published import PublishedCheck
from replay.fsck_replays import Replays
from replay.fsck_sessions import Sessions
from replay.fsck_tree import TreeCheck
from replay.in_force import InForce
from replay.merkle import Frontier
from replay.payloads import PayloadStore
from replay.standing import Deliveries, SenderIds
from replay.store.engine import Store, fault_name, is_unavailable
from replay.store.loose import loose
from replay.store.tables import deliveries, links, log_head, message_keys, messages, openings, payloads, search, sender_ids
from signing.cosignature import CosignatureVerifier
from signing.note import NoteVerifier

_HEAD = select(*loose(log_head))
_TOTALS: Sequence[tuple[Table, str, str]] = (  # a table, the code of what is wrong with it, the count that its rows must have
    (openings, "opening-changed", "openings"),
    (messages, "message-changed", "messages"),
    (links, "message-changed", "links"),
    (deliveries, "delivery-changed", "deliveries"),
    (search, "message-changed", "search"),
    (payloads, "payload-damaged", "messages"),
    (message_keys, "payload-damaged", "messages"),
)
_COUNTS = select(*(select(func.count()).select_from(table).scalar_subquery() for table in (*(one[0] for one in _TOTALS), sender_ids)))


@dataclass(frozen=True, slots=True)
class FsckKeys:
    """What fsck checks with. Without `payloads` (a quick run, or no master key at hand) step 5 is left out."""

    log: tuple[NoteVerifier, ...]
    receipts: Mapping[str, Ed25519PublicKey]  # by key id
    payloads: PayloadStore | None
    witnesses: tuple[CosignatureVerifier, ...] = ()  # whose lines can be verified

    def kit(self, facts: frozenset[str]) -> Kit:
        """What the entries are examined with."""
        masters = () if self.payloads is None else tuple(self.payloads.current())
        receipts = {name: key.public_bytes_raw() for name, key in self.receipts.items()}
        return Kit(
            receipts, masters, Path() if self.payloads is None else self.payloads.folder, sorted({key.name for key in self.log}), facts
        )


def fsck(
    store: Store,
    keys: FsckKeys,
    expected_checkpoint: bytes | None = None,
    *,
    progress: Callable[[int, int], object] = lambda done, all_: None,
    processes: int | None = None,
) -> FsckReport:
    """Checks the whole store. `expected_checkpoint`: a signed note of this log that was kept outside. `progress` is told entries done and
    all; `processes` work beside this one (as many as there are processors, where the log is large).

    Raises `Refused` for a checkpoint that no log key signed: ``note-invalid``, ``checkpoint-invalid``; `Halted("store-unavailable")`.
    Whatever is wrong with the store's content stands in the report.
    """
    expected = None if expected_checkpoint is None else Checkpoint.opened(expected_checkpoint, keys.log)
    findings = Findings()
    kit = keys.kit(frozenset(FOLDED))
    with store.read() as conn:
        published = PublishedCheck(findings, keys.log, keys.witnesses)
        check = _Check(conn, published, Replays(findings, keys.receipts), expected, findings, kit.origins)
        try:
            check.published.begin(conn)
            size = _size(conn)
            chunks = fsck_rows.chunks(conn, with_payloads=keys.payloads is not None)
            for one in fsck_pool.examined(chunks, kit, fsck_pool.processes_for(size) if processes is None else processes):
                check.add(one)
                progress(check.frontier.size, size)
            check.finish()
        except exc.SQLAlchemyError as fault:
            if is_unavailable(fault):
                raise
            findings.differ("journal-damaged", "store", got=fault_name(fault), expected="values that the database's driver can read")
        return check.report()


def _size(conn: Connection) -> int:
    """How many entries there are, as the head says: believed for the progress alone."""
    head = conn.execute(_HEAD).first()
    return head.size if head is not None and isinstance(head.size, int) else 0


@dataclass(slots=True)
class _Check:
    conn: Connection
    published: PublishedCheck
    replays: Replays
    expected: Checkpoint | None
    findings: Findings
    origins: Sequence[str]  # names of the log that its keys know
    standing: Deliveries = field(init=False)
    senders: SenderIds = field(init=False)
    accounts: Accounts = field(init=False)
    sessions: Sessions = field(init=False)
    tree: TreeCheck = field(init=False)
    evidence: Evidence = field(init=False)
    worked_with: set[str] = field(default_factory=set)  # artefacts that entries name
    erasures: Erasures = field(init=False)
    in_force: InForce = field(init=False)
    frontier: Frontier = field(default_factory=Frontier)
    root_then: bytes | None = None  # at the expected checkpoint's size
    head: tuple[int, str] = (0, "")  # size and origin

    def __post_init__(self) -> None:
        self.accounts, self.sessions, self.in_force = Accounts(self.findings), Sessions(self.findings), InForce(self.findings)
        self.tree, self.evidence = TreeCheck(self.findings), Evidence(self.findings)
        self.standing, self.senders, self.erasures = Deliveries(self.findings), SenderIds(self.findings), Erasures(self.findings)

    def add(self, one: Examined) -> None:
        """The next chunk, examined."""
        self._note_root()
        for digest in one.digests:
            self.frontier.append(digest)
            self.tree.add(digest)
            self._note_root()
        self.findings.add(one.findings)
        self.worked_with |= one.artefacts
        self.evidence.named |= one.evidence
        for fact in one.facts:
            self._fold(fact)
        self.senders.check(self.conn, one.bindings)  # 3

    def _note_root(self) -> None:
        if self.expected is not None and self.frontier.size == self.expected.size:
            self.root_then = self.frontier.root()
        if self.frontier.size in self.published.wanted:
            self.published.wanted[self.frontier.size] = self.frontier.root()

    def _fold(self, fact: Fact) -> None:
        """What an entry adds to what is known at the end."""
        if fact.values is None:
            self._unopened(fact)
            return
        try:
            FOLDED[fact.event](self, fact, fact.values)
        except MALFORMED as fault:
            got, expected = of_another_form(fault, fact.event)
            self.findings.differ("opening-changed", f"openings/{fact.index}", got=got, expected=expected)

    def person(self, values: Mapping[str, Any], at: str) -> None:
        """Something happened to somebody's account."""
        self.accounts.fold(values, at)
        self.sessions.person(values, at)

    def _unopened(self, fact: Fact) -> None:
        for unknown in (self.standing.unknown if fact.event == "delivery" else self.senders.unknown, self.evidence.unknown):
            unknown.add(fact.message_id)
        if fact.event == "hold":
            self.erasures.hold(fact.message_id, None, fact.at)

    def finish(self) -> None:
        """What can be said only after the last entry."""
        self._note_root()
        self.standing.check(self.conn)
        self.accounts.check(self.conn)  # 9
        self.sessions.check(self.conn)
        self.replays.check(self.conn, self.erasures.tags)  # 15
        self.erasures.check(self.conn)  # 11
        self.in_force.check(self.conn)  # 10
        self._totals()
        self._artefacts()
        self.evidence.check(self.conn)
        fsck_index.check(self.conn, self.findings)
        findings = self.findings
        for message_id, code, path in findings.absent:
            if self.erasures.explains(message_id, path):
                findings.counts["erased"] += 1
            else:
                findings.differ(code, path, got="nothing", expected="a value, or an entry that says it was erased")
        self._head()
        self.tree.finish(self.conn)
        self.published.finish(self.conn)  # 13
        self._checkpoint()

    def report(self) -> FsckReport:
        """What was found."""
        size, origin = self.head
        findings = self.findings
        return FsckReport(origin, size, self.frontier.root(), dict(findings.counts), tuple(findings.differences), findings.found)

    def _totals(self) -> None:
        """2, 3, 5, 6: there is no row that no entry speaks of."""
        counts = self.findings.counts
        known = [(table, code, counts[name]) for table, code, name in _TOTALS]
        known.append((sender_ids, "message-changed", self.senders.total(self.conn)))
        for (table, code, number), found in zip(known, self.conn.execute(_COUNTS).one(), strict=True):
            if found != number:
                self.findings.differ(code, table.name, got=f"{found} rows", expected=f"{number}, as the journal has it")

    def _artefacts(self) -> None:  # 11
        missing = ((digest, "nothing") for digest in artefacts.missing(self.conn, self.worked_with))
        for digest, now in (*artefacts.changed(self.conn), *missing):
            self.findings.differ("artefact-changed", f"artefacts/{digest}", got=now, expected=digest)

    def _head(self) -> None:
        """7: size and origin of the head."""
        head = self.conn.execute(_HEAD).first()
        if head is None:
            self.findings.differ("head-mismatch", "log_head", got="no row", expected="one row")
            return
        self.head = head.size, head.origin
        if head.size != self.frontier.size:
            self.findings.differ("head-mismatch", "log_head/size", got=head.size, expected=f"{self.frontier.size} entries")
        elif head.frontier != self.frontier.to_bytes():
            self.findings.differ("head-mismatch", "log_head/frontier", got=head.frontier.hex(), expected=self.frontier.to_bytes().hex())
        if head.origin not in self.origins and self.frontier.size:
            self.findings.differ("journal-origin", "log_head/origin", got=head.origin, expected=" or ".join(self.origins))

    def _checkpoint(self) -> None:  # 8
        if self.expected is None:
            return
        if self.root_then is None:
            got = f"{self.frontier.size} entries"
            self.findings.differ("checkpoint-mismatch", "log_head", got=got, expected=f"at least {self.expected.size}")
        elif self.root_then != self.expected.root:
            got, expected = b64encode(self.root_then).decode("ascii"), b64encode(self.expected.root).decode("ascii")
            self.findings.differ("checkpoint-mismatch", f"size {self.expected.size}", got=f"root {got}", expected=f"root {expected}")


# What is known at the end, by the event that adds to it.
FOLDED: Mapping[str, Callable[[_Check, Fact, Mapping[str, Any]], object]] = {
    "accepted": lambda check, _, values: check.evidence.pending(values),
    "delivery": lambda check, fact, values: check.standing.fold(fact.index, values),
    "verified-again": lambda check, _, values: check.evidence.again(values),
    "person": lambda check, fact, values: check.person(values, fact.at),
    "login": lambda check, fact, values: check.sessions.login(values, fact.at),
    "logout": lambda check, fact, values: check.sessions.logout(values, fact.at),
    "replay": lambda check, fact, values: check.replays.fold(fact.index, fact.at, values),
    "artefact": lambda check, fact, values: check.worked_with.add(check.in_force.fold(fact.index, fact.at, values)),
    "erased": lambda check, _, values: check.erasures.erased(derived.hexadecimal(values["message_id"]), values),
    "hold": lambda check, fact, values: check.erasures.hold(derived.hexadecimal(values["message_id"]), values, fact.at),
}
