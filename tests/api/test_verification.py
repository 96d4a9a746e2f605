"""`POST /api/v1/verify`: the same answer as the command's, for whoever may call, and never a fault of ours."""

from __future__ import annotations

import pytest

from tests.api.documents import document
from tests.api.face import Face

BODIES = {
    "an unsigned packet": (document(), "no-signature"),
    "nothing": (b"", "no-signature"),
    "half a packet": (document()[:-20], "malformed-xml"),
    "an external entity": (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><edXML>&x;</edXML>', "xxe"),
    "half a PDF": (b"%PDF-1.7\n1 0 obj\n", "malformed-pdf"),
    "half a zip": (b"PK\x03\x04" + b"\0" * 40, "no-signature"),
    "half a CMS": (bytes.fromhex("30820fff06092a864886f70d010702a0"), "cms-malformed"),
}


@pytest.mark.parametrize(("body", "reason"), BODIES.values(), ids=BODIES.keys())
def test_a_file_is_judged_whatever_it_is(face: Face, body: bytes, reason: str) -> None:
    answer = face.ask("POST", "/api/v1/verify", system="mot-cua", body=body, headers={"Content-Type": "application/octet-stream"})
    told = answer.json()
    assert (answer.status, told["verdict"], told["accepted"], told["reason"]) == (200, "invalid", False, reason)
    assert told["violations"][0]["remedy"]["vi"]


def test_it_is_for_callers_only(face: Face) -> None:
    assert face.ask("POST", "/api/v1/verify", body=document()).status == 401


@pytest.mark.parametrize(
    "query", ["kind=word", "at=yesterday", "at=0001-01-01T00:00:00%2B23:00", "policy=perhaps", "file=/etc/passwd", "kind=pdf&kind=cms"]
)
def test_options_that_are_none_are_refused(face: Face, query: str) -> None:
    answer = face.ask("POST", f"/api/v1/verify?{query}", system="mot-cua", body=document())
    assert (answer.status, answer.json()["code"]) == (400, "invalid-request")


def test_options_are_heeded(face: Face) -> None:
    answer = face.ask("POST", "/api/v1/verify?kind=cms&at=2026-01-01T00:00:00%2B07:00&policy=check", system="mot-cua", body=document())
    assert (answer.json()["reason"], answer.json()["policy"]) == ("cms-malformed", "check")
