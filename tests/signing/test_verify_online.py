"""`lgsp verify --online`: a real server on loopback that publishes lists and answers, honest ones and others, and what is never asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from hub.cli.verify import command
from signing.fetch import AllowList, Fetcher
from tests.signing.test_fetch import ROOT_CRL, Authority, answers_at, authority, chain_of, lists_at
from tests.vectors.build_pki import CA, ROOT, SIGNER
from tests.vectors.build_status import Crl, Entry, Ocsp, try_later
from tests.vectors.certificates import AT, DAY, Extension, key
from tests.vectors.forge_cms import Forger
from tests.vectors.identities import Signer

__all__ = ["authority"]
SERIAL = 1001
CA_CERT, ROOT_CERT = CA.make(), ROOT.make()
GOOD, REVOKED = Crl(), Crl((Entry(SERIAL),))
STALE = Crl(this_update=AT - 9 * DAY, next_update=AT - DAY)


@dataclass(frozen=True)
class Asked:
    """What was told, and what the server was asked for."""

    code: int
    verdict: dict[str, Any]
    asked: tuple[str, ...]

    @property
    def word(self) -> tuple[int, list[str]]:
        return self.code, self.verdict["reasons"]


def verify(folder: Path, server: Authority, *extensions: Extension, allow: str = "", **options: str) -> Asked:
    """The command on a fresh signature by a signer with these extensions; the CA's own status lies in the trust folder."""
    private = key("signer")
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    who = Signer("signer", private, SIGNER.but(serial=SERIAL, extensions=extensions).make(), folder)
    signed = Forger(who, attached=True, embedded=[who, replace(who, certificate=CA_CERT)], bound_to=who).sign(b"content")
    (folder / "signed.p7s").write_bytes(signed)
    trust = folder / "trust"
    shutil.rmtree(trust, ignore_errors=True)
    (trust / "crl").mkdir(parents=True)
    (trust / "root.pem").write_bytes(ROOT_CERT.public_bytes(Encoding.PEM))
    (trust / "crl" / "root.crl").write_bytes(ROOT_CRL)
    app = typer.Typer()
    app.command()(command)
    more = [part for name, value in options.items() for part in (f"--{name}", value)]
    asked = [str(folder / "signed.p7s"), "--trust", str(trust), "--at", AT.isoformat(), "--json", "--online", *more]
    told = CliRunner().invoke(app, [*asked, "--allow", allow or server.place])
    assert told.exception is None or isinstance(told.exception, SystemExit), told.output
    return Asked(told.exit_code, json.loads(told.stdout), tuple(server.asked))


def answer(status: str = "good", **changes: object) -> bytes:
    return Ocsp(SIGNER.but(serial=SERIAL).make(), CA_CERT, CA_CERT, "ca", status=status).but(**changes).make()


UNKNOWN = (3, ["revocation-unknown"])
Published = Callable[[str], tuple[Extension, ...]]


def both(place: str) -> tuple[Extension, ...]:
    return lists_at(f"{place}/ca.crl"), answers_at(f"{place}/ocsp")


