"""`lgsp verify` as a program: every kind of file, exit codes, folders as people fill them, nothing but the answer on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.signing.judged_files import written
from tests.signing.signed_files import world
from tests.vectors import build_asic, build_cms, build_pdf, build_tsr
from tests.vectors.case import Case
from tests.vectors.identities import World

LGSP = Path(sys.executable).with_name("lgsp")


def run(folder: Path, case: Case, *options: str) -> tuple[int, dict[str, object]]:
    (folder / "file").write_bytes(case.data)
    more = []
    if case.content is not None:
        (folder / "content").write_bytes(case.content)
        more = [f"--content={folder / 'content'}"]
    done = subprocess.run([LGSP, "verify", folder / "file", *options, *more, "--json"], capture_output=True, check=False, timeout=100)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


PROGRAM: dict[str, tuple[Callable[[World], Case], list[str], int, str]] = {
    "detached CMS": (lambda w: Case("", build_cms.openssl(w.person), build_cms.CONTENT), [], 0, ""),
    "detached CMS without its content": (build_cms.content_missing, ["--kind=cms"], 3, "reference-missing"),
    "another content": (build_cms.content_changed, ["--kind=cms"], 1, "tampered"),
    "a signed PDF": (lambda w: Case("", build_pdf.one(w)), ["--kind=pdf"], 0, ""),
    "a PDF that calls itself CMS": (lambda w: Case("", build_pdf.one(w)), ["--kind=cms"], 1, "cms-malformed"),
    "a container": (lambda w: Case("", build_asic.packed(build_asic.simple(w))), ["--kind=asic"], 0, ""),
    "a time-stamp": (build_tsr.honest_response, ["--kind=tsr"], 0, ""),
    "nobody signed": (lambda w: Case("", b"plain text"), [], 1, "no-signature"),
}


@pytest.mark.parametrize(("build", "options", "code", "reason"), PROGRAM.values(), ids=PROGRAM.keys())
def test_the_exit_code_is_the_verdict(build: Callable[[World], Case], options: list[str], code: int, reason: str, tmp_path: Path) -> None:
    found, told = run(tmp_path, build(world()), *written(tmp_path), *options)
    assert (found, told["reason"], told["accepted"]) == (code, reason, code == 0)
    assert {"verdict", "accepted", "reason", "reasons", "legal_value", "signatures"} <= told.keys()
    violations = told["violations"]
    assert isinstance(violations, list)
    assert [one["path"] for one in violations if one["severity"] == "warning"] == ["readme.txt"]  # left out, told, not fatal


def test_without_lists_it_is_open(tmp_path: Path) -> None:
    options = [one for one in written(tmp_path) if not one.startswith("--crl")]
    found, told = run(tmp_path, Case("", build_pdf.one(world())), *options)
    assert (found, told["reason"], told["legal_value"]) == (3, "revocation-unknown", "pending")


@pytest.mark.parametrize("option", ["--kind=word", "--crl=/nowhere/at/all", "--at=9999-12-31T23:59:59-23:00", "--policy=perhaps"])
def test_wrong_use_is_told_apart(option: str, tmp_path: Path) -> None:
    assert run(tmp_path, Case("", b"plain text"), option) == (2, {})
