"""`[signature] ask`: what waits for a status is confirmed or withdrawn by what a real server on loopback publishes, where it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from hub.query import trace
from replay.store.tables import verifications
from schemas.message import Receipt
from signing.sign import sign_packet
from tests.hub.stage import MOTCUA, PROFILES, QLVB, Stage, open_stage
from tests.packets import document
from tests.signing.test_fetch import Authority, answers_at, lists_at
from tests.signing.test_fetch import serving as publishing
from tests.vectors.build_pki import CA, ROOT, ROOT_NAME, SIGNER
from tests.vectors.build_status import Crl, Entry, Ocsp
from tests.vectors.certificates import DAY, YEAR, Extension, key

SERIAL = 1001
NOW = datetime.now(UTC).replace(microsecond=0)
LIVES: dict[str, Any] = {"not_before": NOW - DAY, "not_after": NOW + YEAR}
FRESH: dict[str, Any] = {"this_update": NOW - timedelta(hours=1), "next_update": NOW + DAY}
GOOD = Crl().but(**FRESH)
ROOT_CERT, CA_CERT = ROOT.but(**LIVES).make(), CA.but(**LIVES).make()


@dataclass(frozen=True)
class Asking:
    """A hub whose trust folder has the root's list alone, and an authority that publishes the rest."""

    stage: Stage
    authority: Authority

    def send(self, *extensions: Extension) -> Receipt:
        private = key("signer")
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        signer = SIGNER.but(serial=SERIAL, extensions=extensions, **LIVES).make()
        packet = document(MOTCUA, (QLVB,), f"{MOTCUA},2026/03/02,1/X")
        return self.stage.send(sign_packet(packet, private, (signer, CA_CERT)))

    def state(self, receipt: Receipt) -> str:
        found: dict[str, Any] = trace(self.stage.hub.store, self.stage.principal("motcua"), receipt.message_id)["verification"]
        return str(found["state"])

    def attempts(self, receipt: Receipt) -> int:
        with self.stage.hub.store.read() as conn:
            wanted = verifications.c.message_id == receipt.message_id
            return int(conn.execute(select(verifications.c.attempt).where(wanted)).scalar_one())


@pytest.fixture
def asking(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Asking]:
    trust = tmp_path / "trust"
    (trust / "crl").mkdir(parents=True)
    (trust / "root.pem").write_bytes(ROOT_CERT.public_bytes(Encoding.PEM))
    (trust / "crl" / "root.crl").write_bytes(GOOD.but(issuer=ROOT_NAME, key_name="root").make())
    with publishing() as authority:
        places = getattr(request, "param", None) or f'"{authority.place}"'
        toml = f'sweep_s = 0.05\n[signature]\nmode = "require"\nretry_s = 0.1\nask = [{places}]\n'
        stage = open_stage(tmp_path / "home", profiles=PROFILES, trust=trust, hub_toml=toml)
        stage.hub.start()
        yield Asking(stage, authority)
        stage.hub.stop()


def lists(place: str) -> tuple[Extension, ...]:
    return (lists_at(f"{place}/ca.crl"),)


def answers(place: str) -> tuple[Extension, ...]:
    return lists_at(f"{place}/ca.crl"), answers_at(f"{place}/ocsp")


def answer(status: str) -> bytes:
    return Ocsp(SIGNER.but(serial=SERIAL).make(), CA_CERT, CA_CERT, "ca", status=status, revoked_at=NOW - DAY).but(**FRESH).make()


CASES: dict[str, tuple[Callable[[str], tuple[Extension, ...]], dict[str, bytes], str, set[str]]] = {
    "a list": (lists, {"/ca.crl": GOOD.make()}, "confirmed", {"/ca.crl"}),
    "a list on which it stands": (lists, {"/ca.crl": GOOD.but(entries=(Entry(SERIAL, at=NOW - DAY),)).make()}, "withdrawn", {"/ca.crl"}),
    "an answer": (answers, {"/ocsp": answer("good")}, "confirmed", {"ocsp 1001"}),
    "an answer that it was revoked": (answers, {"/ocsp": answer("revoked")}, "withdrawn", {"ocsp 1001"}),
    "an answer that says nothing, and a list": (
        answers,
        {"/ocsp": answer("unknown"), "/ca.crl": GOOD.make()},
        "confirmed",
        {"ocsp 1001", "/ca.crl"},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_comes_decides(asking: Asking, case: tuple[Callable[[str], tuple[Extension, ...]], dict[str, bytes], str, set[str]]) -> None:
    published, bodies, state, asked = case
    asking.authority.bodies |= bodies
    receipt = asking.send(*published(asking.authority.place))
    asking.stage.wait_for(lambda: asking.state(receipt) == state)
    assert set(asking.authority.asked) == asked
    asking.stage.check()


def test_a_place_that_has_nothing_yet_is_asked_again(asking: Asking) -> None:
    receipt = asking.send(*lists(asking.authority.place))
    asking.stage.wait_for(lambda: len(asking.authority.asked) > 1)
    assert asking.state(receipt) == "pending"
    asking.authority.bodies["/ca.crl"] = GOOD.make()
    asking.stage.wait_for(lambda: asking.state(receipt) == "confirmed")


@pytest.mark.parametrize("asking", ['"http://ca.gov.vn"'], indirect=True, ids=["another place is named"])
def test_a_place_that_is_not_named_is_never_asked(asking: Asking) -> None:
    asking.authority.bodies["/ca.crl"] = GOOD.make()
    receipt = asking.send(*lists(asking.authority.place))
    asking.stage.wait_for(lambda: asking.attempts(receipt) > 1)
    assert (asking.state(receipt), asking.authority.asked) == ("pending", [])
