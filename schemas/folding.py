"""Text as people look for it: without accents, case or composition, so that ``dat dai`` finds ``Đất đai`` written in NFC or NFD."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile("[\u0300-\u034e\u0350-\u036f]+")  # the accents of European letters; there are others
_WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """`text` in small letters without accents; đ is d. Lone surrogates become spaces."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold())).replace("đ", "d")
    if bare.isascii():
        return bare
    return "".join(" " if "\ud800" <= ch <= "\udfff" else ch for ch in bare if not unicodedata.combining(ch))


def words(text: str) -> tuple[str, ...]:
    """The different words (letters and digits) of `text`, folded, in order of appearance."""
    return tuple(dict.fromkeys(_WORD.findall(folded(text))))


def bare(text: str) -> str:
    """Letters and digits of `text` only, folded: how numbers and notations are compared (``VPUB-TTĐT`` and ``vpub ttdt``)."""
    return "".join(_WORD.findall(folded(text)))
