"""Reports of replays, checked by others: openssl for the signature, arithmetic for the counts, poppler for what is printed."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, select

from hub import reports_replay
from replay.job import Finding, Job, JobState, Mode, Outcome
from replay.report import MAX_LISTED, NORMAL, compiled, is_tellable
from replay.store.jobs import replay_items, replays
from replay.store.tables import metadata
from schemas.errors import TryLater
from tests.hub.people import Staff
from tests.hub.replaying import delivered, made, run, staffed

AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    with staffed(tmp_path) as one:
        yield one


def ended(staff: Staff, mode: Mode = Mode.REVALIDATE, reason: str = "") -> tuple[Job, bytes]:
    job = made(staff, mode, reason=reason)
    staff.shop.replays.start(staff.session("an"), job.id)
    assert run(staff, job).state is JobState.DONE
    return job, staff.shop.reader.report(staff.session("cuc"), job.id)


def by_openssl(report: bytes, public: str, folder: Path) -> bool:
    """Whether the hub's key signed it, by nothing of the hub's: JSON, base64 and openssl."""
    told = json.loads(report)
    signature = b64decode(told.pop("signature"))
    plain = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    files = {
        "text": b"lgsp-hub report v1\n" + plain,
        "signature": signature,
        "key": bytes.fromhex("302a300506032b6570032100") + b64decode(public),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-rawin",
        "-pubin",
        "-keyform",
        "DER",
        "-inkey",
        "key",
        "-in",
        "text",
        "-sigfile",
        "signature",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl on this machine")
def test_the_signature_is_checked_without_the_hub(staff: Staff, tmp_path: Path) -> None:
    delivered(staff.stage, 2)
    _, report = ended(staff)
    public = {one.id: one.public for one in staff.stage.hub.keyring.records}[json.loads(report)["key_id"]]
    assert by_openssl(report, public, tmp_path)
    assert not by_openssl(report.replace(b'"same":2', b'"same":1'), public, tmp_path)


def test_the_digest_of_the_results_is_that_of_the_table(staff: Staff) -> None:
    delivered(staff.stage, 2)
    job, report = ended(staff)
    with staff.stage.hub.store.read() as conn:
        rows = conn.execute(select(replay_items).where(replay_items.c.replay_id == job.id).order_by(replay_items.c.position)).all()
    lines = [f"{row.position} {row.entry} {row.message_id} {row.carrier_id or '-'} {row.outcome} {row.finding}\n" for row in rows]
    assert json.loads(report)["results_sha256"] == sha256("".join(lines).encode()).hexdigest()


@pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("pdftotext")), reason="no chromium that prints, or no pdftotext that reads"
)
def test_the_printed_report_says_what_the_signed_one_says(staff: Staff, tmp_path: Path) -> None:
    delivered(staff.stage, 3)
    job, report = ended(staff, Mode.REDELIVER, reason="kiểm tra định kỳ quý IV")
    file = tmp_path / "report.pdf"
    file.write_bytes(reports_replay.pdf(report))
    text = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True).stdout
    for wanted in ("BÁO CÁO PHÁT LẠI", "Replay report", "kiểm tra định kỳ quý IV", str(job.id), "sẽ chuyển", "planned", "An (an)"):
        assert wanted in text
    assert json.loads(report)["results_sha256"] in "".join(text.split())


def test_without_a_browser_printing_is_put_off(staff: Staff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(staff.stage, 1)
    _, report = ended(staff)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TryLater) as fault:
        reports_replay.pdf(report)
    assert fault.value.code == "no-printer"


# --- counts ------------------------------------------------------------------------------------------------------------------------

ABOUT_TODAY = st.fixed_dictionaries({"changed": st.booleans()}, optional={"verdict": st.just("valid"), "fields": st.just({"/x": [1, 2]})})
FINDINGS = st.builds(
    Finding,
    st.sampled_from(list(Outcome)),
    st.fixed_dictionaries(
        {},
        optional={
            "now": ABOUT_TODAY,
            "today": ABOUT_TODAY,
            "fields": st.dictionaries(st.text(max_size=20), st.lists(st.text(max_size=5), min_size=2, max_size=2), max_size=3),
            "got": st.text(max_size=20),
        },
    ),
)


@pytest.fixture(scope="module")
def tables() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as conn:
        metadata.create_all(conn)
        yield conn
    engine.dispose()


def told_of(conn: Connection, findings: Sequence[Finding | None]) -> dict[str, Any]:
    """The report over items that came out like this; None is not done."""
    job_id, person = uuid4(), uuid4()
    request = {"mode": "verify", "items": len(findings)}
    job = Job(job_id, request, "0" * 64, Mode.VERIFY, person, "", len(findings), JobState.RUNNING, "", "", "", None)
    row = {"id": job_id, "request": b"{}", "digest": "", "mode": "verify", "created_by": person, "created_at": "", "items": len(findings)}
    conn.execute(replays.insert(), {**row, "state": "running", "runner": "", "lease_until": "", "updated_at": "", "report": None})
    rows = [
        {
            **{"replay_id": job_id, "position": place, "entry": place, "leaf_hash": b"", "message_id": UUID(int=place), "carrier_id": None},
            **{"outcome": "" if one is None else str(one.outcome), "finding": "" if one is None else one.as_text("00"), "done_at": ""},
        }
        for place, one in enumerate(findings)
    ]
    if rows:
        conn.execute(replay_items.insert(), rows)
    try:
        return compiled(conn, job, JobState.CANCELLED, AT)
    finally:
        conn.rollback()


@given(findings=st.lists(st.none() | FINDINGS, max_size=40))
def test_counts_add_up_whatever_came_out(tables: Connection, findings: list[Finding | None]) -> None:
    told = told_of(tables, findings)
    expected = Counter("not-done" if one is None else str(one.outcome) for one in findings)
    assert told["outcomes"] == dict(sorted(expected.items()))
    assert sum(told["outcomes"].values()) == told["items"] == len(findings)
    for asked, name in (("now", "as_of_now"), ("today", "if_it_came_today")):
        assert sum(told.get(name, {}).values()) == sum(asked in one.told for one in findings if one is not None)
    notable = [place for place, one in enumerate(findings) if _is_notable(one)]
    assert [one["index"] for one in told["exceptions"]] == notable and told["exceptions_left_out"] == 0


def _is_notable(one: Finding | None) -> bool:
    return one is None or one.outcome not in NORMAL or any(one.told.get(name, {}).get("changed") for name in ("now", "today"))


def test_what_is_not_listed_is_counted(tables: Connection) -> None:
    told = told_of(tables, [Finding(Outcome.REFUSED)] * (MAX_LISTED + 7) + [Finding(Outcome.SAME)] * 3)
    assert (len(told["exceptions"]), told["exceptions_left_out"]) == (MAX_LISTED, 7)
    assert told["outcomes"] == {"refused": MAX_LISTED + 7, "same": 3}


TELLABLE = {
    "/verdict": True,
    "/reasons/0": True,
    "/signatures/0/revocation": True,
    "/mappings/1": True,
    "/signatures/0/signer": False,
    "/signatures/0/organ_id": False,
    "/attachments/0/name": False,
    "/title": False,
    "/body_sha256": False,
    "/body/kind": False,
    "/body/signatures/0/verdict": False,
}


@pytest.mark.parametrize(("path", "tellable"), TELLABLE.items())
def test_only_words_of_the_hub_are_said_in_a_report(path: str, tellable: bool) -> None:
    assert is_tellable(path) is tellable
