"""Size, time and bytes that are hardly HTTP; and what the log says of it all."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest

from tests.api.face import Face
from tests.api.judging import SOAP, XML, check_fault, check_problem

SEND = "/api/v1/messages"
S11 = SOAP["SOAP 1.1"][1]
MIB = 1024 * 1024


def pieces(size: int) -> Iterator[bytes]:
    """`size` bytes without a Content-Length."""
    for _ in range(size // MIB):
        yield b"a" * MIB


def test_60_mb_are_refused_when_announced_and_when_they_come(face: Face) -> None:
    check_problem(face.send(b"a" * (60 * MIB)), "too-large")
    check_problem(face.ask("POST", SEND, system="mot-cua", body=pieces(60 * MIB), headers=XML), "too-large")


def test_a_packet_of_60_mb_is_refused_by_soap_too(face: Face) -> None:
    answer = face.ask("POST", "/soap/v1", system="mot-cua", body=b"a" * (80 * MIB), headers={"Content-Type": S11})
    assert answer.status == 413
    check_fault(answer, "SOAP 1.1", "too-large")


def raw_exchange(face: Face, head: str, body: bytes = b"", *, wait_s: float = 10) -> bytes:
    """What the server says to these bytes; the sending side stays open."""
    with closing(socket.create_connection(("127.0.0.1", face.port), timeout=wait_s)) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + body)
        found = b""
        while piece := connection.recv(65_536):
            found += piece
            if b"\r\n\r\n" in found:
                break
        return found


def test_an_announced_size_is_refused_before_it_is_sent(face: Face) -> None:
    head = (
        f"POST {SEND} HTTP/1.1\nHost: x\nX-API-Key: {face.keys['mot-cua']}\nContent-Type: application/xml\nContent-Length: 99999999999\n\n"
    )
    assert raw_exchange(face, head).startswith(b"HTTP/1.1 413")


def test_a_body_that_stops_coming_is_given_up(face: Face) -> None:
    head = f"POST {SEND} HTTP/1.1\nHost: x\nX-API-Key: {face.keys['mot-cua']}\nContent-Type: application/xml\nContent-Length: 1000\n\n"
    answer = raw_exchange(face, head, b"<edXML")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"retry-after" in answer.lower()


def test_a_header_given_twice_is_ambiguous(face: Face) -> None:
    head = f"GET /api/v1/inbox HTTP/1.1\nHost: x\nX-API-Key: {face.keys['qlvb']}\nX-API-Key: {face.keys['mot-cua']}\n\n"
    assert raw_exchange(face, head).startswith(b"HTTP/1.1 400")


def test_a_head_without_end_is_cut_off(face: Face) -> None:
    assert raw_exchange(face, "GET /health/live HTTP/1.1\nHost: x\nX-A: ", b"a" * 400_000).startswith(b"HTTP/1.1 400")


GARBAGE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00",
    "a path that is not ASCII": "GET /api/v1/ộ HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a negative length": b"POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length and chunks at once": b"POST /soap/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_hardly_http_is_refused_and_the_hub_goes_on(face: Face, raw: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", face.port), timeout=10)) as connection:
        connection.sendall(raw)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 4")
    assert face.ask("GET", "/health/live").status == 200


def logged(face: Face, since: int) -> list[dict[str, Any]]:
    """The log lines from the position `since` on."""
    return [json.loads(line) for line in face.log.getvalue()[since:].splitlines()]


def test_a_caller_who_hangs_up_costs_nothing(face: Face) -> None:
    since = len(face.log.getvalue())
    head = f"POST {SEND} HTTP/1.1\nHost: x\nX-API-Key: {face.keys['mot-cua']}\nContent-Type: application/xml\nContent-Length: 1000\n\n"
    with closing(socket.create_connection(("127.0.0.1", face.port))) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"<edXML")
        time.sleep(0.1)
    for _ in range(1500):
        if lines := logged(face, since):
            break
        time.sleep(0.02)
    assert [line.get("code") for line in lines] == ["request-interrupted"]
    assert face.ask("GET", "/health/ready").status == 200


def test_logs_name_the_request_and_none_of_its_secrets(face: Face) -> None:
    since, key = len(face.log.getvalue()), f"key-{uuid4()}"
    headers = {"Idempotency-Key": key, "Cookie": "c00kie"}
    answer = face.ask("GET", "/api/v1/inbox?limit=7&token=s3cret", system="qlvb", headers=headers)
    line = next(one for one in logged(face, since) if one["trace_id"] == answer.headers["X-Trace-Id"])
    assert (line["event"], line["method"], line["path"], line["status"]) == ("request", "GET", "/api/v1/inbox", 200)
    assert (line["system"], line["level"]) == ("qlvb", "info")
    text = face.log.getvalue()
    assert not [secret for secret in ("s3cret", "c00kie", key, face.keys["qlvb"].partition(".")[2]) if secret in text]
