"""Rules on single values and on one object: forms, code lists, lengths, sums, the order of dates.

The forms of the national portal warn, for its own table could not be retrieved; the types of the LGSP's schema refuse [C §2.5].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from schemas.agency import AgencyCode
from schemas.dvcqg.codes import code_list
from schemas.dvcqg.delegation import Delegation
from schemas.dvcqg.dossier import Dossier, OwnerId
from schemas.dvcqg.findings import step
from schemas.dvcqg.shape import FieldSpec, Shape
from schemas.dvcqg.values import BROKEN_PATTERN, WIRE_TIME, DossierCode, ProcedureCode, format_of, time_of, truth, whole_number
from schemas.errors import Violation, error, warning
from schemas.lgsp.documents import MStatistic

Form = Callable[[str], Violation | None]

NO_REASONS: Final = frozenset(
    {"", ".", "-", "x", "không", "khong", "không có", "khong co", "lý do", "ly do", "uỷ quyền", "ủy quyền", "null"}
)
_INT = re.compile(r"[+-]?[0-9]{1,10}")
_INT_TOP = 2**31  # xs:int
_DOUBLE = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:[eE][+-]?[0-9]{1,3})?")
_WEB = re.compile(r"https?://[^\s/]+(/\S*)?", re.IGNORECASE)
_DIGITS_OF: Final = {"1": 12, "2": 9}  # LoaiDinhDanh → digits [C §2.3]
_SLACK_PERCENT = 0.5  # of a share against the counts it is made from: roundings to whole percents are real


def _time(text: str) -> Violation | None:
    if time_of(text):
        return None
    name = format_of(text)
    if name == BROKEN_PATTERN:
        return warning("honesty-broken-date-pattern", got=text, expected=WIRE_TIME)
    if name:
        return warning("dossier-date-format", got=f"{text} ({name})", expected=WIRE_TIME)
    return error("dossier-bad-date", got=text, expected=f"{WIRE_TIME}, a day that exists")


def _dossier_code(text: str) -> Violation | None:
    if DossierCode.of(text).form != "foreign":
        return None
    return warning("dossier-code-form", got=text, expected="{agency}-{yyMMdd}-{number of the day}")


def _procedure_code(text: str) -> Violation | None:
    return None if ProcedureCode.of(text).number else warning("procedure-code-form", got=text, expected="n.nnnnnn[.agency]")


def _agency(text: str) -> Violation | None:
    return None if AgencyCode.of(text).is_usable else warning("dossier-bad-agency", got=text, expected="a code of an agency")


def _url(text: str) -> Violation | None:
    return None if _WEB.fullmatch(text.strip()) else warning("dossier-bad-url", got=text, expected="http(s)://…")


def _amount(text: str) -> Violation | None:
    return None if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,2})?", text) else warning("dossier-bad-number", got=text, expected="digits alone")


def _integer(text: str) -> Violation | None:
    return None if whole_number(text) is not None else warning("dossier-bad-number", got=text, expected="a whole number")


def _boolean(text: str) -> Violation | None:
    return None if truth(text) is not None else warning("dossier-bad-number", got=text, expected="True or False")


def _reason(text: str) -> Violation | None:
    return error("delegation-no-reason", got=text, expected="what made it necessary") if text.strip().lower() in NO_REASONS else None


def _xml_int(text: str) -> Violation | None:
    fits = _INT.fullmatch(text.strip()) and -_INT_TOP <= int(text) < _INT_TOP
    return None if fits else error("dossier-bad-number", got=text, expected="xs:int")


def _xml_double(text: str) -> Violation | None:
    return None if _DOUBLE.fullmatch(text.strip()) else error("dossier-bad-number", got=text, expected="xs:double")


def _xml_bool(text: str) -> Violation | None:
    fits = text.strip() in ("true", "false", "0", "1")
    return None if fits else error("dossier-bad-number", got=text, expected="xs:boolean: true, false, 1 or 0")


def _any(_: str) -> Violation | None:
    return None


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "time": _time,
        "dossier-code": _dossier_code,
        "procedure-code": _procedure_code,
        "agency": _agency,
        "url": _url,
        "amount": _amount,
        "integer": _integer,
        "boolean": _boolean,
        "reason": _reason,
        "service": _any,  # the reader found the message by it
        "int": _xml_int,
        "double": _xml_double,
        "bool": _xml_bool,
    }
)


def on_value(spec: FieldSpec, text: str) -> Iterator[Violation]:
    """What is wrong with a value that is not blank. Places are added by the reader."""
    about = spec.about
    if about.form:
        found = FORMS[about.form](text)
        if found is not None:
            yield found
            return
    if about.codes and text.strip().lower() not in {code.lower() for code in code_list(about.codes).codes}:
        yield warning("dossier-unknown-code", got=text, expected=f"{about.codes}: {', '.join(code_list(about.codes).codes)}")
    if about.max_chars and len(text) > about.max_chars:
        yield warning("dossier-too-long", got=f"{len(text)} characters", expected=f"at most {about.max_chars}")


def on_object(model: Shape, pointer: str) -> Iterator[Violation]:
    """What is wrong between the values of one object."""
    if isinstance(model, Dossier):
        yield from _dates(model, pointer)
    elif isinstance(model, OwnerId):
        yield from _identity(model, pointer)
    elif isinstance(model, MStatistic):
        yield from _sums(model, pointer)
    elif isinstance(model, Delegation):
        yield from _period(model, pointer)


def _dates(model: Dossier, pointer: str) -> Iterator[Violation]:
    pairs = (("NgayNopHoSo", "NgayTiepNhan"), ("NgayTiepNhan", "NgayHenTra"), ("NgayTiepNhan", "NgayTra"), ("NgayTiepNhan", "NgayTuChoi"))
    for earlier, later in pairs:
        before, after = time_of(getattr(model, earlier)), time_of(getattr(model, later))
        if before and after and after < before:
            got = f"{getattr(model, later)} < {earlier} {getattr(model, earlier)}"
            yield warning("dossier-dates-order", path=step(pointer, later), got=got, expected=f"not before {earlier}")
    day = model.code.day
    days = {moment.date() for moment in (model.submitted_at, model.received_at) if moment}
    if day and days and all(abs(day - one) > timedelta(days=1) for one in days):
        got = f"{model.MaHoSo}, received {model.NgayTiepNhan}"
        yield warning("dossier-code-date", path=step(pointer, "MaHoSo"), got=got, expected="the day on which the code was given")


def _identity(model: OwnerId, pointer: str) -> Iterator[Violation]:
    number, digits = model.SoDinhDanh.strip(), _DIGITS_OF.get(model.LoaiDinhDanh.strip())
    if number and digits and not (number.isascii() and number.isdigit() and len(number) == digits):
        got = f"{len(number)} characters for LoaiDinhDanh {model.LoaiDinhDanh}"  # never the number itself
        yield warning("dossier-identity-form", path=step(pointer, "SoDinhDanh"), got=got, expected=f"{digits} digits")


def _sums(model: MStatistic, pointer: str) -> Iterator[Violation]:
    for total, parts in (
        ("Total", ("NewReception", "PreExtisting")),
        ("TotalSolved", ("SolvedInTime", "SolvedLate")),
        ("TotalPending", ("Pending", "PendingLate")),
        ("Total", ("TotalSolved", "TotalPending")),
    ):
        whole, counts = whole_number(getattr(model, total)), [whole_number(getattr(model, one)) for one in parts]
        if whole is not None and None not in counts and whole != sum(one for one in counts if one is not None):
            yield warning(
                "statistic-sum",
                path=step(pointer, total),
                got=f"{total} {whole}",
                expected=f"{' + '.join(parts)} = {sum(c or 0 for c in counts)}",
            )
    for share, part, total in (
        ("SolvedInTimePercent", "SolvedInTime", "TotalSolved"),
        ("SolvedLatePercent", "SolvedLate", "TotalSolved"),
        ("PendingPercent", "Pending", "TotalPending"),
        ("PendingLatePercent", "PendingLate", "TotalPending"),
    ):
        yield from _share(model, pointer, share, whole_number(getattr(model, part)), whole_number(getattr(model, total)))


def _share(model: MStatistic, pointer: str, name: str, part: int | None, total: int | None) -> Iterator[Violation]:
    text = getattr(model, name).strip()
    if part is None or not total or not _DOUBLE.fullmatch(text):
        return
    should = 100 * part / total
    if min(abs(float(text) - should), abs(100 * float(text) - should)) > _SLACK_PERCENT:  # both 97.5 and 0.975 are written
        yield warning("statistic-sum", path=step(pointer, name), got=f"{name} {text}", expected=f"{should:.1f}")


def _period(model: Delegation, pointer: str) -> Iterator[Violation]:
    begin, end = model.begins_at, model.ends_at
    if begin and end and end < begin:
        yield warning("dossier-dates-order", path=step(pointer, "DenThoiDiem"), got=model.DenThoiDiem, expected=f"after {model.TuThoiDiem}")
    if model.NguoiUyQuyen.strip() and model.NguoiUyQuyen.strip().lower() == model.NguoiDuocUyQuyen.strip().lower():
        yield warning(
            "delegation-to-oneself", path=step(pointer, "NguoiDuocUyQuyen"), got="the same person", expected="another than the head"
        )
