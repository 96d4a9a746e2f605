"""What receivers are told of a verdict beside the bytes: at every face where they fetch, by the clients that they use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hub.demo.pki import build_pki
from signing.trust import LISTS
from tests.api.documents import document
from tests.api.face import Face, serving
from tests.api.test_soap import BOTH, client

SENDER = "H32.5"


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Face, bytes]]:
    """A hub that has no lists yet, and a signed packet, whose verdict waits for them."""
    folder = tmp_path_factory.mktemp("marked")
    pki = build_pki(folder / "pki", (SENDER,), datetime.now(UTC), elliptic=[SENDER], root_bits=2048)
    shutil.copytree(pki.trust, folder / "trust", ignore=shutil.ignore_patterns(LISTS))
    with serving(folder / "home", trust=folder / "trust") as running:
        yield running, pki.identities[SENDER].sign(document())


def test_what_waits_for_a_status_is_marked_where_it_is_listed_and_fetched(marked: tuple[Face, bytes]) -> None:
    face, raw = marked
    sent = face.send(raw).json()
    item = face.waiting("qlvb", sent["message_id"])
    assert (sent["legal_value"], item["legal_value"], item["verification"]) == ("pending", "pending", "pending")
    got = face.ask("GET", f"/api/v1/inbox/{item['delivery_id']}", system="qlvb")
    assert (got.body, got.headers["X-LGSP-Legal-Value"], got.headers["X-LGSP-Verification"]) == (raw, "pending", "pending")


def test_what_nobody_signed_says_so(marked: tuple[Face, bytes]) -> None:
    face, _ = marked
    item = face.waiting("qlvb", face.send(document()).json()["message_id"])
    got = face.ask("GET", f"/api/v1/inbox/{item['delivery_id']}", system="qlvb")
    assert (item["legal_value"], item["verification"]) == ("for information", "")
    assert (got.headers["X-LGSP-Legal-Value"], "X-LGSP-Verification" in got.headers) == ("for information", False)


@BOTH
def test_soap_callers_are_told_the_same(marked: tuple[Face, bytes], port: str) -> None:
    face, raw = marked
    message_id = face.send(raw).json()["message_id"]
    hub = client(face, "qlvb", port)
    item = next(one for one in hub.ListPending(limit=500).item if one.messageId == message_id)
    got = hub.GetPackage(deliveryId=item.deliveryId)
    assert (item.legalValue, item.verification) == (got.legalValue, got.verification) == ("pending", "pending")
    assert got.package == raw
    unsigned = face.send(document()).json()["message_id"]
    other = next(one for one in hub.ListPending(limit=500).item if one.messageId == unsigned)
    assert (other.legalValue, other.verification) == ("for information", None)
