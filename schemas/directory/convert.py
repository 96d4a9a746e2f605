"""One code in the other form, saying what the answer stands on and whether the way back gives the same text.

Arithmetic as implementers do it (edxml.md §2.5 [C]): old → new: split, reverse, drop all-zero groups, strip leading zeros; new → old:
reverse, pad to 2/2/3 digits, fill with zeros. It breaks for more than four levels, groups over 99 or 999, letters in groups, kept zeros
(``H37.02.02``), ``Z…`` and enterprise codes: then it says so instead of giving a wrong code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.agency import AgencyCode, Scheme
from schemas.directory.entries import Entry
from schemas.errors import Text

_WIDTHS = (2, 2, 3)  # of the levels 2, 3, 4 in QCVN 102
_CALCULABLE = frozenset({Scheme.QCVN102, Scheme.QD20, Scheme.SHORT_OLD})

CLOSED_BY_THEN = Text("Mã không còn (hoặc chưa) hiệu lực vào ngày được hỏi.", "The code does not hold on the day asked for.")
NO_CODE102 = Text(
    "Danh mục có cơ quan này nhưng không ghi mã ở dạng cần đổi; kết quả là tính toán.",
    "The directory lists the body without a code in that form; the result is arithmetic.",
)
ZEROS_MAY_BE_KEPT = Text(
    "Số 0 đứng đầu có khi được giữ lại (ví dụ H37.02.02); chỉ danh mục mới cho biết.",
    "Leading zeros are sometimes kept (H37.02.02, say); only the directory knows.",
)
NOT_THE_SAME_BACK = Text("Đổi ngược lại không ra đúng mã ban đầu.", "Converting back does not give the same text.")
NO_SUCH_FORM = Text("Mã theo quy tắc này không có dạng tương ứng.", "A code of this kind has no counterpart in that form.")
TOO_MANY_LEVELS = Text("Nhiều hơn bốn cấp: QCVN 102 không ghi được.", "More than four levels: QCVN 102 cannot write it.")
NOT_NUMBERS = Text("Có nhóm chứa chữ cái: QCVN 102 chỉ nhận chữ số.", "A group has letters: QCVN 102 takes digits only.")
TOO_LARGE = Text("Có nhóm dài hơn số chữ số của QCVN 102 (2/2/3).", "A group has more digits than QCVN 102 gives it (2/2/3).")
ZERO_LEVEL = Text("Có cấp mang số 0: QCVN 102 dùng số 0 cho cấp bỏ trống.", "A level is zero: in QCVN 102 that means it is not used.")


class Basis(StrEnum):
    """What a conversion stands on."""

    AS_WRITTEN = "as-written"
    DIRECTORY = "directory"
    ARITHMETIC = "arithmetic"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Conversion:
    """`text` is "" exactly where `basis` is NONE; `lossy` says that the way back gives another text."""

    text: str
    basis: Basis
    lossy: bool
    notes: tuple[Text, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The form that `lgsp directory convert --json` prints."""
        notes = [{"vi": one.vi, "en": one.en} for one in self.notes]
        return {"text": self.text, "basis": str(self.basis), "lossy": self.lossy, "notes": notes}


def written_so(asked: AgencyCode, to: Scheme) -> Conversion:
    """`asked` already has the form: it stays as it was written."""
    if to not in (Scheme.QCVN102, Scheme.QD20):
        return Conversion("", Basis.NONE, lossy=True, notes=(NO_SUCH_FORM,))
    return Conversion(asked.text, Basis.AS_WRITTEN, lossy=False)


def by_directory(asked: AgencyCode, to: Scheme, entry: Entry, *, is_current: bool) -> Conversion | None:
    """What the directory says, or None where it has no text in that form."""
    text = _text_of(entry, to)
    if not text or to not in (Scheme.QCVN102, Scheme.QD20):
        return None
    back = _text_of(entry, asked.scheme) or (_arithmetic(AgencyCode.of(text), asked.scheme)[0] if asked.scheme in _CALCULABLE else "")
    lossy = back.upper() != asked.text.upper()
    notes = ([] if is_current else [CLOSED_BY_THEN]) + ([NOT_THE_SAME_BACK] if lossy else [])
    return Conversion(text, Basis.DIRECTORY, lossy, tuple(notes))


def by_arithmetic(asked: AgencyCode, to: Scheme, known: Entry | None) -> Conversion:
    """The last resort. `known`: the entry that lacks the form, for the note."""
    if asked.scheme not in _CALCULABLE or to not in (Scheme.QCVN102, Scheme.QD20):
        return Conversion("", Basis.NONE, lossy=True, notes=(NO_SUCH_FORM,))
    text, why = _arithmetic(asked, to)
    if not text:
        return Conversion("", Basis.NONE, lossy=True, notes=(why,))
    lossy = _arithmetic(AgencyCode.of(text), asked.scheme)[0].upper() != asked.text.upper()
    notes = [NO_CODE102] if known and asked.groups[1:] else []
    notes += [ZEROS_MAY_BE_KEPT] if to is Scheme.QD20 and known is None and any(len(one) == 1 for one in asked.groups[1:]) else []
    notes += [NOT_THE_SAME_BACK] if lossy else []
    return Conversion(text, Basis.ARITHMETIC, lossy, tuple(notes))


def _text_of(entry: Entry, scheme: Scheme) -> str:
    return next((one for one in (entry.code, entry.code102, *entry.aliases) if one and AgencyCode.of(one).scheme is scheme), "")


def _arithmetic(code: AgencyCode, to: Scheme) -> tuple[str, Text]:
    """The text, or "" and why there is none. A short old form cannot be rebuilt: its widths are not known."""
    top, *levels = code.groups
    if code.scheme is not Scheme.QD20 and "0" in levels:
        return "", ZERO_LEVEL  # implementers drop it, and get another body's code
    if to is Scheme.QD20:
        text = ".".join((top, *levels))
    elif to is Scheme.QCVN102:
        hindrance = _hindrance(levels)
        if hindrance:
            return "", hindrance
        padded = (*levels, *("0" for _ in range(len(_WIDTHS) - len(levels))))
        text = ".".join((*(one.zfill(width) for one, width in zip(reversed(padded), reversed(_WIDTHS), strict=True)), top))
    else:
        text = ""
    return (text if AgencyCode.of(text).scheme is to else "", NO_SUCH_FORM)


def _hindrance(levels: Sequence[str]) -> Text | None:
    """Why these levels cannot be written in QCVN 102."""
    if len(levels) > len(_WIDTHS):
        return TOO_MANY_LEVELS
    if not all(one.isdigit() for one in levels):
        return NOT_NUMBERS
    if any(not one.strip("0") for one in levels):
        return ZERO_LEVEL
    return TOO_LARGE if any(len(one) > width for one, width in zip(levels, _WIDTHS, strict=False)) else None
