"""The log as a stranger's client finds it (`tests.api.tlog_reader`): at every size where tiles begin and end, with whatever it asks for."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from hub.access import new_api_key
from hub.api.app import build_app
from hub.commit import Transaction
from hub.keys import Keyring
from hub.log_opening import publisher_of
from hub.node import open_hub
from hub.rotation import retire_signing, rotate_signing
from hub.settings import load_settings
from replay.entry import EntryDraft
from replay.hashing import leaf_hash
from replay.journal import Journal
from replay.merkle import Frontier
from replay.store.engine import open_store
from replay.store.tables import entries, log_head
from tests.api.face import Face, listening, serving
from tests.api.tlog_reader import Distrust, TileLog, mth, number, opened, over_http

IMMUTABLE = "max-age=31536000, immutable"
MANY = 65_536 + 256 + 3  # the third level begins, and every level has a partial tile
API_KEY, KEPT = new_api_key()
AUDITOR = f'agencies = []\n[access]\nroles = ["auditor"]\nkeys = [{{ id = "{KEPT.id}", sha256 = "{KEPT.sha256}" }}]\n'
CREDENTIALS = {"Authorization": f"Bearer {API_KEY}"}


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    with serving(tmp_path_factory.mktemp("outside") / "home", {"kiem-toan": AUDITOR}) as made:
        made.hub.keeper._stopping.set()  # what is published is published by the test
        yield made


def key_of(face: Face) -> str:
    return face.hub.keyring.log_verifiers(face.hub.settings.origin)[0].text


def log_of(face: Face) -> TileLog:
    return TileLog(over_http(face.port), key_of(face))


def grow(face: Face, size: int) -> None:
    """To `size` entries, published."""
    face.hub.keeper._publish()
    missing = size - face.hub.keeper.current.checkpoint.size

    def change(tx: Transaction) -> None:
        for each in range(missing):
            tx.append(EntryDraft("test", face.hub.clock(), (), {"number": each}, None))

    face.hub.committer.submit(change).result(60)
    face.hub.keeper._publish()


def test_every_size_at_which_a_tile_begins_or_ends(face: Face) -> None:
    log = log_of(face)
    sizes = [log.check()]
    for size in (255, 256, 257, 511, 512, 513):
        if size > sizes[-1]:
            grow(face, size)
            sizes.append(log.check())
            assert len(log.entries(size, CREDENTIALS)) == size
    assert sizes == [0, 255, 256, 257, 511, 512, 513]


@contextmanager
def served(home: Path, size: int) -> Iterator[TileLog]:
    """A log of `size` entries that were put there without their tree, and without any of the hub's own."""
    with serving(home, {"kiem-toan": AUDITOR}):
        pass
    for name in ("hub.sqlite", "hub.sqlite-wal", "hub.sqlite-shm"):
        (home / "data" / name).unlink(missing_ok=True)
    settings = load_settings(home, {})
    settings.checkpoint_path.unlink()
    store, frontier = open_store(settings.resolved_store_url), Frontier()
    leaves = [b"leaf %d" % index for index in range(size)]
    rows = [{"index": frontier.append(leaf_hash(leaf)), "leaf": leaf, "leaf_hash": leaf_hash(leaf)} for leaf in leaves]
    with store.write() as conn:
        conn.execute(insert(entries), rows)
        conn.execute(update(log_head).values(origin=settings.origin, size=size, frontier=frontier.to_bytes()))
    ring = Keyring.load(settings.keys_folder)
    publisher_of(settings, ring, store, Journal(ring.journal_keys(), settings.origin)).adopt(None)
    store.close()
    hub = open_hub(settings)
    with listening(build_app(hub, io.StringIO())) as port:
        yield TileLog(over_http(port), hub.keyring.log_verifiers(settings.origin)[0].text)
    hub.stop()


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TileLog]:
    """A log of three levels."""
    with served(tmp_path_factory.mktemp("long") / "home", MANY) as log:
        yield log


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_first_entries(tmp_path: Path, size: int) -> None:
    with served(tmp_path / "home", size) as log:
        assert log.check() == size
        assert log.entries(size, CREDENTIALS) == [b"leaf %d" % index for index in range(size)]


