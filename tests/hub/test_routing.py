"""Every recipient has a route, or the whole message is refused and all without one are listed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.directories import load_directory
from hub.routing import By, Routing, days_of
from hub.systems import Profile, Systems
from replay.store.tables import openings
from schemas.agency import AgencyCode
from schemas.directory import Directory, Overlay
from schemas.errors import Halted, Refused
from tests.hub.stage import open_stage, profile
from tests.packets import document, document_packet

TODAY = date(2026, 3, 2)
SYSTEMS = Systems.of(
    (
        Profile(name="motcua", agencies=("H32.01",)),
        Profile(name="huyen", agencies=("H32.20",), serves_subtree=True),
        Profile(name="xa", agencies=("H32.20.05",)),
        Profile(name="truc", agencies=("G22.99",)),
    )
)

ROUTES = {
    "its own system": ("H32.01", "motcua"),
    "its own system, by the old form": ("000.00.01.H32", "motcua"),
    "a body below one that serves its subtree": ("H32.20.07", "huyen"),
    "a body below it with a system of its own": ("H32.20.05", "xa"),
    "a body below one that does not serve its subtree": ("H32.01.05", None),
    "an unknown one": ("H52.03", None),
}


@pytest.mark.parametrize(("code", "system"), ROUTES.values(), ids=ROUTES.keys())
def test_route(code: str, system: str | None) -> None:
    routing = Routing(SYSTEMS)
    if system is None:
        with pytest.raises(Refused, match="unknown-recipient"):
            routing.route([AgencyCode.of(code)], today=TODAY)
        assert Routing(SYSTEMS, "truc").route([AgencyCode.of(code)], today=TODAY)[0].profile.name == "truc"
    else:
        assert routing.route([AgencyCode.of(code)], today=TODAY)[0].profile.name == system


def test_all_recipients_without_a_route_are_listed() -> None:
    with pytest.raises(Refused) as caught:
        Routing(SYSTEMS).route([AgencyCode.of(code) for code in ("H52.03", "H32.01", "H52.04")], today=TODAY)
    assert [violation.got for violation in caught.value.violations] == ["H52.03", "H52.04"]


def test_no_recipient_at_all_is_no_route() -> None:
    with pytest.raises(Refused, match="unknown-recipient"):
        Routing(SYSTEMS, "truc").route([], today=TODAY)


RENAMED = """
[[agency]]
code = "H47.99"
name = "Phòng Kinh tế"
code102 = "001.00.10.H47"

[[agency]]
code = "H47.10.1"
name = "Phòng Văn hóa"
code102 = "000.01.10.H47"

[[agency]]
code = "H32.8"
name = "Sở Thông tin và Truyền thông"
valid_until = 2025-03-01
successor = "H32.9"

[[agency]]
code = "H32.9"
name = "Sở Khoa học và Công nghệ"
aliases = ["28.9.KH"]

[[agency]]
code = "H32.15"
name = "Sở Xây dựng"
valid_until = 2025-07-01
successor = "H32.20"

[[agency]]
code = "H32.15"
name = "Sở Dân tộc và Tôn giáo"
valid_from = 2025-07-01

