"""The witness by the words of C2SP tlog-witness, and the log's side of it, against good witnesses and hostile ones."""

from __future__ import annotations

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.attempt import Attempt
from adapters.egress import EgressPolicy
from hub.api.witness import build_witness
from hub.witness_home import init_witness, open_witness
from hub.witnesses import WitnessClient
from replay.checkpoint import Checkpoint
from replay.hashing import EMPTY_ROOT, leaf_hash
from replay.merkle import consistency_proof, root_of
from replay.published import Published
from replay.witness import StateFile, Verdict, Witness, logs_of, request_body
from schemas.errors import Halted, HubError, Refused
from signing.cosignature import CosignatureVerifier, Cosigner, cosigned_at
from signing.note import NoteSigner, NoteVerifier, sign_note
from tests.api.face import listening

ORIGIN, NAME, NOW = "hub.test/journal", "witness.test/one", 1_795_000_000
HASHES = [leaf_hash(bytes([n])) for n in range(40)]
OTHER = [*HASHES[:5], *(leaf_hash(b"forged %d" % n) for n in range(35))]
LOG_KEY, NEW_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def note(size: int, hashes: Sequence[bytes] = HASHES, *, key: Ed25519PrivateKey = LOG_KEY, origin: str = ORIGIN) -> bytes:
    return sign_note(Checkpoint(origin, size, root_of(hashes[:size])).text(), [NoteSigner(origin, key)]).encode()


def body(old: int, size: int, hashes: Sequence[bytes] = HASHES) -> bytes:
    return request_body(old, consistency_proof(hashes, old, size), note(size, hashes))


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    keys = [NoteVerifier(ORIGIN, key.public_key()) for key in (LOG_KEY, NEW_KEY)]
    made = Witness(Cosigner(NAME, Ed25519PrivateKey.generate()), logs_of(keys), StateFile(tmp_path / "state.json"), lambda: NOW)
    yield made
    made.state.close()


def test_it_cosigns_what_continues_and_remembers_it(witness: Witness, tmp_path: Path) -> None:
    for old, size in [(0, 0), (0, 3), (3, 3), (3, 17), (17, 40)]:
        answer = witness.add_checkpoint(body(old, size))
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
        assert cosigned_at(note(size).decode() + answer.body, [witness.cosigner.verifier]) == {NAME: NOW}
        assert json.loads((tmp_path / "state.json").read_text()) == {ORIGIN: note(size).decode()}


def test_the_cosignature_is_what_the_specification_says(witness: Witness) -> None:
    """Taken apart by hand: key hash by type 4, time in eight bytes, Ed25519 over header, time and text."""
    line = witness.add_checkpoint(body(0, 7)).body
    dash, name, encoded = line.rstrip("\n").split(" ")
    raw, public = b64decode(encoded), witness.cosigner.key.public_key()
    assert (dash, name, len(raw)) == ("—", NAME, 76)
    assert raw[:4] == sha256(NAME.encode() + b"\n\x04" + public.public_bytes_raw()).digest()[:4]
    assert int.from_bytes(raw[4:12], "big") == NOW
    text = note(7).decode().partition("\n\n")[0] + "\n"
    public.verify(raw[12:], f"cosignature/v1\ntime {NOW}\n{text}".encode())
    assert CosignatureVerifier.of(witness.cosigner.verifier.text) == witness.cosigner.verifier


ABOVE = request_body(9, (), note(7))
# What is sent to a witness that has size 7 → status, and what its body begins with.
ASKED: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "witness-request-malformed"),
    "no old size": (b"\n" + note(8), 400, "witness-request-malformed"),
    "a leading zero": (b"old 07\n\n" + note(8), 400, "witness-request-malformed"),
    "a negative size": (b"old -1\n\n" + note(8), 400, "witness-request-malformed"),
    "64 hashes": (request_body(7, HASHES[:32] * 2, note(8)), 400, "witness-request-malformed"),
    "a short hash": (request_body(7, [b"short"], note(8)), 400, "witness-request-malformed"),
    "no checkpoint": (b"old 7\n\nnonsense", 400, "note-invalid"),
    "bytes that are no text": (b"\xff" * 500, 400, "witness-request-malformed"),
    "another log": (request_body(0, (), note(3, origin="hub.test/another")), 404, "unknown log"),
    "a stranger's key": (request_body(7, (), note(7, key=Ed25519PrivateKey.generate())), 403, ""),
    "an old size above the new": (ABOVE, 400, "old size 9"),
    "an old size that it does not have": (body(3, 8), 409, "7\n"),
    "size 0 of a log that it knows": (body(0, 8), 409, "7\n"),
    "another root of the same size": (request_body(7, (), note(7, OTHER)), 422, ""),
    "a proof where none is needed": (request_body(7, HASHES[:1], note(7)), 422, ""),
    "a fork": (body(7, 20, OTHER), 422, ""),
    "a proof that was cut": (request_body(7, consistency_proof(HASHES, 7, 20)[:-1], note(20)), 422, ""),
}


