"""Checking that nothing about a party was withheld from a period. After the container's own points (`box`):

5. range      every leaf of the range is there, in its place under the checkpoint
6. bounds     the range reaches beyond the period on both sides
7. stamp      a time-stamping authority attests that all of it existed at a time (`stamp`)
8. withheld   every leaf with the party's tag is opened, or erased, and no other is opened
9. erased     what cannot be opened was erased: an ``erased`` entry, proven and opened, names it with the reason
10. party      the key that finds the tags is that of the party asked about

Why the bounds hold: an entry's time lies at most half of `SLACK` from the moment it was appended. So an entry before one that is `SLACK`
older than the period is older than the period, too; and one behind an entry `SLACK` younger than its end is younger than that. Where the
range reaches to the end of the log, a witness has to have seen that end `SLACK` after the period: an old checkpoint shows nothing.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from replay.entry import Entry, canonical, has_tag
from replay.evidence.box import Box, hashes_in
from replay.evidence.report import State
from replay.evidence.stamp import check_stamp
from replay.hashing import leaf_hash, node_hash
from replay.merkle_check import verify_consistency
from replay.proof import check_proof
from schemas.agency import AgencyCode
from schemas.errors import Refused

ENTRIES, LEFT, CONSISTENCY, OPENINGS = "journal/entries", "journal/left", "journal/consistency", "journal/openings.json"
SLACK = timedelta(seconds=300)
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """The question, as far as the reader puts it himself; what he leaves out is taken from the container, and shown."""

    party: str = ""
    since: datetime | None = None
    until: datetime | None = None
    party_key: bytes = b""


@dataclass(slots=True)
class PeriodCheck:
    """The steps, over one container."""

    box: Box
    asked: Asked
    leaves: Sequence[bytes] = ()
    entries: Sequence[Entry] = ()
    opened: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    erased: list[str] = field(default_factory=list)  # what is closed, and why

    def run(self) -> None:
        """All of them, as far as each has what it needs."""
        step = self.box.report.step
        if step("range", self.range) and step("bounds", self.bounds):
            step("stamp", lambda: check_stamp(self.box, self.box.index["end"]))
            step("withheld", self.withheld)
            if self.erased:
                step("erased", lambda: (State.OPEN, f"{len(self.erased)} entries cannot be opened any more: {'; '.join(self.erased)}"))
            step("party", self.party)

    @property
    def first(self) -> int:
        """Index of the first leaf."""
        found = self.box.index["first"]
        if type(found) is not int or found < 0:
            raise Refused("evidence-invalid", got=f"first {found!r}", expected="an index")
        return found

    def range(self) -> tuple[State, str]:
        """5."""
        first, end, head = self.first, self.box.index["end"], self.box.head
        if type(end) is not int or not first < end <= head.size:
            raise Refused("proof-invalid", got=f"entries {first} to {end!r}", expected=f"some of {head.size}")
        self.leaves = leaves_in(self.box.files[ENTRIES])
        if len(self.leaves) != end - first:
            raise Refused("proof-invalid", got=f"{len(self.leaves)} entries", expected=str(end - first))
        root = grown(hashes_in(self.box.files[LEFT]), first, self.leaves)
        if not verify_consistency(end, root, head.size, head.root, hashes_in(self.box.files[CONSISTENCY])):
            raise Refused("proof-invalid", got=f"entries {first} to {end - 1}", expected="leaves that lead to the checkpoint's root")
        self.entries = [Entry.from_leaf(leaf) for leaf in self.leaves]
        return State.OK, f"entries {first} to {end - 1} of {head.size}"

    def bounds(self) -> tuple[State, str]:
        """6."""
        since, until = (_moment(self.box.index[name]) for name in ("from", "to"))
        if self.asked.since not in (None, since) or self.asked.until not in (None, until):
            raise Refused(
                "evidence-invalid", got=f"{since} to {until}", expected=f"{self.asked.since or since} to {self.asked.until or until}"
            )
        if since >= until:
            raise Refused("evidence-invalid", got=f"{since} to {until}", expected="a period")
        first, last = self.entries[0], self.entries[-1]
        if self.first > 0 and _moment(first.at) > since - SLACK:
            raise Refused("evidence-invalid", got=f"a first entry of {first.at}", expected=f"one of {since - SLACK} or before")
        if _moment(last.at) >= until + SLACK:
            return State.OK, f"{first.at} to {last.at}"
        if self.box.index["end"] < self.box.head.size:
            raise Refused("evidence-invalid", got=f"a last entry of {last.at}", expected=f"one of {until + SLACK} or after")
        seen = max(self.box.witnessed.values(), default=0)
        if seen < (until + SLACK).timestamp():
            got = f"a checkpoint with a last entry of {last.at}"
            raise Refused("evidence-invalid", got=got, expected=f"one that a known witness saw at {until + SLACK} or after")
        return State.OK, f"{first.at} to the end of the log, as a witness saw it at {seen}"

    def withheld(self) -> tuple[State, str]:
        """8."""
        openings, key, mine, erasing = json.loads(self.box.files[OPENINGS]), self._key, set(), self._erasing()
        for number, (leaf, entry) in enumerate(zip(self.leaves, self.entries, strict=True), self.first):
            if has_tag(leaf, key):
                if str(number) in openings:
                    self.opened[number] = entry.opened(canonical(openings[str(number)], "opening"))
                elif number in erasing:
                    self.erased.append(f"{number} ({entry.event}, {entry.at}) {erasing[number]}")
                else:
                    got = f"entry {number} ({entry.event}, {entry.at}) is the party's and is closed"
                    raise Refused("evidence-withheld", got=got, expected="every entry of the party opened, or named by an `erased` entry")
                mine.add(str(number))
        strangers = sorted(openings.keys() - mine)
        if strangers:
            raise Refused("evidence-invalid", got=f"entry {strangers[0]} opened", expected="only the party's entries of the range")
        told = f", {len(self.erased)} of them erased" if self.erased else ", all opened"
        return State.OK, f"{len(mine)} of {len(self.entries)} entries are the party's{told}"

    def _erasing(self) -> dict[int, str]:
        """Which entries were closed by an ``erased`` entry: which one, who, and why."""
        found: dict[int, str] = {}
        for proof in self.box.proofs():
            one = check_proof(proof, self.box.known.log_keys)
            if one.entry.event != "erased" or one.values is None:
                raise Refused("evidence-invalid", got=f"entry {proof.index}, {one.entry.event}", expected="an `erased` entry, opened")
            why = f"erased by entry {proof.index} of {one.entry.at}, {one.values['by']}: {one.values['reason']}"
            found |= dict.fromkeys((each for each in one.values["entries"] if each < proof.index), why)
        return found

    def party(self) -> tuple[State, str]:
        """10."""
        told = AgencyCode.of(self.box.index["party"])
        if self.asked.party and not AgencyCode.of(self.asked.party).same_as(told):
            raise Refused("evidence-invalid", got=f"about {told}", expected=self.asked.party)
        if self.asked.party_key and self.asked.party_key != self._told_key:
            raise Refused("evidence-invalid", got="another party key", expected="the one that you hold")
        accepted = [values for index, values in self.opened.items() if self.entries[index - self.first].event == "accepted"]
        if not all(told.key in _named(values) for values in accepted):
            raise Refused("evidence-invalid", got=f"an acceptance that does not name {told}", expected="the key of that party")
        if not accepted and not self.asked.party_key:
            raise Refused("evidence-invalid", got="no acceptance that names the party", expected="its key from elsewhere: --party-key")
        return State.OK, f"{told}, named by {len(accepted)} acceptances"

    @property
    def _told_key(self) -> bytes:
        found = b64decode(self.box.index["party_key"], validate=True)
        if len(found) != KEY_BYTES:
            raise Refused("evidence-invalid", got=f"a party key of {len(found)} bytes", expected=str(KEY_BYTES))
        return found

    @property
    def _key(self) -> bytes:
        return self.asked.party_key or self._told_key


def leaves_in(bundle: bytes) -> list[bytes]:
    """Leaves side by side, each behind its length in two bytes, big endian (as C2SP tlog-tiles has them)."""
    found, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        found.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(bundle):
        raise Refused("proof-malformed", got="entries that are cut off", expected="each behind its length")
    return found


def grown(left: Sequence[bytes], first: int, leaves: Sequence[bytes]) -> bytes:
    """Root of the tree that begins with `first` entries nobody shows, whose complete subtrees are `left`, largest first, and goes on
    with `leaves`. Written apart from `replay.merkle`, for the sake of the checker's independence."""
    heights = [height for height in reversed(range(first.bit_length())) if first >> height & 1]
    if len(heights) != len(left) or not leaves:
        raise Refused("proof-invalid", got=f"{len(left)} subtrees before entry {first}", expected=str(len(heights)))
    stack = list(zip(heights, left, strict=True))
    for leaf in leaves:
        height, hashed = 0, leaf_hash(leaf)
        while stack and stack[-1][0] == height:
            height, hashed = height + 1, node_hash(stack.pop()[1], hashed)
        stack.append((height, hashed))
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


def _named(values: Mapping[str, Any]) -> set[str]:
    return {AgencyCode.of(text).key for text in (values["sender"], *values["recipients"])}


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return found