CASES: dict[str, tuple[Published, dict[str, bytes], tuple[int, list[str]], tuple[str, ...]]] = {
    "a list": (lambda place: (lists_at(f"{place}/ca.crl"),), {"/ca.crl": GOOD.make()}, (0, []), ("/ca.crl",)),
    "a list on which it stands": (
        lambda place: (lists_at(f"{place}/ca.crl"),),
        {"/ca.crl": REVOKED.make()},
        (1, ["revoked"]),
        ("/ca.crl",),
    ),
    "an answer": (both, {"/ocsp": answer()}, (0, []), ("ocsp 1001",)),
    "an answer that it was revoked": (both, {"/ocsp": answer("revoked"), "/ca.crl": GOOD.make()}, (1, ["revoked"]), ("ocsp 1001",)),
    "an answer that it is not known, and a list": (
        both,
        {"/ocsp": answer("unknown"), "/ca.crl": GOOD.make()},
        (0, []),
        ("ocsp 1001", "/ca.crl"),
    ),
    "an answer about another, and a list": (
        both,
        {"/ocsp": answer(cert=SIGNER.but(serial=5).make()), "/ca.crl": GOOD.make()},
        (0, []),
        ("ocsp 1001", "/ca.crl"),
    ),
    "an answer by a stranger, and a list": (
        both,
        {"/ocsp": answer(responder=CA.but(key_name="thief").make(), key_name="thief"), "/ca.crl": GOOD.make()},
        (0, []),
        ("ocsp 1001", "/ca.crl"),
    ),
    "an answer of last week, and a list": (
        both,
        {"/ocsp": answer(this_update=AT - 9 * DAY, next_update=AT - DAY), "/ca.crl": GOOD.make()},
        (0, []),
        ("ocsp 1001", "/ca.crl"),
    ),
    "later, and a list": (both, {"/ocsp": try_later(), "/ca.crl": GOOD.make()}, (0, []), ("ocsp 1001", "/ca.crl")),
    "a page instead of an answer, and a list": (
        both,
        {"/ocsp": b"<html>", "/ca.crl": GOOD.make()},
        (0, []),
        ("ocsp 1001", "/ca.crl"),
    ),
    "a list of last week at the first address": (
        lambda place: (lists_at(f"{place}/old.crl", f"{place}/ca.crl"),),
        {"/old.crl": STALE.make(), "/ca.crl": GOOD.make()},
        (0, []),
        ("/old.crl", "/ca.crl"),
    ),
    "a list of last week": (lambda place: (lists_at(f"{place}/old.crl"),), {"/old.crl": STALE.make()}, UNKNOWN, ("/old.crl",)),
    "a list by a stranger": (
        lambda place: (lists_at(f"{place}/ca.crl"),),
        {"/ca.crl": GOOD.but(key_name="thief").make()},
        UNKNOWN,
        ("/ca.crl",),
    ),
    "nothing there": (lambda place: (lists_at(f"{place}/missing"),), {}, UNKNOWN, ("/missing",)),
    "another place": (lambda place: (lists_at(f"{place}/moved"),), {"/ca.crl": GOOD.make()}, UNKNOWN, ("/moved",)),
    "a page": (lambda place: (lists_at(f"{place}/page"),), {"/page": b"<html>"}, UNKNOWN, ("/page",)),
    "files and directories": (
        lambda place: (lists_at("file:///etc/passwd", "ldap://127.0.0.1/cn=CA?certificateRevocationList"),),
        {},
        UNKNOWN,
        (),
    ),
    "a file for answers": (lambda place: (answers_at("file:///etc/passwd"),), {}, UNKNOWN, ()),
    "an address that is not allowed": (lambda place: (lists_at("http://127.0.0.2:1/ca.crl"),), {}, UNKNOWN, ()),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_comes_decides(tmp_path: Path, authority: Authority, case: tuple[Published, dict[str, bytes], Any, tuple[str, ...]]) -> None:
    published, bodies, word, asked = case
    authority.bodies |= bodies
    told = verify(tmp_path, authority, *published(authority.place))
    assert told.word == word
    assert set(told.asked) == set(asked)
    if word == UNKNOWN and not set(asked) & {"/old.crl", "/ca.crl"}:
        missed = [one for one in told.verdict["violations"] if one["severity"] == "warning"]
        assert {one["code"] for one in missed} == {"revocation-unknown"}, "whoever asks is told what did not come"


def test_nobody_is_asked_where_nobody_is_on_the_list(tmp_path: Path, authority: Authority) -> None:
    authority.bodies["/ca.crl"] = GOOD.make()
    told = verify(tmp_path, authority, lists_at(f"{authority.place}/ca.crl"), allow="http://ca.gov.vn")
    assert (told.word, told.asked) == (UNKNOWN, ())


def test_nobody_is_asked_about_what_is_known(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "lists").mkdir()
    for number, der in enumerate((ROOT_CRL, GOOD.make())):
        (tmp_path / "lists" / f"{number}.crl").write_bytes(der)
    told = verify(tmp_path, authority, lists_at(f"{authority.place}/ca.crl"), crl=str(tmp_path / "lists"))
    assert (told.word, told.asked) == ((0, []), ())


def test_a_list_that_is_too_large_is_left(authority: Authority) -> None:
    signer = SIGNER.but(serial=SERIAL, extensions=(lists_at(f"{authority.place}/ca.crl"),)).make()
    authority.bodies["/ca.crl"] = Crl([Entry(n + 2) for n in range(500)]).make()
    gathered = Fetcher(AllowList.of([authority.place]), max_crl_bytes=4096).gather(chain_of(signer, CA_CERT), AT)
    assert (gathered.crls, [note.code for note in gathered.notes]) == ((), ["revocation-unknown"])
    assert "4096" in str(gathered.notes[0].got) + str(gathered.notes[0].expected)


def test_a_slow_place_is_left_and_the_next_one_asked(authority: Authority) -> None:
    signer = SIGNER.but(serial=SERIAL, extensions=(lists_at(f"{authority.place}/trickle", f"{authority.place}/ca.crl"),)).make()
    authority.bodies["/ca.crl"] = GOOD.make()
    gathered = Fetcher(AllowList.of([authority.place]), timeout_s=0.5).gather(chain_of(signer, CA_CERT), AT)
    assert gathered.crls == (authority.bodies["/ca.crl"],)
    assert authority.asked == ["/trickle", "/ca.crl"]


def test_what_did_not_help_is_asked_for_again_and_nothing_is_kept_for_more_than_a_day(authority: Authority) -> None:
    signer = SIGNER.but(serial=SERIAL, extensions=(lists_at(f"{authority.place}/ca.crl"),)).make()
    chain, fetcher = chain_of(signer, CA_CERT), Fetcher(AllowList.of([authority.place]))
    authority.bodies["/ca.crl"] = STALE.make()
    for _ in range(2):
        fetcher.gather(chain, AT)
    authority.bodies["/ca.crl"] = GOOD.but(next_update=AT + 9000 * DAY).make()
    for hours in (0, 1, 23):
        fetcher.gather(chain, AT + timedelta(hours=hours))
    assert len(authority.asked) == 3
    fetcher.gather(chain, AT + timedelta(hours=25))
    assert len(authority.asked) == 4


def test_an_address_is_asked_for_each_distribution_point(authority: Authority) -> None:
    """They may be lists for different reasons; the addresses of one point are for one list."""
    points = [
        x509.DistributionPoint([x509.UniformResourceIdentifier(f"{authority.place}{path}") for path in paths], None, None, None)
        for paths in (("/a", "/b"), ("/c",))
    ]
    signer = SIGNER.but(serial=SERIAL, extensions=((x509.CRLDistributionPoints(points), False),)).make()
    authority.bodies |= {"/a": GOOD.make(), "/b": GOOD.make(), "/c": GOOD.make()}
    Fetcher(AllowList.of([authority.place])).gather(chain_of(signer, CA_CERT), AT)
    assert authority.asked == ["/a", "/c"]
