"""Ways between formats, and everything that is refused rather than guessed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from schemas.dictionary.aliases import alias
from schemas.edxml.packing import File
from schemas.edxml.writer import write_document
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from schemas.translation.engine import AUTO, Mappings, translate
from schemas.translation.formats import formats
from schemas.translation.load import load
from schemas.translation.mapping import LossKind
from schemas.translation.shipped import FOLDER, shipped
from tests import packets


def example(mapping: str, name: str) -> bytes:
    """An example's input."""
    return (FOLDER / mapping / "examples" / f"{name}.in").read_bytes()


def changed(mapping: str, name: str, change: dict[str, Any]) -> bytes:
    """An example in JSON with members changed; a dotted name leads down, digits are rows."""
    value = json.loads(example(mapping, name))
    for place, one in change.items():
        *above, last = place.split(".")
        here: Any = value
        for step in above:
            here = here[int(step)] if step.isdigit() else here[step]
        here[int(last) if last.isdigit() else last] = one
    return json.dumps(value, ensure_ascii=False).encode()


DOSSIER, BIRTH, LAND = ("dvcqg_dossiers", "extended"), ("hotich_birth", "both-parents"), ("vbdlis_reception", "two-parcels")
REFUSED: dict[str, tuple[tuple[str, str], dict[str, Any], str, str]] = {
    "a member the mapping does not know": (DOSSIER, {"data.0.MaMoi": "x"}, "translation-unmapped", "/data/0/MaMoi"),
    "an identity number that names nobody": (
        DOSSIER,
        {"data.0.SoGiayToChuHoSo": "000000001"},
        "value-not-convertible",
        "/data/0/SoGiayToChuHoSo",
    ),
    "a telephone that is none": (DOSSIER, {"data.0.SoDienThoai": "không có"}, "value-not-convertible", "/data/0/SoDienThoai"),
    "an e-mail that is none": (DOSSIER, {"data.0.Email": "N/A"}, "value-not-convertible", "/data/0/Email"),
    "a code of another endpoint": (BIRTH, {"nksGioiTinh": "1"}, "value-not-convertible", "/nksGioiTinh"),
    "a field whose meaning was not told": (BIRTH, {"nksNoiSinhNuocNgoai": "0"}, "translation-unmapped", "/nksNoiSinhNuocNgoai"),
    "fourteen digits of a 12-hour clock": (BIRTH, {"nksNgaySinh": "20260303080000"}, "value-ambiguous", "/nksNgaySinh"),
    "a number of two readings": (LAND, {"ThongTinThuaDat.0.DienTich": "1.234"}, "value-ambiguous", "/ThongTinThuaDat/0/DienTich"),
    "a second name of one field": (
        ("lltp_request", "with-mandate"),
        {"toKhai.nycNoiSinh.dcChiTiet": "x"},
        "translation-unmapped",
        "/toKhai/nycNoiSinh/dcChiTiet",
    ),
}


@pytest.mark.parametrize(("given", "change", "code", "path"), REFUSED.values(), ids=REFUSED)
def test_what_is_unknown_or_ambiguous_is_refused_with_its_place(
    given: tuple[str, str], change: dict[str, Any], code: str, path: str
) -> None:
    mapping = shipped().by_name[given[0]]
    with pytest.raises(Refused) as fault:
        translate(changed(*given, change), mapping.source, mapping.target, shipped())
    assert (fault.value.code, fault.value.violations[0].path) == (code, path)


def test_all_places_are_listed_together() -> None:
    raw = changed(*DOSSIER, {"data.0.Email": "N/A", "data.0.Fax": "0", "data.0.MaMoi": "x"})
    with pytest.raises(Refused) as fault:
        translate(raw, AUTO, "canonical.dossiers", shipped())
    assert {one.path for one in fault.value.violations} == {"/data/0/Email", "/data/0/Fax", "/data/0/MaMoi"}


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(Refused) as fault:
        translate(changed(*DOSSIER, {"data.0.Email": "bi-mat-12345"}), AUTO, "canonical.dossiers", shipped())
    assert "12345" not in str(fault.value.as_json())


NO_WAY = {
    "a status of a document is no state of a dossier": ("edxml.status", "canonical.progress"),
    "nor a dossier's state one of a document": ("dvcqg.CapNhatTienDoHoSoMC", "edxml.status"),
    "a dossier is no letter": ("dvcqg.DongBoHoSoMC", "edxml.document"),
    "a result that nobody maps": ("lltp.TrangThai", "canonical.dossiers"),
}


@pytest.mark.parametrize(("source", "target"), NO_WAY.values(), ids=NO_WAY)
def test_where_no_fact_leads_there_is_no_way(source: str, target: str) -> None:
    with pytest.raises(Refused, match="translation-no-way"):
        shipped().way(source, target)


