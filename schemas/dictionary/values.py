"""Whether a value is a canonical value of an entry. What canonical means, type by type, stands here and in `entry.FieldType`."""

from __future__ import annotations

import re
import unicodedata

from schemas.converters.identity import is_sentinel
from schemas.converters.registry import converter
from schemas.dictionary.code_lists import code_lists
from schemas.dictionary.entry import Entry, FieldType
from schemas.dictionary.store import dictionary
from schemas.errors import Refused

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
URL = re.compile(r"https?://[^\s/]+(/\S*)?", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_DATES = ("date:dd/MM/yyyy", "date:MM/yyyy", "date:yyyy")

# type → converters whose canonical side the value has to be of; one is enough
_BY_CONVERTER = {
    FieldType.DATE: _DATES,
    FieldType.DATETIME: ("datetime:iso", *_DATES),
    FieldType.YEAR: ("date:yyyy",),
    FieldType.DECIMAL: ("number:plain",),
    FieldType.PHONE: ("phone:domestic",),
    FieldType.TAX_CODE: ("id:tax",),
    FieldType.AGENCY_CODE: ("agency:any",),
}
_SAID = {
    FieldType.DATE: "yyyy-MM-dd, yyyy-MM or yyyy",
    FieldType.DATETIME: "yyyy-MM-ddTHH:mm:ss+07:00, or a date",
    FieldType.YEAR: "yyyy",
    FieldType.DECIMAL: "a decimal number as text, without spare zeros",
    FieldType.PHONE: "0 and 9 or 10 digits",
    FieldType.TAX_CODE: "10 digits, with -001 for a branch",
    FieldType.AGENCY_CODE: "an agency code",
}
_OF_PYTHON = {
    FieldType.BOOLEAN: (bool, "true or false"),
    FieldType.INTEGER: (int, "a whole number"),
    FieldType.OBJECT: (dict, "an object"),
    FieldType.LIST: (list, "a list"),
}
_SHAPES = {FieldType.EMAIL: (EMAIL, "name@host"), FieldType.URL: (URL, "http(s)://…"), FieldType.BASE64: (_BASE64, "base64")}


def fault_of(entry: Entry, value: object) -> str:
    """What was expected of a canonical value of `entry`, "" where `value` is one. Takes anything, raises nothing."""
    if entry.type in _OF_PYTHON:
        wanted, said = _OF_PYTHON[entry.type]
        return "" if type(value) is wanted else said
    if entry.type is FieldType.ADDRESS and isinstance(value, dict):
        known = dictionary().entries
        fits = all(isinstance(one, str) and f"{entry.key}.{name}" in known for name, one in value.items())
        return "" if fits else "an address: a text, or texts by part (ma_tinh, ma_xa, chi_tiet …)"
    if not isinstance(value, str) or not value.strip() or not unicodedata.is_normalized("NFC", value):
        return "a text in NFC, not blank"
    return _fault_of_text(entry, value)


def _fault_of_text(entry: Entry, value: str) -> str:
    if entry.type in _BY_CONVERTER:
        return "" if any(_is_canonical(name, value) for name in _BY_CONVERTER[entry.type]) else _SAID[entry.type]
    if entry.type in _SHAPES:
        shape, said = _SHAPES[entry.type]
        return "" if shape.fullmatch(value) else said
    if entry.type is FieldType.CODE:
        return _code(entry.code_list, value)
    if entry.pattern and not re.fullmatch(entry.pattern, value, re.ASCII):
        return entry.pattern
    return "the number of a real paper" if entry.type is FieldType.ID_NUMBER and is_sentinel(value) else ""


def _code(name: str, value: str) -> str:
    one = code_lists().get(name)
    return "" if one is None or one.open or value in one.codes else f"a code of {name}: {', '.join(one.codes)}"


def _is_canonical(name: str, value: str) -> bool:
    back = converter(name).backward
    if back is None:
        raise RuntimeError(f"{name} has no canonical side to check")
    try:
        back(value)
    except Refused:
        return False
    return True
