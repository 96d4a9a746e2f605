"""What the dictionary says about the values of a message that was read: their form, and the order of dates.

Values of other people's messages give warnings: how they are written is not published, so what is odd to us may be right to them. Values of
the hub's own messages give errors. What was found about a person is not repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from schemas.business.fields import place_of
from schemas.business.forms import FormPackage, check_data
from schemas.business.tasks import TaskId, TaskNotice
from schemas.converters.identity import is_sentinel
from schemas.converters.registry import chain, converter
from schemas.dictionary.aliases import alias
from schemas.dictionary.entry import Entry, FieldType, Privacy
from schemas.dictionary.store import dictionary
from schemas.dictionary.values import EMAIL, URL
from schemas.dvcqg.findings import step
from schemas.dvcqg.shape import Shape, fields_of
from schemas.errors import Refused, Violation, error, warning

OWN = "hub"  # the system whose messages are ours
PAPER_DIGITS = (9, 12)  # identity papers that are digits alone (facts §2.3 [C]); passports have letters

# Earlier and later, by key. Both dates as they were written; those that cannot be told are passed over.
ORDER = (
    ("nkt.ngay_sinh", "nkt.ngay_chet"),
    ("me.ngay_sinh", "nks.ngay_sinh"),
    ("cha.ngay_sinh", "nks.ngay_sinh"),
    ("nks.ngay_sinh", "ho_tich.ngay_dang_ky"),
    ("nkt.ngay_chet", "giay_bao_tu.ngay"),
    ("ho_so.ngay_tiep_nhan", "ho_so.ngay_hen_tra"),
    ("ho_so.ngay_hen_tra_truoc", "ho_so.ngay_hen_tra_moi"),
    ("xay_dung.ngay_khoi_cong", "xay_dung.ngay_hoan_thanh"),
)
_BY_TYPE = {
    FieldType.DATE: "date:recognised",
    FieldType.DATETIME: "date:recognised",
    FieldType.YEAR: "date:yyyy",
    FieldType.PHONE: "phone:separated",
    FieldType.TAX_CODE: "id:tax",
    FieldType.AGENCY_CODE: "agency:any",
}


def check(model: Shape, pointer: str = "") -> Iterator[Violation]:
    """Everything odd in `model` and what it holds."""
    system, message = place_of(type(model))
    said = error if system == OWN else warning
    code = "business-bad-value" if system == OWN else "business-odd-value"
    dates: dict[str, tuple[str, str]] = {}  # key → place, canonical
    for spec in fields_of(type(model)):
        value, place = getattr(model, spec.name), step(pointer, spec.name)
        if isinstance(value, Shape):
            yield from check(value, place)
        elif isinstance(value, tuple):
            for n, one in enumerate(value):
                if isinstance(one, Shape):
                    yield from check(one, step(place, n))
        elif str(value).strip() and (found := alias(system, message, spec.name)):
            entry = dictionary().entry(found.key)
            expected = _fault(entry, found.convert, value)
            if expected:
                got = str(value) if entry.privacy is Privacy.PLAIN else f"a value of {len(str(value))} characters"
                yield said(code, path=place, got=got, expected=expected)
            elif entry.type in (FieldType.DATE, FieldType.DATETIME) and (day := _day(value)):
                dates.setdefault(found.key, (place, day))
    yield from _order(dates)
    if isinstance(model, FormPackage):
        yield from check_data(model)
    elif isinstance(model, TaskNotice):
        yield from _task(model, pointer)


def _fault(entry: Entry, convert: tuple[str, ...], value: object) -> str:
    """What was expected of `value`, "" where it is well or nothing is known of its form."""
    names = convert or ((_BY_TYPE[entry.type],) if entry.type in _BY_TYPE else ())
    if names and (convert or isinstance(value, str)):
        try:
            chain(names).forward(value)
        except Refused as fault:
            return "" if fault.code == "value-ambiguous" else fault.expected
        return ""
    return _shape_fault(entry, str(value))


def _shape_fault(entry: Entry, text: str) -> str:
    if entry.type is FieldType.ID_NUMBER:
        return _number_fault(entry.pattern, text)
    if entry.type is FieldType.EMAIL:
        return "" if EMAIL.fullmatch(text) else "name@host"
    if entry.type is FieldType.URL:
        return "" if URL.fullmatch(text) else "http(s)://…"
    return ""


def _number_fault(pattern: str, text: str) -> str:
    if pattern:
        return "" if re.fullmatch(pattern, text, re.ASCII) and not is_sentinel(text) else pattern
    odd = is_sentinel(text) or (text.isdigit() and len(text) not in PAPER_DIGITS)
    return "a number of 9 or 12 digits, or one with letters" if odd else ""


def _day(value: object) -> str:
    try:
        return str(converter("date:recognised").forward(value))
    except Refused:
        return ""


def _order(dates: dict[str, tuple[str, str]]) -> Iterator[Violation]:
    for earlier, later in ORDER:
        if earlier in dates and later in dates:
            (_, before), (place, after) = dates[earlier], dates[later]
            width = min(len(before), len(after))  # a year alone says nothing within the year
            if after[:width] < before[:width]:
                yield warning("business-dates-order", path=place, got="a day before", expected=f"not before {earlier}")


def _task(model: TaskNotice, pointer: str) -> Iterator[Violation]:
    if not model.MaNhiemVu.strip():
        return
    try:
        found = TaskId.of(model.MaNhiemVu)
    except Refused as fault:
        yield error(fault.code, path=step(pointer, "MaNhiemVu"), got=fault.got, expected=fault.expected)
        return
    for name, code in (("CoQuanThucHien", found.recipient), ("CoQuanGiao", found.assigner)):
        written = getattr(model, name)
        if written.strip() and not code.same_as(code.of(written)):
            yield warning("business-odd-value", path=step(pointer, name), got=written, expected=f"{code}, as in MaNhiemVu")
