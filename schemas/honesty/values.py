"""Values that stand for none: sentinel ids and dates, fillers, copies. Looked for in every object of a message, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.dvcqg.dossier import Dossier, OwnerId
from schemas.dvcqg.findings import step
from schemas.dvcqg.shape import Kind, Shape, fields_of
from schemas.errors import Violation, warning
from schemas.honesty.signs import Filler, folded, signs

ID_FIELDS = frozenset({"SoGiayToChuHoSo", "SoDinhDanhChuSoHuu", "SoDinhDanhNguoiYeuCau", "ApplicantsId"})


def objects(message: Shape, pointer: str = "") -> Iterator[tuple[str, Shape]]:
    """Every object of `message`, itself first, with its place."""
    yield pointer, message
    for spec in fields_of(type(message)):
        value = getattr(message, spec.name)
        if spec.kind is Kind.ROWS:
            for n, row in enumerate(value):
                yield from objects(row, step(step(pointer, spec.name), n))
        elif spec.kind is Kind.OBJECT and value is not None:
            yield from objects(value, step(pointer, spec.name))


def stand_ins(message: Shape) -> Iterator[Violation]:
    """Sentinels, fillers and copies of `message`."""
    for pointer, one in objects(message):
        yield from _sentinels(one, pointer)
        for filler in signs().fillers:
            yield from _filler(one, pointer, filler)
        yield from _copies(one, pointer)


def _sentinels(one: Shape, pointer: str) -> Iterator[Violation]:
    for spec in fields_of(type(one)):
        value = getattr(one, spec.name)
        if not isinstance(value, str) or not value.strip():
            continue
        if (spec.name in ID_FIELDS or (isinstance(one, OwnerId) and spec.name == "SoDinhDanh")) and signs().is_sentinel(value):
            yield warning(
                "honesty-sentinel-id", path=step(pointer, spec.name), got=value.strip(), expected="the person's own number, or none"
            )
        elif spec.about.form == "time" and value.strip() in signs().times:
            yield warning("honesty-sentinel-date", path=step(pointer, spec.name), got=value, expected="the real time, or none")


def _filler(one: Shape, pointer: str, filler: Filler) -> Iterator[Violation]:
    value = getattr(one, filler.field, None)
    if not isinstance(value, str) or folded(value) not in filler.values:
        return
    if all(getattr(one, name, None) == other for name, other in filler.beside.items()):
        yield warning("honesty-filler", path=step(pointer, filler.field), got=value, expected="what the case file says")


def _copies(one: Shape, pointer: str) -> Iterator[Violation]:
    if not isinstance(one, Dossier):
        return
    for copy in signs().copies:
        value, other = getattr(one, copy.field), getattr(one, copy.of)
        excused = any(getattr(one, name) == told for name, told in copy.unless.items())
        if value.strip() and value == other and not excused:
            yield warning(
                "honesty-copied-value", path=step(pointer, copy.field), got=f"{copy.field} = {copy.of}", expected="a value of its own"
            )