def test_mappings_are_chained_by_way_of_the_canonical_document() -> None:
    made = translate(example(*DOSSIER), AUTO, "lgsp.MSyncDocument", shipped())
    by_name = shipped().by_name
    assert made.mapping_ids == (by_name["dvcqg_dossiers"].id, by_name["lgsp_dossier"].id)
    assert b"<CitizenName>Nguy\xe1\xbb\x85n V\xc4\x83n An</CitizenName>" in made.body
    lost = {(one.format, one.path) for one in made.losses}
    assert ("dvcqg.DongBoHoSoMC", "/session") in lost
    assert ("canonical.dossiers", "/goi_tin.ho_so/0/ho_so.trang_thai") in lost
    assert [one.code for one in made.remarks if one.path.endswith("/Status")] == ["dossier-missing-field"]


def test_a_message_of_two_dossiers_is_no_message_of_one() -> None:
    with pytest.raises(Refused) as fault:
        translate(example("dvcqg_dossiers", "base-fields-two-dossiers"), AUTO, "lgsp.MSyncDocument", shipped())
    assert fault.value.code == "translation-unmapped"
    assert all(one.path.startswith("/goi_tin.ho_so/1/") for one in fault.value.violations)


def test_nothing_invalid_is_handed_on() -> None:
    one_step = example("lgsp_step", "reception")
    with pytest.raises(Refused) as fault:
        translate(one_step, AUTO, "dvcqg.CapNhatTienDoHoSoMC", shipped())
    assert fault.value.code == "translation-target-invalid"
    assert ("dossier-missing-field", "/data/0/TrangThai") in {(one.code, one.path) for one in fault.value.violations}


def test_the_same_format_is_handed_on_untouched() -> None:
    raw = packets.unprefixed(packets.document())
    made = translate(raw, AUTO, "edxml.document", shipped())
    assert (made.body, made.losses, made.mapping_ids) == (raw, (), ())


def test_a_constant_has_to_have_its_value() -> None:
    mappings = Mappings.of([load(SMALL.encode())])
    with pytest.raises(Refused, match="translation-unexpected-value"):
        translate(b'{"client_id":"a","client_secret":"s"}', "ministry.GetToken", "ministry.GetNextValue", mappings)


SMALL = """
name = "small"
version = "1"
kind = "table"
source = "ministry.GetToken"
target = "ministry.GetNextValue"
vi = "thử"
en = "trial"
basis = "[G]"
unknown = "lose"
[[constant]]
path = "client_id"
value = "hub"
[[block]]
fields = [["client_secret", "code"]]
"""


def test_values_go_straight_where_no_side_is_canonical_and_unknown_members_are_named() -> None:
    raw = b'{"client_id":"hub","client_secret":"s1","more":{"x":["y"]}}'
    made = translate(raw, "ministry.GetToken", "ministry.GetNextValue", Mappings.of([load(SMALL.encode())]))
    assert json.loads(made.body) == {"code": "s1"}
    assert [(one.kind, one.path) for one in made.losses] == [(LossKind.UNKNOWN, "/more/x/0")]


def test_a_condition_chooses_where_a_value_goes() -> None:
    text = (
        (FOLDER / "hub_permit" / "mapping.toml")
        .read_text("utf-8")
        .replace('["MaSoThue", "doanh_nghiep.ma_so"', '["MaSoThue", "thue.ma_so_thue"')
    )
    when = 'when = { source = "ChuDauTu/LoaiDoiTuong", target = "chu_dau_tu.loai_doi_tuong", values = ["2"] }'
    text = text.replace('  ["MaSoThue", "thue.ma_so_thue", "id:tax"],\n', "").replace('  ["MaSoThue", "thue.ma_so_thue"],\n', "")
    text += f'\n[[block]]\nsource = "ChuDauTu"\n{when}\nfields = [["MaSoThue", "doanh_nghiep.ma_so", "id:tax"]]\n'
    mappings = Mappings.of([load(text.encode())])
    enterprise = changed("hub_permit", "house", {"ChuDauTu.LoaiDoiTuong": "2", "ChuDauTu.MaSoThue": "4200123456"})
    made = translate(enterprise, "hub.HoSoCapPhepXayDung", "canonical.construction-permit", mappings)
    assert b'"doanh_nghiep.ma_so":"4200123456"' in made.body
    again = translate(made.body, AUTO, "hub.HoSoCapPhepXayDung", mappings)
    assert json.loads(again.body)["ChuDauTu"]["MaSoThue"] == "4200123456"
    citizen = changed("hub_permit", "house", {"ChuDauTu.MaSoThue": "4200123456"})
    with pytest.raises(Refused, match="translation-unmapped"):
        translate(citizen, "hub.HoSoCapPhepXayDung", "canonical.construction-permit", mappings)


NOT_CARRIED = {
    "a packet of no dossiers": replace(packets.document_packet(), application_type=""),
    "no file that is a dossier": packets.document_packet(),
    "two files that are": packets.document_packet(attachments=[File(name, example("dvcqg_dossiers", "extended")) for name in ("a", "b")]),
}


