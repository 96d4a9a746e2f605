"""Numbers and yes or no. A canonical decimal is a text without spare zeros (``1234567.5``): JSON's numbers would lose digits.

Vietnamese grouping is ``1.234.567,89``, English ``1,234,567.89``; ``1.234`` alone is either, so the form is always named.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from schemas.converters.converter import Converter, Step, outside, text
from schemas.errors import Text

MAX_DIGITS = 30
_CANONICAL = re.compile(r"(?!-0$)(-?)(0|[1-9]\d*)(?:\.(\d*[1-9]))?", re.ASCII)
_SPELLED = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_WHOLE = re.compile(r"(?!-0$)-?(?:0|[1-9]\d{0,17})", re.ASCII)
_EXACT_INTEGER = 2**53  # beyond it, JSON readers lose digits

TRUTHS = {"True/False": ("True", "False"), "true/false": ("true", "false"), "1/0": ("1", "0"), "Có/Không": ("Có", "Không")}


def _canonical(value: object) -> str:
    """A canonical decimal, or a refusal."""
    wanted = f"a decimal number without spare zeros, at most {MAX_DIGITS} digits"
    written = text(value, wanted)
    if not _CANONICAL.fullmatch(written) or len(written) > MAX_DIGITS:
        raise outside(value, wanted)
    return written


def _shortest(written: str) -> str:
    whole, _, part = written.lstrip("+").partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    digits, part = digits.lstrip("0") or "0", part.rstrip("0")
    if digits == "0" and not part:
        sign = ""
    return f"{sign}{digits}.{part}" if part else sign + digits


def _spelled(value: object) -> object:
    written = text(value, "a number with a decimal point")
    if not _SPELLED.fullmatch(written):
        raise outside(value, "a number with a decimal point")
    return _canonical(_shortest(written))


def _grouped(group: str, point: str) -> tuple[Step, Step]:
    shape = re.compile(rf"-?\d{{1,3}}(?:{re.escape(group)}\d{{3}})*(?:{re.escape(point)}\d+)?", re.ASCII)
    wanted = f"a number with {group!r} between thousands and {point!r} before decimals"

    def backward(value: object) -> object:
        whole, _, part = _canonical(value).partition(".")
        grouped = f"{int(whole):,}".replace(",", group)
        if whole.startswith("-") and not grouped.startswith("-"):  # -0.5
            grouped = "-" + grouped
        return f"{grouped}{point}{part}" if part else grouped

    def forward(value: object) -> object:
        written = text(value, wanted)
        if not shape.fullmatch(written):
            raise outside(value, wanted)
        found = _canonical(written.replace(group, "").replace(point, "."))
        if backward(found) != written:
            raise outside(value, wanted)
        return found

    return forward, backward


def _from_json(value: object) -> object:
    wanted = "a JSON number"
    if type(value) is int and abs(value) <= _EXACT_INTEGER:
        return str(value)
    if type(value) is float and math.isfinite(value) and abs(value) <= _EXACT_INTEGER:
        return _canonical(_shortest(format(Decimal(repr(value)), "f")))
    raise outside(value, wanted)


def _to_json(value: object) -> object:
    written = _canonical(value)
    found = float(written) if "." in written else int(written)
    if _from_json(found) != written:
        raise outside(value, "a number that JSON readers keep exactly")
    return found


def _whole(value: object) -> object:
    written = text(value, "a whole number")
    if not _WHOLE.fullmatch(written):
        raise outside(value, "a whole number")
    return int(written)


def _whole_back(value: object) -> object:
    if type(value) is not int or abs(value) >= 10**18:
        raise outside(value, "an integer")
    return str(value)


def _truth(name: str, words: tuple[str, str]) -> Converter:
    def forward(value: object) -> object:
        written = text(value, name)
        if written not in words:
            raise outside(value, name)
        return written == words[0]

    return Converter(f"bool:{name}", forward, lambda value: words[0] if _is_true(value) else words[1], name)


def _is_true(value: object) -> bool:
    if not isinstance(value, bool):
        raise outside(value, "true or false")
    return value


def _bit(value: object) -> object:
    if type(value) is not int or value not in (0, 1):
        raise outside(value, "the number 1 or 0")
    return value == 1


_LOST_ZEROS = Text("Mất số 0 thừa và dấu cộng.", "Spare zeros and the plus sign.")
_LOST_NOTATION = Text("Mất cách viết số trong JSON (1.0 hay 1).", "How JSON wrote the number (1.0 or 1).")

_VI, _EN = _grouped(".", ","), _grouped(",", ".")
CONVERTERS = (
    Converter("number:plain", _canonical, _canonical, "a decimal number without spare zeros"),
    Converter("number:spelled", _spelled, _canonical, "a number with a decimal point", _LOST_ZEROS),
    Converter("number:vi", *_VI, "1.234.567,89"),
    Converter("number:en", *_EN, "1,234,567.89"),
    Converter("number:json", _from_json, _to_json, "a JSON number", _LOST_NOTATION),
    Converter("integer:text", _whole, _whole_back, "a whole number of at most 18 digits"),
    Converter("text:from-integer", _whole_back, _whole, "a JSON integer"),
    Converter("bool:number", _bit, lambda value: 1 if _is_true(value) else 0, "the number 1 or 0"),
    *(_truth(name, words) for name, words in TRUTHS.items()),
)