[[agency]]
code = "H32.20"
name = "Sở Xây dựng"
valid_from = 2025-07-01
"""
BOOK = Directory.load([Overlay.of_toml(RENAMED, "province.toml")])
AFTER_THE_MERGERS = Systems.of(
    (
        Profile(name="tinh", agencies=("H32",), serves_subtree=True),
        Profile(name="vanhoa", agencies=("H47.10.1",)),
        Profile(name="kinhte", agencies=("H47.99",)),
        Profile(name="khoahoc", agencies=("H32.9",)),
        Profile(name="dantoc", agencies=("H32.15",)),
        Profile(name="xaydung", agencies=("000.00.20.H32",)),
        Profile(name="truc", agencies=("G22.99",)),
    )
)
BEFORE, SINCE = date(2024, 5, 1), date(2026, 2, 1)
DECIDED: dict[str, tuple[str, date, str, By, tuple[str, ...]]] = {
    "code102 of the directory goes before arithmetic": ("001.00.10.H47", SINCE, "kinhte", By.DIRECTORY, ("001.00.10.H47", "H47.99")),
    "its look-alike is another body": ("000.01.10.H47", SINCE, "vanhoa", By.DIRECTORY, ("000.01.10.H47", "H47.10.1")),
    "an alias without any form": ("28.9.KH", SINCE, "khoahoc", By.DIRECTORY, ("28.9.KH", "H32.9")),
    "a department that was merged": ("H32.8", BEFORE, "khoahoc", By.SUCCESSOR, ("H32.8", "H32.9")),
    "the same, by the old form": ("000.00.08.H32", SINCE, "khoahoc", By.SUCCESSOR, ("000.00.08.H32", "H32.9")),
    "a province that was merged (QĐ 09/2025)": ("H43", SINCE, "tinh", By.SUCCESSOR, ("H43", "H32")),
    "the same, by the old form, on an old document": ("000.00.00.H43", BEFORE, "tinh", By.SUCCESSOR, ("000.00.00.H43", "H43", "H32")),
    "a body below it that nobody lists": ("H43.3.7", SINCE, "tinh", By.SUCCESSOR, ("H43.3.7", "H43", "H32")),
    "a code that went over to another body: today's": ("H32.15", SINCE, "dantoc", By.PROFILE, ()),
    "the same code on a document of the time before": ("H32.15", BEFORE, "xaydung", By.SUCCESSOR, ("H32.15", "H32.20")),
    "both forms of one code": ("H32.20", SINCE, "xaydung", By.ARITHMETIC, ()),
    "below a province that serves its subtree": ("H32.4", SINCE, "tinh", By.SUBTREE, ()),
    "a ministry that is closed, and whose successor nobody names": ("G25", SINCE, "truc", By.FALLBACK, ()),
    "a code that no form has": ("vxp.saas.03", SINCE, "truc", By.FALLBACK, ()),
}


@pytest.mark.parametrize(("code", "written", "system", "by", "path"), DECIDED.values(), ids=DECIDED.keys())
def test_the_directory_decides_before_arithmetic(code: str, written: date, system: str, by: By, path: tuple[str, ...]) -> None:
    (route,) = Routing(AFTER_THE_MERGERS, "truc", BOOK).route([AgencyCode.of(code)], today=TODAY, written=written)
    assert (route.profile.name, route.by) == (system, by)
    if path:
        assert (route.path[0], route.path[-1]) == (path[0], path[-1])
    assert bool(route.directory) is (by in (By.DIRECTORY, By.SUCCESSOR))
    assert str(route.recipient) == code, "what was addressed stays as it was written"


def test_without_the_directory_look_alikes_are_still_two_bodies() -> None:
    routing = Routing(Systems.of((Profile(name="vanhoa", agencies=("000.01.10.H47",)),)))
    assert routing.route([AgencyCode.of("H47.10.1")], today=TODAY)[0].profile.name == "vanhoa"
    with pytest.raises(Refused, match="unknown-recipient"):
        routing.route([AgencyCode.of("001.00.10.H47")], today=TODAY)


def test_a_document_of_tomorrow_or_without_a_date_is_taken_as_todays() -> None:
    at = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)  # past midnight in Vietnam
    dates = {"2026/02/01": date(2026, 2, 1), "2026/03/02": TODAY, "2031/01/01": None, "2014/02/30": None, "": None, "hôm qua": None}
    for text, written in dates.items():
        packet = document_packet()
        dated = replace(packet, promulgation=replace(packet.promulgation, promulgation_date=text))
        assert days_of(dated, at) == (TODAY, written)


def test_a_closed_code_reaches_its_successor_and_the_journal_says_why(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", profiles={"motcua": profile(["H32.1"]), "tinh": profile(["H32"])})
    stage.hub.start()
    try:
        receipt = stage.send(document("H32.1", ("000.00.00.H43",)))
        (item,), _ = stage.hub.mailbox.pending(stage.principal("tinh"))
        assert item.recipient == "000.00.00.H43", "as it was addressed"
        with stage.hub.store.read() as conn:
            body = conn.execute(select(openings.c.body).where(openings.c.event == "accepted")).scalars().one()
        (copy,) = json.loads(body)["deliveries"]["value"]
        assert (copy["route"]["by"], copy["route"]["path"][-1]) == ("successor", "H32")
        assert copy["route"]["directory"]
        assert stage.states(receipt.message_id) == {"000.00.00.H43": "queued"}
        stage.check()
    finally:
        stage.hub.stop()


def test_the_provinces_own_directory_is_read_from_the_home_and_checked(tmp_path: Path) -> None:
    stage = open_stage(tmp_path / "home", profiles={"motcua": profile(["H32.1"]), "khoahoc": profile(["H32.9"])})
    stage.hub.start()
    stage.hub.stop()
    (tmp_path / "home" / "directory").mkdir()
    (tmp_path / "home" / "directory" / "tinh.toml").write_text(RENAMED, "utf-8")
    (tmp_path / "home" / "directory" / "truc.json").write_text('{"data": [{"code": "H32.77", "code102": "028.00.77.H32"}]}', "utf-8")
    routing = open_stage(tmp_path / "home", profiles={}, fresh=False).hub.intake.routing
    assert routing.route([AgencyCode.of("H32.8")], today=TODAY)[0].profile.name == "khoahoc"
    (tmp_path / "home" / "directory" / "hong.toml").write_text("[[agency]]\nten = 1", "utf-8")
    with pytest.raises(Halted, match="directory-data-invalid"):
        load_directory(tmp_path / "home" / "directory")
