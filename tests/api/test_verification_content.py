"""`POST /api/v1/verify` with what a detached signature is over: the JSON of `lgsp verify --content --json`, and clear refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.api.face import Face, serving
from tests.api.judging import Ask, check_problem
from tests.hub.test_cli import lgsp
from tests.signing.judged_files import crl
from tests.signing.signed_files import JUDGED_AT, world
from tests.vectors import build_cms, build_tsr
from tests.vectors.sign_pdf import signed

BOUNDARY = "------------------------lgsp"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
AT = JUDGED_AT.isoformat().replace("+", "%2B")
OVER = build_cms.CONTENT
FILES: dict[str, tuple[Callable[[], bytes], bytes | None, str, str]] = {  # what is sent → file, what it is over, verdict and reason
    "a detached CMS with its content": (lambda: build_cms.openssl(world().person), OVER, "valid", ""),
    "with other content": (lambda: build_cms.openssl(world().person), OVER + b"\r\n", "invalid", "tampered"),
    "with no octets at all": (lambda: build_cms.openssl(world().person), b"", "invalid", "tampered"),
    "without its content": (lambda: build_cms.openssl(world().person), None, "indeterminate", "reference-missing"),
    "a time-stamp with its content": (lambda: build_tsr.response(world(), world().authority), build_tsr.CONTENT, "valid", ""),
    "a PDF, which needs none": (lambda: signed(world().person), None, "valid", ""),
}


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Face, Path]]:
    """A hub that trusts the CA of the vectors, and the folder that says so."""
    folder = tmp_path_factory.mktemp("trust")
    (folder / "ca.pem").write_bytes(world().ca.certificate.public_bytes(Encoding.PEM))
    (folder / "crl").mkdir()
    (folder / "crl" / "ca.crl").write_bytes(crl())
    with serving(tmp_path_factory.mktemp("hub") / "home", trust=folder) as running:
        yield running, folder


def form(*parts: tuple[str, bytes], more: str = "") -> bytes:
    """A body as curl -F writes it."""
    heads = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="tệp.bin"\r\n{more}\r\n' for name, _ in parts)
    return (
        b"".join(head.encode() + octets + b"\r\n" for head, (_, octets) in zip(heads, parts, strict=True)) + f"--{BOUNDARY}--\r\n".encode()
    )


@pytest.mark.parametrize("name", FILES)
def test_the_answer_is_the_commands(trusting: tuple[Face, Path], tmp_path: Path, name: str) -> None:
    face, trust = trusting
    make, content, verdict, reason = FILES[name]
    (tmp_path / "file").write_bytes(make())
    beside = [] if content is None else [("content", content)]
    body = form(("file", (tmp_path / "file").read_bytes()), *beside)
    answer = face.ask("POST", f"/api/v1/verify?at={AT}", system="mot-cua", body=body, headers=FORM)
    options = ["--trust", trust, "--at", JUDGED_AT.isoformat(), "--json"]
    if content is not None:
        (tmp_path / "content").write_bytes(content)
        options += ["--content", tmp_path / "content"]
    code = {"valid": 0, "invalid": 1, "indeterminate": 3}[verdict]
    told = answer.json()
    assert (answer.status, told["verdict"], told["reason"]) == (200, verdict, reason)
    assert told == json.loads(lgsp("verify", tmp_path / "file", *options, code=code))


ONE = form(("file", b"x"))
BAD = {
    "no boundary named": (ONE, {"Content-Type": "multipart/form-data"}),
    "two boundaries named": (ONE, {"Content-Type": "multipart/form-data; boundary=a; boundary=b"}),
    "another boundary": (ONE, {"Content-Type": "multipart/form-data; boundary=other"}),
    "no part": (f"--{BOUNDARY}--\r\n".encode(), FORM),
    "nothing": (b"", FORM),
    "no file": (form(("content", b"x")), FORM),
    "two files": (form(("file", b"x"), ("file", b"y")), FORM),
    "a part of another name": (form(("file", b"x"), ("trust", b"y")), FORM),
    "no last boundary": (ONE[:-6], FORM),
    "bytes after the last boundary": (ONE + b"evil", FORM),
    "a part without name": (ONE.replace(b'; name="file"', b""), FORM),
    "a part without header": (f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(), FORM),
    "a part of nothing": (f"--{BOUNDARY}\r\n--{BOUNDARY}--\r\n".encode(), FORM),
    "a header without end": (ONE.replace(b"\r\n\r\n", b"\r\n" + b"x" * 9000), FORM),
    "a header twice": (form(("file", b"x"), more="X-A: 1\r\nX-A: 2\r\n"), FORM),
    "a transfer encoding": (form(("file", b"eA=="), more="Content-Transfer-Encoding: base64\r\n"), FORM),
}


@pytest.mark.parametrize(("body", "headers"), BAD.values(), ids=BAD.keys())
def test_a_form_that_is_none_is_refused(face: Face, body: bytes, headers: dict[str, str]) -> None:
    asked = Ask("invalid-request", "POST", "/api/v1/verify", body, headers)
    answer = face.ask(asked.method, asked.path, system=asked.system, body=asked.body, headers=asked.headers)
    check_problem(answer, asked.code)
    assert answer.json()["violations"][0]["expected"]


def test_both_files_together_are_bounded_as_any_body(face: Face) -> None:
    half = b"\0" * (face.hub.limits.max_body_bytes // 2)
    answer = face.ask("POST", "/api/v1/verify", system="mot-cua", body=form(("file", half), ("content", half)), headers=FORM)
    check_problem(answer, "too-large")


def test_a_name_may_stand_behind_the_files(face: Face) -> None:
    body = ONE.replace(b'form-data; name="file"; filename="t\xe1\xbb\x87p.bin"', b'form-data; filename="a; b.bin"; name="file"')
    answer = face.ask("POST", "/api/v1/verify", system="mot-cua", body=body, headers=FORM)
    assert (answer.status, answer.json()["reason"]) == (200, "no-signature")
