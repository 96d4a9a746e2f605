"""Packages of online forms: what an applicant filled in, by the keys of the shared dictionary.

Decision 003 §II.1 wants the data of every form packaged to a standard, ready for any other application, and forms that are versioned
(§II.3, III). The decision sets no format, so this one is ours [G]: the form and its version, the version of the dictionary, and `DuLieu`,
an object whose members are dictionary keys with canonical values. A key of type list holds a list of such objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from schemas.business.fields import NESTED, Key, Text, explained
from schemas.dictionary.entry import FieldType, Privacy
from schemas.dictionary.store import dictionary
from schemas.dictionary.values import fault_of
from schemas.dvcqg.findings import step
from schemas.dvcqg.shape import Shape
from schemas.errors import Violation, error, warning

MAX_LEVELS = 4  # lists within lists


class FormData(Shape):
    """DuLieu: dictionary keys and canonical values; every member is kept."""

    OPEN: ClassVar[bool] = True


@explained("hub", "GoiBieuMau")
class FormPackage(Shape):
    """GoiBieuMau: one filled-in form."""

    MaBieuMau: Key = ""
    TenBieuMau: Text = ""
    PhienBanBieuMau: Key = ""
    PhienBanTuDien: Key = ""
    MaTTHC: Text = ""
    MaHoSo: Text = ""
    NgayLamDon: Text = ""
    DuLieu: Annotated[FormData | None, NESTED] = None


def check_data(package: FormPackage) -> Iterator[Violation]:
    """What is wrong with the data of a form, by the dictionary of this release.

    A key that is not in it is an error where the package names this version, and a warning where it names another, which may have it.
    """
    if package.DuLieu is None:
        yield error("business-bad-value", path="/DuLieu", got="nothing", expected="an object of dictionary keys")
        return
    same = package.PhienBanTuDien == dictionary().version
    yield from _members(package.DuLieu.as_json(), "/DuLieu", same, MAX_LEVELS)


def _members(data: Mapping[str, Any], pointer: str, same_version: bool, levels: int) -> Iterator[Violation]:
    for key, value in data.items():
        place = step(pointer, key)
        entry = dictionary().entries.get(key)
        if entry is None:
            said = error if same_version else warning
            yield said("dictionary-key-unknown", path=place, got=key, expected=f"a key of dictionary {dictionary().version}")
        elif entry.privacy is Privacy.SECRET:
            yield error("business-bad-value", path=place, got="a secret", expected="no passwords or tokens in a form")
        elif entry.type is FieldType.LIST and isinstance(value, list):
            yield from _rows(value, place, same_version, levels - 1)
        elif expected := fault_of(entry, value):
            got = value if entry.privacy is Privacy.PLAIN else f"a value of {len(str(value))} characters"
            yield error("business-bad-value", path=place, got=got, expected=expected)


def _rows(rows: list[Any], pointer: str, same_version: bool, levels: int) -> Iterator[Violation]:
    if levels < 0:
        yield error("business-bad-value", path=pointer, got="more lists within lists", expected=f"at most {MAX_LEVELS} levels")
        return
    for n, row in enumerate(rows):
        if isinstance(row, dict):
            yield from _members(row, step(pointer, n), same_version, levels)
        else:
            yield error("business-bad-value", path=step(pointer, n), got=type(row).__name__, expected="an object of dictionary keys")
