"""Asking a time-stamping authority: what comes back is used only if it is a proof about these very bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from asn1crypto import tsp

from schemas.errors import Halted, HubError
from signing.sign_stamp import TimeAuthority
from tests.signing.authority import Answer, openssl, serving
from tests.signing.signers import NOW, folder, world
from tests.vectors.forge_cms import Forger, token
from tests.vectors.identities import Signer

HASHED = hashlib.sha256(b"a value").digest()
AT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)


def _honest() -> Answer:
    return openssl(world().authority, folder())


def _replayed() -> Answer:
    honest, first = _honest(), [b""]

    def answer(query: bytes) -> tuple[int, bytes]:
        first[0] = first[0] or honest(query)[1]
        return 200, first[0]

    return answer


def _of_another_digest() -> Answer:
    honest = _honest()
    return lambda query: honest(query.replace(HASHED, hashlib.sha256(b"another").digest()))


def _refused(_: bytes) -> tuple[int, bytes]:
    return 200, bytes.fromhex("3005 3003 020102")  # PKIStatusInfo alone: rejection


def _by(signer: Signer, *, value: bytes | None = None) -> Answer:
    """Tokens over what is asked, nonce included, by `signer`."""

    def answer(query: bytes) -> tuple[int, bytes]:
        asked = tsp.TimeStampReq.load(query)
        said = {"version": "v1", "policy": "1.2.3.4.1", "serial_number": 1, "gen_time": AT}
        info = tsp.TSTInfo({**said, "message_imprint": asked["message_imprint"], "nonce": asked["nonce"]}).dump()
        return 200, Forger(signer, content_type="tst_info", attached=True, bound_to=signer, value=value).sign(info)

    return answer


ANSWERS: dict[str, tuple[Callable[[], Answer], str]] = {
    "the same answer again": (_replayed, "timestamp-invalid"),
    "a token of another digest": (_of_another_digest, "timestamp-invalid"),
    "a rejection": (lambda: _refused, "timestamp-invalid"),
    "no token": (lambda: lambda _: (200, b"<html>welcome</html>"), "timestamp-invalid"),
    "nothing": (lambda: lambda _: (200, b""), "timestamp-invalid"),
    "a token without nonce": (lambda: lambda _: (200, token(world().authority, b"a value", AT)), "timestamp-invalid"),
    "by somebody who is no authority": (lambda: _by(world().pretender), "timestamp-invalid"),
    "by one whose purpose is not critical": (lambda: _by(world().careless), "timestamp-invalid"),
    "with a value of zeros": (lambda: _by(world().authority, value=bytes(256)), "timestamp-invalid"),
    "an error": (lambda: lambda _: (503, b""), "trust-unavailable"),
    "a redirect": (lambda: lambda _: (302, b""), "trust-unavailable"),
    "far too much": (lambda: lambda _: (200, bytes(1_000_000)), "timestamp-invalid"),
}


@pytest.mark.parametrize(("make", "code"), ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_that_proves_nothing_is_refused(make: Callable[[], Answer], code: str) -> None:
    with serving(make()) as running:
        client = running.client()
        with pytest.raises(HubError) as caught:
            _twice(client)
    assert caught.value.code == code
    assert running.url in caught.value.got


def _twice(client: TimeAuthority) -> None:
    client.token(HASHED, "sha256")
    client.token(HASHED, "sha256")


def test_an_honest_answer_is_a_token_over_the_digest() -> None:
    with serving(_honest()) as running:
        said = tsp.ContentInfo.load(running.client().token(HASHED, "sha256"))["content"]["encap_content_info"]["content"].parsed
    assert said["message_imprint"]["hashed_message"].native == HASHED
    assert abs((said["gen_time"].native - NOW).total_seconds()) < 86_400


def test_a_token_without_a_response_around_it_will_do() -> None:
    with serving(_by(world().authority)) as running:
        _twice(running.client())
    assert len(running.asked) == 2


def test_an_authority_that_is_not_there_is_told_at_once() -> None:
    with serving(_honest()) as running:
        client = running.client()
    with pytest.raises(HubError) as caught:
        client.token(HASHED, "sha256")
    assert caught.value.code == "trust-unavailable"


@pytest.mark.parametrize("url", ["tsa.gov.vn", "ftp://tsa.gov.vn/", "file:///etc/passwd", "http://user:secret@tsa.gov.vn/", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Halted) as caught:
        TimeAuthority.at(url, lambda: 1)
    assert caught.value.code == "settings-invalid"


def test_no_other_place_is_asked() -> None:
    elsewhere = TimeAuthority("http://169.254.169.254/", lambda: 1, TimeAuthority.at("http://127.0.0.1:1/", lambda: 1).allow)
    with pytest.raises(HubError) as caught:
        elsewhere.token(HASHED, "sha256")
    assert caught.value.code == "timestamp-invalid"
