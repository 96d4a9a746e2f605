"""An example of every message, made from its shape: what the documentation shows, and what the schemas are tried with.

Invented throughout: no person, no agency's data. The same shape gives the same example.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.dvcqg.codes import code_list
from schemas.dvcqg.kinds import MessageKind
from schemas.dvcqg.shape import FieldSpec, Kind, Need, Shape, fields_of

_OF_FIELD: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "SoDinhDanh": "068090004321",
        "SoGiayToChuHoSo": "068090004321",
        "NgayTiepNhan": "20260302081500",
        "NgayNopHoSo": "20260302074210",
        "NgayHenTra": "20260316170000",
        "NgayTra": "20260313154500",
        "NgayKetThucXuLy": "20260313143000",
        "NgayTiepNhanBoSung": "20260306093000",
        "NgayBoSung": "20260304101500",
        "NgayTuChoi": "",
        "DenThoiDiem": "20260302170000",
        "DuongDanTaiTepTin": "https://motcua.example.vn/nop/0001/don.pdf",
        "DuongDanTepTinKetQua": "https://motcua.example.vn/ketqua/0001/quyet-dinh.pdf",
        "TrangThaiHoSo": "10",
        "TrangThai": "4",
        "HinhThucThu": "1",
        "error_code": "0",
        "errorCode": "0",
        "message": "Đã nhận",
        "Month": "3",
        "Year": "2026",
        "NewReception": "40",
        "PreExtisting": "10",
        "Total": "50",
        "TotalSolved": "30",
        "SolvedInTime": "27",
        "SolvedInTimePercent": "90",
        "SolvedLate": "3",
        "SolvedLatePercent": "10",
        "TotalPending": "20",
        "Pending": "15",
        "PendingPercent": "75",
        "PendingLate": "5",
        "PendingLatePercent": "25",
        "LyDo": "Chủ tịch dự họp đột xuất theo giấy triệu tập trong ngày",
        "mstorcmnd": "4200123456",
        "User": "{}",
    }
)
_OF_FORM: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "time": "20260302081500",
        "dossier-code": "H99.14-260302-0001",
        "procedure-code": "1.003560.000.00.00.H99",
        "agency": "000.00.14.H99",
        "url": "https://motcua.example.vn/tep/0001.pdf",
        "amount": "50000",
        "integer": "1",
        "boolean": "true",
        "int": "1",
        "double": "1.5",
        "bool": "true",
    }
)


def example_of(kind: MessageKind) -> Shape:
    """A message of `kind` in which every field has a value, as the strict form has it."""
    return kind.shape.model_validate(_object(kind.shape, kind.services[0] if kind.services else ""))


def values_of(shape: type[Shape]) -> dict[str, Any]:
    """Values for every field of `shape`, which stands inside another message."""
    return _object(shape, "")


def _object(shape: type[Shape], service: str) -> dict[str, Any]:
    return {spec.name: _value(spec, service) for spec in fields_of(shape)}


def _value(spec: FieldSpec, service: str) -> Any:
    if spec.kind is Kind.ROWS and spec.shape is not None:
        return (spec.shape.model_validate(_object(spec.shape, service)),)
    if spec.kind is Kind.OBJECT and spec.shape is not None:
        return spec.shape.model_validate(_object(spec.shape, service))
    if spec.name == "service":
        return service
    text = _OF_FIELD.get(spec.name, _OF_FORM.get(spec.about.form))
    if text is None and spec.about.codes:
        text = next(iter(code_list(spec.about.codes).codes))
    if text is None and spec.about.need is Need.OPTIONAL and spec.kind is not Kind.TEXT:
        text = "1"
    text = (f"{spec.about.vi}" if spec.kind is Kind.TEXT else "1") if text is None else text
    return (text,) if spec.kind is Kind.TEXTS else text
