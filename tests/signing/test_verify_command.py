"""`lgsp verify`: exit codes, both languages, JSON for machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from hub.cli.verify import command
from hub.demo.pki import STRANGER, Identity, Pki
from schemas.edxml.sender import declared_sender
from schemas.xml import parse
from tests.signing.material import AT, ELLIPTIC, PACKET, SENDER

VALID, INVALID, USAGE = 0, 1, 2


def run(tmp_path: Path, raw: bytes, *options: str) -> Result:
    app = typer.Typer()
    app.command()(command)
    (tmp_path / "packet.edxml").write_bytes(raw)
    return CliRunner().invoke(app, [str(tmp_path / "packet.edxml"), *options])


@pytest.fixture
def trusted(pki: Pki) -> list[str]:
    return ["--trust", str(pki.trust), "--at", AT.isoformat()]


def test_a_good_signature_is_said_to_be_good(tmp_path: Path, agency: Identity, trusted: list[str]) -> None:
    told = run(tmp_path, agency.sign(PACKET), *trusted)
    assert told.exit_code == VALID, told.output
    assert "HỢP LỆ / VALID" in told.output
    assert f"Agency {SENDER}" in told.output


def test_machines_get_json(tmp_path: Path, agency: Identity, trusted: list[str]) -> None:
    told = run(tmp_path, agency.sign(PACKET), *trusted, "--json")
    verdict = json.loads(told.stdout)
    assert (told.exit_code, verdict["verdict"], verdict["accepted"], verdict["legal_value"]) == (VALID, "valid", True, "original")
    assert verdict["signatures"][0]["integrity"] == "ok"


# Ten of ten, nine deep: the parser's own guard speaks before the DOCTYPE is looked at
LAUGHS = "<!DOCTYPE a [<!ENTITY a0 'x'>{}]>".format("".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))).encode()
CHANGED = {
    "tampered": (lambda raw: raw.replace(b"000.00.00.H52", b"000.00.00.H99"), "tampered"),
    "malformed": (lambda raw: raw[:-9], "malformed-xml"),
    "a DOCTYPE": (lambda raw: raw.replace(b"<edXML ", b"<!DOCTYPE a><edXML ", 1), "dtd-forbidden"),
    "an external entity": (lambda raw: raw.replace(b"<edXML ", b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><edXML ", 1), "xxe"),
    "an entity": (lambda raw: raw.replace(b"<edXML ", b"<!DOCTYPE a [<!ENTITY x 'y'>]><edXML ", 1), "entity-expansion"),
    "entities in entities": (
        lambda raw: raw.replace(b"<edXML ", LAUGHS + b"<edXML ", 1).replace(b"</edXML>", b"&a9;</edXML>"),
        "entity-expansion",
    ),
    "empty": (lambda raw: b"", "no-signature"),
    "a PDF without an inside": (lambda raw: b"%PDF-1.4", "malformed-pdf"),
}


@pytest.mark.parametrize("case", CHANGED.values(), ids=CHANGED.keys())
def test_a_bad_packet_is_named_bad_with_its_remedy(tmp_path: Path, agency: Identity, trusted: list[str], case: tuple[object, str]) -> None:
    change, reason = case
    assert callable(change)
    raw = change(agency.sign(PACKET))
    told = run(tmp_path, raw, *trusted)
    assert told.exit_code == INVALID, told.output
    assert "KHÔNG HỢP LỆ / INVALID" in told.output
    assert f"{reason}: " in told.output
    assert told.output.count("→") >= 2
    machine = json.loads(run(tmp_path, raw, *trusted, "--json").stdout)
    assert (machine["reason"], machine["accepted"]) == (reason, False)


def test_nobody_is_trusted_without_a_trust_folder(tmp_path: Path, agency: Identity) -> None:
    told = run(tmp_path, agency.sign(PACKET), "--at", AT.isoformat(), "--json")
    assert (told.exit_code, json.loads(told.stdout)["reasons"]) == (INVALID, ["untrusted-chain"])


def test_the_time_judged_for_may_be_chosen(tmp_path: Path, agency: Identity, pki: Pki) -> None:
    told = run(tmp_path, agency.sign(PACKET), "--trust", str(pki.trust), "--at", "2031-01-01T00:00:00+07:00", "--json")
    assert (told.exit_code, json.loads(told.stdout)["reasons"]) == (INVALID, ["expired"])


def test_agencies_may_be_bound_to_certificates(tmp_path: Path, pki: Pki, trusted: list[str]) -> None:
    file = tmp_path / "agencies.json"
    file.write_text(json.dumps({"H32": [pki.identities[SENDER].sha256.upper()], ELLIPTIC: pki.identities[ELLIPTIC].sha256}))
    options = [*trusted, "--agencies", str(file), "--json"]
    assert run(tmp_path, pki.identities[SENDER].sign(PACKET), *options).exit_code == VALID
    told = run(tmp_path, pki.identities[ELLIPTIC].sign(PACKET), *options)
    assert (told.exit_code, json.loads(told.stdout)["reasons"]) == (INVALID, ["sender-mismatch"])
    told = run(tmp_path, pki.identities[STRANGER].sign(PACKET), *options)
    assert json.loads(told.stdout)["reasons"] == ["untrusted-chain", "sender-mismatch"]


WRONG_USE = {
    "no such folder": ["--trust", "nowhere"],
    "no such time": ["--at", "yesterday"],
    "a time without zone": ["--at", "2026-11-21T03:04:05"],
    "no such policy": ["--policy", "maybe"],
    "no such file of agencies": ["--agencies", "nowhere.json"],
    "no such option": ["--nonsense"],
}


@pytest.mark.parametrize("options", WRONG_USE.values(), ids=WRONG_USE.keys())
def test_wrong_use_is_told_apart_from_a_bad_packet(tmp_path: Path, options: list[str]) -> None:
    assert run(tmp_path, PACKET, *options).exit_code == USAGE


@pytest.mark.parametrize("content", ["[]", "{", '{"H32": 1}', '{"H32": ["zz"]}', '{"H32": ["00"]}'])
def test_a_file_of_agencies_that_is_none_is_wrong_use(tmp_path: Path, content: str) -> None:
    (tmp_path / "agencies.json").write_text(content)
    assert run(tmp_path, PACKET, "--agencies", str(tmp_path / "agencies.json")).exit_code == USAGE


SENDERS = {
    "plain": (PACKET, SENDER),
    "cut by a comment, which hides nothing": (PACKET.replace(SENDER.encode(), b"000.00.00.H3<!-- -->2", 1), SENDER),
    "longer behind a comment": (PACKET.replace(SENDER.encode(), SENDER.encode() + b"<!-- -->.evil", 1), SENDER + ".evil"),
    "two of them": (PACKET.replace(b"</edXML:From>", b"</edXML:From><edXML:From><edXML:OrganId>H1</edXML:OrganId></edXML:From>", 1), ""),
    "no packet": (b"<a/>", None),
}


@pytest.mark.parametrize(("raw", "expected"), SENDERS.values(), ids=SENDERS.keys())
def test_the_declared_sender_is_the_whole_text_of_one_element(raw: bytes, expected: str | None) -> None:
    sender = declared_sender(parse(raw))
    assert (sender.text if sender else None) == expected
