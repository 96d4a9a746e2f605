"""The canonical document: RFC 8785, keys of the dictionary, canonical values, no secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785

from schemas.dictionary.store import dictionary
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from schemas.translation import canonical

GOOD: dict[str, Any] = {
    "canonical": "1",
    "kind": "dossiers",
    "dictionary": dictionary().version,
    "data": {
        "goi_tin.ho_so": [{"ho_so.ma": "H56.14-240920-0001", "ho_so.ngay_nop": "2024-09-20", "ho_so.le_phi": [{"le_phi.so_tien": "5.5"}]}]
    },
}
BAD: dict[str, tuple[str, Any, str, str]] = {
    "another version": ("canonical", "2", "canonical-malformed", "/canonical"),
    "another kind": ("kind", "birth", "canonical-malformed", "/kind"),
    "a member too many": ("extra", 1, "canonical-malformed", "/extra"),
    "data that is a list": ("data", [], "canonical-malformed", "/data"),
    "a key nobody knows": ("data", {"ho_so.la": "x"}, "dictionary-key-unknown", "/data/ho_so.la"),
    "a date in another form": ("data", {"nks.ngay_sinh": "01/02/2026"}, "canonical-value", "/data/nks.ngay_sinh"),
    "text in NFD": ("data", {"nks.ho_ten": "Le\u0302"}, "canonical-value", "/data/nks.ho_ten"),
    "blank text": ("data", {"nks.ho_ten": " "}, "canonical-value", "/data/nks.ho_ten"),
    "a code of no list": ("data", {"ho_so.trang_thai": "11"}, "canonical-value", "/data/ho_so.trang_thai"),
    "a fraction": ("data", {"le_phi.so_tien": 1.5}, "canonical-value", "/data/le_phi.so_tien"),
    "a number JSON loses": ("data", {"giay_to.so_luong": 2**60}, "canonical-value", "/data/giay_to.so_luong"),
    "a text where a number stands": ("data", {"giay_to.so_luong": "2"}, "canonical-value", "/data/giay_to.so_luong"),
    "nothing": ("data", {"nks.ho_ten": None}, "canonical-value", "/data/nks.ho_ten"),
    "an address in a box": ("data", {"me.noi_cu_tru": {"ma_tinh": "56"}}, "canonical-value", "/data/me.noi_cu_tru"),
    "a secret": ("data", {"ket_noi.phien": "abc"}, "canonical-value", "/data/ket_noi.phien"),
    "a list of numbers": ("data", {"van_ban.noi_nhan": [1]}, "canonical-value", "/data/van_ban.noi_nhan/0"),
    "a key in a row nobody knows": ("data", {"goi_tin.ho_so": [{"x": "y"}]}, "dictionary-key-unknown", "/data/goi_tin.ho_so/0/x"),
}


def read(value: Any) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """`value` read as dossiers."""
    return canonical.read(json.dumps(value).encode(), "dossiers", DEFAULT_LIMITS)


def test_what_is_written_is_canonical_json_and_read_again() -> None:
    raw = canonical.write("dossiers", GOOD["data"])
    assert raw == rfc8785.dumps(GOOD)
    assert canonical.read(raw, "dossiers", DEFAULT_LIMITS) == (GOOD["data"], ())


@pytest.mark.parametrize(("name", "value", "code", "path"), BAD.values(), ids=BAD)
def test_a_bad_document_is_refused_with_its_place(name: str, value: Any, code: str, path: str) -> None:
    with pytest.raises(Refused) as fault:
        read({**GOOD, name: value})
    assert [(one.code, one.path) for one in fault.value.violations] == [(code, path)]


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_member_has_to_be_there(name: str) -> None:
    with pytest.raises(Refused, match="canonical-malformed"):
        read({key: value for key, value in GOOD.items() if key != name})


def test_another_dictionary_is_a_warning() -> None:
    assert [one.code for one in read({**GOOD, "dictionary": "0.9"})[1]] == ["canonical-other-dictionary"]


def test_depth_is_bounded() -> None:
    deep: Any = {"ho_so.ma": "x"}
    for _ in range(40):
        deep = {"goi_tin.ho_so": [deep]}
    with pytest.raises(Refused, match=r"canonical-malformed|resource-limit"):
        read({**GOOD, "data": deep})
