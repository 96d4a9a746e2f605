"""Strategies for the wire values that each converter takes, one per converter."""

from __future__ import annotations

import base64
import json
import unicodedata
from datetime import date, timedelta, timezone

from hypothesis import strategies as st

from schemas.converters.registry import converters
from schemas.converters.texts import SEPARATORS
from schemas.dictionary.code_lists import code_lists

Wire = st.SearchStrategy[object]

DAYS = st.dates(min_value=date(1, 1, 1))
MOMENTS = st.datetimes().filter(lambda moment: 2 <= moment.year <= 9998)  # an offset leads nowhere else
STRFTIME = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)
VIETNAMESE = st.sampled_from(["Nguyễn Thị Hòa", "Đắk Lắk", "Khánh Hòa", "xã Ninh Sơn", "ủy quyền"])
DECIMALS = st.decimals(min_value=-(10**11), max_value=10**11, allow_nan=False, allow_infinity=False, places=3)
DIGITS_9, DIGITS_12 = st.from_regex(r"[1-9][0-9]{8}", fullmatch=True), st.from_regex(r"[1-9][0-9]{11}", fullmatch=True)
PHONES = st.from_regex(r"0[1-9][0-9]{8,9}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
PIECE = st.text("abcxyzêđ09_.", min_size=1, max_size=8)


def dated(form: str) -> Wire:
    """Days and times as `form` writes them."""
    pattern = form.replace("%", "%%")
    for token in ("yyyy", "MM", "dd", "HH", "hh", "mm", "ss"):
        pattern = pattern.replace(token, STRFTIME[token])
    return MOMENTS.map(lambda moment: moment.strftime(pattern.replace("%Y", f"{moment.year:04}")))


def shortest(text: str) -> str:
    """A decimal without spare zeros."""
    bare = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if bare in ("-0", "") else bare


PLAIN = DECIMALS.map(lambda number: shortest(f"{number:f}"))


def _grouped(plain: str, group: str, point: str) -> str:
    whole, _, part = plain.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    text = sign + f"{int(digits):,}".replace(",", group)
    return f"{text}{point}{part}" if part else text


def _strategies() -> dict[str, Wire]:
    found: dict[str, Wire] = {}
    for name in converters():
        kind, _, form = name.partition(":")
        if kind in ("date", "datetime") and ("yyyy" in form):
            found[name] = dated(form)
    found |= {
        "datetime:iso": st.builds(
            lambda moment, minutes: moment.replace(tzinfo=timezone(timedelta(minutes=minutes)), microsecond=0).isoformat(),
            MOMENTS,
            st.integers(-720, 840),
        ),
        "date:recognised": st.one_of(
            dated("dd/MM/yyyy"), dated("yyyy-MM-dd HH:mm:ss"), dated("dd /MM/yyyy"), dated("yyyyMMdd"), dated("yyyy")
        ),
        "date:of-moment": dated("yyyy-MM-ddTHH:mm:ss+07:00"),
        "datetime:midnight": DAYS.map(date.isoformat),
        "text:nfc": TEXT | VIETNAMESE.map(lambda text: unicodedata.normalize("NFD", text)),
        "text:nfc-only": TEXT.map(lambda text: unicodedata.normalize("NFC", text)),
        "text:nfd": (TEXT | VIETNAMESE).map(lambda text: unicodedata.normalize("NFD", text)),
        "text:trimmed": TEXT,
        "text:json": JSON.map(lambda value: json.dumps(value, ensure_ascii=False)),
        "text:base64": TEXT.map(lambda text: base64.b64encode(text.encode()).decode()),
        "number:plain": PLAIN,
        "number:spelled": DECIMALS.map(lambda number: f"{number:f}"),
        "number:vi": PLAIN.map(lambda text: _grouped(text, ".", ",")),
        "number:en": PLAIN.map(lambda text: _grouped(text, ",", ".")),
        "number:json": st.integers(-(2**53), 2**53) | st.integers(-(10**9), 10**9).map(lambda number: number / 8),
        "integer:text": st.integers(-(10**17), 10**17).map(str),
        "text:from-integer": st.integers(-(10**17), 10**17),
        "bool:number": st.sampled_from([0, 1]),
        "id:citizen": DIGITS_12,
        "id:old-card": DIGITS_9,
        "id:person": DIGITS_9 | DIGITS_12,
        "id:separated": DIGITS_12.map(lambda text: f"{text[:3]} {text[3:6]}.{text[6:]}"),
        "id:kind": DIGITS_9 | DIGITS_12,
        "id:tax": st.from_regex(r"[0-9]{10}(-[0-9]{3})?", fullmatch=True),
        "phone:domestic": PHONES,
        "phone:international": PHONES.map(lambda text: "+84" + text[1:]),
        "phone:separated": PHONES.map(lambda text: f"({text[:3]}) {text[3:6]}-{text[6:]}") | PHONES.map(lambda text: "84 " + text[1:]),
        "agency:qcvn102": st.from_regex(
            r"(000\.(00\.00|00\.[1-9][0-9]|[1-9][0-9]\.[0-9][1-9])|[0-9]{2}[1-9]\.0[1-9]\.[1-9][0-9])\.[A-Y][0-9]{2}", fullmatch=True
        ),
        "agency:any": st.sampled_from(["H32", " 000.00.13.H53", "Z01ABC", "4200238383"]),
    }
    found |= {f"list:{name}": st.lists(PIECE, min_size=1, max_size=5).map(separator.join) for name, separator in SEPARATORS.items()}
    found |= {name: st.sampled_from(name.partition(":")[2].split("/")) for name in converters() if "/" in name and name.startswith("bool:")}
    for one in code_lists().values():
        codes = list(one.codes) if one.is_common else list(one.to)
        found[f"code:{one.name}"] = st.sampled_from(codes) if codes else TEXT if one.open else st.nothing()
    return found


WIRE = _strategies()
EMPTY = {"code:loai_doi_tuong.igate"}  # nobody told what its codes mean, so it takes none

ANYTHING: Wire = st.one_of(
    JSON,
    st.text(max_size=30),
    st.text("0123456789-/. :TZ+hH", max_size=24),
    st.binary(max_size=10),
    st.sampled_from(
        [float("nan"), float("inf"), 10**400, "\ud800", '"\\ud800"', "1" * 5000, "[" * 100_000, {"a": {1}}, {1: 2}, (1,), object()]
    ),
    st.lists(st.text(max_size=5), max_size=4),
)
