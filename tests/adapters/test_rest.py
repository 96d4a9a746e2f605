"""REST: what each answer of a real server means, by the profile's promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import pytest

from adapters.condition import Condition
from adapters.contract import AgencyInDoubt, AgencyRefused, AgencyUnavailable, Idempotency
from adapters.credentials import Auth, AuthKind
from adapters.rest import RestAdapter
from schemas.errors import HubError
from tests.adapters.canned import Server, serving
from tests.adapters.parcels import TOKEN, parcel
from tests.ports import closed_port


@dataclass(frozen=True)
class Case:
    """One answer, and what it means where repeating is harmless and where it is not."""

    answer: Mapping[str, Any]
    key: type[HubError] | str  # the error, or the remote id of an acceptance
    none: type[HubError] | str
    settings: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""


def both(answer: Mapping[str, Any], outcome: type[HubError] | str, code: str = "", **settings: Any) -> Case:
    return Case(answer, outcome, outcome, settings, code)


def unclear(answer: Mapping[str, Any], **settings: Any) -> Case:
    return Case(answer, AgencyUnavailable, AgencyInDoubt, settings)


CASES: dict[str, Case] = {
    "200 is an acceptance": both({}, ""),
    "201 with the id named in the profile": both({"status": 201}, "R-1", remote_id="id"),
    "202 is an acceptance": both({"status": 202}, ""),
    "204 needs no body": both({"status": 204}, ""),
    "the id may lie deep": both({}, "x", remote_id="deep.list.0.id"),
    "a numeric id is text": both({}, "0", remote_id="n"),
    "the success condition holds": both({}, "", success=Condition("status", "OK")),
    "success is compared with its type": both({}, AgencyRefused, success=Condition("n", "0")),
    "zero is zero": both({}, "", success=Condition("n", 0)),
    "true is not one": both({}, AgencyRefused, success=Condition("ok", 1)),
    "another value than success is a no": both({"body": b'{"status": "FAIL"}'}, AgencyRefused, success=Condition("status", "OK")),
    "no value where success stands is no answer": unclear({"body": b"{}"}, success=Condition("status", "OK")),
    "a promised id that is missing is no answer": unclear({"body": b"{}"}, remote_id="id"),
    "a promised id that is null is no answer": unclear({"body": b'{"id": null}'}, remote_id="id"),
    "JSON was promised and text came": unclear({"body": b"OK"}, remote_id="id"),
    "JSON nested beyond reason is no answer": unclear({"body": b"[" * 60_000}, remote_id="id"),
    "a web page is nobody's acceptance": unclear({"content_type": "text/html; charset=utf-8"}),
    "a web page is one where the profile says so": both({"content_type": "text/html"}, "", answer_types=("text/html",)),
    "another type than promised is no answer": unclear({"content_type": "text/plain"}, answer_types=("application/json",)),
    "an answer larger than allowed is no answer": unclear({"body": b" " * 1001}, max_answer_bytes=1000),
    "400 is a no": both({"status": 400}, AgencyRefused, "agency-refused"),
    "401 is a no": both({"status": 401}, AgencyRefused),
    "404 is a no": both({"status": 404}, AgencyRefused),
    "409 is a no": both({"status": 409}, AgencyRefused),
    "409 is an acceptance where the profile says so": both({"status": 409}, "", accept_statuses=frozenset({409})),
    "413 is a no": both({"status": 413}, AgencyRefused),
    "404 is for later where the profile says so": both({"status": 404}, AgencyUnavailable, "agency-busy", retry_statuses=frozenset({404})),
    "408 was not taken": both({"status": 408}, AgencyUnavailable, "agency-busy"),
    "425 was not taken": both({"status": 425}, AgencyUnavailable, "agency-busy"),
    "429 was not taken": both({"status": 429}, AgencyUnavailable, "agency-busy"),
    "503 was not taken": both({"status": 503}, AgencyUnavailable, "agency-busy"),
    "500 may have been taken": unclear({"status": 500}),
    "502 may have been taken": unclear({"status": 502}),
    "504 may have been taken": unclear({"status": 504}),
    "301 is not followed": both({"status": 301}, AgencyRefused, "agency-refused"),
    "304 makes no sense here": both({"status": 304, "body": b""}, AgencyRefused),
    "success in the words of an error is an error": both({"status": 500, "body": b"SUCCESS"}, HubError),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("idempotency", [Idempotency.KEY, Idempotency.NONE])
def test_outcomes(name: str, idempotency: Idempotency) -> None:
    case = CASES[name]
    expected = case.key if idempotency is Idempotency.KEY else case.none
    with serving(Server(**case.answer)) as server:
        adapter = RestAdapter(server.url, idempotency=idempotency, timeout_s=5.0, **case.settings)
        if isinstance(expected, str):
            assert adapter.deliver(parcel()).remote_id == expected
        else:
            with pytest.raises(expected) as caught:
                adapter.deliver(parcel())
            assert case.code in ("", caught.value.code)
        adapter.close()
        assert len(server.bodies) == 1


def test_what_the_system_sees() -> None:
    with serving(Server()) as server:
        adapter = RestAdapter(server.url, auth=Auth(AuthKind.API_KEY, header="X-Khoa", secret=TOKEN), headers={"X-Don-Vi": "H32"})
        sent = replace(parcel("khóa 1%\r\nX-Evil: 1"), content_type="application/xml; charset=utf-8\r\nX-Evil: 2")
        adapter.deliver(sent)
        adapter.close()
    seen = server.headers[0]
    assert unquote(seen["idempotency-key"]) == sent.key
    assert unquote(seen["content-type"]) == sent.content_type
    assert "x-evil" not in seen
    assert unquote(seen["x-lgsp-document-id"]) == sent.document_id
    assert (seen["x-lgsp-message-id"], seen["x-lgsp-kind"]) == (str(sent.message_id), "document.new")
    assert (seen["x-khoa"], seen["x-don-vi"], seen[":path"]) == (TOKEN, "H32", "/in?a=b")
    assert {"x-lgsp-legal-value", "x-lgsp-verification"}.isdisjoint(seen)  # nothing is said of what nobody judged
    assert server.bodies == [sent.body]


def test_the_system_is_told_what_the_packet_is_worth() -> None:
    with serving(Server()) as server:
        adapter = RestAdapter(server.url)
        for words in (("for information", ""), ("pending", "pending"), ("original", "confirmed")):
            adapter.deliver(replace(parcel(), legal_value=words[0], verification=words[1]))
        adapter.close()
    told = [(seen["x-lgsp-legal-value"], seen.get("x-lgsp-verification", "")) for seen in server.headers]
    assert told == [("for information", ""), ("pending", "pending"), ("original", "confirmed")]


AUTHS: dict[str, tuple[Auth, str]] = {
    "none": (Auth(), ""),
    "bearer": (Auth(AuthKind.BEARER, secret="t-1234"), "Bearer t-1234"),
    "basic": (Auth(AuthKind.BASIC, user="lgsp", secret="mật-khẩu"), "Basic bGdzcDpt4bqtdC1raOG6qXU="),
}


@pytest.mark.parametrize(("auth", "header"), AUTHS.values(), ids=AUTHS)
def test_credentials(auth: Auth, header: str) -> None:
    with serving(Server()) as server:
        adapter = RestAdapter(server.url, auth=auth)
        adapter.deliver(parcel())
        adapter.close()
    assert server.headers[0].get("authorization", "") == header
    assert auth.secret == "" or auth.secret not in repr(adapter)


@pytest.mark.parametrize("clings", [False, True])
def test_a_connection_is_kept_only_where_repeating_is_harmless(clings: bool) -> None:
    for idempotency, expected in ((Idempotency.KEY, 1), (Idempotency.NONE, 3)):
        with serving(Server(clings=clings)) as server:
            adapter = RestAdapter(server.url, idempotency=idempotency)
            for n in range(3):
                adapter.deliver(parcel(f"k{n}"))
            adapter.close()
            assert len(server.connections) == expected


def test_an_answer_is_kept_short_and_without_the_secret() -> None:
    echo = json.dumps({"id": f"for {TOKEN}", "text": "x" * 5_000}).encode()
    with serving(Server(body=echo)) as server:
        adapter = RestAdapter(server.url, auth=Auth(AuthKind.BEARER, secret=TOKEN), remote_id="id")
        accepted = adapter.deliver(parcel())
        adapter.close()
    assert accepted.remote_id == "for ***"
    assert TOKEN not in accepted.answer and len(accepted.answer) <= 200


@pytest.mark.parametrize("idempotency", [Idempotency.KEY, Idempotency.NONE])
def test_what_cannot_be_connected_to_was_surely_not_reached(idempotency: Idempotency) -> None:
    with serving(Server()) as server:
        with pytest.raises(AgencyUnavailable):
            RestAdapter(f"https://127.0.0.1:{server.port}/", idempotency=idempotency, timeout_s=5.0).deliver(parcel())
        assert server.bodies == []
    with pytest.raises(AgencyUnavailable):
        RestAdapter(f"http://127.0.0.1:{closed_port()}/", idempotency=idempotency, timeout_s=5.0).deliver(parcel())
