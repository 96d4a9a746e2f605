"""Changes made in pairs, so that one hides the other: an entry that says something else with everything beside it made to fit.

`signature_kept` and `signed_by_another` end at the published checkpoints, which the forger cannot sign. `signed_by_the_hub` is the whole
forger: he has the log's own key, so a store may say nothing against him. Whoever kept an older checkpoint does (`unmasked`).
"""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from replay.checkpoint import Checkpoint
from replay.consistency import ConsistencyProof, check_consistency
from replay.entry import EntryDraft, canonical
from replay.hashing import leaf_hash
from replay.merkle import Frontier
from replay.tiles import Tiles
from replay.witness import request_body
from schemas.errors import Refused
from signing.note import NoteSigner, note_text, sign_note
from tests.tamper.cases import changed_inside, rehash
from tests.tamper.store import Base

_AT = datetime(2026, 11, 22, tzinfo=UTC)


def signature_kept(base: Base, draw: Random) -> str:
    """The checkpoints of the forged tree with the signature lines of the true ones."""
    return _forged(base, draw, lambda text, old: text + "\n" + old.partition("\n\n")[2])


def signed_by_another(base: Base, draw: Random) -> str:
    """The checkpoints of the forged tree signed by a stranger's key, which may claim to be the log's."""
    key, claims = Ed25519PrivateKey.from_private_bytes(draw.randbytes(32)), draw.random() < 0.5

    def signed(text: str, old: str) -> str:
        if not claims:
            return sign_note(text, [NoteSigner(base.journal.origin, key)])
        [name, line] = old.partition("\n\n")[2].split("\n")[0].removeprefix("— ").split(" ")
        return f"{text}\n— {name} {b64encode(b64decode(line)[:4] + key.sign(text.encode())).decode()}\n"

    return _forged(base, draw, signed)


def signed_by_the_hub(base: Base, draw: Random) -> str:
    """The checkpoints of the forged tree signed by the hub's own key; the log may have grown since."""

    def signed(text: str, old: str) -> str:
        told = Checkpoint.parse(text)
        return base.journal.sign(told.size, told.root).decode()

    told = _forged(base, draw, signed)
    more = draw.choice((0, 1, 5))
    if told and more:
        with base.store.read() as conn:
            base.journal.append(conn, [EntryDraft("noted", _AT, (), {"number": n}) for n in range(more)])
    return told and f"{told}, grown by {more}"


def unmasked(base: Base) -> bool:
    """Whether those who kept an older checkpoint say so: a witness takes no checkpoint of this log, and no proof leads to it.

    The proofs are the best that can be had: made from the forged tree itself, or from none at all.
    """
    old = Checkpoint.parse(note_text(base.checkpoint))
    with base.store.read() as conn:
        note = base.journal.checkpoint(conn)
        new = Checkpoint.parse(note_text(note))
        path = Tiles(conn, new.size).consistency(old.size)
    for size, proof in ((old.size, path), (old.size, ()), (0, ())):
        if base.witness.add_checkpoint(request_body(size, proof, note)).status not in (409, 422):
            return False
    try:
        check_consistency(ConsistencyProof(old.size, new.size, path, note), base.checkpoint, base.keys.log)
    except Refused as fault:
        return fault.code == "inconsistent"
    return False


def _forged(base: Base, draw: Random, sign: Callable[[str, str], str]) -> str:
    """An entry with its opening says something else, and hashes, tiles, head and published checkpoints fit it."""
    index = forge_entry(base.db, draw)
    if index is None:
        return ""
    published = base.db.execute("SELECT size, note FROM checkpoints WHERE size > ?", (index,)).fetchall()
    roots = _roots(base.db, {size for size, _ in published})
    for size, note in published:
        made = sign(Checkpoint(base.journal.origin, size, roots[size]).text(), bytes(note).decode())
        base.db.execute("UPDATE checkpoints SET note = ?, stamp = NULL WHERE size = ?", (made.encode(), size))
        base.db.execute("DELETE FROM cosignatures WHERE size = ?", (size,))
    return f"entry {index} forged with {len(published)} checkpoints"


def forge_entry(db: sqlite3.Connection, draw: Random) -> int | None:
    """One field of one entry: another value, the commitment to it, leaf hash, tiles and head. Its index; None where nothing came of it."""
    index, leaf, body = draw.choice(
        db.execute('SELECT e."index", leaf, body FROM entries e JOIN openings o ON o."index" = e."index" WHERE body IS NOT NULL').fetchall()
    )
    opening = json.loads(body)
    if not changed_inside(opening[draw.choice(sorted(opening))], draw, but="salt"):
        return None
    rewrite(db, index, json.loads(leaf), opening)
    return int(index)


def rewrite(db: sqlite3.Connection, index: int, entry: dict[str, Any], opening: dict[str, Any]) -> None:
    """The entry says what `opening` says: commitments, leaf hash, tiles and head fit it."""
    for name, one in opening.items():
        entry["commitments"][name] = b64encode(sha256(b64decode(one["salt"]) + canonical(one["value"])).digest()).decode()
    made = canonical(entry)
    db.execute('UPDATE entries SET leaf = ?, leaf_hash = ? WHERE "index" = ?', (made, leaf_hash(made), index))
    db.execute('UPDATE openings SET body = ? WHERE "index" = ?', (canonical(opening), index))
    rehash(db)


def _roots(db: sqlite3.Connection, sizes: set[int]) -> dict[int, bytes]:
    frontier, found = Frontier(), {}
    for (digest,) in db.execute('SELECT leaf_hash FROM entries ORDER BY "index"'):
        frontier.append(digest)
        if frontier.size in sizes:
            found[frontier.size] = frontier.root()
    return found
