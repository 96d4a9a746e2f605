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
9. accounts      people's roles, passwords and locks are those that the journal tells of
10. artefacts    what entries say messages were judged and translated with is kept, and is what it was, in force since when they say
11. erasures     what an entry calls erased is gone everywhere; holds and tombstones are those that entries speak of
12. evidence     of every verdict is kept, and is what it was; a verdict that was reached again stands as its last entry says
13. published    checkpoints are signed, and of the tree that the entries make; cosignatures are of them
14. index        the full-text index finds what the rows of `search` say

An erased opening or payload is no difference if an ``erased`` entry names its message. What is state of work only (when a delivery is
due, whose lease it is, the excerpt of an answer) is not in the journal and not checked. Reads one snapshot and never holds the writer up.

It is longer than 300 lines because all steps share one pass over the entries.
3 to 6: `replay.accepted`, `replay.standing`; what rows must be: `replay.derived`; 12 to 14: modules named `replay.fsck_…`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Table, exc, select

from replay import artefacts, derived, fsck_index
from replay.accepted import AcceptedCheck
from replay.accounts import Accounts
from replay.checkpoint import Checkpoint
from replay.derived import Acceptance, Binding
from replay.entry import Entry
from replay.erasure import Erasures
from replay.findings import Findings, FsckReport
from replay.fsck_evidence import Evidence
from replay.fsck_published import PublishedCheck
from replay.fsck_tree import TreeCheck
from replay.hashing import leaf_hash
from replay.in_force import InForce, named_by
from replay.merkle import Frontier
from replay.payloads import PayloadStore
from replay.standing import CHUNK, Deliveries, SenderIds
from replay.store.engine import Store, fault_name, is_unavailable
from replay.store.loose import loose
from replay.store.tables import AnyRow, deliveries, entries, links, log_head, message_keys, messages, openings, payloads, search, sender_ids
from schemas.errors import Refused
from signing.cosignature import CosignatureVerifier
from signing.note import NoteVerifier

_ENTRIES = (
    select(
        *loose(entries, "index", "leaf", "leaf_hash"),
        openings.c.index.label("opened"),
        *loose(openings, "message_id", "event", "at", "body"),
    )
    .outerjoin(openings, openings.c.index == entries.c.index)
    .order_by(entries.c.index)
    .limit(CHUNK)
)
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


@dataclass(frozen=True, slots=True)
class FsckKeys:
    """What fsck checks with. Without `payloads` (a quick run, or no master key at hand) step 5 is left out."""

    log: tuple[NoteVerifier, ...]
    receipts: Mapping[str, Ed25519PublicKey]  # by key id
    payloads: PayloadStore | None
    witnesses: tuple[CosignatureVerifier, ...] = ()  # whose lines can be verified


def fsck(store: Store, keys: FsckKeys, expected_checkpoint: bytes | None = None) -> FsckReport:
    """Checks the whole store. `expected_checkpoint`: a signed note of this log that was kept outside.

    Raises `Refused` for a checkpoint that no log key signed: ``note-invalid``, ``checkpoint-invalid``; `Halted("store-unavailable")`.
    Whatever is wrong with the store's content stands in the report.
    """
    expected = None if expected_checkpoint is None else Checkpoint.opened(expected_checkpoint, keys.log)
    findings = Findings()
    origins = sorted({key.name for key in keys.log})
    with store.read() as conn:
        accepted = AcceptedCheck(keys.receipts, keys.payloads, origins, findings)
        check = _Check(conn, accepted, PublishedCheck(findings, keys.log, keys.witnesses), expected, findings, origins)
        try:
            check.published.begin(conn)
            for rows in _chunks(conn):
                check.chunk(rows)
            check.finish()
        except exc.SQLAlchemyError as fault:
            if is_unavailable(fault):
                raise
            findings.differ("journal-damaged", "store", got=fault_name(fault), expected="values that the database's driver can read")
        return check.report()


def _chunks(conn: Connection) -> Iterator[Sequence[AnyRow]]:
    """All entries in order, each with its opening or nulls."""
    rows = conn.execute(_ENTRIES).all()
    while rows:
        yield rows
        rows = conn.execute(_ENTRIES.where(entries.c.index > rows[-1].position)).all()


