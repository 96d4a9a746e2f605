"""The time stamp (RFC 3161) that covers the entries of a container: over the first stamped checkpoint that has all of them.

That checkpoint is another than the container's, an older one; a consistency proof leads from it to that. So the log's signature on it is
not needed, and a key that has been replaced since does no harm: whoever stamped its root stamped the entries below it.
"""

from __future__ import annotations

from sqlalchemy import Connection

from replay.checkpoint import Checkpoint
from replay.cosigned import first_stamped
from replay.evidence.box import WHOSE, Box, hashes_in
from replay.evidence.report import State
from replay.merkle_check import verify_consistency
from replay.tiles import Tiles
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from schemas.message import rfc3339
from signing.finding import Given
from signing.judging import judge
from signing.note import note_text
from signing.reasons import REASONS
from signing.timestamp import examine_token

STAMPED, TOKEN, LEADS = "journal/stamped", "journal/stamped.tst", "journal/stamped.consistency"


def stamp_files(conn: Connection, least: int, note: bytes) -> dict[str, bytes]:
    """The files, for the first `least` entries under the checkpoint `note`; none where no stamped checkpoint covers them yet."""
    head = Checkpoint.parse(note_text(note))
    found = first_stamped(conn, least, head.size)
    if found is None:
        return {}
    return {STAMPED: found.note, TOKEN: found.token, LEADS: b"".join(Tiles(conn, head.size).consistency(found.size))}


def check_stamp(box: Box, least: int) -> tuple[State, str]:
    """Whether an authority attests that the first `least` entries existed. Raises `Refused("evidence-invalid")`, or as reading does."""
    if TOKEN not in box.files:
        return State.OPEN, "no time stamp of an authority covers these entries"
    note, token, known = box.files[STAMPED], box.files[TOKEN], box.known
    told = Checkpoint.parse(note_text(note))
    proof = hashes_in(box.files[LEADS])
    is_ours = told.origin == box.head.origin and least <= told.size
    if not is_ours or not verify_consistency(told.size, told.root, box.head.size, box.head.root, proof):
        raise Refused("evidence-invalid", got=f"a stamped checkpoint of size {told.size}", expected=f"one of {least} or more that leads on")
    given = Given(known.now.at, known.now.algorithm_policy, known.now.intermediates, DEFAULT_LIMITS)
    answer = judge(examine_token(token, note, given)[0], known.now)
    certain = [one.code for one in answer.hard if known.has_trust or REASONS.get(one.code) not in WHOSE]
    when = rfc3339(answer.finding.claimed_time) if answer.finding.claimed_time else "no time"
    if certain or answer.finding.stamp is None:
        raise Refused("evidence-invalid", got=f"{when}: {', '.join(certain)}", expected="a time stamp that holds")
    if not known.has_trust:
        return State.OPEN, f"the first {told.size} entries existed at {when}; without --trust nobody says whose stamp that is"
    doubts = ", ".join(dict.fromkeys(one.code for one in answer.soft))
    return (State.OPEN if doubts else State.OK), f"the first {told.size} entries existed at {when}" + (f": {doubts}" if doubts else "")
