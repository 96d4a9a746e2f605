"""The checks of honesty: each repair that senders are known to make is found at its place, and honest messages are let alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from schemas.dvcqg.response import Failure, Success, Unknown, classify_response
from schemas.dvcqg.shape import Shape
from schemas.errors import Severity, catalogue
from schemas.honesty.check import check
from tests.schemas.dvcqg.messages import CODE, answered, dossier, paper, progressed, read, result, synced, taken

D, P = "/data/0", "/data/0"
OTHER = "H99.14-260302-0002"
PAPER = paper()["DuongDanTaiTepTin"]
SUPPLEMENT = {
    "HoSoBoSungId": 1,
    "NguoiYeuCauBoSung": "Lê Văn Mẫu",
    "NoiDungBoSung": "Bản sao hộ khẩu",
    "NgayBoSung": "20260303091500",
    "TrangThaiBoSung": False,
}
DONE: dict[str, Any] = {
    "TrangThaiHoSo": "9",
    "NgayKetThucXuLy": "20260313143000",
    "DanhSachGiayToKetQua": [result()],
}
SYNTHETIC = taken(NoiDungXuLy="Hồ sơ không có ngày hẹn trả", TrangThai="9")
FEE = {"TenPhiLePhi": "Lệ phí", "MaPhiLePhi": "1", "HinhThucThu": "1", "Gia": "8000", "LoaiPhiLePhi": "1"}


def day(hour_minute: str, **other: Any) -> dict[str, Any]:
    """A step on one day."""
    return taken(ThoiDiemXuLy=f"20260302{hour_minute}00", **other)


# sentence → (message, what was said before, code, place)
DISHONEST: dict[str, tuple[Shape, Sequence[Shape], str, str]] = {
    "the known sentinel for an identity number": (
        synced(dossier(DinhDanhCHS=[{"LoaiDinhDanh": "2", "SoDinhDanh": "000000001"}])),
        (),
        "honesty-sentinel-id",
        f"{D}/DinhDanhCHS/0/SoDinhDanh",
    ),
    "one digit repeated": (synced(dossier(SoGiayToChuHoSo="999999999999")), (), "honesty-sentinel-id", f"{D}/SoGiayToChuHoSo"),
    "the default moment of .NET": (synced(dossier(NgayTra="00010101000000")), (), "honesty-sentinel-date", f"{D}/NgayTra"),
    "'Chuyên viên' for a name": (progressed(taken(NguoiXuLy="Chuyên  viên")), (), "honesty-filler", f"{P}/NguoiXuLy"),
    "'Dinhkem' for a file": (
        synced(dossier(TaiLieuNop=[paper(TenTepDinhKem="Dinhkem")])),
        (),
        "honesty-filler",
        f"{D}/TaiLieuNop/0/TenTepDinhKem",
    ),
    "'Dinhkem' for a summary": (synced(dossier(TrichYeuHoSo="Dinhkem")), (), "honesty-filler", f"{D}/TrichYeuHoSo"),
    "1, 1 and 1 for a fee": (synced(dossier(DanhSachLePhi=[FEE])), (), "honesty-filler", f"{D}/DanhSachLePhi/0/MaPhiLePhi"),
    "7 for every database": (synced(dossier(DSKetNoiCSDL=[{"MaCSDL": "7"}])), (), "honesty-filler", f"{D}/DSKetNoiCSDL/0/MaCSDL"),
    "reception for handing in": (synced(dossier(NgayNopHoSo="20260302081500")), (), "honesty-copied-value", f"{D}/NgayNopHoSo"),
    "the telephone for the fax": (synced(dossier(Fax="0258000111")), (), "honesty-copied-value", f"{D}/Fax"),
    "from finished back to processing": (
        synced(updating="True"),
        [synced(dossier(**DONE))],
        "honesty-state-regression",
        f"{D}/TrangThaiHoSo",
    ),
    "from returned back to new": (
        synced(dossier(TrangThaiHoSo="1")),
        [synced(dossier(TrangThaiHoSo="10", NgayTra="20260313154500"))],
        "honesty-state-regression",
        f"{D}/TrangThaiHoSo",
    ),
    "from new to finished at once": (
        synced(dossier(**DONE)),
        [synced(dossier(TrangThaiHoSo="1"))],
        "honesty-state-jump",
        f"{D}/TrangThaiHoSo",
    ),
    "steps that go back": (
        progressed(day("0830", TrangThai="4"), day("0900", TrangThai="2")),
        (),
        "honesty-state-regression",
        "/data/1/TrangThai",
    ),
    "a step behind those sent before": (
        progressed(day("1400", TrangThai="4")),
        [progressed(day("0900", TrangThai="10"))],
        "honesty-state-regression",
        f"{P}/TrangThai",
    ),
    "finished while a supplement is awaited": (
        synced(dossier(**DONE, DanhSachHoSoBoSung=[SUPPLEMENT])),
        (),
        "honesty-state-rewritten",
        f"{D}/TrangThaiHoSo",
    ),
    "finished without end and result": (synced(dossier(TrangThaiHoSo="9")), (), "honesty-state-rewritten", f"{D}/TrangThaiHoSo"),
    "a request for supplements as finished": (
        progressed(taken(TrangThai="9", NoiDungXuLy="Yêu cầu bổ sung bản sao giấy khai sinh")),
        (),
        "honesty-state-rewritten",
        f"{P}/TrangThai",
    ),
    "a request for payment as finished": (
        progressed(taken(TrangThai="9", NoiDungXuLy="Thông báo thực hiện nghĩa vụ tài chính")),
        (),
        "honesty-state-rewritten",
        f"{P}/TrangThai",
    ),
    "a stop as finished": (progressed(taken(TrangThai="9", NoiDungXuLy="TẠM DỪNG hồ sơ")), (), "honesty-state-rewritten", f"{P}/TrangThai"),
    "a step nobody took": (progressed(SYNTHETIC), (), "honesty-synthetic-step", f"{P}/NoiDungXuLy"),
    "an officer at two in the morning": (progressed(day("0215")), (), "honesty-12-hour-clock", f"{P}/ThoiDiemXuLy"),
    "promised for five in the morning": (synced(dossier(NgayHenTra="20260316050000")), (), "honesty-12-hour-clock", f"{D}/NgayHenTra"),
    "promised for three, the lunch-break defect": (
        synced(dossier(NgayHenTra="20260316030000")),
        (),
        "honesty-12-hour-clock",
        f"{D}/NgayHenTra",
    ),
    "a step of the afternoon before one of noon": (
        progressed(day("1130"), day("0745", TrangThai="4")),
        (),
        "honesty-12-hour-clock",
        "/data/1/ThoiDiemXuLy",
    ),
    "the same against a step sent before": (
        progressed(day("0745", TrangThai="4")),
        [progressed(day("1130"))],
        "honesty-12-hour-clock",
        f"{P}/ThoiDiemXuLy",
    ),
    "the paper handed in as the result": (
        synced(dossier(**{**DONE, "DanhSachGiayToKetQua": [result(DuongDanTepTinKetQua=PAPER)]})),
        (),
        "honesty-result-is-input",
        f"{D}/DanhSachGiayToKetQua/0/DuongDanTepTinKetQua",
    ),
    "the same paper, its address written otherwise": (
        synced(dossier(DanhSachGiayToKetQua=[result(DuongDanTepTinKetQua="HTTPS://Motcua.example.vn/nop/to%2Dkhai.pdf#1")])),
        (),
        "honesty-result-is-input",
        f"{D}/DanhSachGiayToKetQua/0/DuongDanTepTinKetQua",
    ),
    "the same paper by its id": (
        synced(dossier(TaiLieuNop=[paper(TepDinhKemId="A7")], DanhSachGiayToKetQua=[result(GiayToId="A7")])),
        (),
        "honesty-result-is-input",
        f"{D}/DanhSachGiayToKetQua/0/GiayToId",
    ),
    "a supplement as the result": (
        synced(
            dossier(
                DanhSachHoSoBoSung=[{**SUPPLEMENT, "DanhSachGiayToBoSung": [paper(DuongDanTaiTepTin="https://x.example.vn/bs.pdf")]}],
                DanhSachGiayToKetQua=[result(DuongDanTepTinKetQua="https://x.example.vn/bs.pdf")],
            )
        ),
        (),
        "honesty-result-is-input",
        f"{D}/DanhSachGiayToKetQua/0/DuongDanTepTinKetQua",
    ),
    "one code for two people": (synced(dossier(), dossier(ChuHoSo="Lê Văn Khác")), (), "honesty-duplicate-code", "/data/1/MaHoSo"),
    "a code of another procedure before": (synced(dossier(MaTTHC="2.000635")), [synced()], "honesty-duplicate-code", f"{D}/MaHoSo"),
    "a random number for the day's": (synced(dossier(MaHoSo="H99.14-260302-48213")), (), "honesty-replaced-code", f"{D}/MaHoSo"),
    "progress of what was refused": (progressed(), [synced(), answered("1")], "honesty-progress-before-sync", f"{P}/MaHoSo"),
    "a step sent twice in one message": (progressed(taken(), taken()), (), "honesty-index-shift", "/data/1"),
    "a step sent again in the next chunk": (
        progressed(day("0900", TrangThai="4"), day("0930", TrangThai="4")),
        [progressed(day("0900", TrangThai="4"))],
        "honesty-index-shift",
        P,
    ),
    "a synthetic step at the head of a full chunk": (
        progressed(SYNTHETIC, *(day(f"09{n:02}", TrangThai="4") for n in range(9))),
        (),
        "honesty-index-shift",
        P,
    ),
    "a text of success with a code of failure": (
        read({"error_code": "1", "message": "Đồng bộ thành công"}).model,
        (),
        "honesty-text-contradicts-code",
        "/message",
    ),
}

BESIDE = {"honesty-synthetic-step", "honesty-state-rewritten"}  # signs that come together


@pytest.mark.parametrize(("message", "history", "code", "place"), DISHONEST.values(), ids=DISHONEST.keys())
def test_a_repair_is_found_at_its_place(message: Shape, history: Sequence[Shape], code: str, place: str) -> None:
    found = check(message, history)
    assert (code, place) in {(one.code, one.path) for one in found}
    assert {one.code for one in found} <= {code} | (BESIDE if code == "honesty-index-shift" else set())
    assert {one.severity for one in found} == {Severity.WARNING}


HONEST: dict[str, tuple[Shape, Sequence[Shape]]] = {
    "a dossier": (synced(), ()),
    "a step": (progressed(), ()),
    "the same dossier, further on": (synced(dossier(**DONE), updating="True"), [synced()]),
    "the same dossier again": (synced(updating="True"), [synced()]),
    "a supplement that came": (
        synced(dossier(**DONE, DanhSachHoSoBoSung=[{**SUPPLEMENT, "NgayTiepNhanBoSung": "20260305101500", "TrangThaiBoSung": True}])),
        (),
    ),
    "back from a supplement to processing": (synced(updating="True"), [synced(dossier(TrangThaiHoSo="5"))]),
    "finished after a supplement came": (progressed(taken(TrangThai="9", NoiDungXuLy="Đã bổ sung đủ, hoàn thành")), ()),
    "handed in at the counter": (synced(dossier(KenhThucHien="1", NgayNopHoSo="20260302081500")), ()),
    "handed in online at night": (synced(dossier(NgayNopHoSo="20260302021500")), ()),
    "morning and afternoon": (progressed(day("0830"), day("1400", TrangThai="4")), ()),
    "steps of two days": (progressed(day("1400"), taken(ThoiDiemXuLy="20260303080000", TrangThai="4")), ()),
    "a fee by the code of the catalogue": (synced(dossier(DanhSachLePhi=[{**FEE, "MaPhiLePhi": "LP-02"}])), ()),
    "a day of many dossiers": (synced(dossier(MaHoSo="H99.14-260302-00213")), ()),
    "two dossiers": (synced(dossier(), dossier(MaHoSo=OTHER, ChuHoSo="Lê Văn Khác")), ()),
    "progress after the dossier was accepted": (progressed(), [synced(), answered("0")]),
    "progress after it was accepted at the second try": (progressed(), [synced(), answered("1"), synced(), answered("00")]),
    "progress of a dossier nobody knows of": (progressed(), ()),
    "a good answer": (answered("0"), ()),
    "a ministry's dossier code": (synced(dossier(MaHoSo="G09.20-20260302-0092637")), ()),
}


@pytest.mark.parametrize(("message", "history"), HONEST.values(), ids=HONEST.keys())
def test_honest_messages_are_let_alone(message: Shape, history: Sequence[Shape]) -> None:
    assert check(message, history) == ()


def test_progress_without_its_dossier_is_found_where_the_history_is_complete() -> None:
    (found,) = check(progressed(), [synced(dossier(MaHoSo=OTHER))], complete=True)
    assert (found.code, found.path) == ("honesty-progress-before-sync", f"{P}/MaHoSo")
    assert CODE in found.got


def test_beside_a_replaced_code_the_real_one_is_named() -> None:
    (found,) = check(synced(dossier(MaHoSo="H99.14-260302-48213", SoBienNhan="BN/2026/77")))
    assert "BN/2026/77" in found.got


def test_every_code_of_honesty_is_shown() -> None:
    shown = {row[2] for row in DISHONEST.values()} | {"honesty-broken-date-pattern", "honesty-no-error-code"}
    assert {code for code in catalogue() if code.startswith("honesty-")} == shown


def test_the_ministrys_steps_are_checked_too() -> None:
    message = read({"IDHoSo": "1", **taken(NguoiXuLy="Chuyên viên", ThoiDiemXuLy="20260302021500")}).model
    assert {one.code for one in check(message)} == {"honesty-filler", "honesty-12-hour-clock"}


ANSWERS: dict[str, tuple[bytes | str, type, str, set[str]]] = {
    "0": ('{"error_code": "0", "message": "Đồng bộ thành công"}', Success, "0", set()),
    "0 as a number": ('{"error_code": 0}', Success, "0", set()),
    "00, as proxies write": ('{"error_code": "00"}', Success, "00", set()),
    "success, whatever it says": ('{"error_code": "0", "message": "Hồ sơ đã tồn tại"}', Success, "0", {"honesty-text-contradicts-code"}),
    "failure, whatever it says": ('{"error_code": "3", "message": "thành công"}', Failure, "3", {"honesty-text-contradicts-code"}),
    "failure that says 'không thành công'": ('{"error_code": "3", "message": "Đồng bộ không thành công"}', Failure, "3", set()),
    "it exists already": ('{"error_code": "5", "message": "Hồ sơ đã tồn tại"}', Failure, "5", set()),
    "three noughts": ('{"error_code": "000"}', Failure, "000", set()),
    "a minus": ('{"error_code": -1}', Failure, "-1", set()),
    "0.0": ('{"error_code": 0.0}', Failure, "0.0", set()),
    "a text alone": ('{"message": "thành công"}', Unknown, "", {"honesty-no-error-code"}),
    "null": ('{"error_code": null}', Unknown, "", {"honesty-no-error-code"}),
    "blank": ('{"error_code": " "}', Unknown, "", {"honesty-no-error-code"}),
    "false": ('{"error_code": false}', Unknown, "", {"honesty-no-error-code"}),
    "an object": ('{"error_code": {}}', Unknown, "", {"honesty-no-error-code"}),
    "a list": ('[{"error_code": "0"}]', Unknown, "", {"honesty-no-error-code"}),
    "a page": ("<html>thành công</html>", Unknown, "", {"honesty-no-error-code"}),
    "nothing": (b"", Unknown, "", {"honesty-no-error-code"}),
    "bytes that are no text": (b"\xff\xfe", Unknown, "", {"honesty-no-error-code"}),
    "half a surrogate": ("\ud800", Unknown, "", {"honesty-no-error-code"}),
    "the code twice": ('{"error_code": "1", "error_code": "0"}', Unknown, "", {"honesty-no-error-code"}),
}


@pytest.mark.parametrize(("body", "outcome", "code", "codes"), ANSWERS.values(), ids=ANSWERS.keys())
def test_the_code_decides_and_never_the_text(body: bytes | str, outcome: type, code: str, codes: set[str]) -> None:
    found = classify_response(body)
    assert type(found) is outcome
    assert getattr(found, "code", "") == code
    assert {one.code for one in found.violations} == codes
