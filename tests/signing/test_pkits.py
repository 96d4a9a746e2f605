"""Paths and status by NIST's own collection (PKITS), as a stranger would ask: messages, one anchor, all CA certificates, all lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hub.cli.verify import command
from schemas.message import Verdict
from signing.collected import certificates_in, lists_in, trust_in
from signing.context import Context
from signing.policy import SignatureMode, SignaturePolicy
from signing.verify import verify_file
from tests.vectors import pkits
from tests.vectors.pkits import Message

FOLDER = pkits.folder()
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="needs NIST PKITS: make pkits, or LGSP_PKITS"),
    pytest.mark.filterwarnings("ignore"),  # the parser warns of serial numbers below one, which it takes
]


@cache
def collection() -> dict[str, Message]:
    assert FOLDER is not None
    return {message.name: message for message in pkits.messages(FOLDER)}


@cache
def context() -> Context:
    assert FOLDER is not None
    store, _ = trust_in(FOLDER / "certs" / pkits.ANCHOR)
    return Context(store, pkits.AT, certificates_in(FOLDER / "certs").ders, lists_in(FOLDER / "crls").ders)


def judged(message: Message, ctx: Context) -> Verdict:
    return verify_file(message.signature, SignaturePolicy(SignatureMode.REQUIRE), ctx, content=message.content).verdict


def differences(ctx: Context) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    for name, message in collection().items():
        verdict, owed = judged(message, ctx), pkits.owed(name)
        valid = str(verdict.status) == "valid"
        if verdict.reasons[:1] != owed or valid != (not owed):
            yield name, verdict.reasons, owed


def test_every_message_has_the_verdict_that_it_is_owed() -> None:
    assert len(collection()) == pkits.COUNT
    assert list(differences(context())) == []


def test_the_certificates_that_the_messages_bring_suffice() -> None:
    assert list(differences(replace(context(), intermediates=()))) == []


def test_every_demand_on_policies_is_answered() -> None:
    found = [
        (name, demand, str(judged(collection()[name], replace(context(), policies=demand)).status) == "valid")
        for name, demand, _ in pkits.DEMANDS
    ]
    assert found == list(pkits.DEMANDS)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ValidSignaturesTest1", 0),
        ("ValidNegativeSerialNumberTest14", 0),
        ("InvalidRevokedEETest3", 1),
        ("InvalidDNnameConstraintsTest2", 1),
        ("MissingCRLTest1", 3),
    ],
)
def test_the_command_says_the_same(tmp_path: Path, name: str, code: int) -> None:
    assert FOLDER is not None
    message, app = collection()[name], typer.Typer()
    app.command()(command)
    (tmp_path / "m.p7s").write_bytes(message.signature)
    (tmp_path / "m.txt").write_bytes(message.content)
    folders = ["--trust", str(FOLDER / "certs" / pkits.ANCHOR), "--intermediates", str(FOLDER / "certs"), "--crl", str(FOLDER / "crls")]
    asked = [str(tmp_path / "m.p7s"), "--content", str(tmp_path / "m.txt"), *folders, "--at", pkits.AT.isoformat(), "--json"]
    told = CliRunner().invoke(app, asked)
    verdict = json.loads(told.stdout)
    assert (told.exit_code, tuple(verdict["reasons"])) == (code, pkits.owed(name))
