"""The slip of an incoming document: every field of the form, from the packet, the journal, the statuses and the reply."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from hub import printing
from hub.cli import app
from hub.slip import FIELDS, Slip, SlipMaker
from hub.slip_page import _ROWS, page
from schemas.calendar.deadline import due
from schemas.calendar.read import calendar_of
from schemas.calendar.term import term_of
from schemas.edxml.packet import Code, PromulgationInfo, ResponseFor, StaffInfo
from schemas.edxml.writer import write_document, write_status
from schemas.errors import HubError, Refused, TryLater
from schemas.message import VIETNAM
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, QLVB, Stage, open_stage
from tests.packets import document_packet, recall, status_packet

AT = datetime(2026, 3, 20, 3, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 08:00 in Vietnam
HOSTILE = '<script>alert("x")</script> & "V/v" \'họp\''


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = open_stage(tmp_path_factory.mktemp("slip") / "home", profiles=PROFILES, clock=lambda: NOW)
    made.hub.start()
    yield made
    made.hub.stop()


def letter(
    number: int, *, due_date: str = "2026/03/10", issued: str = "2026/03/01", subject: str = "V/v họp", to: tuple[str, ...] = (QLVB,)
) -> bytes:
    made = document_packet(MOTCUA, to, f"{MOTCUA},{issued},{number}/VP", subject=subject)
    info = PromulgationInfo("Nha Trang", issued)
    return write_document(replace(made, code=Code(str(number), "VP"), promulgation=info, due_date=due_date))


def told(stage: Stage, number: int, code: str, timestamp: str, *, issued: str = "2026/03/01", description: str = "") -> None:
    made = status_packet(QLVB, MOTCUA, f"{MOTCUA},{issued},{number}/VP", code=code, timestamp=timestamp)
    made = replace(made, description=description or made.description)
    staff = StaffInfo(department="Phòng Cải cách hành chính", staff="Trần Thị Bình")
    stage.send(write_status(replace(made, staff=staff)), "qlvb")


def slip(stage: Stage, message_id: UUID, recipient: str = "", at: datetime = AT, **given: str) -> Slip:
    with stage.hub.store.read() as conn:
        return SlipMaker(conn, stage.hub.payloads).make(message_id, recipient, given, at)


def taken_in(stage: Stage, number: int, *, due_date: str = "2026/03/10", issued: str = "2026/03/01", subject: str = "V/v họp") -> UUID:
    message_id = stage.send(letter(number, due_date=due_date, issued=issued, subject=subject)).message_id
    stage.settle(message_id, H32_02="delivered")
    return message_id


class Texts(HTMLParser):
    """What a reader of the page sees, and which elements there are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def test_every_field_of_the_form_is_filled_in_from_what_is_known(stage: Stage) -> None:
    message_id = taken_in(stage, 1)
    told(stage, 1, "03", "2026/03/02 09:00:00")
    told(stage, 1, "04", "2026/03/03 10:00:00")
    reply = document_packet(QLVB, (MOTCUA,), f"{QLVB},2026/03/09,88/SNV")
    about = ResponseFor(MOTCUA, "1/VP", "2026/03/01", f"{MOTCUA},2026/03/01,1/VP")
    answered = replace(reply, code=Code("88", "SNV"), promulgation=PromulgationInfo("Nha Trang", "2026/03/09"), response_for=(about,))
    stage.send(write_document(answered), "qlvb")
    found = slip(stage, message_id, so_den="10861", y_kien_lanh_dao_co_quan="Giao Phòng CCHC")
    assert list(found.fields) == list(FIELDS)
    wanted = {
        "so_den": "10861",
        "ngay_den": "02/03/2026",
        "noi_ban_hanh": "Văn phòng UBND tỉnh",
        "ngay_ban_hanh": "01/03/2026",
        "don_vi_chu_tri": "Phòng Cải cách hành chính",
        "so_ky_hieu": "1/VP",
        "trich_yeu": "V/v họp",
        "thoi_han_xu_ly": "10/03/2026",
        "y_kien_lanh_dao_co_quan": "Giao Phòng CCHC",
        "ngay_chuyen_vb": "03/03/2026",
        "ngay_ban_hanh_vb_tra_loi": "09/03/2026",
        "so_ky_hieu_vb_tra_loi": "88/SNV",
        "danh_gia_thoi_gian_hoan_thanh": "trước hạn",  # the reply finished it
    }
    assert {key: value for key, value in found.fields.items() if value} == wanted
    assert [one.code for one in found.progress] == ["03 Đã tiếp nhận", "04 Phân công"]
    assert found.notes == ()
    seen = " ".join(Texts(page(found)).seen)
    for text in (*(value for key, value in wanted.items() if key != "danh_gia_thoi_gian_hoan_thanh"), "☒ Trước hạn", "VBĐT", "Sở Nội vụ"):
        assert text in seen
    for caption in FIELDS.values():
        assert caption.vi in seen


