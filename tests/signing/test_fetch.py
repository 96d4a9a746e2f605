"""Fetching: only what is on the list, within size and time, and nothing at all unless it is asked for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from schemas.errors import Halted, Refused, TryLater
from signing.certificate import Certificate, load
from signing.context import Context, Status
from signing.fetch import AllowList, Fetcher, exchange
from signing.revocation import check_revocation
from signing.signer import judge_signer
from signing.trust import TrustStore
from tests.ports import closed_port
from tests.vectors.build_pki import CA, ROOT, ROOT_NAME, SIGNER
from tests.vectors.build_status import Crl, Ocsp
from tests.vectors.certificates import AT, DAY, Extension

ROOT_CERT = ROOT.make()
ROOT_CRL = Crl(issuer=ROOT_NAME, key_name="root").make()


@dataclass
class Authority:
    """A small HTTP service with what is put into `bodies` by path; POST goes to ``/ocsp``."""

    port: int
    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving() -> Iterator[Authority]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append(self.path)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/ca.crl")
                self.end_headers()
                return
            if self.path == "/trickle":
                self._trickle()
                return
            body = running.bodies.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def do_POST(self) -> None:
            asked = ocsp.load_der_ocsp_request(self.rfile.read(int(self.headers["Content-Length"])))
            running.asked.append(f"ocsp {asked.serial_number}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(running.bodies["/ocsp"])

        def _trickle(self) -> None:
            for _ in range(1200):
                try:
                    self.wfile.write(b"H")
                    time.sleep(0.05)
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    running = Authority(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def authority() -> Iterator[Authority]:
    with serving() as running:
        yield running


def certificates(*extensions: Extension) -> tuple[x509.Certificate, x509.Certificate]:
    """A signer who says where its status is published, and its CA."""
    return SIGNER.but(serial=1001, extensions=extensions).make(), CA.make()


def lists_at(*urls: str) -> Extension:
    points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls]
    return x509.CRLDistributionPoints(points), False


def answers_at(url: str) -> Extension:
    described = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
    return x509.AuthorityInformationAccess([described]), False


def chain_of(*certs: x509.Certificate) -> tuple[Certificate, ...]:
    return tuple(load(c.public_bytes(Encoding.DER)) for c in (*certs, ROOT_CERT))


def test_a_list_is_fetched_once_and_believed_for_its_signature(authority: Authority) -> None:
    signer, ca = certificates(lists_at(f"{authority.place}/ca.crl"))
    authority.bodies["/ca.crl"] = Crl().make()
    chain = chain_of(signer, ca)
    fetcher = Fetcher(AllowList.of([authority.place]))
    for _ in range(3):
        gathered = fetcher.gather(chain, AT)
        ctx = Context(TrustStore((ROOT_CERT,)), AT, crls=(*gathered.crls, ROOT_CRL))
        assert check_revocation(chain, ctx).status is Status.OK
    assert authority.asked == ["/ca.crl"]
    fetcher.gather(chain, AT + 2 * DAY)
    assert authority.asked == ["/ca.crl"] * 2  # its nextUpdate is over


def test_an_answer_is_asked_for_before_a_list(authority: Authority) -> None:
    signer, ca = certificates(lists_at(f"{authority.place}/ca.crl"), answers_at(f"{authority.place}/ocsp"))
    authority.bodies["/ocsp"] = Ocsp(signer, ca, ca, "ca").make()
    chain = chain_of(signer, ca)
    gathered = Fetcher(AllowList.of([authority.place])).gather(chain, AT)
    assert authority.asked == ["ocsp 1001"]
    ctx = Context(TrustStore((ROOT_CERT,)), AT, crls=(ROOT_CRL,), ocsps=gathered.ocsps)
    assert check_revocation(chain, ctx).status is Status.OK


def test_nothing_is_asked_that_is_not_on_the_list(authority: Authority) -> None:
    signer, ca = certificates(
        lists_at(f"{authority.place}/ca.crl", f"http://localhost:{authority.port}/ca.crl", "ldap://x/y", "file:///etc/passwd")
    )
    chain = chain_of(signer, ca)
    gathered = Fetcher(AllowList.of([f"http://127.0.0.1:{authority.port + 1}"])).gather(chain, AT)
    assert (gathered.crls, gathered.ocsps, authority.asked) == ((), (), [])
    assert {note.code for note in gathered.notes} == {"revocation-unknown"}
    assert Fetcher(AllowList()).gather(chain, AT).crls == ()


@pytest.mark.parametrize("path", ["/missing", "/moved", "/rubbish"])
def test_what_does_not_come_stays_unknown(authority: Authority, path: str) -> None:
    signer, ca = certificates(lists_at(authority.place + path))
    authority.bodies |= {"/ca.crl": Crl().make(), "/rubbish": b"<html>"}
    chain = chain_of(signer, ca)
    gathered = Fetcher(AllowList.of([authority.place])).gather(chain, AT)
    assert gathered.crls == ()
    assert [note.code for note in gathered.notes] == ["revocation-unknown"]
    assert authority.asked == [path]


def test_sizes_and_times_are_bounded(authority: Authority) -> None:
    authority.bodies["/large"] = bytes(5000)
    with pytest.raises(Refused) as large:
        exchange(urlsplit(authority.place + "/large"), None, 4999, 5)
    assert large.value.code == "resource-limit"
    began = time.monotonic()
    with pytest.raises(TryLater) as slow:
        exchange(urlsplit(authority.place + "/trickle"), None, 5000, 1.0)
    assert slow.value.code == "trust-unavailable"
    assert time.monotonic() - began < 30  # the whole trickle takes a minute


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(TryLater):
        exchange(urlsplit(f"http://127.0.0.1:{closed_port()}/x"), None, 100, 1)


PLACES = {
    "another scheme": "ftp://ca.gov.vn",
    "a path": "http://ca.gov.vn/pki",
    "a user": "http://a@ca.gov.vn",
    "a line end": "http://ca.gov.vn\r\n",
    "no host": "http://",
    "a port that is none": "http://ca.gov.vn:x",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_place_is_scheme_host_and_port(place: str) -> None:
    with pytest.raises(Halted) as caught:
        AllowList.of([place])
    assert caught.value.code == "trust-invalid"


@pytest.mark.parametrize(
    "url",
    [
        "http://ca.gov.vn@evil.example/x",
        "http://ca.gov.vn.evil.example/x",
        "http://ca.gov.vn:8080/x",
        "https://ca.gov.vn/x",
        "http://ca.gov.vn/x y",
        "http://ca.gov.vn/\r\nHost: evil",
        "http:///ca.gov.vn/x",
        "//ca.gov.vn/x",
    ],
)
def test_addresses_that_only_look_allowed_are_not(url: str) -> None:
    assert AllowList.of(["http://ca.gov.vn"]).allowed(url) is None
    assert AllowList.of(["http://ca.gov.vn"]).allowed("http://CA.gov.vn:80/pki/pub/crl/rootca.crl") is not None


def test_judging_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever addresses certificates name, and whatever is missing: sockets and name look-ups would raise here."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a connection")

    signer, ca = certificates(lists_at("http://ca.example.vn/ca.crl"), answers_at("http://ocsp.example.vn"))
    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    judged = judge_signer(
        signer.public_bytes(Encoding.DER), (ca.public_bytes(Encoding.DER),), Context(TrustStore((ROOT_CERT,)), AT, crls=(ROOT_CRL,))
    )
    assert judged.path.status is Status.OK
    assert judged.reasons == ("revocation-unknown",)
