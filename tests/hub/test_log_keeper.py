"""Publishing, cosigning and time-stamping around a hub that takes messages in, whoever is away, and a store that goes backwards."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.api.witness import build_witness
from hub.commit import Transaction
from hub.keys import Keyring
from hub.log_keeper import LogKeeper
from hub.log_opening import witnesses_of
from hub.node import utc_now
from hub.rotation import retire_signing, rotate_signing
from hub.witness_home import init_witness, open_witness
from replay.checkpoint import Checkpoint
from replay.entry import EntryDraft
from replay.store.tables import checkpoints
from schemas.errors import Halted
from signing.checked_token import checked_token
from signing.cosignature import cosigned_at
from signing.note import NoteVerifier
from tests.api.face import listening
from tests.hub.stage import MOTCUA, PROFILES, QLVB, Stage, home, open_stage
from tests.packets import document
from tests.ports import closed_port
from tests.signing.authority import openssl, serving
from tests.signing.signers import folder as signers_folder
from tests.signing.signers import world as signers


def packet(number: int) -> bytes:
    return document(MOTCUA, [QLVB], f"{MOTCUA},2026/11/21,{number}/KEEP")


@contextmanager
def witnesses(folder: Path, log_key: str, names: tuple[str, ...]) -> Iterator[list[tuple[str, str]]]:
    """Running witnesses that know the log: (url, key) each."""
    made = [init_witness(folder / name, f"{name}.test", "127.0.0.1:0", (log_key,)) for name in names]
    opened = [open_witness(folder / name, lambda: int(utc_now().timestamp()))[0] for name in names]
    with listening(build_witness(opened[0])) as one, listening(build_witness(opened[1])) as two:
        yield [(f"http://127.0.0.1:{port}", each.verifier.text) for port, each in zip((one, two), made, strict=True)]
    for each in opened:
        each.state.close()


def settings(places: list[tuple[str, str]], quorum: int, more: str = "") -> str:
    tables = "".join(f'[[log.witnesses]]\nurl = "{url}"\nkey = "{key}"\n' for url, key in places)
    return f"sweep_s = 0.1\n[log]\npublish_s = 0.02\nquorum = {quorum}\n{more}\n{tables}"


@contextmanager
def running(folder: Path, toml: str) -> Iterator[Stage]:
    (folder / "hub.toml").write_text(toml, "utf-8")
    stage = open_stage(folder, fresh=False)
    stage.hub.start()
    try:
        yield stage
    finally:
        stage.hub.stop()


def cosigned(stage: Stage, how_many: int) -> Callable[[], bool]:
    keeper = stage.hub.keeper
    return lambda: keeper.served().size == keeper.current.checkpoint.size > 0 and len(keeper.served().witnesses) >= how_many


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return home(tmp_path / "home", PROFILES)


def log_key(folder: Path) -> str:
    stage = open_stage(folder, fresh=False)
    key = stage.hub.keeper.publisher.log_keys[0].text
    stage.hub.stop()
    return key


def test_two_witnesses_cosign_what_is_shown(folder: Path, tmp_path: Path) -> None:
    with witnesses(tmp_path, log_key(folder), ("one", "two")) as places, running(folder, settings(places, 2)) as stage:
        for number in range(3):
            stage.send(packet(number))
            stage.wait_for(cosigned(stage, 2))
        shown, hub = stage.hub.keeper.served(), stage.hub
        verifiers = [verifier for _, verifier in witnesses_of(hub.settings)]
        assert set(cosigned_at(shown.note, verifiers)) == {"one.test", "two.test"}
        assert Checkpoint.opened(shown.note, hub.keeper.publisher.log_keys).size == shown.size
        assert hub.keeper.health()["witnesses"]["one.test"]["fault"] == ""


def test_a_witness_that_knows_only_the_old_key_cosigns_until_it_is_retired(folder: Path, tmp_path: Path) -> None:
    with witnesses(tmp_path, log_key(folder), ("one", "two")) as places, running(folder, settings(places, 2)) as stage:
        keys, old, at = folder / "keys", stage.hub.keyring.log().id, stage.hub.clock()
        done = rotate_signing(stage.hub.committer, keys, "log", by="root", at=at)
        stage.wait_for(lambda: len(stage.hub.keeper.publisher.journal.keys.log) == 2)
        before = stage.hub.keeper.current.checkpoint.size
        stage.send(packet(1))
        stage.wait_for(lambda: stage.hub.keeper.current.checkpoint.size > before)
        stage.wait_for(cosigned(stage, 2))
        new = NoteVerifier(stage.hub.settings.origin, Keyring.load(keys).public("log")[done.key_id])
        shown = stage.hub.keeper.served()
        assert Checkpoint.opened(shown.note, [new]).size == shown.size
        retire_signing(stage.hub.committer, keys, old, by="root", at=at)
        stage.wait_for(lambda: len(stage.hub.keeper.publisher.journal.keys.log) == 1)
        stage.send(packet(2))
        stage.wait_for(lambda: stage.hub.keeper.health()["witnesses"]["one.test"]["fault"] == "witness-refused")


def test_a_witness_that_is_away_delays_evidence_not_traffic(folder: Path, tmp_path: Path) -> None:
    with witnesses(tmp_path, log_key(folder), ("one", "two")) as places:
        away = (f"http://127.0.0.1:{closed_port()}", places[1][1])
        with running(folder, settings([places[0], away], 1)) as stage:
            assert not stage.send(packet(1)).repeated
            stage.wait_for(cosigned(stage, 1))
            stage.wait_for(lambda: stage.hub.keeper.health()["witnesses"]["two.test"]["fault"] == "agency-unavailable")
            assert stage.hub.keeper.served().witnesses == ("one.test",)
        with running(folder, settings([places[0], away], 2)) as stage:  # and the quorum is not met: the newest is not shown at once
            before = stage.hub.keeper.current.checkpoint.size
            stage.send(packet(2))
            stage.wait_for(lambda: stage.hub.keeper.current.checkpoint.size > before)
            assert stage.hub.health()["ready"]


def test_a_rolled_back_store_is_refused_at_the_start(folder: Path, tmp_path: Path) -> None:
    """Copy the database, go on, restore the copy: refused, with the remedy."""
    with running(folder, settings([], 0)) as stage:
        stage.send(packet(1))
    shutil.copytree(folder / "data", tmp_path / "backup")
    with running(folder, settings([], 0)) as stage:
        stage.send(packet(2))
    shutil.rmtree(folder / "data")
    shutil.copytree(tmp_path / "backup", folder / "data")
    for _ in range(2):  # the refused store is not held
        with pytest.raises(Halted, match="store-behind") as caught:
            open_stage(folder, fresh=False)
        assert "Restore the newest state" in caught.value.spec.remedy.en


def test_a_store_that_goes_backwards_while_it_runs_ends_acceptance(folder: Path) -> None:
    with running(folder, settings([], 0)) as stage:
        stage.send(packet(1))
        stage.wait_for(lambda: stage.hub.keeper.current.checkpoint.size > 0)
        stage.hub.keeper._stopping.set()
        database = sqlite3.connect(folder / "data" / "hub.sqlite", timeout=240)
        database.execute("UPDATE log_head SET size = 0, frontier = x''")
        database.commit()
        database.close()
        stage.hub.keeper._publish()
        assert stage.hub.keeper.fault == "store-behind"
        assert not stage.hub.health()["ready"]
        with pytest.raises(Exception, match="shutting-down"):
            stage.send(packet(2))


def test_every_kth_checkpoint_is_stamped_and_what_is_owed_is_shown(folder: Path) -> None:
    more = 'stamp_every = 2\ntsa_url = "{url}"'
    with running(folder, settings([], 0, more.format(url=f"http://127.0.0.1:{closed_port()}/tsa"))) as stage:
        publish(stage, 3)
        stage.wait_for(lambda: stage.hub.keeper.debt == 2)
        assert stage.hub.keeper.health()["time_stamps"] == "agency-unavailable"
    with (
        serving(openssl(signers().authority, signers_folder())) as tsa,
        running(folder, settings([], 0, more.format(url=tsa.url))) as stage,
    ):
        stage.wait_for(lambda: stage.hub.keeper.debt == 0 and all(stamps(stage).values()))
        publish(stage, 1)
        stage.wait_for(lambda: stage.hub.keeper.debt == 0 and all(stamps(stage).values()))
        for note, stamp in stamps(stage).items():
            assert checked_token(stamp, note, utc_now()) == stamp
        assert stage.hub.keeper.health()["time_stamps"] == "ok"
    with serving(lambda _: (200, b"<html>welcome</html>")) as tsa, running(folder, settings([], 0, more.format(url=tsa.url))) as stage:
        publish(stage, 2)
        stage.wait_for(lambda: stage.hub.keeper.health().get("time_stamps") == "timestamp-invalid")
        assert stage.hub.keeper.debt == 1


def publish(stage: Stage, times: int) -> None:
    keeper: LogKeeper = stage.hub.keeper
    for _ in range(times):
        before = keeper.current.checkpoint.size
        stage.hub.committer.submit(_one_entry).result(60)
        stage.wait_for(partial(_moved, keeper, before))


def _moved(keeper: LogKeeper, before: int) -> bool:
    return keeper.current.checkpoint.size > before


def _one_entry(tx: Transaction) -> None:
    tx.append(EntryDraft("test", utc_now(), (), {}, None))


def stamps(stage: Stage) -> dict[bytes, bytes]:
    with stage.hub.store.read() as conn:
        rows = conn.execute(select(checkpoints.c.note, checkpoints.c.stamp).where(checkpoints.c.stamp_due == 1)).all()
    return {row.note: row.stamp for row in rows}
