"""Nothing leaves the process in any mode but a redelivery: the kernel ends whoever tries, and receivers with real addresses count."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.demo.pki import build_pki
from hub.node import open_hub, utc_now
from hub.settings import load_settings
from replay.job import JobState, Mode
from tests.faults.test_kill import receiving
from tests.hub.no_network import NOT_HERE
from tests.hub.people import Staff
from tests.hub.replaying import approved, made, report, start
from tests.hub.stage import MOTCUA, QLVB, Stage, open_stage, profile
from tests.packets import document

JAIL = (sys.executable, "-m", "tests.hub.no_network")
QUIET = "[delivery.retry]\nbase_s = 0.05\nmax_s = 0.1\n"
COUNT = 3


def _profiles(url: str) -> dict[str, str]:
    settings = f'{QUIET}[delivery.settings]\nurl = "{url}"\nidempotency = "key"\n'
    return {"motcua": profile([MOTCUA]), "qlvb": profile([QLVB], "rest", delivery=settings)}


def test_only_a_redelivery_reaches_a_receiver_whose_address_is_real(tmp_path: Path) -> None:
    guard = subprocess.run(JAIL, capture_output=True, text=True, check=False)
    if guard.returncode == NOT_HERE:
        pytest.skip(f"no seccomp filter here: {guard.stdout.strip()}")
    assert guard.returncode == -signal.SIGSYS, "the guard guards"
    home = tmp_path / "home"
    pki = build_pki(tmp_path / "pki", (MOTCUA,), utc_now(), elliptic=[MOTCUA], root_bits=2048)
    with receiving() as (receiver, url):
        stage = open_stage(home, profiles=_profiles(url), trust=pki.trust)
        hub = stage.hub
        hub.start()
        sent = [
            stage.send(pki.identities[MOTCUA].sign(document(MOTCUA, (QLVB,), f"{MOTCUA},2026/11/22,{number}/X"))).message_id
            for number in range(COUNT)
        ]
        for one in sent:
            stage.settle(one, H32_02="delivered")
        staff = Staff(stage)
        jobs = [made(staff, mode) for mode in (Mode.VERIFY, Mode.REVALIDATE, Mode.RETRANSLATE, Mode.SANDBOX)]
        jobs.append(made(staff, Mode.REDELIVER, reason="thử / trial"))
        session = home / "session"
        session.touch(mode=0o600)
        staff.session("an")
        session.write_text(staff.tokens["an"])
        hub.stop()
        assert receiver.seen.total() == COUNT

        shut = subprocess.run(
            [*JAIL, str(home), str(session), *(str(job.id) for job in jobs)], capture_output=True, text=True, check=False, timeout=200
        )
        assert shut.returncode == 0, (shut.returncode, shut.stdout, shut.stderr)
        assert receiver.seen.total() == COUNT

        staff.stage = Stage(open_hub(load_settings(home, {})), {})
        staff.stage.hub.start()
        found = {job.mode: report(staff, job)["outcomes"] for job in jobs}
        assert found == {**{mode: {"same": COUNT} for mode in list(Mode)[:4]}, Mode.REDELIVER: {"planned": COUNT}}
        again = approved(staff)
        start(staff, again)
        staff.stage.wait_for(lambda: staff.shop.reader.status(staff.session("an"), again.id)["state"] == JobState.DONE)
        staff.stage.hub.stop()
        assert receiver.seen.total() == 2 * COUNT, "what is real does reach it"
