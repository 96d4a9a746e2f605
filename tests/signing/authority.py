"""A small time-stamping authority: ``openssl ts`` behind an HTTP server, and the ways in which one may misbehave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

from signing.sign_stamp import TimeAuthority
from tests.vectors.case import run
from tests.vectors.identities import Signer

Answer = Callable[[bytes], tuple[int, bytes]]  # a query's status and body

_SETTINGS = """[tsa]
default_tsa = here
[here]
serial = {folder}/tsa.serial
crypto_device = builtin
signer_cert = {signer.certificate_path}
certs = {signer.certificate_path}
signer_key = {signer.key_path}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass(slots=True)
class Running:
    """The server. `answer` may be changed while it runs."""

    url: str
    answer: Answer
    asked: list[tuple[str, bytes]] = field(default_factory=list)  # media type and query

    def client(self, timeout_s: float = 60.0) -> TimeAuthority:
        """Asks it, with nonces of its own."""
        numbers = count(2**40)
        return TimeAuthority.at(self.url, lambda: next(numbers), timeout_s)


def openssl(signer: Signer, folder: Path) -> Answer:
    """Answers of ``openssl ts -reply``."""
    settings, numbers, one_at_a_time = folder / "tsa.cnf", count(), threading.Lock()
    settings.write_text(_SETTINGS.format(folder=folder, signer=signer), "utf-8")
    (folder / "tsa.serial").write_text("01")

    def answer(query: bytes) -> tuple[int, bytes]:
        question = folder / f"query{next(numbers)}.tsq"
        question.write_bytes(query)
        reply = question.with_suffix(".tsr")
        with one_at_a_time:  # it counts serial numbers in a file
            run("openssl", "ts", "-reply", "-config", settings, "-queryfile", question, "-out", reply)
        return 200, reply.read_bytes()

    return answer


@contextmanager
def serving(answer: Answer) -> Iterator[Running]:
    """The authority on a free port, until the block ends."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            running.asked.append((self.headers["Content-Type"], query))
            status, body = running.answer(query)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    running = Running(f"http://127.0.0.1:{server.server_port}/tsa", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
