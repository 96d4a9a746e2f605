"""Erasing, holding and keeping as operators do it, by command beside a hub that serves; and a search for what was erased in everything that
lies on disk, however it may be written."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import zstandard
from sqlalchemy import text
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.find import asked, found
from hub.query import trace
from schemas.errors import HubError
from tests.hub.stage import DATDAI, MOTCUA, QLVB, Stage, open_stage
from tests.hub.test_erase import DOC, KEY, LARGE, NAME, NUMBER, SUBJECT, delivered, packet
from tests.packets import document
from tests.replay.conftest import postgres_url as postgres_url  # noqa: PLC0414 - a fixture

PLAIN = (NUMBER, NAME, "Quỳnhxyz", "quynhxyz", "Zzyzx", "UBQW", KEY, DOC, SUBJECT)
RULES = '[[retention]]\nname = "ngắn"\nkinds = ["document.*"]\nkeep_days = 10\n'
ZSTD = b"\x28\xb5\x2f\xfd"


def needles() -> dict[bytes, str]:
    """How the private texts, and a piece of the payload, may stand in a file."""
    forms: dict[bytes, str] = {}
    for one in (*PLAIN, *(each.upper() for each in PLAIN), *(each.lower() for each in PLAIN)):
        for codec in ("utf-8", "utf-16-le", "utf-16-be"):
            raw = one.encode(codec)
            forms[raw] = f"{one} {codec}"
            for skipped in range(3):  # base64 of whatever begins up to two bytes before
                inner = base64.b64encode(b"\0" * skipped + raw)[4 if skipped else 0 : -4]
                if len(inner) > 8:
                    forms[inner] = f"{one} {codec} base64"
    for at in (0, 50_000, 200_000):
        piece = LARGE[at : at + 48]
        forms |= {
            piece: f"payload at {at}",
            base64.b64encode(piece): f"payload at {at}, base64",
            piece.hex().encode(): f"payload at {at}, hex",
        }
    return forms


NEEDLES = needles()


def traces(raw: bytes) -> set[str]:
    """What of it stands in these bytes, or in a zstd frame among them."""
    hits = {name for needle, name in NEEDLES.items() if needle in raw}
    at = raw.find(ZSTD)
    while at >= 0:
        try:
            inner = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw[at:])).read(1 << 22)
        except zstandard.ZstdError:
            inner = b""
        hits |= {f"{name} in zstd" for needle, name in NEEDLES.items() if needle in inner}
        at = raw.find(ZSTD, at + 1)
    return hits


def in_files(folder: Path) -> dict[str, set[str]]:
    found_in = {str(path.relative_to(folder)): traces(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
    return {name: hits for name, hits in found_in.items() if hits}


def in_postgresql(stage: Stage) -> dict[str, set[str]]:
    """Every table and index of the schema, as the server has it on disk: live rows, dead ones and holes alike."""
    mine = "relnamespace = current_schema()::regnamespace"
    kept = f"SELECT oid FROM pg_class WHERE {mine} UNION SELECT reltoastrelid FROM pg_class WHERE {mine}"
    query = (
        f"SELECT oid::regclass::text, pg_read_binary_file(pg_relation_filepath(oid)) FROM ({kept}) x WHERE pg_relation_filepath(oid) <> ''"
    )
    with stage.hub.store.aside() as conn:
        conn.execute(text("CHECKPOINT"))
        rows = conn.execute(text(query)).all()
    found_in = {str(name): traces(bytes(raw)) for name, raw in rows}
    return {name: hits for name, hits in found_in.items() if hits}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A started hub on each database, with a rule of retention."""
    toml = f"sweep_s = 0.1\n{RULES}"
    if request.param == "postgresql":
        toml = f'store_url = "{request.getfixturevalue("postgres_url")}"\n{toml}'
    opened = open_stage(tmp_path / "home", hub_toml=toml)
    opened.hub.start()
    yield opened
    opened.check()
    opened.hub.stop()


