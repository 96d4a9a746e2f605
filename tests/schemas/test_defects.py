"""The table of known defects, walked line by line; and what `lgsp validate --repair` proposes for each."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub.cli import app
from schemas.edxml import defects
from schemas.edxml.defects import Treatment
from schemas.edxml.repair import Proposal, propose
from schemas.edxml.spans import spans
from schemas.errors import Refused, Severity, catalogue
from schemas.xml import parse
from tests import packets
from tests.architecture.source import modules, names
from tests.schemas import old_packets
from tests.schemas.judging import doubled, inbound, replaced, report
from tests.schemas.test_properties import FRAGMENTS, SPANS, spoiled
from tests.schemas.test_violations import into, valued

Made = Callable[[], bytes]
LABELS = {"L", "S", "J", "C", "D", "G"}
DESTROYED = (b"%PDF-1.7\n" + bytes(range(256)) * 4).decode("utf-8", "replace").encode("utf-8")

SAMPLES: dict[str, Made] = {
    "bytes-before-declaration": lambda: b"1212" + packets.document(),
    "undeclared-xlink": lambda: replaced("<edXML:Reference>", '<edXML:Reference xlink:href="cid:1">')(packets.document()),
    "undeclared-edxml": lambda: packets.document().replace(b"AttachmentEncoded>", b"edXML:AttachmentEncoded>"),
    "wrong-case-root": lambda: packets.document().replace(b"edXMLEnvelope", b"EdXMLEnvelope"),
    "wrong-case-element": lambda: packets.document().replace(b"DueDate>", b"Duedate>"),
    "wrong-namespace": lambda: packets.document().replace(b"QCVN_102_2016", b"QCVN_102_2016/"),
    "flat-envelope": lambda: b'<EdXMLEnvelope xmlns="http://www.go.vn/eDoc"/>',
    "old-dialect": old_packets.with_xml_part,
    "soap-envelope": lambda: b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>',
    "doubled-element": lambda: doubled("From")(packets.document()),
    "null-organ-id": lambda: valued("OrganId", "null")(packets.document()),
    "null-organ-id-in-trace": lambda: replaced("<edXML:TraceHeader>", "<edXML:TraceHeader/><edXML:TraceHeader>")(packets.document()),
    "impossible-date": lambda: valued("PromulgationDate", "2014/02/30")(packets.document()),
    "date-in-another-form": lambda: valued("PromulgationDate", "20/11/2026")(packets.document()),
    "filler-for-a-date": lambda: valued("PromulgationDate", "N/A")(packets.document()),
    "filler-for-a-value": lambda: valued("Subject", "N/A")(packets.document()),
    "zip-declared-as-pdf": lambda: packets.with_bytes(old_packets.ZIP),
    "pdf-declared-as-zip": lambda: packets.with_bytes(packets.PDF, content_type="application/zip"),
    "pdf-destroyed": lambda: packets.with_bytes(DESTROYED),
    "template-not-filled": lambda: packets.with_content("${__StringFromFile(test.txt,,,)}"),
    "base64-garbage": lambda: packets.with_content("@@@@"),
    "empty-signature": lambda: replaced("</edXML:edXMLHeader>", "<edXML:DigitalSignature/></edXML:edXMLHeader>")(packets.document()),
    "status-code-of-one-digit": lambda: valued("StatusCode", "3")(packets.status()),
    "status-code-of-a-vendor": lambda: valued("StatusCode", "999")(packets.status()),
    "text-between-elements": lambda: into("MessageHeader", "1212")(packets.document()),
    "nothing-usual": lambda: replaced("<edXML:OrganName>Văn phòng UBND tỉnh</edXML:OrganName>", "")(packets.document()),
    "unknown-extension": lambda: into("OtherInfo", "<edXML:Secret>1</edXML:Secret>")(packets.document()),
    "recipient-twice": lambda: packets.document(recipients=("H32.02", "000.00.02.H32")),
    "attachment-not-in-manifest": lambda: packets.document().replace(b"<edXML:ContentId>", b"<edXML:ContentId>x", 1),
}


def proposed(raw: bytes) -> Proposal:
    return propose(inbound(raw))


def test_every_line_of_the_table_has_its_sample() -> None:
    assert SAMPLES.keys() == defects.table().keys()


@pytest.mark.parametrize("name", defects.table())
def test_a_line_says_what_is_known_and_how(name: str) -> None:
    defect = defects.table()[name]
    assert defect.code in catalogue()
    assert set(defect.label.split(", ")) <= LABELS
    assert defect.seen
    assert defect.title.vi != defect.title.en != ""


@pytest.mark.parametrize("name", defects.table())
def test_the_defect_is_classified_by_name_and_carried_or_refused(name: str) -> None:
    defect, judged = defects.table()[name], report(SAMPLES[name]())
    told = [one for one in judged.violations if defects.known(one) is defect]
    assert told, [(one.code, one.severity, one.path, one.got) for one in judged.violations]
    assert name in judged.as_json()["known_defects"]
    refuses = defect.treatment is Treatment.REFUSED
    assert {one.severity for one in told} == {Severity.ERROR if refuses else Severity.WARNING}
    assert not (refuses and judged.ok)
    assert catalogue()[defect.code].remedy.vi


@pytest.mark.parametrize("name", [name for name, defect in defects.table().items() if defect.repair])
def test_what_can_be_repaired_is_proposed_and_gone_afterwards(name: str) -> None:
    raw = SAMPLES[name]()
    proposal = proposed(raw)
    assert name in {step.defect for step in proposal.steps}
    assert proposal.ok, proposal.left
    assert name not in report(proposal.raw).as_json()["known_defects"]
    assert report(proposal.raw).violations == proposal.left
    assert proposed(proposal.raw).steps == ()


@pytest.mark.parametrize("name", [name for name, defect in defects.table().items() if not defect.repair])
def test_what_only_the_sender_knows_is_left_as_it_is(name: str) -> None:
    proposal = proposed(SAMPLES[name]())
    assert name not in {step.defect for step in proposal.steps}
    if not proposal.steps:
        assert (proposal.raw, proposal.diff) == (SAMPLES[name](), "")


GOOD = (
    "undeclared-xlink",
    "undeclared-edxml",
    "bytes-before-declaration",
    "wrong-case-root",
    "wrong-case-element",
    "doubled-element",
    "empty-signature",
)


@pytest.mark.parametrize("name", GOOD)
def test_the_repaired_packet_says_what_the_whole_one_says(name: str) -> None:
    judged, whole = report(proposed(SAMPLES[name]()).raw), report(packets.document())
    assert (judged.sender, judged.recipients, judged.document_id, judged.attachments) == (
        whole.sender,
        whole.recipients,
        whole.document_id,
        whole.attachments,
    )


def test_a_sound_packet_is_left_alone() -> None:
    assert proposed(packets.document()) == Proposal(packets.document(), (), (), "")


def test_twins_that_differ_are_left_to_a_person() -> None:
    raw = replaced("</edXML:Subject>", "</edXML:Subject><edXML:Subject>khác</edXML:Subject>")(packets.document())
    proposal = proposed(raw)
    assert not proposal.ok
    assert proposal.raw == raw


def test_several_defects_are_repaired_together_and_nothing_else_is_touched() -> None:
    raw = b"\xef\xbb\xbf" + packets.document().replace(b"\r\n", b"\n").replace(b"DueDate>", b"Duedate>")
    for change in (valued("PromulgationDate", "20/11/2026"), doubled("From"), doubled("SignerInfo")):
        raw = change(raw)
    proposal = proposed(raw)
    assert proposal.left == ()
    assert proposal.raw == b"\xef\xbb\xbf" + packets.document().replace(b"\r\n", b"\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_the_encoding_is_kept(encoding: str) -> None:
    raw = doubled("From")(packets.document()).decode("utf-8").replace("UTF-8", encoding).encode(encoding)
    proposal = proposed(raw)
    assert proposal.ok
    assert proposal.raw.decode(encoding) == packets.document().decode("utf-8").replace("UTF-8", encoding)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Refused, match="encoding"):
        proposed(packets.document().replace("Sở".encode(), b"S\xf4"))


def test_the_diff_is_one_that_patch_applies(tmp_path: Path) -> None:
    raw = doubled("From")(valued("PromulgationDate", "20/11/2026")(packets.document())).replace(b"\r\n", b"\n")
    path = tmp_path / "packet.edxml"
    path.write_bytes(raw)
    proposal = proposed(raw)
    done = subprocess.run(["patch", "-p0", "packet.edxml"], input=proposal.diff.encode(), cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert path.read_bytes() == proposal.raw


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([packets.document(), packets.status(), doubled("From")(packets.document())]),
    st.lists(SPANS, min_size=1, max_size=4),
    st.lists(FRAGMENTS | st.binary(max_size=8), min_size=1, max_size=4),
)
def test_a_proposal_for_any_packet_is_no_worse_and_settles(raw: bytes, places: list[tuple[int, int]], pieces: list[bytes]) -> None:
    try:
        proposal = proposed(spoiled(raw, places, pieces))
    except Refused:
        return
    assert proposal.left == report(proposal.raw).violations


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([packets.document(), packets.status()]), st.lists(SPANS, max_size=2), st.lists(FRAGMENTS, max_size=2))
def test_spans_follow_every_well_formed_text(raw: bytes, places: list[tuple[int, int]], pieces: list[bytes]) -> None:
    raw = spoiled(raw, places, pieces)
    try:
        root = parse(raw).root
    except Refused:
        return
    found = spans(raw.decode("utf-8"))
    assert [one.name.rpartition(":")[2] for one in found] == [str(one.tag).rpartition("}")[2] for one in root.iter("*")]


# The command -------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "hỏng.edxml"
    path.write_bytes(SAMPLES["doubled-element"]())
    return path


def test_the_command_prints_a_diff_and_writes_nothing(broken: Path) -> None:
    before = broken.read_bytes()
    done = CliRunner().invoke(app, ["validate", "--repair", str(broken)])
    assert done.exit_code == 0
    assert done.stdout.startswith("--- hỏng.edxml\n+++ hỏng.edxml (proposed)\n@@ ")
    assert "doubled-element" in done.stderr
    assert broken.read_bytes() == before
    assert list(broken.parent.iterdir()) == [broken]


def test_the_command_writes_the_proposal_beside_and_never_in_place(broken: Path, tmp_path: Path) -> None:
    before, target = broken.read_bytes(), tmp_path / "sửa.edxml"
    assert CliRunner().invoke(app, ["validate", "--repair", str(broken), "--write", str(target)]).exit_code == 0
    assert report(target.read_bytes()).ok
    assert CliRunner().invoke(app, ["validate", "--repair", str(broken), "--write", str(broken)]).exit_code == 2
    assert CliRunner().invoke(app, ["validate", str(broken), "--write", str(target)]).exit_code == 2
    assert broken.read_bytes() == before


def test_the_command_says_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.edxml"
    path.write_bytes(SAMPLES["pdf-destroyed"]())
    done = CliRunner().invoke(app, ["validate", "--repair", str(path)])
    assert done.exit_code == 1
    assert "attachment-destroyed" in done.stderr


def test_the_hub_never_repairs_silently() -> None:
    importing = {module.name for module in modules() for _, name in names(module) if name.startswith("schemas.edxml.repair")}
    assert importing <= {"hub.cli.validate", "schemas.edxml.repair"}
    assert "hub.cli.validate" in importing


def test_a_sound_pdf_is_not_taken_for_a_destroyed_one() -> None:
    for data in (packets.PDF, b"%PDF-1.7\n" + bytes(range(256)) * 40, "%PDF-1.4 văn bản \ufffd".encode() * 10):
        assert "attachment-destroyed" not in {one.code for one in report(packets.with_bytes(data)).violations}
    assert base64.b64encode(DESTROYED) in SAMPLES["pdf-destroyed"]()
