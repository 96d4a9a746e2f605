"""TLS: the configured authority and the right name, or nothing is sent; deadlines hold under it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, sleep

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.amqp import AmqpAdapter
from adapters.broker import Broker
from adapters.contract import AgencyInDoubt, AgencyUnavailable, Idempotency
from adapters.registry import build
from adapters.rest import RestAdapter
from schemas.errors import Halted
from tests.adapters.parcels import parcel

Talk = Callable[[ssl.SSLSocket], None]


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate for `address` that is its own authority, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "system of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{address}.pem", folder / f"{address}.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return cert_file, key_file


@contextmanager
def listening(files: tuple[Path, Path], talk: Talk) -> Iterator[tuple[int, list[bytes]]]:
    """A TLS server for one connection; gives its port and what it read first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    listener, heard = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        with suppress(OSError):
            raw, _ = listener.accept()
            with raw, context.wrap_socket(raw, server_side=True) as sock:
                heard.append(_request(sock))
                talk(sock)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1]), heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _request(sock: ssl.SSLSocket) -> bytes:
    """Head and body: a socket that is closed with something unread takes the answer along."""
    heard = sock.recv(65_536)
    while heard and not _is_whole(heard) and (more := sock.recv(65_536)):
        heard += more
    return heard


def _is_whole(heard: bytes) -> bool:
    head, end, body = heard.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return bool(end) and len(body) >= length


def accept(sock: ssl.SSLSocket) -> None:
    sock.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


def trickle(sock: ssl.SSLSocket) -> None:
    sock.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(3000):
        sock.sendall(b" ")
        sleep(0.02)


def test_the_configured_authority_is_trusted(tmp_path: Path) -> None:
    files = certificate(tmp_path, "127.0.0.1")
    with listening(files, accept) as (port, heard):
        adapter = RestAdapter(f"https://127.0.0.1:{port}/in", ca_file=str(files[0]), idempotency=Idempotency.NONE)
        assert adapter.deliver(parcel()).answer == "HTTP 201"
        adapter.close()
    assert heard[0].startswith(b"POST /in HTTP/1.1\r\n")


@pytest.mark.parametrize("case", ["an authority that is not configured", "a certificate for another name"])
def test_a_system_that_cannot_prove_its_name_is_sent_nothing(case: str, tmp_path: Path) -> None:
    own, other = certificate(tmp_path, "127.0.0.1"), certificate(tmp_path, "127.0.0.9")
    files, trusted = (own, other[0]) if "authority" in case else (other, other[0])
    with listening(files, accept) as (port, heard):
        adapter = RestAdapter(f"https://127.0.0.1:{port}/", ca_file=str(trusted), idempotency=Idempotency.NONE, timeout_s=5.0)
        with pytest.raises(AgencyUnavailable, match="certificate"):
            adapter.deliver(parcel())
        adapter.close()
    assert heard in ([], [b""])


def test_a_deadline_holds_under_tls(tmp_path: Path) -> None:
    files = certificate(tmp_path, "127.0.0.1")
    with listening(files, trickle) as (port, _):
        adapter = RestAdapter(f"https://127.0.0.1:{port}/", ca_file=str(files[0]), idempotency=Idempotency.NONE, timeout_s=1.5)
        started = monotonic()
        with pytest.raises(AgencyInDoubt):
            adapter.deliver(parcel())
        assert monotonic() - started < 30  # the whole trickle takes a minute
        adapter.close()


def test_a_broker_that_cannot_prove_its_name_is_told_nothing(tmp_path: Path) -> None:
    own, other = certificate(tmp_path, "127.0.0.1"), certificate(tmp_path, "127.0.0.9")
    for files, trusted, greeted in ((own, own[0], True), (other, other[0], False), (own, other[0], False)):
        with listening(files, lambda sock: None) as (port, heard):
            broker = Broker.of(f"amqps://u:p@127.0.0.1:{port}/", ca_file=str(trusted))
            with pytest.raises(AgencyUnavailable):
                AmqpAdapter(broker, "x", timeout_s=2.0).deliver(parcel())
        assert (heard[:1] == [b"AMQP\x00\x00\x09\x01"]) is greeted


def test_a_file_without_certificates_is_found_when_the_profile_is_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    with pytest.raises(Halted) as caught:
        build("rest", {"url": "https://127.0.0.1/", "idempotency": "key", "ca_file": "ca.pem"}, str, folder=tmp_path)
    assert [(one.code, one.path) for one in caught.value.violations] == [("profile-bad-value", "ca_file")]