@pytest.mark.parametrize(("asked", "status", "says"), ASKED.values(), ids=ASKED.keys())
def test_it_cosigns_nothing_else(witness: Witness, asked: bytes, status: int, says: str) -> None:
    assert witness.add_checkpoint(body(0, 7)).status == 200
    answer = witness.add_checkpoint(asked)
    assert (answer.status, answer.body.startswith(says)) == (status, True), answer.body
    assert answer.content_type == ("text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8")
    latest = witness.latest(ORIGIN)
    assert latest is not None
    assert latest.size == 7


def test_an_empty_log_has_the_empty_root(witness: Witness) -> None:
    wrong = sign_note(Checkpoint(ORIGIN, 0, bytes(32)).text(), [NoteSigner(ORIGIN, LOG_KEY)]).encode()
    assert witness.add_checkpoint(request_body(0, (), wrong)).status == 422
    assert Checkpoint(ORIGIN, 0, EMPTY_ROOT).text() in note(0).decode()
    assert witness.add_checkpoint(request_body(0, HASHES[:1], note(8))).status == 422


def test_a_rotated_key_and_extra_lines_are_taken(witness: Witness) -> None:
    assert witness.add_checkpoint(request_body(0, (), note(5, key=NEW_KEY))).status == 200
    extra = note(5) + b"\xe2\x80\x94 somebody.else " + b64encode(b"12345678") + b"\n"
    assert witness.add_checkpoint(request_body(5, (), extra)).status == 200


def test_what_it_saw_survives_it_and_one_process_has_it(witness: Witness, tmp_path: Path) -> None:
    witness.add_checkpoint(body(0, 9))
    with pytest.raises(Halted, match="witness-state"):
        StateFile(tmp_path / "state.json")
    witness.state.close()
    again = StateFile(tmp_path / "state.json")
    assert again.latest(ORIGIN) == Checkpoint(ORIGIN, 9, root_of(HASHES[:9]))
    again.close()
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(Halted, match="witness-state"):
        StateFile(tmp_path / "state.json")


def test_many_at_once_go_forward_only(witness: Witness) -> None:
    sizes: list[int] = []

    def push(number: int) -> None:
        for size in range(number, 40, 4):
            latest = witness.latest(ORIGIN)
            old = latest.size if latest else 0
            if old <= size and witness.add_checkpoint(body(old, size)).status == 200:
                sizes.append(size)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latest = witness.latest(ORIGIN)
    assert latest is not None
    assert latest.size == max(sizes)


# --- the log's side ------------------------------------------------------------------------------------------------------------


def published(size: int, hashes: Sequence[bytes] = HASHES) -> Published:
    return Published(Checkpoint(ORIGIN, size, root_of(hashes[:size])), note(size, hashes))


def prove(old: int, size: int) -> Sequence[bytes]:
    return consistency_proof(HASHES, old, size)


def client(url: str, verifier: CosignatureVerifier, timeout_s: float = 20.0) -> WitnessClient:
    return WitnessClient(url, verifier, EgressPolicy(), timeout_s)