@dataclass(slots=True)
class _Check:
    conn: Connection
    accepted: AcceptedCheck
    published: PublishedCheck
    expected: Checkpoint | None
    findings: Findings
    origins: Sequence[str]  # names of the log that its keys know
    standing: Deliveries = field(init=False)
    senders: SenderIds = field(init=False)
    accounts: Accounts = field(init=False)
    tree: TreeCheck = field(init=False)
    evidence: Evidence = field(init=False)
    worked_with: set[str] = field(default_factory=set)  # artefacts that entries name
    erasures: Erasures = field(init=False)
    in_force: InForce = field(init=False)
    frontier: Frontier = field(default_factory=Frontier)
    root_then: bytes | None = None  # at the expected checkpoint's size
    next_index: int = 0
    head: tuple[int, str] = (0, "")  # size and origin

    def __post_init__(self) -> None:
        self.accounts, self.in_force = Accounts(self.findings), InForce(self.findings)
        self.tree, self.evidence = TreeCheck(self.findings), Evidence(self.findings)
        self.standing, self.senders, self.erasures = Deliveries(self.findings), SenderIds(self.findings), Erasures(self.findings)

    def chunk(self, rows: Sequence[AnyRow]) -> None:
        self._note_root()
        accepted: list[Acceptance] = []
        bindings: list[Binding] = []
        for row in rows:
            entry = self._entry(row)
            values = None if entry is None else self._opening(row, entry)
            event, at = (row.event, row.at) if entry is None else (entry.event, entry.at)
            if event == "accepted":
                accepted.append(Acceptance(row.position, leaf_hash(row.leaf), at, values))
            self._fold(row, event, values, bindings)
        self.accepted.run(self.conn, accepted)  # 3 to 6
        self.senders.check(self.conn, bindings)  # 3

    def _entry(self, row: AnyRow) -> Entry | None:
        """1: the entry, if its leaf has the form of one."""
        path, findings = f"entries/{row.position}", self.findings
        findings.counts["entries"] += 1
        if row.position != self.next_index:
            findings.differ("journal-gap", path, got=f"index {row.position}", expected=f"index {self.next_index}")
        self.next_index = row.position + 1
        digest = leaf_hash(row.leaf)
        if digest != row.leaf_hash:
            findings.differ("leaf-changed", path, got=digest.hex(), expected=row.leaf_hash.hex())
        self.frontier.append(digest)
        self.tree.add(digest)
        self._note_root()
        try:
            return Entry.from_leaf(row.leaf)
        except Refused as fault:
            findings.differ("leaf-changed", path, got=fault.got, expected=fault.expected)
            return None

    def _note_root(self) -> None:
        if self.expected is not None and self.frontier.size == self.expected.size:
            self.root_then = self.frontier.root()
        if self.frontier.size in self.published.wanted:
            self.published.wanted[self.frontier.size] = self.frontier.root()

    def _opening(self, row: AnyRow, entry: Entry) -> Mapping[str, Any] | None:
        """2: the entry's values, if they can be believed."""
        path, findings = f"openings/{row.position}", self.findings
        if row.opened is None:
            findings.differ("opening-changed", path, got="none", expected="one opening per entry")
            return None
        findings.counts["openings"] += 1
        if (row.event, row.at) != (entry.event, entry.at):
            findings.differ("opening-changed", path, got=f"{row.event} {row.at}", expected=f"{entry.event} {entry.at}")
        if row.body is None:
            findings.absent.append((str(row.message_id), "opening-changed", path))
            return None
        try:
            values = entry.opened(row.body)
        except Refused as fault:
            findings.differ("opening-changed", path, got=fault.got, expected=fault.expected)
            return None
        about = values.get("message_id", values.get("first"))  # the message that it is about, or is in conflict with
        if str(about).replace("-", "") != str(row.message_id):
            findings.differ("opening-changed", path, got=row.message_id, expected=about)
        return values

    def _fold(self, row: AnyRow, event: str, values: Mapping[str, Any] | None, bindings: list[Binding]) -> None:
        """What an entry adds to what is known at the end."""
        if values is None:
            self._unopened(row, event)
            return
        try:
            if event == "accepted":
                bindings.append(derived.first_binding(values))
                self.evidence.accepted(values)
                self.worked_with |= named_by(values)
            elif event == "duplicate-key":
                bindings.append(derived.later_binding(values))
            elif event == "delivery":
                self.standing.fold(row.position, values)
            elif event == "verified-again":
                self.evidence.again(values)
            elif event == "person":
                self.accounts.fold(values)
            elif event == "translated":
                self.worked_with.update(values["artefacts"])
            elif event == "artefact":
                self.worked_with.add(self.in_force.fold(row.position, row.at, values))
            elif event == "erased":
                self.erasures.erased(derived.hexadecimal(values["message_id"]), values)
            elif event == "hold":
                self.erasures.hold(derived.hexadecimal(values["message_id"]), values, row.at)
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            got = f"{type(fault).__name__} {fault}"
            self.findings.differ("opening-changed", f"openings/{row.position}", got=got, expected=f"the values of {event}")

    def _unopened(self, row: AnyRow, event: str) -> None:
        for unknown in (self.standing.unknown if event == "delivery" else self.senders.unknown, self.evidence.unknown):
            unknown.add(str(row.message_id))
        if event == "hold":
            self.erasures.hold(str(row.message_id), None, row.at)

    def finish(self) -> None:
        """What can be said only after the last entry."""
        self._note_root()
        self.standing.check(self.conn)
        self.accounts.check(self.conn)  # 9
        self.erasures.check(self.conn)  # 11
        self.in_force.check(self.conn)  # 10
        self._totals()
        self._artefacts()
        self.evidence.check(self.conn)
        fsck_index.check(self.conn, self.findings)
        findings = self.findings
        for message_id, code, path in findings.absent:
            if message_id in self.erasures.tags:
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
        for table, code, number in (*known, (sender_ids, "message-changed", self.senders.total(self.conn))):
            found = self.conn.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar()  # noqa: S608
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
