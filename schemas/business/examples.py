"""An example of every line-of-business message: each field whose meaning is known, with a value that its dictionary entry and its way of
writing allow. `validate` finds nothing in one, and a test holds that.

Invented throughout: no person, no agency's data. The same shape gives the same example. Fields whose meaning could not be told are left
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.business.fields import place_of
from schemas.business.forms import FormData
from schemas.business.tasks import FORM
from schemas.converters.registry import chain
from schemas.dictionary.aliases import alias
from schemas.dictionary.code_lists import code_lists
from schemas.dictionary.entry import Entry, FieldType
from schemas.dictionary.store import dictionary
from schemas.dvcqg import examples
from schemas.dvcqg.kinds import MessageKind
from schemas.dvcqg.shape import FieldSpec, Kind, Shape, fields_of

# Canonical values by key, then by the key's last member, then by type. Dates keep the order that `checks.ORDER` asks for.
_OF_KEY: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "bieu_mau.phien_ban_tu_dien": dictionary().version,
        "nhiem_vu.co_quan_giao": "G22",
        "nhiem_vu.co_quan_thuc_hien": "H32",
        "nks.ho_ten": "Nguyễn Thị Mẫu",
        "nks.ngay_sinh": "2026-02-16",
        "nks.ngay_sinh.bang_chu": "Ngày mười sáu tháng hai năm hai nghìn không trăm hai mươi sáu",
        "me.ho_ten": "Trần Thị Mẫu",
        "vo.ho_ten": "Trần Thị Mẫu",
        "nkt.ho_ten": "Nguyễn Văn Ví Dụ",
        "nkt.ngay_sinh": "1940-05-19",
        "nkt.ngay_chet": "2026-02-14",
        "giay_bao_tu.ngay": "2026-02-15",
        "ho_so.trang_thai": "9",
        "ho_so.ngay_hen_tra": "2026-03-16",
        "ho_so.ngay_hen_tra_moi": "2026-03-23",
        "xay_dung.ngay_hoan_thanh": "2026-12-18",
    }
)
_OF_END: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "ho_ten": "Nguyễn Văn Mẫu",
        "ngay_sinh": "1990-05-14",
        "ten_tinh": "Tỉnh Khánh Hòa",
        "chi_tiet": "Số 1 đường Mẫu",
        "bang_chu": "viết bằng chữ",
    }
)
_OF_TYPE: Final[Mapping[FieldType, Any]] = MappingProxyType(
    {
        FieldType.DATE: "2026-03-13",
        FieldType.DATETIME: "2026-03-13",
        FieldType.YEAR: "1990",
        FieldType.INTEGER: 1,
        FieldType.DECIMAL: "50000",
        FieldType.BOOLEAN: True,
        FieldType.ID_NUMBER: "068090004321",
        FieldType.PHONE: "0912000111",
        FieldType.EMAIL: "mau@example.vn",
        FieldType.URL: "https://motcua.example.vn/tep/0001.pdf",
        FieldType.TAX_CODE: "4200123456",
        FieldType.DOSSIER_CODE: "H99.14-260302-0001",
        FieldType.PROCEDURE_CODE: "1.003560.000.00.00.H99",
        FieldType.AGENCY_CODE: "H99.14",
        FieldType.TASK_ID: FORM,
        FieldType.BASE64: "JVBERi0xLjQK",
        FieldType.ADDRESS: "Số 1 đường Mẫu, xã Mẫu, tỉnh Mẫu",
    }
)
_ONE_WAY: Final[Mapping[str, str]] = MappingProxyType({"date:recognised": "date:dd/MM/yyyy"})  # how the example writes what is only read

_FORM_DATA: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "nguoi_nop.ho_ten": "Nguyễn Văn Mẫu",
        "nguoi_nop.ngay_sinh": "1990-05-14",
        "nguoi_nop.so_dinh_danh": "068090004321",
        "nguoi_nop.dien_thoai": "0912000111",
    }
)


def example_of(kind: MessageKind) -> Shape:
    """A message of `kind`."""
    return kind.shape.model_validate(_object(kind.shape))


def _object(shape: type[Shape]) -> dict[str, Any]:
    if shape is FormData:
        return dict(_FORM_DATA)
    if place_of(shape) == ("", ""):
        return examples.values_of(shape)  # of the one-stop exchange, inside one of these
    found = ((spec.name, _value(shape, spec)) for spec in fields_of(shape))
    return {name: value for name, value in found if value is not None}


def _value(shape: type[Shape], spec: FieldSpec) -> Any:
    if spec.shape is not None:
        inner = spec.shape.model_validate(_object(spec.shape))
        return (inner,) if spec.kind is Kind.ROWS else inner
    found = alias(*place_of(shape), spec.name)
    if found is None:
        return None
    entry = dictionary().entry(found.key)
    names = tuple(_ONE_WAY.get(one, one) for one in found.convert or _usual(entry))
    back = chain(names).backward
    value = canonical(entry) if back is None else back(canonical(entry))
    if spec.kind is Kind.TEXTS:
        return (str(value),)
    return value if spec.kind is Kind.NUMBER or (spec.kind is Kind.FLAG and isinstance(value, bool)) else str(value)


def _usual(entry: Entry) -> tuple[str, ...]:
    return ("date:dd/MM/yyyy",) if entry.type in (FieldType.DATE, FieldType.DATETIME) else ()


def canonical(entry: Entry) -> Any:
    """A canonical value of `entry`."""
    if entry.key in _OF_KEY:
        return _OF_KEY[entry.key]
    if entry.type is FieldType.CODE:
        listed = code_lists().get(entry.code_list)
        return next(iter(listed.codes), "1") if listed else "1"
    end = entry.key.rpartition(".")[2]
    return _OF_END.get(end, _OF_TYPE.get(entry.type, entry.definition.vi))
