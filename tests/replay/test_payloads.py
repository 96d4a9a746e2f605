"""Payloads come back byte for byte, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from hub.commit import Transaction
from replay.payloads import CHUNK_BYTES, MAX_ROW_BYTES, MasterKey, PayloadStore
from replay.store.tables import message_keys, payloads
from schemas.errors import Halted, Refused
from tests.replay.world import World, message_id

Damage = Callable[[World], None]
SIZES = {
    "nothing": 0,
    "one byte": 1,
    "just below a row's limit": MAX_ROW_BYTES - 1000,
    "one chunk": CHUNK_BYTES - 100,
    "three chunks and a bit": 3 * CHUNK_BYTES + 1,
}


def put(world: World, number: int, raw: bytes) -> UUID:
    with world.store.write() as conn:
        tx = Transaction(conn, world.journal)
        mine = world.accept(tx, number, raw)
        tx._finish()
    return mine


def get(world: World, number: int = 1, kept: PayloadStore | None = None) -> bytes:
    with world.store.read() as conn:
        return (kept or world.payloads).get(conn, message_id(number))


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_bytes_come_back_as_they_were(sqlite_world: World, size: int) -> None:
    raw = os.urandom(size)
    sealed = sqlite_world.payloads.seal(message_id(1), raw)
    assert raw not in sealed.ciphertext or size < 2
    with sqlite_world.store.write() as conn:
        tx = Transaction(conn, sqlite_world.journal)
        sqlite_world.accept(tx, 1, raw or b"\0")
        conn.execute(delete(payloads))
        conn.execute(delete(message_keys))
        sqlite_world.payloads.put(conn, sealed)
        tx._finish()
    assert get(sqlite_world) == raw


def test_both_databases_keep_them(world: World) -> None:
    put(world, 1, "Công văn số 1".encode())
    big = os.urandom(2 * MAX_ROW_BYTES)
    put(world, 2, big)
    assert get(world, 1).decode() == "Công văn số 1"
    assert get(world, 2) == big


def test_large_ones_are_files_named_by_their_digest(sqlite_world: World) -> None:
    put(sqlite_world, 1, os.urandom(2 * MAX_ROW_BYTES))
    with sqlite_world.store.read() as conn:
        row = conn.execute(select(payloads.c.digest, payloads.c.body)).one()
    assert row.body is None
    path = sqlite_world.payloads.path_of(row.digest)
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_equal_payloads_share_nothing(sqlite_world: World) -> None:
    one, two = (sqlite_world.payloads.seal(message_id(n), b"the same") for n in (1, 2))
    assert one.digest != two.digest
    assert one.wrapped != two.wrapped


def test_a_destroyed_key_erases(sqlite_world: World) -> None:
    put(sqlite_world, 1, b"raw")
    with sqlite_world.store.write() as conn:
        conn.execute(update(message_keys).values(wrapped=None))
    with pytest.raises(Refused, match="payload-erased"):
        get(sqlite_world)


def test_an_older_master_key_still_opens(sqlite_world: World) -> None:
    put(sqlite_world, 1, b"raw")
    new = MasterKey("new", os.urandom(32))
    folder = sqlite_world.payloads.folder
    assert get(sqlite_world, kept=PayloadStore(new, folder, (sqlite_world.payloads.master,))) == b"raw"
    with pytest.raises(Halted, match="payload-damaged"):
        get(sqlite_world, kept=PayloadStore(new, folder))


def test_an_unknown_message_has_none(sqlite_world: World) -> None:
    with pytest.raises(Refused, match="unknown-entry"):
        get(sqlite_world)


def swap_bodies(world: World) -> None:
    with world.store.write() as conn:
        one, two = conn.execute(select(payloads).order_by(payloads.c.message_id)).all()
        for mine, other in ((one, two), (two, one)):
            values = {"digest": other.digest, "body": other.body, "size": other.size}
            conn.execute(update(payloads).where(payloads.c.message_id == mine.message_id).values(values))


def swap_everything(world: World) -> None:
    swap_bodies(world)
    with world.store.write() as conn:
        one, two = conn.execute(select(message_keys).order_by(message_keys.c.message_id)).all()
        for mine, other in ((one, two), (two, one)):
            conn.execute(update(message_keys).where(message_keys.c.message_id == mine.message_id).values(wrapped=other.wrapped))


def change(**values: object) -> Damage:
    def damage(world: World) -> None:
        with world.store.write() as conn:
            conn.execute(update(payloads).values(values))

    return damage


def change_key(world: World) -> None:
    with world.store.write() as conn:
        conn.execute(update(message_keys).values(wrapped=b"short"))


def drop_key(world: World) -> None:
    with world.store.write() as conn:
        conn.execute(delete(message_keys))


DAMAGE: dict[str, Damage] = {
    "bodies swapped between messages": swap_bodies,
    "bodies and keys swapped between messages": swap_everything,
    "another body": change(body=b"x" * 100),
    "an empty body": change(body=b""),
    "another digest": change(digest=b"\0" * 32),
    "another size": change(size=7),
    "no body and no file": change(body=None),
    "an unknown format": change(format="plain"),
    "a key that is none": change_key,
    "no key row": drop_key,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_never_handed_out(sqlite_world: World, damage: Damage) -> None:
    put(sqlite_world, 1, b"one" * 100)
    put(sqlite_world, 2, b"another" * 50)
    damage(sqlite_world)
    with pytest.raises(Halted, match="payload-damaged"):
        get(sqlite_world)


def cut(data: bytes) -> bytes:
    return data[: CHUNK_BYTES + 16]


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "the last chunk dropped": cut,
    "a chunk twice": lambda data: cut(data) + data,
    "chunks exchanged": lambda data: data[CHUNK_BYTES + 16 : 2 * (CHUNK_BYTES + 16)] + cut(data) + data[2 * (CHUNK_BYTES + 16) :],
    "a bit flipped at the end": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "nothing left": lambda _: b"",
}


@pytest.mark.parametrize("mend", CUTS.values(), ids=CUTS.keys())
def test_chunks_stay_where_they_are(sqlite_world: World, mend: Callable[[bytes], bytes]) -> None:
    put(sqlite_world, 1, os.urandom(3 * CHUNK_BYTES))
    with sqlite_world.store.read() as conn:
        digest = conn.execute(select(payloads.c.digest)).scalar_one()
    data = mend(sqlite_world.payloads.path_of(digest).read_bytes())
    with sqlite_world.store.write() as conn:  # with the digest made to fit, so that encryption alone has to notice
        conn.execute(update(payloads).values(body=data, digest=sha256(data).digest()))
    with pytest.raises(Halted, match="payload-damaged"):
        get(sqlite_world)


def test_a_folder_that_cannot_be_written_halts(sqlite_world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = PayloadStore(sqlite_world.payloads.master, tmp_path / "file" / "payloads")
    with pytest.raises(Halted, match="store-unavailable"):
        kept.stage(kept.seal(message_id(1), os.urandom(2 * MAX_ROW_BYTES)))


def test_keys_are_not_shown(sqlite_world: World) -> None:
    assert sqlite_world.payloads.master.secret.hex() not in repr(sqlite_world.payloads)
    assert repr(sqlite_world.payloads.master.secret) not in repr(sqlite_world.payloads)
