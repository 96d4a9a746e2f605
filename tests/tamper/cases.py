"""What somebody with the database may do to it. Each kind of case takes its chances from a seeded generator, so a seed repeats it.

A case returns what it did, in words, or "" where it has changed nothing that the hub promises: the same bytes again, or a change that
the database itself refuses.

It is longer than 300 lines because it is one table: twenty kinds of case, each a few lines, with what they share.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from replay.entry import EntryDraft, canonical
from replay.hashing import leaf_hash
from replay.merkle import Frontier
from replay.store.tables import metadata
from schemas.errors import Refused
from signing.checked_token import checked_token
from signing.sign import sign_receipt
from tests.tamper.store import Base

Case = Callable[[Base, Random], str]
_AT = datetime(2026, 11, 22, tzinfo=UTC)

# Not promised: state of work that changes from hour to hour, and how often somebody has tried to log in (`login_attempts`).
WORKING_STATE = {
    "deliveries": {"due_at", "lease_until", "detail", "attempt"},
    "verifications": {"attempt", "due_at", "updated_at"},
    "evidence": {"stored_at"},
    "checkpoints": {"at", "stamp_due"},
    "log_head": {"id"},
    "replays": {"runner", "lease_until"},
    "replay_items": {"done_at"},
}
ELSEWHERE = {"schema_version", "login_attempts"}
MAY_GO = {
    "cosignatures",
    "sessions",
    "replay_typed",
}  # a row that is gone deceives nobody: `replay.fsck_published`, `…_sessions`, `…_replays`
TABLES: Mapping[str, Sequence[str]] = {
    table.name: [column.name for column in table.c if column.name not in WORKING_STATE.get(table.name, ())]
    for table in metadata.sorted_tables
    if table.name not in ELSEWHERE
}
_OF_MESSAGE = ("deliveries", "links", "sender_ids", "payloads", "message_keys", "holds", "tombstones", "verifications")
_OPEN = ("pending", "queued", "delivering", "deferred")


def edit(base: Base, draw: Random) -> str:
    """One column of one row: a bit, another row's value, nothing, nonsense."""
    table = draw.choice(list(TABLES))
    column = draw.choice(TABLES[table])
    row = _row(base.db, draw, table, column)
    if row is None or (column == "updated_at" and _is_open(base.db, row[0])):
        return ""
    rowid, value = row
    others = [one for (one,) in base.db.execute(f'SELECT DISTINCT "{column}" FROM {table}')]
    kinds: list[Callable[[], Any]] = [
        lambda: _bit_flipped(value, draw),
        lambda: draw.choice(others),
        lambda: None,
        lambda: b"" if isinstance(value, bytes) else "",
        lambda: draw.choice((-7, 0, 1, 2**40)),
        lambda: draw.choice(("x", "\u0000", "á", "{}", "[]")),
        lambda: draw.randbytes(draw.choice((1, 16, 32))),
        lambda: value[: len(value) // 2] if isinstance(value, (str, bytes)) else value,
        lambda: value * 2 if isinstance(value, (str, bytes)) else value,
    ]
    made = draw.choice(kinds)()
    if (type(made) is type(value) and made == value) or (column == "stamp" and _still_stamps(base, rowid, made)):
        return ""
    return _execute(base.db, f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', (made, rowid), f"{table}.{column}: {value!r} → {made!r}")


def bit_of_a_proof(base: Base, draw: Random) -> str:
    """One bit of a leaf, a hash, an opening, a receipt, a ciphertext, a key, the frontier, a tile, an artefact, evidence, a checkpoint."""
    table, column = draw.choice(
        (
            ("entries", "leaf"),
            ("entries", "leaf_hash"),
            ("openings", "body"),
            ("messages", "receipt"),
            ("payloads", "body"),
            ("message_keys", "wrapped"),
            ("log_head", "frontier"),
            ("tree_nodes", "hash"),
            ("artefacts", "content"),
            ("evidence", "body"),
            ("checkpoints", "note"),
            ("tombstones", "tag"),
        )
    )
    row = _row(base.db, draw, table, column)
    if row is None or not row[1]:
        return ""
    made = _bit_flipped(row[1], draw)
    return _execute(base.db, f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', (made, row[0]), f"a bit of {table}.{column}")


def value_in_json(base: Base, draw: Random) -> str:
    """One value inside an opening, a verdict, warnings, roles: written as well-formed and canonical as it was."""
    table, column = draw.choice((("openings", "body"), ("messages", "verdict"), ("messages", "warnings"), ("verifications", "verdict")))
    row = _row(base.db, draw, table, column)
    if row is None or row[1] is None:
        return ""
    told = json.loads(row[1])
    if not changed_inside(told, draw):
        return ""
    made = canonical(told) if table == "openings" else json.dumps(told, ensure_ascii=False)
    if made == row[1]:
        return ""
    return _execute(base.db, f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', (made, row[0]), f"a value in {table}.{column}")


def delete_rows(base: Base, draw: Random) -> str:
    """Some rows of one table, side by side."""
    table = draw.choice([name for name in TABLES if name not in MAY_GO])
    rows = [one for (one,) in base.db.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]
    if not rows:
        return ""
    at, count = draw.randrange(len(rows)), draw.choice((1, 1, 2, len(rows)))
    gone = rows[at : at + count]
    base.db.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(one,) for one in gone])
    return f"{len(gone)} rows of {table} deleted"


def insert_row(base: Base, draw: Random) -> str:
    """A copy of a row under another key."""
    table = draw.choice([name for name in TABLES if name != "log_head"])
    columns = [column.name for column in metadata.tables[table].c]
    rows = base.db.execute(f"SELECT {_names(columns)} FROM {table}").fetchall()
    if not rows:
        return ""
    row = dict(zip(columns, draw.choice(rows), strict=True))
    for column in metadata.tables[table].c:
        if column.primary_key or column.unique:
            row[column.name] = _another_key(row[column.name], draw)
    into = f"INSERT INTO {table} ({_names(columns)}) VALUES ({', '.join('?' * len(columns))})"
    return _execute(base.db, into, tuple(row.values()), f"a row of {table} invented")


def exchange(base: Base, draw: Random) -> str:
    """Two rows' values of one column, or of all columns but the key."""
    table = draw.choice([name for name in TABLES if name not in ("log_head", "persons")])
    keys = [column.name for column in metadata.tables[table].primary_key]
    rest = [name for name in TABLES[table] if name not in keys]
    columns = rest if draw.random() < 0.5 else [draw.choice(rest or keys)]
    rows = base.db.execute(f"SELECT rowid, {_names(columns or keys)} FROM {table}").fetchall()
    if len(rows) < 2 or not columns:
        return ""
    one, two = draw.sample(rows, 2)
    if one[1:] == two[1:] or ("updated_at" in columns and len(columns) == 1 and (_is_open(base.db, one[0]) or _is_open(base.db, two[0]))):
        return ""
    return _put_rows(base.db, table, columns, {one[0]: two[1:], two[0]: one[1:]}, f"{', '.join(columns)} of two rows of {table} exchanged")


def swap_payloads(base: Base, draw: Random) -> str:
    """Two messages' payloads, with or without their keys."""
    return _swapped(base, draw, draw.choice((("payloads",), ("payloads", "message_keys"), ("message_keys",))))


def _swapped(base: Base, draw: Random, tables: Sequence[str]) -> str:
    ids = [one for (one,) in base.db.execute("SELECT message_id FROM payloads WHERE body IS NOT NULL")]
    one, two = draw.sample(ids, 2)
    for table in tables:
        base.db.execute(f"UPDATE {table} SET message_id = 'x' WHERE message_id = ?", (one,))
        base.db.execute(f"UPDATE {table} SET message_id = ? WHERE message_id = ?", (one, two))
        base.db.execute(f"UPDATE {table} SET message_id = ? WHERE message_id = 'x'", (two,))
    return f"{' and '.join(tables)} of two messages exchanged"


def another_payload(base: Base, draw: Random) -> str:
    """Other bytes, encrypted as the hub itself would, with or without the digests in the rows made to fit."""
    [message_id] = draw.choice(base.db.execute("SELECT message_id FROM payloads WHERE body IS NOT NULL").fetchall())
    assert base.keys.payloads is not None
    sealed = base.keys.payloads.seal(UUID(message_id), draw.randbytes(200))
    base.db.execute(
        "UPDATE payloads SET digest = ?, size = ?, body = ? WHERE message_id = ?",
        (sealed.digest, sealed.size, sealed.ciphertext, message_id),
    )
    base.db.execute("UPDATE message_keys SET wrapped = ? WHERE message_id = ?", (sealed.wrapped, message_id))
    return "another payload, well encrypted"


def another_receipt(base: Base, draw: Random) -> str:
    """One field of a receipt, signed anew with the hub's own key."""
    [rowid, body] = draw.choice(base.db.execute("SELECT rowid, receipt FROM messages WHERE receipt != x''").fetchall())
    receipt = {name: value for name, value in json.loads(body).items() if name not in ("signature", "key_id")}
    if not changed_inside(receipt, draw):
        return ""
    key = base.ring.receipt()
    made = sign_receipt(receipt, key.private, key.id)
    return (
        "" if made == body else _execute(base.db, "UPDATE messages SET receipt = ? WHERE rowid = ?", (made, rowid), "a receipt signed anew")
    )


def message_gone(base: Base, draw: Random) -> str:
    """A message with all it has, its entries left or emptied as an erasure would, but without saying so."""
    messages = base.db.execute('SELECT id, "index" FROM messages').fetchall()
    message_id, index = draw.choice(messages)
    for table in _OF_MESSAGE:
        base.db.execute(f"DELETE FROM {table} WHERE message_id = ?", (message_id,))
    base.db.execute("DELETE FROM search WHERE position = ?", (index,))
    base.db.execute("DELETE FROM messages WHERE id = ?", (message_id,))
    if draw.random() < 0.5:
        base.db.execute("UPDATE openings SET body = NULL WHERE message_id = ?", (message_id,))
    return "a message deleted with all it has"


def unsaid_erasure(base: Base, draw: Random) -> str:
    """A message emptied like an erased one, and nobody said why."""
    [message_id] = draw.choice(base.db.execute("SELECT id FROM messages WHERE receipt != x''").fetchall())
    parts = [
        "UPDATE openings SET body = NULL WHERE message_id = ?",
        "UPDATE message_keys SET wrapped = NULL WHERE message_id = ?",
        "UPDATE payloads SET body = NULL, size = 0 WHERE message_id = ?",
        "UPDATE messages SET receipt = x'', title = '' WHERE id = ?",
    ]
    for statement in draw.sample(parts, draw.randint(1, len(parts))):
        base.db.execute(statement, (message_id,))
    return "emptied like an erased message"


def erasure_undone(base: Base, draw: Random) -> str:
    """Something of what was erased comes back, from a copy that somebody kept, or the erasure is denied."""
    [gone] = [one for (one,) in base.db.execute("SELECT message_id FROM openings WHERE event = 'erased'")]
    kinds = draw.sample(("messages", "openings", "payloads", "message_keys", "sender_ids", "deliveries", "search", "tombstones"), 2)
    done = []
    for kind in kinds:
        key = {"messages": "id", "search": "position"}.get(kind, "message_id")
        if kind == "tombstones":
            base.db.execute("DELETE FROM tombstones WHERE message_id = ?", (gone,))
            done.append(kind)
            continue
        wanted = gone if kind != "search" else base.db.execute('SELECT "index" FROM messages WHERE id = ?', (gone,)).fetchone()[0]
        columns = [column.name for column in metadata.tables[kind].c]
        rows = base.before.execute(f"SELECT {_names(columns)} FROM {kind} WHERE {key} = ?", (wanted,)).fetchall()
        base.db.executemany(f"INSERT OR REPLACE INTO {kind} ({_names(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)
        done += [kind] if rows else []
    return f"an erasure undone in {', '.join(done)}" if done else ""


def state_row(base: Base, draw: Random) -> str:
    """A delivery stands where it does not, with everything beside it that would go with it."""
    rowid, state, attempt, at = draw.choice(base.db.execute("SELECT rowid, state, attempt, updated_at FROM deliveries").fetchall())
    states = ("pending", "queued", "delivering", "deferred", "delivered", "refused", "parked", "in_doubt", "cancelled")
    made = draw.choice([one for one in states if one != state])
    if state in _OPEN and made in _OPEN:
        return ""
    values = (made, draw.choice((attempt, attempt + 1)), draw.choice((at, "2026-11-22T00:00:00.000000Z")), rowid)
    return _execute(
        base.db, "UPDATE deliveries SET state = ?, attempt = ?, updated_at = ? WHERE rowid = ?", values, f"{state} called {made}"
    )


def search_index(base: Base, draw: Random) -> str:
    """The full-text index no longer finds a message, finds it by other words, or finds one that is not there."""
    position, terms = draw.choice(base.db.execute("SELECT position, terms FROM search").fetchall())
    words = terms.split()
    kind = draw.choice(("gone", "fewer", "more", "invented"))
    if kind == "invented":
        base.db.execute("INSERT INTO search_terms(rowid, terms) VALUES (?, ?)", (position + 10_000, " ".join(draw.sample(words, 2))))
        return "the index finds a message that is not there"
    base.db.execute("INSERT INTO search_terms(search_terms, rowid, terms) VALUES ('delete', ?, ?)", (position, terms))
    if kind != "gone":
        words = draw.sample(words, len(words) - 1) if kind == "fewer" else [*words, "tbidat"]
        base.db.execute("INSERT INTO search_terms(rowid, terms) VALUES (?, ?)", (position, " ".join(words)))
    return f"the index of a message: {kind}"


def leaf_forged(base: Base, draw: Random) -> str:
    """A leaf says something else, its hash made to fit, and perhaps head and tiles, too."""
    index, leaf = draw.choice(base.db.execute('SELECT "index", leaf FROM entries').fetchall())
    told = json.loads(leaf)
    if not changed_inside(told, draw):
        return ""
    forged = canonical(told)
    if forged == leaf:
        return ""
    base.db.execute('UPDATE entries SET leaf = ?, leaf_hash = ? WHERE "index" = ?', (forged, leaf_hash(forged), index))
    if draw.random() < 0.7:
        rehash(base.db)
    return f"leaf {index} forged"


def entries_reordered(base: Base, draw: Random) -> str:
    """A run of entries in another order, with their openings or without; head and tiles perhaps made to fit."""
    rows = base.db.execute('SELECT "index", leaf, leaf_hash FROM entries ORDER BY "index"').fetchall()
    first = draw.randrange(len(rows) - 1)
    run = rows[first : first + draw.randint(2, 6)]
    turned = draw.sample(run, len(run)) if draw.random() < 0.5 else run[::-1]
    if [one[1] for one in run] == [one[1] for one in turned]:
        return ""
    moved = {old[0]: new for old, new in zip(run, turned, strict=True)}
    for index, new in moved.items():
        base.db.execute('UPDATE entries SET leaf = ?, leaf_hash = ? WHERE "index" = ?', (new[1], new[2], index))
    if draw.random() < 0.5:
        kept = {
            one[0]: base.db.execute('SELECT message_id, event, at, body FROM openings WHERE "index" = ?', (one[0],)).fetchone()
            for one in run
        }
        for index, new in moved.items():
            base.db.execute('UPDATE openings SET message_id = ?, event = ?, at = ?, body = ? WHERE "index" = ?', (*kept[new[0]], index))
    if draw.random() < 0.5:
        rehash(base.db)
    return f"{len(run)} entries from {first} in another order"


def entries_cut_out(base: Base, draw: Random) -> str:
    """Entries removed from the middle or the end, the later ones moved up, head and tiles made to fit."""
    size = base.db.execute("SELECT count(*) FROM entries").fetchone()[0]
    first, count = draw.randrange(size), draw.randint(1, 4)
    _cut(base.db, first, min(count, size - first), close_up=draw.random() < 0.7)
    if draw.random() < 0.7:
        rehash(base.db)
    return f"{count} entries from {first} cut out"


def entry_put_in(base: Base, draw: Random) -> str:
    """An entry that nobody made, at the end or before others."""
    size = base.db.execute("SELECT count(*) FROM entries").fetchone()[0]
    [leaf] = draw.choice(base.db.execute("SELECT leaf FROM entries").fetchall())
    at = draw.choice((size, draw.randrange(size)))
    _shift(base.db, at, 1)
    base.db.execute('INSERT INTO entries ("index", leaf, leaf_hash) VALUES (?, ?, ?)', (at, leaf, leaf_hash(leaf)))
    if draw.random() < 0.5:
        rehash(base.db)
    return f"an entry put in at {at}"


def rolled_back(base: Base, draw: Random) -> str:
    """A consistent lie: an older state of the store, with everything that belongs to the later entries gone. Needs the checkpoint."""
    size = base.db.execute("SELECT count(*) FROM entries").fetchone()[0]
    _rolled_back(base.db, draw.randrange(size))
    return "rolled back"


def forked(base: Base, draw: Random) -> str:
    """The same, grown again past the old size with the hub's own keys. Needs the checkpoint."""
    size = base.db.execute("SELECT count(*) FROM entries").fetchone()[0]
    kept = draw.randrange(size)
    _rolled_back(base.db, kept)
    drafts = [EntryDraft("noted", _AT, ("H32.01",), {"number": n}, None) for n in range(draw.randint(1, size - kept + 3))]
    with base.store.read() as conn:
        base.journal.append(conn, drafts)
    return f"forked at {kept}"


def _rolled_back(db: sqlite3.Connection, size: int) -> None:
    later = [one for (one,) in db.execute('SELECT id FROM messages WHERE "index" >= ?', (size,))]
    for message_id in later:
        for table in _OF_MESSAGE:
            db.execute(f"DELETE FROM {table} WHERE message_id = ?", (message_id,))
    db.execute('DELETE FROM messages WHERE "index" >= ?', (size,))
    db.execute("DELETE FROM search WHERE position >= ?", (size,))
    db.execute("DELETE FROM checkpoints WHERE size > ?", (size,))
    db.execute("DELETE FROM cosignatures WHERE size > ?", (size,))
    _cut(db, size, 10**6, close_up=False)
    rehash(db)


def rehash(db: sqlite3.Connection) -> None:
    """What somebody with the database can do at best: leaf hashes, head and tiles fit the leaves."""
    frontier = Frontier()
    frontier.closed = []
    for (leaf,) in db.execute('SELECT leaf FROM entries ORDER BY "index"'):
        frontier.append(leaf_hash(leaf))
    db.execute("UPDATE log_head SET size = ?, frontier = ?", (frontier.size, frontier.to_bytes()))
    db.execute("DELETE FROM tree_nodes")
    db.executemany('INSERT INTO tree_nodes (level, "index", hash) VALUES (?, ?, ?)', frontier.closed)


def _cut(db: sqlite3.Connection, first: int, count: int, *, close_up: bool) -> None:
    for table in ("entries", "openings"):
        db.execute(f'DELETE FROM {table} WHERE "index" >= ? AND "index" < ?', (first, first + count))
    if close_up:
        _shift(db, first, -count)


def _shift(db: sqlite3.Connection, first: int, by: int) -> None:
    for table in ("entries", "openings"):
        db.execute(f'UPDATE {table} SET "index" = -1 - ("index" + ?) WHERE "index" >= ?', (by, first))
        db.execute(f'UPDATE {table} SET "index" = -1 - "index" WHERE "index" < 0')


def changed_inside(told: Any, draw: Random, but: str = "") -> bool:
    """Changes one scalar somewhere in a value of JSON, in no member of the name `but`; False where there is none."""
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            if isinstance(one, (dict, list)):
                walk(one)
            elif key != but or not but:
                places.append((value, key))

    walk(told)
    if not places:
        return False
    holder, key = draw.choice(places)
    value = holder[key]
    if isinstance(value, str) and value:
        at = draw.randrange(len(value))
        holder[key] = value[:at] + ("0" if value[at] != "0" else "1") + value[at + 1 :]
    elif isinstance(value, bool) or value is None:
        holder[key] = not value
    else:
        holder[key] = value + 1 if isinstance(value, (int, float)) else "x"
    return True


def _bit_flipped(value: Any, draw: Random) -> Any:
    if isinstance(value, int):
        return value ^ (1 << draw.randrange(8))
    data = bytearray(value.encode("utf-8") if isinstance(value, str) else value or b"")
    if not data:
        return b"\x01"
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    if isinstance(value, str):
        return data.decode("utf-8", "replace")
    return bytes(data)


def _another_key(value: Any, draw: Random) -> Any:
    if isinstance(value, int):
        return value + draw.randint(1, 1000)
    return bytes(draw.randbytes(32)) if isinstance(value, bytes) else draw.randbytes(len(str(value)) // 2 or 1).hex()


def _row(db: sqlite3.Connection, draw: Random, table: str, column: str) -> tuple[int, Any] | None:
    rows = db.execute(f'SELECT rowid, "{column}" FROM {table}').fetchall()
    return draw.choice(rows) if rows else None


def _still_stamps(base: Base, rowid: int, stamp: Any) -> bool:
    """Whether it deceives nobody: a time stamp that is gone is asked for again, and one that was changed where nobody signed it proves
    what it proved."""
    if not isinstance(stamp, bytes):
        return stamp is None
    note, at = base.db.execute("SELECT note, at FROM checkpoints WHERE rowid = ?", (rowid,)).fetchone()
    try:
        return checked_token(stamp, note, datetime.fromisoformat(at)) == stamp
    except Refused:
        return False


def _is_open(db: sqlite3.Connection, rowid: int) -> bool:
    """Whether a delivery is under way: when it was touched last is state of work until it has ended."""
    row = db.execute("SELECT state FROM deliveries WHERE rowid = ?", (rowid,)).fetchone()
    return row is not None and row[0] in _OPEN


def _execute(db: sqlite3.Connection, statement: str, values: Sequence[Any], told: str) -> str:
    try:
        db.execute(statement, values)
    except (sqlite3.IntegrityError, OverflowError):
        return ""
    return told


def _put_rows(db: sqlite3.Connection, table: str, columns: Sequence[str], rows: Mapping[int, Sequence[Any]], told: str) -> str:
    names = ", ".join(f'"{name}" = ?' for name in columns)
    unique = [name for name in columns if metadata.tables[table].c[name].unique]
    try:
        for rowid in rows if unique else ():
            db.execute(f'UPDATE {table} SET "{unique[0]}" = -rowid WHERE rowid = ?', (rowid,))
        for rowid, values in rows.items():
            db.execute(f"UPDATE {table} SET {names} WHERE rowid = ?", (*values, rowid))
    except sqlite3.IntegrityError:
        return ""
    return told


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