def test_a_log_of_three_levels(long: TileLog) -> None:
    assert long.check() == MANY
    assert {path.split("/")[1] for path in long.seen if path.startswith("tile/")} == {"0", "1", "2"}
    assert f"tile/0/{number(256)}" in long.seen
    assert f"tile/0/{number(257)}.p/3" in long.seen
    assert "tile/1/001.p/1" in long.seen
    assert "tile/2/000.p/1" in long.seen
    bundle = long.fetch("tile/entries/256", CREDENTIALS)
    assert bundle.startswith(b"\x00\x0aleaf 65536")


def test_a_partial_tile_is_how_the_full_one_begins(long: TileLog) -> None:
    for path in ("tile/0/000", "tile/1/000"):
        full = long.fetch(path)
        assert all(long.fetch(f"{path}.p/{width}") == full[: 32 * width] for width in (1, 2, 128, 255))
    bundle = long.fetch("tile/entries/003", CREDENTIALS)
    assert bundle.startswith(long.fetch("tile/entries/003.p/255", CREDENTIALS))


def test_what_may_be_kept_and_for_how_long(long: TileLog) -> None:
    long.fetch("checkpoint"), long.fetch("tile/0/000"), long.fetch("tile/2/000.p/1"), long.fetch("tile/entries/000", CREDENTIALS)
    told = {path: (headers["content-type"], headers["cache-control"]) for path, headers in long.seen.items()}
    assert told["checkpoint"] == ("text/plain; charset=utf-8", "public, max-age=1")
    assert told["tile/0/000"] == told["tile/2/000.p/1"] == ("application/octet-stream", f"public, {IMMUTABLE}")
    assert told["tile/entries/000"] == ("application/octet-stream", f"private, {IMMUTABLE}")
    assert "authorization" in long.seen["tile/entries/000"]["vary"].lower()


NOT_THERE = [
    *("tile/0/258", "tile/0/257", "tile/0/257.p/4", "tile/0/257.p/255", "tile/1/001", "tile/1/001.p/2", "tile/2/000", "tile/3/000.p/1"),
    *("tile/0/x000/000", "tile/0/x000/x000/001", "tile/0/x001/000", "tile/0/x001/x000/000", "tile/0/001/000", "tile/0/x01/000"),
    *("tile/0/1", "tile/0/0000", "tile/0/x256", "tile/0/X000/256", "tile/00/000", "tile/-1/000", "tile/64/000", "tile/256/000", "tile/0"),
    *("tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/000.P/1", "tile/0/000.p/1/"),
    *("tile/0/000/", "tile//0/000", "tile/0//000", "tile/0/000%2ep/1%00", "tile/0/%30%30%30x", "tile/0/000%0a", "tile/", "tile", "tiles"),
    *("tile/0/../../checkpoint", "tile/0/%2e%2e/000", "tile/0/" + "x999/" * 6 + "999", "tile/0/" + "x999/" * 400 + "999"),
    *("checkpoint/", "Checkpoint", "tile/entries", "tile/data/000", "tile/0/%d9%a1", "tile/0/%ff%fe"),
]


@pytest.mark.parametrize("path", NOT_THERE)
def test_what_is_not_there_is_a_404_that_nobody_keeps(long: TileLog, path: str) -> None:
    status, headers, body = long.get(f"/log/{path}", {})
    assert status == 404, body
    assert "immutable" not in headers.get("cache-control", "")
    assert body.startswith(b"{")


def test_a_percent_encoded_spelling_is_the_same_resource(long: TileLog) -> None:
    """RFC 3986 §6.2.2.2: unreserved characters are the same encoded; nothing else becomes a tile by it."""
    assert long.get("/log/tile/0/%30%30%30", {})[2] == long.fetch("tile/0/000")


