"""Whether a MaHoSo is that dossier's own: used for two dossiers, or put in the place of another code [C §2.4, items 3 and 9]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.dvcqg.dossier import Dossier
from schemas.dvcqg.findings import step
from schemas.dvcqg.shape import Shape
from schemas.dvcqg.values import DossierCode
from schemas.errors import Violation, warning
from schemas.honesty.history import Statement, past_statements, statements

RANDOM_FROM, RANDOM_TO = 10_000, 99_999  # what a known sender draws where it does not like a code [C]
OTHER_CODES = ("SoBienNhan", "MaHoSoKhac", "MaHoSoMotCua", "MaHoSoDonVi", "MaHoSoQG", "MaHoSoLT")  # other identifiers of a dossier [C §2.3]


def replaced_codes(statement: Statement) -> Iterator[Violation]:
    """A MaHoSo whose number of the day is one that is drawn at random, or beside which the real code stands."""
    code = statement.dossier.code
    if code.form != "national-5" or not RANDOM_FROM <= code.serial <= RANDOM_TO:
        return
    foreign = _foreign_code(statement.dossier)
    got = f"{code.text}, beside {foreign}" if foreign else f"{code.text}: number {code.serial} of one day"
    yield warning("honesty-replaced-code", path=step(statement.pointer, "MaHoSo"), got=got, expected="the code that the applicant holds")


def duplicate_codes(message: Shape, history: Sequence[Shape]) -> Iterator[Violation]:
    """One MaHoSo for two dossiers: in one message, or against what was said before."""
    known: dict[str, Dossier] = {}
    for before in past_statements(history):
        known.setdefault(before.dossier.MaHoSo, before.dossier)
    for one in statements(message):
        code = one.dossier.MaHoSo.strip()
        other = known.setdefault(code, one.dossier)
        differing = _differing(one.dossier, other) if code else ""
        if differing:
            got = f"{code}: another {differing} than before"
            yield warning("honesty-duplicate-code", path=step(one.pointer, "MaHoSo"), got=got, expected="one code for one dossier")


def _foreign_code(dossier: Dossier) -> str:
    """Another identifier of the dossier that is no national code, "" for none."""
    for name in OTHER_CODES:
        value = getattr(dossier, name, "")
        if isinstance(value, str) and value.strip() and DossierCode.of(value.strip()).form == "foreign":
            return f"{name} {value.strip()}"
    return ""


def _differing(one: Dossier, other: Dossier) -> str:
    """The first member that says that these are two dossiers, "" where none does. Blank says nothing."""
    if one is other:
        return ""
    if one.procedure.number != other.procedure.number and one.MaTTHC.strip() and other.MaTTHC.strip():
        return "MaTTHC"
    for name in ("ChuHoSo", "SoGiayToChuHoSo", "NgayTiepNhan"):
        mine, theirs = getattr(one, name).strip(), getattr(other, name).strip()
        if mine and theirs and mine.casefold() != theirs.casefold():
            return name
    return ""
