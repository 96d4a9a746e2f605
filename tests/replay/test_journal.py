"""Appending, checkpoints and proofs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select, update

from hub.keys import Keyring
from replay.checkpoint import Checkpoint
from replay.entry import Entry
from replay.hashing import EMPTY_ROOT, leaf_hash
from replay.journal import Journal, JournalKeys
from replay.merkle import root_of
from replay.proof import InclusionProof, check_proof
from replay.store.engine import open_store
from replay.store.tables import entries, log_head, openings
from schemas.errors import Halted, Refused
from signing.note import NoteSigner, NoteVerifier, sign_note
from tests.replay.world import ORIGIN, World, draft


def prove(world: World, index: int, *, disclose: bool = False) -> InclusionProof:
    with world.store.read() as conn:
        return world.journal.prove(conn, index, disclose=disclose)


def test_indexes_are_contiguous_over_transactions(world: World) -> None:
    positions = [*world.append(draft(1), draft(2)), *world.append(draft(3)), *world.append()]
    assert [p.index for p in positions] == [0, 1, 2]
    with world.store.read() as conn:
        rows = conn.execute(select(entries).order_by(entries.c.index)).all()
        head = conn.execute(select(log_head)).one()
    assert [leaf_hash(row.leaf) for row in rows] == [row.leaf_hash for row in rows] == [p.leaf_hash for p in positions]
    assert (head.origin, head.size) == (ORIGIN, 3)
    assert Checkpoint.opened(world.checkpoint(), world.ring.log_verifiers(ORIGIN)).root == root_of([p.leaf_hash for p in positions])


def test_a_transaction_that_fails_leaves_no_gap(world: World) -> None:
    world.append(draft(1))
    with pytest.raises(ZeroDivisionError), world.store.write() as conn:
        world.journal.append(conn, [draft(2), draft(3)])
        raise ZeroDivisionError
    assert [p.index for p in world.append(draft(4))] == [1]
    assert world.fsck().is_intact


def test_a_draft_that_is_refused_writes_nothing(world: World) -> None:
    with pytest.raises(Refused, match="entry-value"), world.store.write() as conn:
        world.journal.append(conn, [draft(1), draft(2, value=2**60)])
    assert world.append(draft(3))[0].index == 0


def test_the_empty_log_has_a_checkpoint(world: World) -> None:
    opened = Checkpoint.opened(world.checkpoint(), world.ring.log_verifiers(ORIGIN))
    assert opened == Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def test_a_log_keeps_its_name(world: World) -> None:
    world.append(draft(1))
    other = Journal(world.ring.journal_keys(), "hub.test/another")
    with pytest.raises(Halted, match="journal-origin"), world.store.write() as conn:
        other.append(conn, [draft(2)])


def test_every_entry_is_provable_to_whoever_has_the_key(world: World) -> None:
    world.append(*(draft(n) for n in range(11)))
    for index in range(11):
        proof = prove(world, index, disclose=True)
        proven = check_proof(InclusionProof.from_json(json.loads(json.dumps(proof.as_json()))), world.ring.log_verifiers(ORIGIN))
        assert proven.index == index
        assert proven.values == {"number": index}
        assert proven.as_json()["event"] == "noted"


def test_nothing_is_disclosed_unasked(world: World) -> None:
    world.append(draft(1, secret="kín"))
    document = prove(world, 0).as_json()
    assert "opening" not in document
    assert "kín" not in json.dumps(document, ensure_ascii=False)
    assert check_proof(InclusionProof.from_json(document), world.ring.log_verifiers(ORIGIN)).values is None


@pytest.mark.parametrize("index", [-1, 1, 2**62], ids=str)
def test_what_is_not_there_cannot_be_proven(world: World, index: int) -> None:
    world.append(draft(1))
    with pytest.raises(Refused, match="unknown-entry"):
        prove(world, index)


def test_a_damaged_log_is_not_signed_for(world: World) -> None:
    world.append(draft(1), draft(2), draft(3))
    with world.store.write() as conn:
        conn.execute(update(entries).where(entries.c.index == 1).values(leaf_hash=os.urandom(32)))
    with pytest.raises(Halted, match="journal-damaged"):
        prove(world, 0)
    with world.store.write() as conn:
        conn.execute(delete(openings).where(openings.c.index == 1))
        conn.execute(delete(entries).where(entries.c.index == 1))
    with pytest.raises(Halted, match="journal-damaged"):
        prove(world, 0)


HEADS: dict[str, dict[str, Any]] = {
    "a size that does not fit": {"size": 7},
    "a frontier of no whole hashes": {"frontier": b"short"},
    "a negative size": {"size": -1},
}


@pytest.mark.parametrize("values", HEADS.values(), ids=HEADS.keys())
def test_nothing_is_appended_to_a_damaged_head(world: World, values: dict[str, Any]) -> None:
    world.append(draft(1))
    with world.store.write() as conn:
        conn.execute(update(log_head).values(values))
    with pytest.raises(Halted, match="journal-damaged"):
        world.append(draft(2))


def test_nothing_is_appended_without_a_head_or_behind_the_entries(world: World) -> None:
    world.append(draft(1))
    with world.store.write() as conn:
        conn.execute(update(log_head).values(size=0, frontier=b""))
    with pytest.raises(Halted, match="journal-damaged"):
        world.append(draft(2))
    with world.store.write() as conn:
        conn.execute(delete(log_head))
    with pytest.raises(Halted, match="journal-damaged"):
        world.append(draft(2))
    with world.store.write() as conn:
        conn.execute(insert(log_head).values(id=1, origin="", size=0, frontier=b""))


def test_two_keys_sign_while_one_replaces_the_other(sqlite_world: World) -> None:
    new = Ed25519PrivateKey.generate()
    keys = sqlite_world.ring.journal_keys()
    journal = Journal(JournalKeys(keys.parties, (*keys.log, new)), ORIGIN)
    with sqlite_world.store.read() as conn:
        note = journal.checkpoint(conn)
    assert Checkpoint.opened(note, sqlite_world.ring.log_verifiers(ORIGIN)) == Checkpoint.opened(
        note, [NoteVerifier(ORIGIN, new.public_key())]
    )


def test_a_checkpoint_of_another_log_is_refused(sqlite_world: World) -> None:
    key = sqlite_world.ring.log().private
    other = Journal(sqlite_world.ring.journal_keys(), "hub.test/another")
    with sqlite_world.store.read() as conn:
        note = other.checkpoint(conn)
    with pytest.raises(Refused, match="note-invalid"):
        Checkpoint.opened(note, [NoteVerifier(ORIGIN, key.public_key())])
    text = Checkpoint("hub.test/another", 0, EMPTY_ROOT).text()
    with pytest.raises(Refused, match="checkpoint-invalid"):  # signed under our name, about another log
        Checkpoint.opened(sign_note(text, [NoteSigner(ORIGIN, key)]).encode(), [NoteVerifier(ORIGIN, key.public_key())])


ROOT = "XcnaeacGWamtVZy3Ja7Zoqucgq0vSWDP43DvTvSGBDI="
CHECKPOINTS = {
    "empty": "",
    "no root": f"{ORIGIN}\n8\n",
    "no final newline": f"{ORIGIN}\n8\n{ROOT}",
    "no origin": f"\n8\n{ROOT}\n",
    "a size with a zero before it": f"{ORIGIN}\n08\n{ROOT}\n",
    "a negative size": f"{ORIGIN}\n-8\n{ROOT}\n",
    "a size in other digits": f"{ORIGIN}\n８\n{ROOT}\n",
    "a size without end": f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
    "a root that is not base64": f"{ORIGIN}\n8\n???\n",
    "a root in letters that are not ASCII": f"{ORIGIN}\n8\nếếếế\n",
    "a root too short": f"{ORIGIN}\n8\nAAAA\n",
}


@pytest.mark.parametrize("text", CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="checkpoint-invalid"):
        Checkpoint.parse(text)


def test_a_checkpoint_has_the_published_form() -> None:
    opened = Checkpoint.parse(f"{ORIGIN}\n8\n{ROOT}\nan extension line\n")
    assert (opened.origin, opened.size) == (ORIGIN, 8)
    assert opened.text() == f"{ORIGIN}\n8\n{ROOT}\n"


Change = Callable[[dict[str, Any]], object]
FORGERIES: dict[str, tuple[str, Change]] = {
    "another index": ("proof-invalid", lambda d: d.update(index=3)),
    "an index outside": ("proof-invalid", lambda d: d.update(index=99)),
    "an index below": ("proof-invalid", lambda d: d.update(index=-1)),
    "another size": ("proof-invalid", lambda d: d.update(size=8)),
    "another leaf": ("proof-invalid", lambda d: d.update(leaf=d["leaf"].replace("noted", "refused"))),
    "a leaf that is none": ("entry-malformed", lambda d: d.update(leaf="{}")),
    "a step less": ("proof-invalid", lambda d: d["path"].pop()),
    "a step more": ("proof-invalid", lambda d: d["path"].append(d["path"][0])),
    "a short step": ("proof-invalid", lambda d: d["path"].__setitem__(0, "AAAA")),
    "another value": ("opening-mismatch", lambda d: d["opening"]["number"].update(value=5)),
    "a value hidden": ("opening-mismatch", lambda d: d["opening"].clear()),
    "a changed checkpoint": ("note-invalid", lambda d: d.update(checkpoint=d["checkpoint"].replace("\n7\n", "\n8\n"))),
    "no signature": ("note-invalid", lambda d: d.update(checkpoint=d["checkpoint"].split("—")[0])),
    "no checkpoint": ("proof-malformed", lambda d: d.pop("checkpoint")),
    "another format": ("proof-malformed", lambda d: d.update(format="x")),
    "an index that is text": ("proof-malformed", lambda d: d.update(index="2")),
    "a size that is true": ("proof-malformed", lambda d: d.update(size=True)),
    "a path that is no list": ("proof-malformed", lambda d: d.update(path=7)),
    "a path that is not base64": ("proof-malformed", lambda d: d.update(path=["?"])),
    "a path without end": ("proof-malformed", lambda d: d.update(path=["AAAA"] * 1000)),
    "a leaf with half a character": ("proof-malformed", lambda d: d.update(leaf="\ud800")),
    "a leaf that is a number": ("proof-malformed", lambda d: d.update(leaf=7)),
}


@pytest.fixture(scope="module")
def document(ring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The proof of entry 2 of 7, as JSON."""
    folder = tmp_path_factory.mktemp("proof")
    world = World(open_store(f"sqlite:///{folder}/hub.sqlite"), ring, folder)
    world.append(*(draft(n) for n in range(7)))
    made = json.dumps(prove(world, 2, disclose=True).as_json())
    world.store.close()
    return made