GRADES = {
    "a day before": ("2026/03/09 23:59:59", "trước hạn", "☒ Trước hạn"),
    "on the day": ("2026/03/10 23:59:59", "đúng hạn", "☒ Đúng hạn"),
    "a second after": ("2026/03/11 00:00:00", "trễ hạn", "☒ Trễ hạn"),
}


@pytest.mark.parametrize(("finished", "grade", "box"), GRADES.values(), ids=GRADES)
def test_completion_is_classified_by_the_status_06(stage: Stage, finished: str, grade: str, box: str) -> None:
    number = 100 + list(GRADES).index(next(name for name, row in GRADES.items() if row[0] == finished))
    message_id = taken_in(stage, number)
    told(stage, number, "06", finished)
    found = slip(stage, message_id)
    assert found.fields["danh_gia_thoi_gian_hoan_thanh"] == grade
    assert page(found).count("☒") == 1
    assert box in page(found)


def test_what_is_not_finished_or_has_no_term_is_not_classified(stage: Stage) -> None:
    running = slip(stage, taken_in(stage, 2))
    assert running.fields["danh_gia_thoi_gian_hoan_thanh"] == ""
    assert running.assessment is not None
    assert str(running.assessment.staff) == "quá hạn"  # on the 20th, of the 10th: the other scale
    assert "☒" not in page(running)
    free = slip(stage, taken_in(stage, 3, due_date=""))
    assert free.assessment is None
    assert "không ghi thời hạn" in free.notes[0].vi


def test_what_was_returned_is_told_and_not_classified(stage: Stage) -> None:
    message_id = taken_in(stage, 11)
    told(stage, 11, "02", "2026/03/02 09:00:00", description="Không thuộc thẩm quyền")
    found = slip(stage, message_id)
    assert (found.assessment, found.fields["danh_gia_thoi_gian_hoan_thanh"]) == (None, "")
    assert "từ chối tiếp nhận, trả lại văn bản lúc 2026/03/02 09:00:00: Không thuộc thẩm quyền" in found.notes[0].vi
    assert "☒" not in page(found)
    assert "Không thuộc thẩm quyền" in page(found)


def test_of_an_erased_document_there_is_no_slip(stage: Stage) -> None:
    message_id = taken_in(stage, 12)
    stage.hub.eraser.erase(message_id, by="văn thư", reason="theo quyết định 12", at=stage.hub.clock())
    with pytest.raises(Refused, match="payload-erased"):
        slip(stage, message_id)


def test_every_field_of_the_form_has_its_place_once() -> None:
    placed = [key for row in _ROWS for key in row]
    assert sorted(placed) == sorted(FIELDS)


