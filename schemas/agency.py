"""Agency identifier codes (mã định danh cơ quan) and when two of them mean the same body.

Two forms coexist (facts page edxml.md §2): QCVN 102:2016 / QĐ 28/2018 art. 10, thirteen characters read right to left
(``000.00.13.H53``), and QĐ 20/2020/QĐ-TTg art. 4, groups read left to right (``H53.13``). Others are real too (`Z…`, enterprise
numbers, ``28.22.H17``), so nothing is rejected for its form.

Equivalence here is arithmetic as implementers do it [C]: split, reverse, drop the unused levels below, compare numbers as
numbers. An unused level *between* two used ones is kept, so that ``001.00.10.H47`` and ``000.01.10.H47`` are two bodies: which
new code the first one has, only the directory (`schemas.directory`) can tell. It never rewrites a code: what was sent stays
as it was sent.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

_QCVN102 = re.compile(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}")  # QĐ 28/2018 art. 10 [L]
_QD20 = re.compile(r"[A-Y][0-9]{2}(\.[0-9A-Z]+)*")  # QĐ 20/2020 art. 4 [L]
_RIGHT_TO_LEFT = re.compile(r"([0-9A-Z]+\.)+[A-Z][0-9]{2}")  # "28.22.H17", "777.77.03.D77": real, matches neither form
MAX_CODE_CHARS = 64  # QĐ 20/2020 art. 4 says 35; real ones are looser
MAX_QD20_CHARS = 35  # QĐ 20/2020 art. 4 [L]


class Scheme(StrEnum):
    """By which rule a code is written. Forms that no rule has are named too: they are real, and nothing is rejected for its form."""

    QCVN102 = "qcvn102"  # QĐ 28/2018 art. 10: NNN.NN.NN.XNN [L]
    QD20 = "qd20"  # QĐ 20/2020 art. 4: XNN, then groups from left to right, at most 35 characters [L]
    ENTERPRISE = "enterprise"  # art. 5: a registration number, no dots [L]; its shape as seen in task lists [C]
    ORGANISATION = "organisation"  # art. 6: Z01–Z99 and up to 32 characters, no separator [L]
    SHORT_OLD = "short-old"  # right to left like QCVN 102, but other widths: 28.22.H17, 777.77.03.D77 [C]
    CENTRE = "centre"  # connection centres: 00.53.W00, 001.00.20.TT2 [C]
    MISPLACED = "misplaced"  # the lettered group stands in the middle: 000.H36.000 [C]
    SYSTEM = "system"  # the name of a system, not of an agency: vxp.saas.03 [C]
    OTHER = "other"  # anything else that can name a body
    UNUSABLE = "unusable"  # empty, "null", over-long, or with control characters


# The first that fits, in this order: the forms of law before the forms of habit.
_SCHEMES = (
    (Scheme.QCVN102, _QCVN102),
    (Scheme.CENTRE, re.compile(r"([0-9]+\.)+(W00|TT[0-9]+)")),
    (Scheme.QD20, re.compile(rf"(?=.{{3,{MAX_QD20_CHARS}}}$){_QD20.pattern}")),
    (Scheme.ORGANISATION, re.compile(r"Z(0[1-9]|[1-9][0-9])[^\s].{0,31}")),
    (Scheme.ENTERPRISE, re.compile(r"[0-9][0-9A-Z]{7,12}(-[0-9]{3})?")),
    (Scheme.SHORT_OLD, _RIGHT_TO_LEFT),
    (Scheme.MISPLACED, re.compile(r"[0-9]+\.[A-Z][0-9]{2}\.[0-9]+")),
)
_SYSTEM = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class AgencyCode:
    """One code as it was written, with the key by which equal bodies compare equal (``H32`` ≡ ``000.00.00.H32``)."""

    text: str  # as written, trimmed, NFC

    @classmethod
    def of(cls, text: str) -> AgencyCode:
        """The code in `text`; anything is taken, empty included (`is_usable` tells)."""
        return cls(unicodedata.normalize("NFC", text).strip())

    @property
    def is_usable(self) -> bool:
        """False for what cannot name a body: empty, ``null``, over-long, or with control characters."""
        return 0 < len(self.text) <= MAX_CODE_CHARS and self.text.lower() != "null" and self.text.isprintable()

    @property
    def form(self) -> str:
        """``qcvn102``, ``qd20`` or ``other``."""
        if _QCVN102.fullmatch(self.text):
            return "qcvn102"
        return "qd20" if _QD20.fullmatch(self.text) else "other"

    @property
    def scheme(self) -> Scheme:
        """By which rule, or habit, the code is written: finer than `form`. Lower case is read as upper case, except in names of systems."""
        if not self.is_usable:
            return Scheme.UNUSABLE
        if _SYSTEM.fullmatch(self.text) and not _QD20.fullmatch(self.text.upper()):
            return Scheme.SYSTEM
        return next((scheme for scheme, shape in _SCHEMES if shape.fullmatch(self.text.upper())), Scheme.OTHER)

    @property
    def groups(self) -> tuple[str, ...]:
        """Levels from the top down, numbers without leading zeros: the comparison key."""
        return _remembered(self.text) if len(self.text) <= MAX_CODE_CHARS else _groups_of(self.text)

    @property
    def key(self) -> str:
        """`groups` as one string, for indexes, party tags and commitments."""
        return _key_of(self.text) if len(self.text) <= MAX_CODE_CHARS else ".".join(self.groups)

    def same_as(self, other: AgencyCode) -> bool:
        """Whether both name the same body."""
        return self.groups == other.groups

    def is_within(self, top: AgencyCode) -> bool:
        """Whether this is `top` or stands below it."""
        return self.groups[: len(top.groups)] == top.groups

    def __str__(self) -> str:
        return self.text


def _groups_of(code: str) -> tuple[str, ...]:
    text = code.upper()
    if _QD20.fullmatch(text):
        parts = text.split(".")
    elif _RIGHT_TO_LEFT.fullmatch(text):
        parts = text.split(".")[::-1]
        while not parts[-1].strip("0"):
            parts.pop()
    else:
        return (text,)
    return tuple(p.lstrip("0") or "0" if p.isdigit() else p for p in parts)


_remembered = lru_cache(maxsize=4096)(_groups_of)  # a province's agencies are some thousands, and each is asked for often


@lru_cache(maxsize=4096)
def _key_of(code: str) -> str:
    return ".".join(_groups_of(code))