def lgsp(stage: Stage, *words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--home", str(stage.hub.settings.home)])


def code_of(done: Result) -> str:
    """ "" where it went well, else the error's code."""
    assert done.exception is None or isinstance(done.exception, HubError), done.exception
    return done.exception.code if isinstance(done.exception, HubError) else ""


def test_nothing_of_it_is_on_disk_however_it_is_written(kept: Stage, tmp_path: Path) -> None:
    for number in range(30):
        kept.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,{number}/VPUB", subject=f"Văn bản {number}"))
    mine = delivered(kept, packet(content=LARGE), key=KEY)
    on_sqlite, home = kept.hub.store.dialect == "sqlite", kept.hub.settings.home
    before = in_files(home / "data") if on_sqlite else in_postgresql(kept)
    assert before, "the search can find something"
    assert code_of(lgsp(kept, "erase", mine, "--reason", "quyết định 12")) == ""
    assert in_files(home) == {}
    if on_sqlite:
        assert code_of(lgsp(kept, "backup", "--out", tmp_path / "after")) == ""
        assert in_files(tmp_path / "after") == {}
    else:
        assert in_postgresql(kept) == {}
    for parameters in ({"q": "quynhxyz"}, {"number": "7816"}, {"document_id": DOC}):
        assert str(mine) not in json.dumps(found(kept.hub.store, asked(parameters, None)))
    assert code_of(lgsp(kept, "log", "fsck")) == ""


CASES: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {  # what is done, with the code of each; how it ends
    "erased twice": ((("erase", ""), ("erase", "")), "gone"),
    "held, then erased": ((("hold set", ""), ("erase", "erase-held")), "there"),
    "held twice": ((("hold set", ""), ("hold set", "already-held")), "there"),
    "held and released, then erased": ((("hold set", ""), ("hold release", ""), ("erase", "")), "gone"),
    "released without a hold": ((("hold release", "not-held"),), "there"),
    "erased, then held": ((("erase", ""), ("hold set", "payload-erased")), "gone"),
    "held, then its time is over": ((("hold set", ""), ("retention run", "")), "there"),
    "its time is over": ((("retention run", ""),), "gone"),
    "its time is over twice": ((("retention run", ""), ("retention run", ""), ("erase", "")), "gone"),
}


def act(stage: Stage, what: str, message_id: UUID) -> Result:
    if what == "retention run":
        return lgsp(stage, "retention", "run", "--json")
    return lgsp(stage, *what.split(), message_id, "--reason", "quyết định 12")


@pytest.mark.parametrize(("acts", "end"), CASES.values(), ids=CASES.keys())
def test_what_is_kept_and_what_is_not(tmp_path: Path, acts: tuple[tuple[str, str], ...], end: str) -> None:
    now = [datetime.now(UTC)]
    if any(what == "retention run" for what, _ in acts):
        now[0] -= timedelta(days=20)  # the commands read the real clock
    stage = open_stage(tmp_path / "home", hub_toml=f"sweep_s = 0.1\n{RULES}", clock=lambda: now[0])
    stage.hub.start()
    try:
        mine, other = delivered(stage, packet()), stage.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,9/B"))
        for what, code in acts:
            done = act(stage, what, mine)
            assert code_of(done) == code, what
            assert code == "" or done.exit_code == 1
        with stage.hub.store.read() as conn:
            row = conn.execute(text('SELECT title FROM messages ORDER BY "index"')).scalars().all()
        assert (row[0] == SUBJECT, row[1] != "") == (end == "there", True)
        if any(what == "retention run" for what, _ in acts):
            passed = json.loads(lgsp(stage, "retention", "run", "--json").stdout)["passed_over"]
            assert str(other.message_id) in {one["message_id"] for one in passed}, "what was not fetched is never too old"
        stage.check()
    finally:
        stage.hub.stop()


def test_what_cannot_be_erased_says_why(kept: Stage) -> None:
    waiting = kept.send(document(MOTCUA, (DATDAI,), f"{MOTCUA},2026/03/02,1/A")).message_id
    refused = lgsp(kept, "erase", waiting, "--reason", "x")
    assert (code_of(refused), refused.exit_code) == ("erase-undelivered", 1)
    assert code_of(lgsp(kept, "erase", uuid4(), "--reason", "x")) == "unknown-entry"
    assert code_of(lgsp(kept, "hold", "set", uuid4(), "--reason", "x")) == "unknown-entry"
    assert code_of(lgsp(kept, "erase", waiting, "--reason", " ")) == "invalid-request"
    assert lgsp(kept, "erase", "'; DROP TABLE messages", "--reason", "x").exit_code == 2
    assert json.loads(lgsp(kept, "hold", "list", "--json").stdout) == []
    assert [one["message_id"] for one in json.loads(lgsp(kept, "retention", "run", "--dry-run", "--json").stdout)["due"]] == []


def test_the_faces_say_that_it_is_gone(kept: Stage) -> None:
    """Nobody is told what it was: not its sender, not its receiver, not an auditor."""
    mine = delivered(kept, packet(), key=KEY)
    assert code_of(lgsp(kept, "erase", mine, "--reason", "quyết định 12")) == ""
    told = json.dumps([trace(kept.hub.store, kept.principal(name), mine) for name in ("motcua", "qlvb", "datdai")], ensure_ascii=False)
    assert not [one for one in PLAIN if one in told]
    for command in (("search", "--json"), ("slip", mine, "--recipient", QLVB), ("evidence", "export", mine, "--unsigned")):
        done = lgsp(kept, *command)
        assert not [one for one in PLAIN if one in done.output]
        assert done.exit_code in (0, 1, 2)


def test_a_master_key_is_replaced_and_everything_is_still_there(kept: Stage) -> None:
    mine = delivered(kept, packet(content=LARGE))
    gone = delivered(kept, document(MOTCUA, (QLVB, DATDAI), f"{MOTCUA},2026/03/02,5/A"))
    assert code_of(lgsp(kept, "erase", gone, "--reason", "x")) == ""
    before = json.loads(lgsp(kept, "keys", "list", "--json").stdout)
    done = lgsp(kept, "keys", "rotate", "master", "--json")
    assert (code_of(done), json.loads(done.stdout)["wrapped"]) == ("", 1)
    after = json.loads(lgsp(kept, "keys", "list", "--json").stdout)
    assert before != after
    with kept.hub.store.read() as conn:
        assert len(kept.hub.payloads.get(conn, mine)) > len(LARGE)
    assert code_of(lgsp(kept, "keys", "init")) == "keys-exist"
    assert lgsp(kept, "keys", "rotate", "party").exit_code == 2


def test_the_program_itself(tmp_path: Path) -> None:
    """From the shell: erase, hold, backup, its check. What is refused is said in both languages, with 1 or 2."""
    stage = open_stage(tmp_path / "home")
    stage.hub.start()
    mine = str(delivered(stage, packet()))
    home, out = str(tmp_path / "home"), str(tmp_path / "out")
    runs: tuple[tuple[tuple[str, ...], int, str], ...] = (
        (("hold", "set", mine, "--reason", "thanh tra", "--home", home), 0, "held"),
        (("erase", mine, "--reason", "x", "--home", home), 1, "erase-held"),
        (("backup", "--out", out, "--home", home), 0, "entries"),
        (("backup", "verify", out), 0, "INTACT"),
    )
    try:
        for words, code, shown in runs:
            done = subprocess.run([sys.executable, "-m", "hub.cli", *words], check=False, capture_output=True, text=True, timeout=240)
            assert (done.returncode, shown in done.stdout + done.stderr) == (code, True), done
            assert "Traceback" not in done.stderr
    finally:
        stage.hub.stop()
