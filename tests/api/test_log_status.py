"""What witnesses and the time-stamping authority owe: over REST for those who may know, as metrics for everybody, and by the command."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, insert, select

from hub.access import new_api_key
from replay.cosigned import record_checkpoint, record_cosignature, record_stamp, thin
from replay.published import Published
from replay.store.tables import checkpoints, cosignatures
from schemas.message import rfc3339
from signing.cosignature import Cosigner
from signing.note import note_text
from tests.api.face import Face, serving
from tests.api.test_people import PASSWORD, bearer, lgsp, log_in
from tests.ports import closed_port

ONE, TWO = (Cosigner(f"witness.test/{name}", Ed25519PrivateKey.generate()) for name in ("one", "two"))
KEY, KEPT = new_api_key()
PROFILE = f'agencies = []\n[access]\nroles = ["auditor"]\nkeys = [{{ id = "{KEPT.id}", sha256 = "{KEPT.sha256}" }}]\n'


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """A hub whose two witnesses are away, and its authority, too; one of them cosigned an hour ago."""
    away = f"http://127.0.0.1:{closed_port()}"
    tables = "".join(f'[[log.witnesses]]\nurl = "{away}"\nkey = "{one.verifier.text}"\n' for one in (ONE, TWO))
    toml = f'[log]\nquorum = 1\npublish_s = 0.05\nstamp_every = 1\ntsa_url = "{away}/tsa"\n{tables}'
    with serving(tmp_path_factory.mktemp("watched") / "home", {"kiem-toan": PROFILE}, toml=toml) as face:
        until = time.monotonic() + 60
        while not face.hub.keeper.current.checkpoint.size and time.monotonic() < until:
            time.sleep(0.02)
        face.hub.keeper._stopping.set()
        noted(face, face.hub.keeper.current)
        yield face


def noted(face: Face, published: Published) -> None:
    """As the keeper writes down a checkpoint; the first witness cosigned it an hour ago."""
    at_s = int((face.hub.clock() - timedelta(hours=1)).timestamp())
    with face.hub.store.write(sequenced=False) as conn:
        record_checkpoint(conn, published, rfc3339(face.hub.clock()), 1)
        record_cosignature(conn, published.checkpoint.size, ONE.name, ONE.line(note_text(published.note), at_s), at_s)


def test_who_may_know_is_told_what_each_owes(watched: Face) -> None:
    size = watched.hub.keeper.current.checkpoint.size
    answer = watched.ask("GET", "/api/v1/log/status", headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status == 200, answer.body
    told = answer.json()
    assert (told["published"], told["cosigned"], told["quorum"]) == (size, size, "1 of 2")
    one, two = told["witnesses"]
    assert (one["name"], one["size"], one["behind"]) == (ONE.name, size, 0)
    assert 3600 <= one["age_s"] < 3900
    assert two == {"name": TWO.name, "size": 0, "age_s": None, "behind": size}
    assert told["time_stamps"]["owed"] >= 1
    assert told["time_stamps"]["size"] == 0


def test_nobody_else_is(watched: Face) -> None:
    assert watched.ask("GET", "/api/v1/log/status").status == 401
    assert watched.ask("GET", "/api/v1/log/status", system="mot-cua").json()["code"] == "not-permitted"
    home = watched.hub.settings.home
    for login, role, code in (("truc-ca", "operator", ""), ("tich-hop", "integrator", "role-missing")):
        made = lgsp("person", "add", login, "--role", role, "--password-file", "-", home=home, typed=PASSWORD + "\n")
        assert made.exit_code == 0, made.output
        session = bearer(log_in(watched, login, PASSWORD).json()["token"])
        assert watched.ask("GET", "/api/v1/log/status", headers=session).json().get("code", "") == code


def test_metrics_say_the_same_to_everybody(watched: Face) -> None:
    answer = watched.ask("GET", "/metrics")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    lines = answer.body.decode().splitlines()
    line = re.compile(r'(# (HELP|TYPE) lgsp_[a-z_]+ .+)|(lgsp_[a-z_]+(\{[a-z]+="[^"]*"\})? -?[0-9.e+]+)')
    assert [each for each in lines if not line.fullmatch(each)] == []
    size = watched.hub.keeper.current.checkpoint.size
    assert f'lgsp_witness_entries{{witness="{ONE.name}"}} {size}' in lines
    assert f'lgsp_witness_behind_entries{{witness="{TWO.name}"}} {size}' in lines
    assert any(each.startswith(f'lgsp_witness_age_seconds{{witness="{ONE.name}"}} 3') for each in lines)
    assert f'lgsp_witness_age_seconds{{witness="{TWO.name}"}}' not in answer.body.decode()
    assert any(each.startswith("lgsp_stamps_owed_checkpoints ") and not each.endswith(" 0") for each in lines)


def test_the_command_says_it_beside_the_hub(tmp_path: Path) -> None:
    with serving(tmp_path / "home", toml="[log]\npublish_s = 0.05\n") as face:
        shown = lgsp("log", "status", home=face.hub.settings.home)
        told = json.loads(lgsp("log", "status", "--json", home=face.hub.settings.home).stdout)
    assert shown.exit_code == 0, shown.output
    assert "đã công bố / published" in shown.stdout
    assert (told["quorum"], told["witnesses"], told["time_stamps"]) == ("0 of 0", [], None)


def test_old_checkpoints_are_thinned_and_what_others_vouch_for_is_not(watched: Face) -> None:
    """Three days of one checkpoint in ten minutes; some cosigned, some stamped."""
    store, start = watched.hub.store, watched.hub.clock() - timedelta(days=4)
    base, cut = 1_000_000, rfc3339(watched.hub.clock() - timedelta(days=2))
    with store.write(sequenced=False) as conn:
        for number in range(3 * 144):
            size, at = base + number, rfc3339(start + timedelta(minutes=10 * number))
            conn.execute(insert(checkpoints).values(size=size, number=base + number, note=b"n", at=at, stamp_due=int(number % 100 == 0)))
            for witness in ("a", "b") if number % 7 == 0 else ("a",) if number % 2 else ():
                conn.execute(insert(cosignatures).values(size=size, witness=witness, line="l", at_s=1))
        record_stamp(conn, base, b"token")

    def left() -> dict[int, int]:
        with store.read() as conn:
            lines = func.count(cosignatures.c.witness)
            query = select(checkpoints.c.size, lines).outerjoin(cosignatures, cosignatures.c.size == checkpoints.c.size)
            rows = conn.execute(query.where(checkpoints.c.size >= base).group_by(checkpoints.c.size)).all()
        return {row[0] - base: row[1] for row in rows}

    before = left()
    with store.write(sequenced=False) as conn:
        done = thin(conn, cut, base - 1)
    after = left()
    young = {number for number in before if number > 2 * 144}
    stamped = {number for number in before if number % 100 == 0}
    rest = sorted(after.keys() - young - stamped)
    hours = [rfc3339(start + timedelta(minutes=10 * number))[:13] for number in rest]
    assert young | stamped <= after.keys()
    assert 40 <= len(rest) <= 49
    assert len(set(hours)) == len(hours)  # one an hour
    assert all(after[number] == before[number] for number in after)
    assert sum(after[number] == 2 for number in rest) > 30  # the best cosigned of its hour
    with store.write(sequenced=False) as conn:
        assert thin(conn, cut, done) == done  # nothing more to do
    assert left() == after
