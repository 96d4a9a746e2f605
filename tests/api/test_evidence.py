"""Evidence over REST: for auditors alone, with the hub's certificate, and it holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from hub.node import utc_now
from hub.settings import load_settings
from hub.signer import open_signer
from hub.trial import make_certificate
from replay.evidence.box import Known
from replay.evidence.check import check
from replay.evidence.period_check import Asked
from signing.context import Context
from signing.trust import TrustStore
from tests.api.face import Face
from tests.api.test_people import PASSWORD, bearer, lgsp, log_in
from tests.packets import document


@pytest.fixture(scope="module")
def sent(face: Face) -> str:
    found: str = face.send(document("H32.5", ("H53.14",), "H32.5,2026/11/20,77/EV")).json()["message_id"]
    return found


@pytest.fixture(scope="module")
def auditor(face: Face) -> dict[str, str]:
    home = face.hub.settings.home
    for login, role in (("kiem-toan", "auditor"), ("truc-ca", "operator")):
        made = lgsp("person", "add", login, "--role", role, "--password-file", "-", home=home, typed=PASSWORD + "\n")
        assert made.exit_code == 0, made.output
    return bearer(log_in(face, "kiem-toan", PASSWORD).json()["token"])


@pytest.fixture
def certificate(face: Face) -> Iterator[None]:
    home = face.hub.settings.home
    before = (home / "hub.toml").read_text("utf-8")
    (home / "secrets.toml").unlink(missing_ok=True)
    (home / "keys" / "signing.p12").unlink(missing_ok=True)
    make_certificate(home, utc_now() - timedelta(days=1))
    face.hub.signer = open_signer(load_settings(home, {}), utc_now())
    yield
    face.hub.signer = None
    (home / "hub.toml").write_text(before, "utf-8")


def test_an_auditor_takes_it_and_it_holds(face: Face, sent: str, auditor: dict[str, str], certificate: None) -> None:
    answer = face.ask("GET", f"/api/v1/messages/{sent}/evidence", headers=auditor)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/vnd.etsi.asic-e+zip"
    keys = face.hub.keyring.log_verifiers(face.hub.settings.origin)
    report = check(answer.body, Known(keys, Context(TrustStore(), utc_now()), receipt_keys=face.hub.keyring.public("receipt")))
    assert report.is_valid, report.as_json()
    unknown = face.ask("GET", f"/api/v1/messages/{uuid4()}/evidence", headers=auditor)
    assert (unknown.status, unknown.json()["code"]) == (404, "unknown-entry")


def test_without_a_certificate_it_says_what_to_set(face: Face, sent: str, auditor: dict[str, str]) -> None:
    answer = face.ask("GET", f"/api/v1/messages/{sent}/evidence", headers=auditor)
    assert (answer.status, answer.json()["code"]) == (503, "evidence-signer-missing")


def test_nobody_else_gets_it(face: Face, sent: str, auditor: dict[str, str]) -> None:
    address = f"/api/v1/messages/{sent}/evidence"
    assert face.ask("GET", address).status == 401
    assert face.ask("GET", address, system="mot-cua").json()["code"] == "not-permitted"
    operator = bearer(log_in(face, "truc-ca", PASSWORD).json()["token"])
    assert face.ask("GET", address, headers=operator).json()["code"] == "role-missing"
    assert face.ask("GET", "/api/v1/messages/77/evidence", headers=auditor).json()["code"] == "invalid-request"


def test_completeness_over_rest_for_auditors(face: Face, sent: str, auditor: dict[str, str], certificate: None) -> None:
    now = face.hub.clock()

    def asked(**changes: str) -> str:
        told = {"party": "H32.5", "from": (now - timedelta(days=2)).isoformat(), "to": (now - timedelta(days=1)).isoformat(), **changes}
        return "/api/v1/evidence/completeness?" + urlencode(told)

    answer = face.ask("GET", asked(), headers=auditor)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/vnd.etsi.asic-e+zip"), answer.body
    keys = face.hub.keyring.log_verifiers(face.hub.settings.origin)
    key = face.hub.keyring.parties().of("H32.5")
    report = check(answer.body, Known(keys, Context(TrustStore(), utc_now())), Asked("000.00.05.H32", party_key=key))
    assert report.is_valid, report.as_json()
    for changes in ({"from": "yesterday"}, {"from": "2026-01-01T00:00:00"}, {"to": now.isoformat()}, {"party": ""}, {"party": "x" * 300}):
        refused = face.ask("GET", asked(**changes), headers=auditor)
        assert (refused.status, refused.json()["code"]) in {(400, "invalid-request"), (422, "evidence-period"), (400, "evidence-period")}
    assert face.ask("GET", asked()).status == 401
    assert face.ask("GET", asked(), system="mot-cua").status == 403
    assert face.ask("GET", asked() + "&party=H32.6", headers=auditor).json()["code"] == "invalid-request"
