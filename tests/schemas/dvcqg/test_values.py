"""Times, dossier codes, procedure codes, states and code lists, one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.dvcqg.codes import State, code_list, code_lists, is_regression, may_follow, reachable, transitions
from schemas.dvcqg.dossier import Dossier, Fee
from schemas.dvcqg.kinds import kinds
from schemas.dvcqg.shape import Kind, fields_of
from schemas.dvcqg.values import BROKEN_PATTERN, DossierCode, ProcedureCode, format_of, time_of, truth, whole_number


@pytest.mark.parametrize(
    ("text", "form", "agency", "day", "serial"),
    [
        ("H56.14-240920-0001", "national", "H56.14", date(2024, 9, 20), 1),
        ("H56.14-240920-48213", "national-5", "H56.14", date(2024, 9, 20), 48213),
        ("000.00.15.H32-240920-0001", "national", "000.00.15.H32", date(2024, 9, 20), 1),
        ("G09.20-20260609-0092637", "ministry", "G09.20", date(2026, 6, 9), 92637),
        ("H56-240931-0001", "foreign", "", None, 0),
        ("H56.14-240920-001", "foreign", "", None, 0),
        ("h56.14-240920-0001", "foreign", "", None, 0),
        ("HS/2026/0001", "foreign", "", None, 0),
        ("", "foreign", "", None, 0),
    ],
)
def test_a_dossier_code_and_its_parts(text: str, form: str, agency: str, day: date | None, serial: int) -> None:
    code = DossierCode.of(text)
    assert (code.text, code.form, code.agency, code.day, code.serial) == (text, form, agency, day, serial)


@pytest.mark.parametrize(
    ("text", "number", "agency"),
    [
        ("1.003560", "1.003560", ""),
        ("1.003560.000.00.00.H56", "1.003560", "000.00.00.H56"),
        ("2.000635", "2.000635", ""),
        ("HT-01", "", ""),
        ("1.00356", "", ""),
    ],
)
def test_a_procedure_code_and_its_parts(text: str, number: str, agency: str) -> None:
    code = ProcedureCode.of(text)
    assert (code.number, code.agency) == (number, agency)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("20260302081500", "yyyyMMddHHmmss"),
        ("20260302", "yyyyMMdd"),
        ("02/03/2026", "dd/MM/yyyy"),
        ("02/03/2026 08:15:00", "dd/MM/yyyy HH:mm:ss"),
        ("2026-03-02", "yyyy-MM-dd"),
        ("2026-03-02 08:15:00", "yyyy-MM-dd HH:mm:ss"),
        ("2026-03-02T08:15:00", "yyyy-MM-ddTHH:mm:ss"),
        ("02.03.2026", "dd.MM.yyyy"),
        ("02-03-2026", "dd-MM-yyyy"),
        ("02 /03/2026", BROKEN_PATTERN),
        ("20260230081500", ""),
        ("31/02/2026", ""),
        ("02/03/26", ""),
        ("٢٠٢٦٠٣٠٢٠٨١٥٠٠", ""),
        ("", ""),
    ],
)
def test_the_format_of_a_date_is_named(text: str, name: str) -> None:
    assert format_of(text) == name
    assert (time_of(text) is not None) == (name == "yyyyMMddHHmmss")


def test_wire_times_are_vietnamese() -> None:
    moment = time_of("20260302081500")
    assert moment is not None
    assert moment.utcoffset() == timedelta(hours=7)
    assert moment.isoformat() == "2026-03-02T08:15:00+07:00"


def test_a_dossier_reads_its_values() -> None:
    one = Dossier(MaHoSo="H56.14-240920-0001", MaTTHC="1.003560", TrangThaiHoSo="5", NgayHenTra="20260302081500", NgayTra="sai")
    assert (one.code.serial, one.procedure.number, one.state, one.returned_at) == (1, "1.003560", State.AWAITS_SUPPLEMENT, None)
    assert one.due_at is not None
    assert Fee(Gia="8000").amount_vnd == Fee(Gia=8000).amount_vnd == 8000
    assert Fee(Gia="tám nghìn").amount_vnd is None


@pytest.mark.parametrize(("value", "said"), [(True, True), ("True", True), ("1", True), ("FALSE", False), ("0", False), ("x", None)])
def test_a_flag(value: bool | str, said: bool | None) -> None:
    assert truth(value) is said


@pytest.mark.parametrize(("value", "said"), [("12", 12), (7, 7), ("-3", -3), ("1.5", None), ("9" * 19, None), ("١", None), ("", None)])
def test_a_number(value: int | str, said: int | None) -> None:
    assert whole_number(value) == said


def test_the_ten_states_have_names_and_places_in_the_graph() -> None:
    names = code_list("dvcqg/TrangThaiHoSo").codes
    assert [int(one) for one in State] == list(range(1, 11)) == [int(code) for code in names]
    assert {state for state in State if not transitions()[state]} == {State.NOT_RECEIVED, State.WITHDRAWN, State.RETURNED}
    assert reachable(State.NEW) == frozenset(State) - {State.NEW}


@pytest.mark.parametrize(
    ("before", "after", "follows", "goes_back"),
    [
        (1, 2, True, False),
        (2, 4, True, False),
        (4, 4, True, False),
        (4, 5, True, False),
        (5, 4, True, False),
        (9, 10, True, False),
        (9, 9, True, False),
        (1, 9, False, False),
        (3, 9, False, False),
        (9, 4, False, True),
        (10, 9, False, True),
        (7, 4, False, True),
        (4, 2, False, True),
    ],
)
def test_what_may_follow_what(before: int, after: int, follows: bool, goes_back: bool) -> None:
    assert may_follow(State(before), State(after)) is follows
    assert is_regression(State(before), State(after)) is goes_back


def test_the_same_name_means_other_codes_at_other_ends() -> None:
    assert list(code_list("dvcqg/LoaiDoiTuong").codes) == ["1", "2", "3", "4"]
    assert list(code_list("ministry/LoaiDoiTuong").codes) == ["0", "1", "2"]


def test_every_list_names_its_source_and_national_states_exist() -> None:
    states = code_list("dvcqg/TrangThaiHoSo").codes
    for one in code_lists().values():
        assert one.source
        assert set(one.national) <= set(one.codes)
        assert set(one.national.values()) - {""} <= set(states)


def test_opencps_states_become_national_ones() -> None:
    national = code_list("opencps/DossierStatus").national
    assert [national[name] for name in ("receiving", "new", "denied", "done", "posting")] == ["1", "2", "3", "10", ""]


def test_every_field_of_every_message_is_described() -> None:
    for kind in kinds().values():
        for spec in fields_of(kind.shape):
            assert spec.about.vi
            assert spec.about.en
            assert (spec.shape is not None) == (spec.kind in (Kind.ROWS, Kind.OBJECT))
            assert not spec.about.codes or spec.about.codes in code_lists()