@pytest.mark.parametrize(("code", "change"), FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_proof_is_refused(document: str, ring: Keyring, code: str, change: Change) -> None:
    table = json.loads(document)
    change(table)
    with pytest.raises(Refused, match=code):
        check_proof(InclusionProof.from_json(table), ring.log_verifiers(ORIGIN))


@pytest.mark.parametrize("table", [None, [], 7, "proof", {}, {"format": 1}], ids=repr)
def test_what_is_no_proof_is_refused(table: object) -> None:
    with pytest.raises(Refused, match="proof-malformed"):
        InclusionProof.from_json(table)


def test_a_proof_for_another_key_is_refused(document: str) -> None:
    stranger = NoteVerifier(ORIGIN, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(Refused, match="note-invalid"):
        check_proof(InclusionProof.from_json(json.loads(document)), [stranger])


def test_a_proof_moved_onto_another_logs_checkpoint_is_refused(document: str, ring: Keyring) -> None:
    proof = InclusionProof.from_json(json.loads(document))
    assert Entry.from_leaf(proof.leaf).event == "noted"
    stranger = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    forged = sign_note(Checkpoint(ORIGIN, 7, os.urandom(32)).text(), [stranger]).encode()
    with pytest.raises(Refused, match="proof-invalid"):
        check_proof(replace(proof, checkpoint=forged), [NoteVerifier.of(stranger.verifier_key)])
