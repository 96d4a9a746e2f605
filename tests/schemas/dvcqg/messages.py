"""Dossier messages made for the tests: honest ones, from which each test makes its own dishonest one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import pytest

from schemas.dvcqg.dossier import DossierSync
from schemas.dvcqg.portal import Answer
from schemas.dvcqg.progress import ProgressUpdate
from schemas.dvcqg.reader import Reading, read_json
from schemas.dvcqg.shape import Shape

CODE = "H99.14-260302-0001"
FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures" / "onestop"
ONESTOP = pytest.mark.skipif(not FIXTURES.is_dir(), reason="needs ../shared/fixtures/onestop")

Made = TypeVar("Made", bound=Shape)


def dossier(**other: Any) -> dict[str, Any]:
    """A dossier that is being processed. No check has anything to say of it."""
    plain = {
        "MaHoSo": CODE,
        "MaTTHC": "1.003560.000.00.00.H99",
        "TenTTHC": "Cấp bản sao trích lục hộ tịch",
        "MaLinhVuc": "LV01",
        "TenLinhVuc": "Hộ tịch",
        "KenhThucHien": "2",
        "ChuHoSo": "Trần Thị Thử",
        "LoaiDoiTuong": "1",
        "Email": "",
        "SoDienThoai": "0258000111",
        "TrichYeuHoSo": "Cấp bản sao trích lục khai sinh",
        "NgayNopHoSo": "20260302074210",
        "NgayTiepNhan": "20260302081500",
        "NgayHenTra": "20260316163000",
        "TrangThaiHoSo": "4",
        "HinhThuc": "0",
        "DonViXuLy": "UBND phường Thử nghiệm",
        "DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": "068090004321"}],
        "TaiLieuNop": [paper()],
    }
    return {**plain, **other}


def paper(**other: Any) -> dict[str, Any]:
    """A paper handed in."""
    plain = {"TenTepDinhKem": "to-khai.pdf", "MaThanhPhanHoSo": "TP01", "DuongDanTaiTepTin": "https://motcua.example.vn/nop/to-khai.pdf"}
    return {**plain, **other}


def result(**other: Any) -> dict[str, Any]:
    """A result."""
    return {"TenGiayTo": "Trích lục khai sinh", "DuongDanTepTinKetQua": "https://motcua.example.vn/ketqua/trich-luc.pdf", **other}


def taken(**other: Any) -> dict[str, Any]:
    """A step that an officer took."""
    plain = {
        "MaHoSo": CODE,
        "NguoiXuLy": "Lê Văn Mẫu",
        "ThoiDiemXuLy": "20260302083000",
        "NoiDungXuLy": "Tiếp nhận hồ sơ",
        "TrangThai": "2",
    }
    return {**plain, **other}


def request(service: str, **members: Any) -> dict[str, Any]:
    """A request in its envelope."""
    return {"session": "phien-thu", "madonvi": "000.00.14.H99", "service": service, **members}


def sync(*rows: dict[str, Any], updating: str = "False") -> dict[str, Any]:
    """DongBoHoSoMC."""
    return request("DongBoHoSoMC", isUpdating=updating, data=list(rows) or [dossier()])


def progress(*rows: dict[str, Any]) -> dict[str, Any]:
    """CapNhatTienDoHoSoMC."""
    return request("CapNhatTienDoHoSoMC", data=list(rows) or [taken()])


def raw(value: Any) -> bytes:
    """JSON as a sender writes it, on several lines."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def read(value: Any, kind: str = "auto") -> Reading:
    """`value` as the reader takes it."""
    return read_json(raw(value), kind)


def synced(*rows: dict[str, Any], updating: str = "False") -> DossierSync:
    """DongBoHoSoMC as a model."""
    model = read(sync(*rows, updating=updating)).model
    assert isinstance(model, DossierSync)
    return model


def progressed(*rows: dict[str, Any]) -> ProgressUpdate:
    """CapNhatTienDoHoSoMC as a model."""
    model = read(progress(*rows)).model
    assert isinstance(model, ProgressUpdate)
    return model


def answered(code: str) -> Answer:
    """The portal's answer."""
    return Answer(error_code=code)
