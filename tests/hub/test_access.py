"""Who is calling, and for whom may it send."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access import Access, Principal, api_key_from, new_api_key
from hub.systems import AccessProfile, Profile, SendFor, Systems
from schemas.agency import AgencyCode
from schemas.errors import Halted, HubError, Refused


def profile(name: str = "motcua", agencies: tuple[str, ...] = ("H32.01",), **access: object) -> Profile:
    return Profile(name=name, agencies=agencies, access=AccessProfile.model_validate(access))


def principal(may: SendFor, *agencies: str) -> Principal:
    return Principal("s", tuple(AgencyCode.of(code) for code in agencies), may, frozenset({"exchange"}))


MAY_SEND = {
    "its own code": (SendFor.OWN, ["H32.01"], "H32.01", True),
    "its own code in the thirteen-character form": (SendFor.OWN, ["H32.01"], "000.00.01.H32", True),
    "its own province in the other form": (SendFor.OWN, ["000.00.00.H32"], "H32", True),
    "another agency": (SendFor.OWN, ["H32.01"], "H32.02", False),
    "an agency below it, without the right": (SendFor.OWN, ["H32"], "H32.01", False),
    "an agency below it, as a centre": (SendFor.SUBTREE, ["H32"], "H32.01.05", True),
    "an agency below it, old form, as a centre": (SendFor.SUBTREE, ["H32"], "005.00.01.H32", True),
    "another province, as a centre": (SendFor.SUBTREE, ["H32"], "H52.01", False),
    "a code that only begins alike": (SendFor.SUBTREE, ["H32.1"], "H32.11", False),
    "anyone, as the axis": (SendFor.ANY, [], "H52.01", True),
    "a system without agencies": (SendFor.OWN, [], "H32.01", False),
}


@pytest.mark.parametrize(("may", "own", "sender", "allowed"), MAY_SEND.values(), ids=MAY_SEND.keys())
def test_may_send_for(may: SendFor, own: list[str], sender: str, allowed: bool) -> None:
    caller = principal(may, *own)
    if allowed:
        caller.check_may_send_for(AgencyCode.of(sender))
        return
    with pytest.raises(Refused) as caught:
        caller.check_may_send_for(AgencyCode.of(sender))
    assert caught.value.code == "sender-not-permitted"
    assert caught.value.got == sender


def test_a_key_opens_only_its_own_system() -> None:
    text, key = new_api_key()
    other_text, other = new_api_key()
    access = Access(Systems.of((profile("a", ("H32.01",), keys=[key]), profile("b", ("H32.02",), keys=[other]))))
    assert access.authenticate(text).system == "a"
    assert access.authenticate(other_text).system == "b"
    key_id, _, secret = text.partition(".")
    other_id, _, other_secret = other_text.partition(".")
    for wrong in (
        f"{key_id}.{other_secret}",
        f"{other_id}.{secret}",
        f"{key_id}.",
        key_id,
        secret,
        "",
        ".",
        f"{text}x",
        f"nobody.{secret}",
    ):
        with pytest.raises(Refused) as caught:
            access.authenticate(wrong)
        assert caught.value.code == "not-authenticated"
        assert secret not in str(caught.value)


@given(st.text(max_size=400))
def test_no_text_but_the_key_gets_in(text: str) -> None:
    _, key = new_api_key()
    with pytest.raises(HubError, match="not-authenticated"):
        Access(Systems.of((profile(keys=[key]),))).authenticate(text)


HEADERS = {
    "bearer": ("Bearer id12.secret", "", "id12.secret"),
    "bearer, any case": ("bEaReR  id12.secret ", "", "id12.secret"),
    "basic, as SOAP clients send it": ("Basic " + base64.b64encode(b"id12:secret").decode(), "", "id12.secret"),
    "x-api-key": ("", " id12.secret", "id12.secret"),
    "basic that is not base64": ("Basic %%%", "", ""),
    "basic that is not utf-8": ("Basic " + base64.b64encode(b"\xff:x").decode(), "", ""),
    "nothing": ("", "", ""),
    "a scheme nobody knows": ("Digest username=x", "", ""),
}


@pytest.mark.parametrize(("authorization", "x_api_key", "key"), HEADERS.values(), ids=HEADERS.keys())
def test_where_the_key_stands(authorization: str, x_api_key: str, key: str) -> None:
    assert api_key_from(authorization, x_api_key) == key


def test_the_secret_is_not_kept() -> None:
    text, key = new_api_key()
    assert text.partition(".")[2] not in repr(profile(keys=[key]))


SHARED = {
    "an agency in two systems, in different forms": [("a", ("H32.01",), {}), ("b", ("000.00.01.H32",), {})],
    "a broker user in two systems": [("a", ("H32.01",), {"amqp_user": "u"}), ("b", ("H32.02",), {"amqp_user": "u"})],
    "an unusable agency code": [("a", ("null",), {})],
}


@pytest.mark.parametrize("rows", SHARED.values(), ids=SHARED.keys())
def test_profiles_that_contradict_each_other_are_refused(rows: list[tuple[str, tuple[str, ...], dict[str, object]]]) -> None:
    with pytest.raises(Halted, match="settings-invalid"):
        Systems.of(tuple(profile(name, agencies, **access) for name, agencies, access in rows))


def test_every_fault_of_a_profile_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('agencies = "H32"\ncolour = "red"\n[delivery]\nconcurrency = 0\n', "utf-8")
    with pytest.raises(Halted) as caught:
        Systems.load(tmp_path)
    places = {violation.path for violation in caught.value.violations}
    assert places == {"bad.toml: agencies", "bad.toml: colour", "bad.toml: delivery.concurrency"}