def test_over_http_with_a_witness_made_by_the_command(tmp_path: Path) -> None:
    made = init_witness(tmp_path / "w", NAME, "127.0.0.1:0", (NoteVerifier(ORIGIN, LOG_KEY.public_key()).text,))
    with pytest.raises(Refused, match="keys-exist"):
        init_witness(tmp_path / "w", NAME, "127.0.0.1:0", ())
    witness, _ = open_witness(tmp_path / "w", lambda: NOW)
    with listening(build_witness(witness)) as port:
        one = client(f"http://127.0.0.1:{port}", made.verifier)
        for size in (4, 4, 25):
            line, at_s = one.cosign(published(size), prove, lambda: 25, NOW)
            assert cosigned_at(note(size).decode() + line, [made.verifier]) == {NAME: NOW}
            assert at_s == NOW
        late = client(f"http://127.0.0.1:{port}/", made.verifier)  # another process of the hub, that knows nothing of it
        assert late.cosign(published(30), prove, lambda: 30, NOW)
        with pytest.raises(Refused, match="has size 30 already"):
            one.cosign(published(26), prove, lambda: 31, NOW)
        with pytest.raises(Halted, match="witness-ahead"):  # the store was rolled back
            client(f"http://127.0.0.1:{port}", made.verifier).cosign(published(12), prove, lambda: 12, NOW)
        with pytest.raises(Refused, match="422"):  # the store is another history
            fork = client(f"http://127.0.0.1:{port}", made.verifier)
            fork.cosign(published(35, OTHER), lambda old, size: consistency_proof(OTHER, old, size), lambda: 35, NOW)
        assert late.cosign(published(31), prove, lambda: 31, NOW)
        with Attempt(20) as attempt:
            big = late._exchange.send(attempt, "POST", {}, b"old 0\n" + b"A" * 100_000)
        assert big.status == 413
        late.close()
    witness.state.close()


Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def hostile(answer: Answer) -> Iterator[str]:
    """A server that answers everything by `answer`."""

    class Face(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's name for it
            answer(self, self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Face)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}"
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def plain(verdict: Verdict) -> Answer:
    def answer(face: BaseHTTPRequestHandler, asked: bytes) -> None:
        raw = verdict.body.encode()
        face.send_response(verdict.status)
        face.send_header("Content-Type", verdict.content_type)
        face.send_header("Content-Length", str(len(raw)))
        face.end_headers()
        face.wfile.write(raw)

    return answer


def endless(face: BaseHTTPRequestHandler, asked: bytes) -> None:
    face.send_response(200)
    face.end_headers()
    try:
        while True:
            face.wfile.write(b"\xe2\x80\x94 " + b"x" * 4000)
    except OSError:
        return


KEY, STRANGER = Cosigner(NAME, Ed25519PrivateKey.generate()), Cosigner(NAME, Ed25519PrivateKey.generate())
TEXT = note(8).decode().partition("\n\n")[0] + "\n"
SIZE_TYPE = "text/x.tlog.size"
WRONG: dict[str, tuple[Answer, str]] = {
    "no": (plain(Verdict(403, "no\n")), "403"),
    "another status": (plain(Verdict(302, "")), "302"),
    "a size that is none": (plain(Verdict(409, "many\n", SIZE_TYPE)), "409"),
    "a size without its type": (plain(Verdict(409, "3\n")), "409"),
    "a size beyond the store": (plain(Verdict(409, "999\n", SIZE_TYPE)), "999"),
    "a size of a thousand digits": (plain(Verdict(409, "9" * 1000 + "\n", SIZE_TYPE)), "409"),
    "the same conflict again": (plain(Verdict(409, "3\n", SIZE_TYPE)), "409"),
    "nothing": (plain(Verdict(200, "")), "no line by the configured key"),
    "garbage": (plain(Verdict(200, "garbage\n")), "garbage"),
    "no newline": (plain(Verdict(200, KEY.line(TEXT, NOW).rstrip("\n"))), "no newline"),
    "a stranger's line": (plain(Verdict(200, STRANGER.line(TEXT, NOW))), "no line by the configured key"),
    "a line over another checkpoint": (plain(Verdict(200, KEY.line(TEXT.replace("8", "9", 1), NOW))), "a wrong cosignature"),
    "a time to come": (plain(Verdict(200, KEY.line(TEXT, NOW + 9999))), "9999 s ahead"),
    "no end": (endless, "more than"),
}


@pytest.mark.parametrize(("answer", "says"), WRONG.values(), ids=WRONG.keys())
def test_a_hostile_witness_does_not_count(answer: Answer, says: str) -> None:
    with hostile(answer) as url:
        one = client(url, KEY.verifier)
        with pytest.raises(HubError) as caught:
            one.cosign(published(8), prove, lambda: 8, NOW)
        assert says in caught.value.got
        one.close()


def test_lines_of_others_beside_the_right_one_are_passed_over() -> None:
    line = KEY.line(TEXT, NOW)
    with hostile(plain(Verdict(200, STRANGER.line(TEXT, NOW) + line))) as url:
        one = client(url, KEY.verifier)
        assert one.cosign(published(8), prove, lambda: 8, NOW) == (line, NOW)
        one.close()
