"""The real-shaped messages of ../shared: each is known for what it is, none is refused, and every doubt about it is named."""

from __future__ import annotations

import csv

import pytest

from schemas.dvcqg.kinds import kinds
from schemas.dvcqg.shape import Shape, fields_of
from schemas.dvcqg.validate import judge
from tests.schemas.dvcqg.messages import FIXTURES, ONESTOP

# file → (message, codes): the examples hold placeholders, and two fillers that their sender really writes
WHAT_THEY_ARE = {
    "dvcqg_capnhattiendohosomc_request.json": ("dvcqg.CapNhatTienDoHoSoMC", set()),
    "dvcqg_dongbohosomc_request.json": (
        "dvcqg.DongBoHoSoMC",
        {"honesty-filler", "honesty-sentinel-id", "honesty-result-is-input"},
    ),
    "dvcqg_laythutuc_request.json": ("dvcqg.LayThuTuc", set()),
    "dvcqg_laythutuc_response.json": ("dvcqg.LayThuTucTraLoi", set()),
    "dvcqg_login_request.json": ("dvcqg.DangNhap", set()),
    "dvcqg_login_response.json": ("dvcqg.DangNhapTraLoi", set()),
    "dvcqg_sync_response.json": ("dvcqg.TraLoi", set()),
    "dvcqg_tracuuhoso_request.json": ("dvcqg.TraCuuHoSo", set()),
    "emc_tracking_mcdt.json": ("emc.TrackingMCDT", {"dossier-code-form"}),
}

# message of ours → message of the sender whose declarations were counted
DECLARED = {
    "dvcqg.DongBoHoSoMC": {
        "Dossier": "HoSoDongBoDVC",
        "SubmittedPaper": "TaiLieuNopDongBoDVC",
        "Fee": "LePhiDongBoDVC",
        "OtherFile": "TepDinhKemKhac",
        "Supplement": "HoSoBoSung",
        "ResultPaper": "GiayToKetQua",
        "OwnerId": "DinhDanhCHS",
        "DatabaseLink": "DSKetNoiCSDL",
    },
    "dvcqg.CapNhatTienDoHoSoMC": {"ProgressStep": "QuaTrinhXuLyDongBoDVC"},
    "dvcqg.TraLoi": {"Answer": "ResultHoSoDongBoDVCQuocGia"},
    "emc.TrackingMCDT": {"MonitoringEvent": "EMCRequestBody"},
    "repository.LayKetQua": {"RepositoryRequest": "GetDanhSachKetQuaRequest", "ResultKind": "DanhSachDanhMucKetQuaData"},
    "repository.KetQua": {
        "RepositoryAnswer": "GetDanhSachKetQuaResponse",
        "RepositoryResult": "GetDanhSachKetQuaResponse_Result",
        "RepositoryPaper": "GetDanhSachKetQuaResponse_Result_DanhSachGiayToKetQua",
        "RepositoryFile": "GetDanhSachKetQuaResponse_Result_DanhSachGiayToKetQua_DanhSachTepDinhKem",
    },
}
BESIDE = {"SoBienNhan"}  # of the standard, not of that sender


@ONESTOP
@pytest.mark.parametrize(("name", "kind", "codes"), [(n, k, c) for n, (k, c) in WHAT_THEY_ARE.items()], ids=WHAT_THEY_ARE.keys())
def test_a_real_shaped_message_is_known_and_not_refused(name: str, kind: str, codes: set[str]) -> None:
    found = judge((FIXTURES / name).read_bytes())
    assert found.kind == kind
    assert {one.code for one in found.violations} == codes
    assert all(one.severity == "warning" and one.line > 0 for one in found.violations)


@ONESTOP
def test_no_message_of_the_folder_is_left_out() -> None:
    assert {path.name for path in FIXTURES.glob("*.json")} == set(WHAT_THEY_ARE)


@ONESTOP
@pytest.mark.parametrize(("kind", "ours", "theirs"), [(k, o, t) for k, row in DECLARED.items() for o, t in row.items()])
def test_the_fields_are_those_that_a_sender_declares(kind: str, ours: str, theirs: str) -> None:
    with (FIXTURES / "field_names_by_message.csv").open(encoding="utf-8") as file:
        declared = {row["field"] for row in csv.DictReader(file) if row["message"] == theirs}
    names = {spec.name for spec in fields_of(_shapes(kinds()[kind].shape)[ours])}
    assert names - BESIDE == declared


def _shapes(shape: type[Shape]) -> dict[str, type[Shape]]:
    found = {shape.__name__: shape}
    for spec in fields_of(shape):
        if spec.shape is not None:
            found |= _shapes(spec.shape)
    return found
