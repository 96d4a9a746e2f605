"""What a message can be found by: terms, made of what its acceptance in the journal commits to, so that fsck can make them again.

A term is ``w`` and a folded word of the title, or ``x``, a letter for what it is, and 16 hexadecimal digits of the value's SHA-256:
any value a sender may choose becomes a term of plain letters and digits, so no query language ever sees it.

====== ============================================================= =======================
letter value                                                         of the acceptance
====== ============================================================= =======================
n      number; notation; both (``7816/VPUB-TTĐT``), folded           ``named``
d      DocumentId                                                    ``document_id``
h      dossier code (MaHoSo)                                         ``named``
f, t   key of the sender's, a recipient's agency code                ``sender``, ``recipients``
k      kind                                                          ``kind``
s      system that brought it or gets a copy: who may see it         ``principal``, ``deliveries``
e      code of a warning that it carries                             ``warnings``
====== ============================================================= =======================
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

from schemas.agency import AgencyCode
from schemas.folding import bare, words

MAX_WORDS = 200  # of a title
MAX_DOSSIERS = 50  # that one packet names
_MAX_REMEMBERED = 64  # characters of a value
# {agency}-{yyMMdd or yyyyMMdd}-{number of the day}: facts page onestop.md §4, real ones since NĐ 61/2018
_DOSSIER = re.compile(r"(?<![0-9A-Z.])(?:[0-9]{3}\.)?[0-9A-Z]{2,4}(?:\.[0-9A-Z]{1,4}){0,6}-[0-9]{6}(?:[0-9]{2})?-[0-9]{4,9}(?![0-9A-Z])")


def named(number: str, notation: str, texts: Sequence[str]) -> dict[str, Any]:
    """What a packet says of itself for those who look for it: number and notation as written, and the dossiers that `texts` name."""
    found = dict.fromkeys(code for text in texts for code in dossiers_in(text))
    return {"number": number, "notation": notation, "dossiers": list(found)[:MAX_DOSSIERS]}


def dossiers_in(text: str) -> list[str]:
    """Dossier codes in a text, in order."""
    return _DOSSIER.findall(text.upper())


def terms_of(values: Mapping[str, Any]) -> str:
    """The terms of an acceptance, each between spaces. Raises what a value of another form raises (see `replay.derived`)."""
    known = values.get("named") or {}
    systems = {values["principal"], *(copy["system"] for copy in values["deliveries"])}
    codes = {one["code"] for one in json.loads(values["warnings"])}
    terms = [
        *(word_term(word) for word in words(values["title"])[:MAX_WORDS]),
        *number_terms(known.get("number", ""), known.get("notation", "")),
        term("d", document_key(values["document_id"])),
        *(term("h", one) for one in known.get("dossiers", ())),
        term("f", AgencyCode.of(values["sender"]).key),
        *sorted(term("t", AgencyCode.of(one).key) for one in values["recipients"]),
        term("k", values["kind"]),
        *sorted(term("s", one) for one in systems),
        *sorted(term("e", one) for one in codes),
    ]
    return f" {' '.join(dict.fromkeys(terms))} "


def term(letter: str, value: str) -> str:
    """The term of one value."""
    return _remembered(letter, value) if len(value) <= _MAX_REMEMBERED else _term(letter, value)


def _term(letter: str, value: str) -> str:
    return f"x{letter}{sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


_remembered = lru_cache(maxsize=4096)(_term)  # agencies, systems, kinds, codes: the same few over and over


def word_term(word: str) -> str:
    """The term of one folded word."""
    return f"w{word}"


def number_terms(number: str, notation: str) -> Iterator[str]:
    """A document is found by its number, its notation, and both; leading zeros of the number do not count."""
    one, other = bare(number).lstrip("0"), bare(notation)
    for value in dict.fromkeys((one, other, f"{one}/{other}" if one and other else "")):
        if value:
            yield term("n", value)


def asked_number(text: str) -> str:
    """The term of what somebody typed: ``7816``, ``VPUB-TTĐT`` or ``07816/VPUB-TTĐT``."""
    number, slash, notation = text.partition("/")
    if not any(map(str.isdigit, number)):  # a notation with a slash of its own
        return term("n", bare(text))
    one, other = bare(number).lstrip("0"), bare(notation)
    return term("n", f"{one}/{other}" if slash and one and other else one or other)


def document_key(document_id: str) -> str:
    """A DocumentId as it is compared."""
    return unicodedata.normalize("NFC", document_id).strip()