ANYBODY: dict[str, tuple[dict[str, str], int]] = {
    "nobody": ({}, 401),
    "a key of nobody": ({"Authorization": "Bearer lgsp-0.no"}, 401),
    "no credentials at all": ({"Authorization": "Basic YTpi"}, 401),
    "the auditor's key, spoiled": ({"Authorization": f"Bearer {API_KEY[:-1]}!"}, 401),
    "the auditor": (CREDENTIALS, 200),
    "the auditor by the other header": ({"X-API-Key": API_KEY}, 200),
}


@pytest.mark.parametrize(("headers", "status"), ANYBODY.values(), ids=ANYBODY)
@pytest.mark.parametrize("path", ["000", "257.p/3"])
def test_entries_are_for_auditors(long: TileLog, headers: dict[str, str], status: int, path: str) -> None:
    told, answered, body = long.get(f"/log/tile/entries/{path}", headers)
    assert told == status
    assert (status == 200) == ("immutable" in answered.get("cache-control", ""))
    assert (b"leaf" in body) == (status == 200)


def test_a_system_without_the_role_may_not_read_entries(face: Face) -> None:
    grow(face, max(1, face.hub.keeper.current.checkpoint.size))
    for path in ("000.p/1", "999"):  # nor learn which there are
        assert face.ask("GET", f"/log/tile/entries/{path}", system="qlvb").status == 403
        assert face.ask("GET", f"/log/tile/entries/{path}").status == 401


def test_lines_of_unknown_keys_are_passed_over_and_wrong_ones_of_known_keys_are_not(face: Face) -> None:
    key, note = key_of(face), log_of(face).fetch("checkpoint")
    other = base64.b64encode(b"\x01\x02\x03\x04" + bytes(64)).decode()
    assert opened(note + f"— witness.example/w {other}\n".encode(), key) == opened(note, key)
    name = key.partition("+")[0]
    assert opened(note + f"— {name} {other}\n".encode(), key) == opened(note, key)
    for wrong in (note.replace(b"\n\n", b"\n0\n\n", 1), note.partition(b"\n\n")[0] + b"\n\n"):
        with pytest.raises(Distrust):
            opened(wrong, key)


def test_readers_with_either_key_go_on_while_the_log_key_is_replaced(face: Face) -> None:
    old, hub, keys = key_of(face), face.hub, face.hub.settings.keys_folder
    old_id = hub.keyring.log().id
    rotate_signing(hub.committer, keys, "log", by="root", at=hub.clock())
    grow(face, hub.keeper.current.checkpoint.size + 1)
    ring = Keyring.load(keys)
    new = next(each.text for each in ring.log_verifiers(hub.settings.origin) if each.text != old)
    note = log_of(face).fetch("checkpoint")
    assert opened(note, old) == opened(note, new)
    assert TileLog(over_http(face.port), new).check() == TileLog(over_http(face.port), old).check()
    retire_signing(hub.committer, keys, old_id, by="root", at=hub.clock())
    grow(face, hub.keeper.current.checkpoint.size + 1)
    assert TileLog(over_http(face.port), new).check() == hub.keeper.current.checkpoint.size
    with pytest.raises(Distrust, match="not signed"):
        TileLog(over_http(face.port), old).check()


def test_the_client_sees_what_is_wrong(face: Face) -> None:
    """A checker that accepts everything would pass all of the above."""
    honest = over_http(face.port)
    key = Keyring.load(face.hub.settings.keys_folder).log_verifiers(face.hub.settings.origin)[-1].text

    def lying(part: str) -> TileLog:
        def get(path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
            status, told, body = honest(path, headers)
            return status, told, bytes([body[0] ^ 1]) + body[1:] if path.startswith(part) else body

        return TileLog(get, key)

    grow(face, max(300, face.hub.keeper.current.checkpoint.size))
    for part in ("/log/tile/0/000", "/log/tile/1/000", "/log/tile/0/001"):
        with pytest.raises(Distrust):
            lying(part).check()
    with pytest.raises((Distrust, ValueError)):
        lying("/log/checkpoint").check()
    with pytest.raises(Distrust):
        lying("/log/tile/entries/").entries(256, CREDENTIALS)
    assert mth([]) == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