def test_a_term_of_working_days_takes_the_place_of_the_due_date(stage: Stage) -> None:
    message_id = taken_in(stage, 4)
    told(stage, 4, "06", "2026/03/09 16:00:00")
    answer = due(datetime(2026, 3, 2, 8, 0, tzinfo=VIETNAM), term_of("5 ngày làm việc"), calendar_of())
    with stage.hub.store.read() as conn:
        found = SlipMaker(conn, stage.hub.payloads).make(message_id, "", {}, AT, answer)
    assert found.fields["danh_gia_thoi_gian_hoan_thanh"] == "đúng hạn"
    assert "5 ngày làm việc" in found.fields["thoi_han_xu_ly"]


def test_an_arrival_before_the_documents_own_date_is_told(stage: Stage) -> None:
    """As on the scanned slip: the stamp says 06.10.16, the document 08/10/2016."""
    found = slip(stage, taken_in(stage, 5, issued="2026/03/04"))
    assert "Ngày đến trước ngày ban hành" in found.notes[0].vi


def test_nothing_in_a_packet_becomes_part_of_the_page(stage: Stage) -> None:
    found = slip(stage, taken_in(stage, 6, subject=HOSTILE), luu_ho_so=HOSTILE, danh_gia_thoi_gian_hoan_thanh=HOSTILE)
    read = Texts(page(found))
    assert "script" not in read.tags
    assert read.links == []
    assert HOSTILE in "".join(read.seen)


def test_one_of_several_recipients_has_to_be_named(stage: Stage) -> None:
    message_id = stage.send(letter(7, to=(QLVB, DATDAI))).message_id
    with pytest.raises(Refused) as caught:
        slip(stage, message_id)
    assert (caught.value.code, caught.value.expected) == ("slip-not-possible", f"{QLVB}, {DATDAI}")
    assert slip(stage, message_id, "000.00.03.H32").recipient == DATDAI


def test_what_has_no_slip_is_refused(stage: Stage) -> None:
    message_id = taken_in(stage, 8)
    recalled = stage.send(recall(MOTCUA, (QLVB,), f"{MOTCUA},2026/03/01,8/VP")).message_id
    cases: tuple[tuple[UUID, dict[str, str], str], ...] = (
        (recalled, {}, "slip-not-possible"),
        (UUID(int=1), {}, "unknown-entry"),
        (message_id, {"so_di": "1"}, "invalid-request"),
    )
    for asked, given, code in cases:
        with pytest.raises(HubError) as caught:
            slip(stage, asked, at=AT, **given)
        assert caught.value.code == code
    with pytest.raises(Refused):
        slip(stage, message_id, MOTCUA)  # its sender is none of its recipients


@pytest.mark.skipif(not any(map(shutil.which, printing.BROWSERS)), reason="no browser that prints")
def test_it_prints_as_pdf(stage: Stage) -> None:
    made = printing.pdf(page(slip(stage, taken_in(stage, 9))))
    assert made.startswith(b"%PDF-")
    assert made.count(b"/Type /Page\n") + made.count(b"/Type/Page\n") >= 1 or b"/Count 1" in made


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TryLater) as caught:
        printing.pdf("<p>")
    assert caught.value.code == "pdf-unavailable"
    assert "chromium" in caught.value.spec.remedy.en


def test_the_command_writes_it(stage: Stage, tmp_path: Path) -> None:
    message_id, home = str(taken_in(stage, 10)), str(stage.hub.settings.home)
    made = CliRunner().invoke(app, ["slip", message_id, "--out", str(tmp_path / "slip.html"), "--set", "so_den=77", "--home", home])
    assert made.exit_code == 0, made.output
    assert "Số: 77" in (tmp_path / "slip.html").read_text("utf-8")
    told_ = CliRunner().invoke(app, ["slip", message_id, "--json", "--term", "15 ngày", "--received", "2026-03-02T08:00", "--home", home])
    assert json.loads(told_.stdout)["thoi_han_xu_ly"] == "17:00 17/03/2026 (15 ngày)"
    assert CliRunner().invoke(app, ["slip", message_id, "--term", "15 ngày", "--home", home]).exit_code == 2
