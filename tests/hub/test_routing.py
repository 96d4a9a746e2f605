"""Every recipient has a route, or the whole message is refused and all without one are listed."""

from __future__ import annotations

import pytest

from hub.routing import Routing
from hub.systems import Profile, Systems
from schemas.agency import AgencyCode
from schemas.errors import Refused

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
            routing.route([AgencyCode.of(code)])
        assert Routing(SYSTEMS, "truc").route([AgencyCode.of(code)])[0].profile.name == "truc"
    else:
        assert routing.route([AgencyCode.of(code)])[0].profile.name == system


def test_all_recipients_without_a_route_are_listed() -> None:
    with pytest.raises(Refused) as caught:
        Routing(SYSTEMS).route([AgencyCode.of(code) for code in ("H52.03", "H32.01", "H52.04")])
    assert [violation.got for violation in caught.value.violations] == ["H52.03", "H52.04"]


def test_no_recipient_at_all_is_no_route() -> None:
    with pytest.raises(Refused, match="unknown-recipient"):
        Routing(SYSTEMS, "truc").route([])
