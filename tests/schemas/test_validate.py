"""`lgsp validate`: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from hub.cli.validate import command
from schemas.validate import validate
from tests import packets
from tests.schemas.judging import AT, FIXTURES, emptied, report, without

APP = typer.Typer()
APP.command()(command)


def run(*arguments: str | Path) -> Result:
    """`lgsp validate` with `arguments`."""
    return CliRunner().invoke(APP, [str(one) for one in arguments])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "tốt.edxml"
    path.write_bytes(packets.document())
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "hỏng.edxml"
    path.write_bytes(emptied("Subject")(without("Code")(packets.document())))
    return path


def test_a_valid_packet_ends_with_0_and_says_what_it_is(good: Path) -> None:
    done = run(good)
    assert done.exit_code == 0
    assert f"{good}: HỢP LỆ / VALID" in done.output
    assert f"document.new  {packets.SENDER} → {packets.RECIPIENT}  {packets.DOCUMENT_ID}" in done.output
    assert "Công văn số 7816.pdf (application/pdf, zip, 69 bytes)" in done.output


def test_an_invalid_packet_ends_with_1_and_names_every_fault_in_both_languages(bad: Path) -> None:
    done = run(bad)
    assert done.exit_code == 1
    for piece in (
        "KHÔNG HỢP LỆ / NOT VALID",
        "[missing-element] Lỗi / Error: Thiếu phần tử bắt buộc. / A required element is missing.",
        "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader/Code/CodeNumber (dòng 5 / line 5)",
        "[empty-element]",
        "→ Điền giá trị cho phần tử được nêu. / Give the element named a value.",
    ):
        assert piece in done.output


@pytest.mark.parametrize(("lang", "there", "absent"), [("vi", "Lỗi:", "Error"), ("en", "Error:", "Lỗi")])
def test_one_language_can_be_asked_for(bad: Path, lang: str, there: str, absent: str) -> None:
    done = run("--lang", lang, bad)
    assert there in done.output
    assert absent not in done.output


def test_one_bad_file_among_good_ones_ends_with_1_and_all_are_judged(good: Path, bad: Path) -> None:
    done = run(good, bad, good)
    assert done.exit_code == 1
    assert done.output.count("/ VALID") == 2
    assert done.output.count("/ NOT VALID") == 1


def test_json_is_one_object_per_line_and_file(good: Path, bad: Path) -> None:
    done = run("--json", good, bad)
    first, second = (json.loads(line) for line in done.output.splitlines())
    assert (first["ok"], first["file"], first["kind"], first["violations"]) == (True, str(good), "document.new", [])
    assert first["attachments"] == [{"name": "Công văn số 7816.pdf", "media_type": "application/pdf", "packing": "zip", "size_bytes": 69}]
    assert not second["ok"]
    assert {"code", "severity", "path", "line", "got", "expected", "message", "remedy"} == set(second["violations"][0])


def test_a_missing_file_is_a_mistake_of_usage(tmp_path: Path) -> None:
    assert run(tmp_path / "none").exit_code == 2
    assert run(tmp_path).exit_code == 2
    assert run().exit_code == 2


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/fixtures/edxml is not there")
@pytest.mark.fixtures
def test_the_official_samples_are_valid() -> None:
    done = run(*sorted(FIXTURES.glob("*.edxml")))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    "raw", [b"", b"<a>", b"\xff", packets.PDF, b"<edXML/>"], ids=["empty", "malformed", "no text", "a PDF", "wrong namespace"]
)
def test_what_is_no_packet_is_reported_and_not_raised(raw: bytes) -> None:
    judged = report(raw)
    assert not judged.ok
    assert judged.kind == judged.sender == judged.document_id == ""
    assert len(judged.violations) == 1
    assert json.dumps(judged.as_json())


def test_a_status_is_summed_up_too() -> None:
    judged = report(packets.status())
    assert (judged.kind, judged.sender, judged.recipients) == ("document.status", packets.RECIPIENT, (packets.SENDER,))
    assert judged.document_id == packets.DOCUMENT_ID


def test_attachments_that_open_are_listed_beside_those_that_do_not() -> None:
    raw = packets.with_content("@")
    assert report(raw).attachments == ()
    assert len(report(packets.document()).attachments) == 1


def test_the_protocols_charset_is_heard() -> None:
    raw = packets.document().replace(b"UTF-8", b"US-ASCII")
    assert not validate(raw, at=AT).ok
    assert validate(raw, charset="utf-8", at=AT).ok