@pytest.mark.parametrize("packet", NOT_CARRIED.values(), ids=NOT_CARRIED)
def test_dossiers_are_taken_out_of_a_packet_only_where_it_is_plain_which(packet: Any) -> None:
    with pytest.raises(Refused, match="translation-not-carried"):
        translate(write_document(packet), AUTO, "canonical.dossiers", shipped())


def test_dossiers_in_a_packet_are_the_same_as_alone() -> None:
    inside = translate(example("edxml_dossier", "xml-dossier"), AUTO, "canonical.dossiers", shipped())
    alone = translate(example("lgsp_dossier", "one-dossier"), AUTO, "canonical.dossiers", shipped())
    assert inside.body == alone.body
    assert set(alone.losses) < set(inside.losses)


def test_a_file_that_does_not_match_its_digest_is_refused() -> None:
    made = translate(packets.document(), AUTO, "canonical.document", shipped())
    damaged = json.loads(made.body)
    damaged["data"]["van_ban.tep_dinh_kem"][0]["tep.noi_dung"] = "JVBERi0xLjUK"
    with pytest.raises(Refused, match="translation-file-damaged"):
        translate(json.dumps(damaged).encode(), AUTO, "edxml.document", shipped())


def test_a_file_without_an_id_gets_one_of_its_content() -> None:
    value = json.loads(translate(packets.document(), AUTO, "canonical.document", shipped()).body)
    value["data"]["van_ban.tep_dinh_kem"][0].pop("tep_van_ban.ma")
    value["data"].pop("van_ban.ban_ke")
    bodies = {translate(json.dumps(value).encode(), AUTO, "edxml.document", shipped()).body for _ in range(2)}
    assert len(bodies) == 1
    assert b"cid:" in bodies.pop()


UNTOLD = {
    "no message at all": b"[]",
    "members that name nothing": b'{"a": 1}',
    "a canonical document of no kind": b'{"canonical": "1", "kind": "poem"}',
}


@pytest.mark.parametrize("raw", UNTOLD.values(), ids=UNTOLD)
def test_what_is_not_told_by_its_content_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="translation-format-unknown"):
        translate(raw, AUTO, "canonical.dossiers", shipped())


@pytest.mark.parametrize(("source", "target"), [("auto", "x.y"), ("x.y", "canonical.birth")])
def test_a_format_that_does_not_exist_is_refused(source: str, target: str) -> None:
    with pytest.raises(Refused, match="translation-unknown-format"):
        translate(packets.document(), source, target, shipped())


def test_a_message_of_another_format_than_the_caller_says_is_refused() -> None:
    with pytest.raises(Refused, match="translation-format-unknown"):
        translate(packets.document(), "edxml.status", "canonical.status", shipped())


def test_a_large_message_is_refused_before_it_is_looked_into() -> None:
    with pytest.raises(Refused, match="too-large"):
        translate(b"{" + b" " * 1000, AUTO, "canonical.birth", shipped(), limits=replace(DEFAULT_LIMITS, max_body_bytes=100))


def test_the_mappings_say_the_same_of_a_field_as_the_aliases_do() -> None:
    wrong = []
    for mapping in shipped().by_name.values():
        system, _, message = mapping.source.partition(".")
        for one in mapping.fields:
            name = one.source[-1]
            known = alias(system, message, str(name)) if len([s for s in one.source if isinstance(s, str)]) == 1 else None
            if known is not None and known.key != one.target[-1]:
                wrong.append(f"{mapping.name} {name}: {one.target[-1]}, alias {known.key}")
    assert wrong == []


def test_every_canonical_key_that_one_mapping_writes_the_others_of_its_kind_take_or_name() -> None:
    wrong = []
    for target in {one.target for one in shipped().by_name.values()}:
        kin = [one for one in shipped().by_name.values() if one.target == target and one.inverse]
        written = {tuple(-1 if isinstance(step, int) else step for step in one.target) for mapping in kin for one in mapping.fields}
        for mapping in kin:
            taken = {tuple(-1 if isinstance(step, int) else step for step in one.target) for one in mapping.fields}
            gone = [tuple(-1 if isinstance(step, int) else step for step in one.path) for one in mapping.gone if one.side == "target"]
            wrong += [f"{mapping.name} {path}" for path in written - taken if not any(path[: len(one)] == one for one in gone)]
    assert wrong == []


def test_every_format_has_a_name_in_both_languages() -> None:
    assert [one.name for one in formats().values() if not one.text.vi or not one.text.en] == []


def test_the_page_lists_every_mapping_as_it_is() -> None:
    page = (FOLDER.parents[2] / "docs" / "translation.md").read_text("utf-8")
    rows = [f"| `{one.name}` | `{one.source}` {'↔' if one.inverse else '→'} `{one.target}` |" for one in shipped().by_name.values()]
    assert [row for row in rows if row not in page] == []


def test_a_new_layout_loses_nothing_but_what_signatures_prove() -> None:
    made = translate(example("edxml_document", "packed-raw-signed-extended"), AUTO, "edxml.numbered", shipped())
    assert [one.path.rpartition("/")[2] for one in made.losses] == ["Signature"]
    assert b"Mark>7<" in made.body
