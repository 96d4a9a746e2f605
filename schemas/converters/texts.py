"""Texts: Unicode forms, blanks, JSON and base64 inside a text, lists joined into one text.

Canonical text is NFC: TCVN 6909:2001 is precomposed Vietnamese (facts on the one-stop shop §3.2 [C]).
"""

from __future__ import annotations

import base64
import binascii
import json
import unicodedata

from schemas.converters.converter import Converter, outside, text
from schemas.errors import Text
from schemas.limits import DEFAULT_LIMITS

SEPARATORS = {"semicolon": ";", "comma": ",", "pipe": "|", "newline": "\n", "comma-space": ", "}


def _nfc(value: object) -> object:
    return unicodedata.normalize("NFC", text(value, "a text"))


def _nfc_only(value: object) -> object:
    written = text(value, "a text in NFC")
    if not unicodedata.is_normalized("NFC", written):
        raise outside(value, "a text in NFC")
    return written


def _from_nfd(value: object) -> object:
    written = text(value, "a text in NFD")
    if not unicodedata.is_normalized("NFD", written):
        raise outside(value, "a text in NFD")
    return unicodedata.normalize("NFC", written)


def _to_nfd(value: object) -> object:
    return unicodedata.normalize("NFD", str(_nfc_only(value)))


def _trimmed(value: object) -> object:
    return " ".join(str(_nfc(value)).split())


def _trimmed_back(value: object) -> object:
    written = str(_nfc_only(value))
    if _trimmed(written) != written:
        raise outside(value, "a text without spare blanks")
    return written


def _parsed_json(value: object) -> object:
    wanted = f"JSON in a text, no name twice, at most {DEFAULT_LIMITS.max_depth} levels"
    written = text(value, wanted)
    try:
        found: object = json.loads(written, object_pairs_hook=_members)
        if _depth(found) > DEFAULT_LIMITS.max_depth:
            raise outside(value, wanted)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")  # NaN, a number too large, half a character: no JSON values
    except (ValueError, RecursionError) as fault:
        raise outside(value, wanted) from fault
    return found


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _depth(value: object) -> int:
    """Levels of lists and objects; counts level by level, for nothing here may recurse without bound."""
    level, deep = [value], 0
    while level and deep <= DEFAULT_LIMITS.max_depth:
        held: list[object] = []
        for one in level:
            held += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        level, deep = held, deep + 1
    return deep


def _written_json(value: object) -> object:
    wanted = "a JSON value"
    try:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
        if _parsed_json(written) == value:
            return written
    except (TypeError, ValueError, RecursionError) as fault:
        raise outside(value, wanted) from fault
    raise outside(value, wanted)  # a tuple, a key that is no text: would come back as something else


def _decoded(value: object) -> object:
    wanted = "UTF-8 text in base64"
    written = text(value, wanted)
    try:
        found = base64.b64decode(written, validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as fault:
        raise outside(value, wanted) from fault
    if base64.b64encode(found.encode()).decode() != written:  # spare bits in the last character
        raise outside(value, wanted)
    return found


def _encoded(value: object) -> object:
    return base64.b64encode(text(value, "a text").encode()).decode()


def _split(separator: str, value: object) -> object:
    pieces = text(value, f"items joined by {separator!r}").split(separator)
    if any(not one.strip() or one != one.strip() for one in pieces):
        raise outside(value, f"items joined by {separator!r}, none blank, no blanks around them")
    return pieces


def _joined(separator: str, value: object) -> object:
    wanted = f"a list of texts without {separator!r}"
    if not isinstance(value, list) or not value:
        raise outside(value, wanted)
    pieces = [text(one, wanted) for one in value]
    joined = text(separator.join(pieces), wanted)
    if _split(separator, joined) != pieces:
        raise outside(value, wanted)
    return joined


def _list(name: str, separator: str) -> Converter:
    return Converter(
        f"list:{name}",
        lambda value: _split(separator, value),
        lambda value: _joined(separator, value),
        f"items joined by {separator!r}",
    )


_LOST_FORM = Text("Mất dạng Unicode ban đầu (tổ hợp hay dựng sẵn).", "The original Unicode form.")
_LOST_BLANKS = Text("Mất dấu cách thừa và dạng Unicode ban đầu.", "Spare blanks and the original Unicode form.")
_LOST_LAYOUT = Text("Mất khoảng trắng và thứ tự trường của chuỗi JSON.", "White space and the order of members of the JSON text.")

CONVERTERS = (
    Converter("text:nfc", _nfc, _nfc_only, "any text", _LOST_FORM),
    Converter("text:nfc-only", _nfc_only, _nfc_only, "a text in NFC"),
    Converter("text:nfd", _from_nfd, _to_nfd, "a text in NFD"),
    Converter("text:trimmed", _trimmed, _trimmed_back, "any text", _LOST_BLANKS),
    Converter("text:json", _parsed_json, _written_json, "JSON in a text", _LOST_LAYOUT),
    Converter("text:base64", _decoded, _encoded, "UTF-8 text in base64"),
    *(_list(name, separator) for name, separator in SEPARATORS.items()),
)
