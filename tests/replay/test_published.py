"""Never backwards: what was published is compared at the start and before every signature, on both kinds of store."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select, update

from replay.checkpoint import Checkpoint
from replay.hashing import leaf_hash
from replay.journal import Journal, JournalKeys
from replay.merkle import root_of
from replay.published import CheckpointFile, Publisher
from replay.store.tables import entries, log_head, openings, tree_nodes
from schemas.errors import Halted, Refused
from signing.note import NoteSigner, NoteVerifier, open_note, sign_note
from tests.architecture.source import ROOT
from tests.replay.world import ORIGIN, World, draft


def publisher(world: World, folder: Path) -> Publisher:
    return Publisher(world.store, world.journal, world.ring.log_verifiers(ORIGIN), CheckpointFile(folder / "published" / "checkpoint"))


def fill(world: World, count: int) -> None:
    world.append(*(draft(n) for n in range(count)))


def root_now(world: World) -> bytes:
    with world.store.read() as conn:
        return root_of([row.leaf_hash for row in conn.execute(select(entries).order_by(entries.c.index))])


def test_it_goes_forward_and_is_kept_before_anybody_sees_it(world: World, tmp_path: Path) -> None:
    one = publisher(world, tmp_path)
    assert one.open().checkpoint.size == 0
    for size in (3, 300, 301, 301):
        fill(world, size - one.publish().checkpoint.size)
        made = one.publish()
        assert made.checkpoint == Checkpoint(ORIGIN, size, root_now(world))
        assert one.file.read() == made.note
    assert one.open() == one.publish()


def test_an_unpublished_rest_is_hashed_again_before_it_is_signed(world: World, tmp_path: Path) -> None:
    one = publisher(world, tmp_path)
    one.open()
    fill(world, 270)
    one.publish()
    fill(world, 300)
    with world.store.write() as conn:  # as a crash of another program would leave it: derived, so mended
        conn.execute(delete(tree_nodes).where(tree_nodes.c.index == 1))
    assert one.open().checkpoint.root == root_now(world)
    assert world.fsck().is_intact


def test_nodes_below_what_was_published_are_mended_too(world: World, tmp_path: Path) -> None:
    one = publisher(world, tmp_path)
    one.open()
    fill(world, 600)
    one.publish()
    with world.store.write() as conn:
        conn.execute(update(tree_nodes).where(tree_nodes.c.index == 0).values(hash=bytes(32)))
    fill(world, 1)
    with pytest.raises(Halted, match="checkpoint-mismatch"):
        one.publish()
    assert one.open().checkpoint.root == root_now(world)
    assert world.fsck().is_intact


def cut(world: World) -> None:
    """The store as an old backup has it."""
    with world.store.write() as conn:
        kept = [row.leaf_hash for row in conn.execute(select(entries).order_by(entries.c.index).limit(5))]
        conn.execute(delete(openings).where(openings.c.index >= 5))
        conn.execute(delete(entries).where(entries.c.index >= 5))
        peaks = root_of(kept[:4]) + kept[4]
        conn.execute(update(log_head).values(size=5, frontier=peaks))


def forked(world: World) -> None:
    cut(world)
    fill(world, 10)


def changed(world: World) -> None:
    with world.store.write() as conn:
        leaf = conn.execute(select(entries.c.leaf).where(entries.c.index == 11)).scalar_one().replace(b'"v":1', b'"v":2')
        conn.execute(update(entries).where(entries.c.index == 11).values(leaf=leaf, leaf_hash=leaf_hash(leaf)))


def hash_changed(world: World) -> None:
    with world.store.write() as conn:
        conn.execute(update(entries).where(entries.c.index == 11).values(leaf_hash=bytes(32)))


def head_changed(world: World) -> None:
    with world.store.write() as conn:
        conn.execute(update(log_head).values(frontier=bytes(64)))


# What was done to a store of 12 entries, of which 10 were published → what its start says.
DAMAGE: dict[str, tuple[Callable[[World], None], str]] = {
    "an old backup": (cut, "store-behind"),
    "another history of the same length": (forked, "checkpoint-mismatch"),
    "an unpublished entry was changed": (changed, "journal-damaged"),
    "an unpublished hash was changed": (hash_changed, "journal-damaged"),
    "the head was changed": (head_changed, "journal-damaged"),
}


@pytest.mark.parametrize(("spoil", "code"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_store_that_does_not_continue_is_refused(world: World, tmp_path: Path, spoil: Callable[[World], None], code: str) -> None:
    one = publisher(world, tmp_path)
    one.open()
    fill(world, 10)
    kept = one.publish().note
    fill(world, 2)
    spoil(world)
    with pytest.raises(Halted, match=code):
        one.open()
    assert one.file.read() == kept
    with pytest.raises(Halted):
        one.mend()


def test_a_lost_file_is_no_permission_to_begin_anew(sqlite_world: World, tmp_path: Path) -> None:
    one = publisher(sqlite_world, tmp_path)
    one.open()
    fill(sqlite_world, 10)
    kept = one.publish().note
    one.file.path.unlink()
    for refused in (one.open, one.publish):
        with pytest.raises(Halted, match="published-missing"):
            refused()
    cut(sqlite_world)
    with pytest.raises(Halted, match="store-behind"):
        one.adopt(kept)
    assert one.adopt(None).checkpoint.size == 5
    with pytest.raises(Halted, match="published-exists"):
        one.adopt(None)


@pytest.mark.parametrize("content", [b"", b"nonsense", None], ids=["empty", "nonsense", "another log's"])
def test_a_damaged_file_is_refused(sqlite_world: World, tmp_path: Path, content: bytes | None) -> None:
    one = publisher(sqlite_world, tmp_path)
    one.open()
    stranger = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    one.file.path.write_bytes(sign_note(Checkpoint(ORIGIN, 0, bytes(32)).text(), [stranger]).encode() if content is None else content)
    with pytest.raises(Halted, match="published-damaged"):
        one.open()


def test_two_processes_publish_one_history(world: World, tmp_path: Path) -> None:
    one, two = publisher(world, tmp_path), publisher(world, tmp_path)
    one.open()
    for number in range(6):
        fill(world, 1)
        assert (one, two)[number % 2].publish().checkpoint.size == number + 1
    assert one.publish() == two.publish()


def test_a_rotated_key_signs_the_same_head_again(sqlite_world: World, tmp_path: Path) -> None:
    one = publisher(sqlite_world, tmp_path)
    one.open()
    fill(sqlite_world, 3)
    before = one.publish()
    keys, new = sqlite_world.ring.journal_keys(), Ed25519PrivateKey.generate()
    both = (*one.log_keys, NoteVerifier(ORIGIN, new.public_key()))
    rotated = Publisher(one.store, Journal(JournalKeys(keys.parties, (*keys.log, new)), ORIGIN), both, one.file)
    during = rotated.open()
    assert (during.checkpoint, during.note == before.note) == (before.checkpoint, False)
    assert open_note(during.note, one.log_keys) == open_note(during.note, both[1:])  # whoever knows either key reads it
    alone = Publisher(one.store, Journal(JournalKeys(keys.parties, (new,)), ORIGIN), both, one.file)
    fill(sqlite_world, 1)
    with pytest.raises(Refused, match="note-invalid"):
        open_note(alone.publish().note, one.log_keys)
    assert alone.open().checkpoint.size == 4


def test_a_wrong_signature_beside_a_good_one_of_the_same_name_is_seen() -> None:
    text, good, other = Checkpoint(ORIGIN, 0, bytes(32)).text(), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    note = sign_note(text, [NoteSigner(ORIGIN, good), NoteSigner(ORIGIN, other)])
    spoiled = note[:-20] + ("A" if note[-20] != "A" else "B") + note[-19:]
    known = [NoteVerifier(ORIGIN, key.public_key()) for key in (good, other)]
    assert open_note(spoiled, known[:1])[1] == (ORIGIN,)  # the second is a stranger's
    with pytest.raises(Refused, match="note-invalid"):
        open_note(spoiled, known)


def test_the_checker_shares_nothing_with_the_maker_but_the_hash() -> None:
    tree = ast.parse((ROOT / "replay" / "merkle_check.py").read_text("utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "collections.abc", "replay.hashing"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))
