"""Identity, tax and telephone numbers, and agency codes.

Citizen number 12 digits, identity card of old 9 (facts on the one-stop shop §2.3 [C], §3.1 [S]: QĐ 2439/QĐ-TTg). The number ``000000001``
is what a known sender writes where it has none (§2.4 item 1 [C]); it names nobody, so no converter takes it.
"""

from __future__ import annotations

import re

from schemas.agency import AgencyCode
from schemas.converters.converter import Converter, Step, outside, text
from schemas.errors import Text

_CITIZEN, _OLD_CARD = re.compile(r"\d{12}", re.ASCII), re.compile(r"\d{9}", re.ASCII)
_TAX = re.compile(r"\d{10}(-\d{3})?", re.ASCII)
_DOMESTIC, _INTERNATIONAL = re.compile(r"0[1-9]\d{8,9}", re.ASCII), re.compile(r"\+84[1-9]\d{8,9}", re.ASCII)
_QCVN102 = re.compile(r"(\d{3})\.(\d{2})\.(\d{2})\.([A-Z]\d{2})", re.ASCII)
_QD20 = re.compile(r"([A-Z]\d{2})(?:\.(\d{2})(?:\.(\d{2})(?:\.(\d{3}))?)?)?", re.ASCII)
_BLANKS = re.compile(r"[ .\-()]")
SENTINELS = frozenset({"000000001", "0" * 9, "0" * 12})


def is_sentinel(number: str) -> bool:
    """Whether `number` is written where there is none."""
    return number in SENTINELS


def _matching(wanted: str, *shapes: re.Pattern[str]) -> Step:
    def check(value: object) -> object:
        written = text(value, wanted)
        if is_sentinel(written) or not any(shape.fullmatch(written) for shape in shapes):
            raise outside(value, wanted)
        return written

    return check


def _unchanged(name: str, wanted: str, *shapes: re.Pattern[str]) -> Converter:
    check = _matching(wanted, *shapes)
    return Converter(name, check, check, wanted)


_person = _matching("12 digits, or 9 of an old card", _CITIZEN, _OLD_CARD)
_phone = _matching("a telephone number: 0 and 9 or 10 digits", _DOMESTIC)


def _separated(value: object) -> object:
    return _person(_BLANKS.sub("", text(value, "an identity number")))


def _kind_of_number(value: object) -> object:
    return "1" if len(str(_person(value))) == 12 else "2"


def _from_international(value: object) -> object:
    wanted = "+84 and 9 or 10 digits"
    written = text(value, wanted)
    if not _INTERNATIONAL.fullmatch(written):
        raise outside(value, wanted)
    return "0" + written[3:]


def _to_international(value: object) -> object:
    return "+84" + str(_phone(value))[1:]


def _loose_phone(value: object) -> object:
    bare = _BLANKS.sub("", text(value, "a telephone number"))
    for prefix in ("+84", "0084", "84"):
        if bare.startswith(prefix) and not bare.startswith("0", len(prefix)):
            bare = "0" + bare[len(prefix) :]
            break
    return _phone(bare)


def _from_qcvn102(value: object) -> object:
    """``000.00.13.H53`` → ``H53.13``. Empty levels between full ones have no counterpart in the newer form."""
    wanted = "an agency code of QCVN 102, 000.00.13.H53"
    match = _QCVN102.fullmatch(text(value, wanted))
    if match is None:
        raise outside(value, wanted)
    levels = [match[4], match[3], match[2], match[1]]
    while len(levels) > 1 and not levels[-1].strip("0"):
        levels.pop()
    if any(not one.strip("0") for one in levels[1:]):
        raise outside(value, wanted)  # a level that is not used between two that are: no arithmetic knows its new code
    return _same_body(value, ".".join(levels), wanted)


def _to_qcvn102(value: object) -> object:
    wanted = "an agency code like H53.13: at most three levels of numbers below the first"
    match = _QD20.fullmatch(text(value, wanted))
    if match is None or any(level is not None and not level.strip("0") for level in match.groups()):
        raise outside(value, wanted)
    return _same_body(value, f"{match[4] or '000'}.{match[3] or '00'}.{match[2] or '00'}.{match[1]}", wanted)


def _same_body(value: object, made: str, wanted: str) -> object:
    """`made`, if both codes name the same body by the arithmetic of `schemas.agency`."""
    if not AgencyCode.of(str(value)).same_as(AgencyCode.of(made)):
        raise outside(value, wanted)
    return made


def _usable(value: object) -> object:
    wanted = "an agency code"
    code = AgencyCode.of(text(value, wanted))
    if not code.is_usable:
        raise outside(value, wanted)
    return code.text


def _usable_back(value: object) -> object:
    if _usable(value) != value:
        raise outside(value, "an agency code, trimmed, in NFC")
    return value


_LOST_BLANKS = Text("Mất dấu cách, dấu chấm, dấu gạch trong số.", "Blanks, points and dashes in the number.")
_LOST_NUMBER = Text("Mất số giấy tờ: chỉ giữ loại giấy tờ.", "The number: only its kind is kept.")
_LOST_EDGES = Text("Mất khoảng trắng ở hai đầu và dạng Unicode ban đầu.", "Blanks around the code and the original Unicode form.")

CONVERTERS = (
    _unchanged("id:citizen", "12 digits", _CITIZEN),
    _unchanged("id:old-card", "9 digits", _OLD_CARD),
    _unchanged("id:person", "12 digits, or 9 of an old card", _CITIZEN, _OLD_CARD),
    Converter("id:separated", _separated, _person, "an identity number with blanks, points or dashes in it", _LOST_BLANKS),
    Converter("id:kind", _kind_of_number, None, "an identity number; gives LoaiDinhDanh 1 or 2", _LOST_NUMBER),
    _unchanged("id:tax", "10 digits, with -001 for a branch", _TAX),
    _unchanged("phone:domestic", "0 and 9 or 10 digits", _DOMESTIC),
    Converter("phone:international", _from_international, _to_international, "+84 and 9 or 10 digits"),
    Converter("phone:separated", _loose_phone, _phone, "a telephone number with blanks, points, dashes or a country code", _LOST_BLANKS),
    Converter("agency:qcvn102", _from_qcvn102, _to_qcvn102, "an agency code of QCVN 102, 000.00.13.H53"),
    Converter("agency:any", _usable, _usable_back, "any agency code; nothing is rejected for its form", _LOST_EDGES),
)
