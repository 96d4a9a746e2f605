"""`lgsp sign`: what it makes, where the key comes from, and that no secret is on a command line or in an answer."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from hub.cli.sign import command
from hub.trial import make_certificate
from schemas.errors import HubError
from signing.algorithms import CURRENT
from signing.cms import examine_cms
from signing.finding import Given
from signing.pdf import examine_pdf
from signing.sign_xml import XADES
from tests.hub.test_cli import LGSP
from tests.signing.authority import openssl, serving
from tests.signing.material import PACKET
from tests.signing.signers import NOW, PASSWORD, PIN, TOKEN, folder, needs_softhsm, pkcs12_file, token, world
from tests.signing.test_sign_xml import DS, check_by_xmlsec
from tests.vectors.sign_pdf import BASE

GIVEN = Given(NOW, CURRENT)
FILES = {"goi-tin.edxml": PACKET, "cong-van.pdf": BASE, "phu-luc.xlsx": b"PK\x03\x04 anything"}


def sign(work: Path, name: str, *options: str | Path, key: bool = True, env: Mapping[str, str] | None = None) -> Result:
    app = typer.Typer()
    app.command()(command)
    (work / name).write_bytes(FILES[name])
    own: list[str | Path] = ["--pkcs12", pkcs12_file(world().person, work), "--secret-env", "KEY_PASSWORD"] if key else []
    environment = {"KEY_PASSWORD": PASSWORD, "TOKEN_PIN": PIN, **(env or {})}
    return CliRunner().invoke(app, [str(work / name), *map(str, own), *map(str, options)], env=environment)


def test_a_packet_becomes_xades(tmp_path: Path) -> None:
    told = sign(tmp_path, "goi-tin.edxml", "--json")
    said = json.loads(told.stdout)
    assert (told.exit_code, said["form"], said["level"]) == (0, "xades", "B-B")
    signed = Path(said["file"]).read_bytes()
    assert said["file"].endswith("goi-tin.signed.edxml")
    check_by_xmlsec(signed, world().ca.certificate_path)
    assert XADES.encode() in signed


def test_a_packet_becomes_plain_xmldsig_where_asked(tmp_path: Path) -> None:
    assert sign(tmp_path, "goi-tin.edxml", "--form", "xmldsig", "--out", tmp_path / "out.xml").exit_code == 0
    signed = (tmp_path / "out.xml").read_bytes()
    check_by_xmlsec(signed, world().ca.certificate_path)
    assert XADES.encode() not in signed
    assert DS[1:-1].encode() in signed


def test_a_pdf_becomes_pades(tmp_path: Path) -> None:
    assert sign(tmp_path, "cong-van.pdf", "--reason", "Ban hành").exit_code == 0
    (finding,) = examine_pdf((tmp_path / "cong-van.signed.pdf").read_bytes(), GIVEN)
    assert (finding.kind, finding.reasons) == ("pdf", ())


@pytest.mark.parametrize("attached", [False, True])
def test_anything_else_gets_a_cms_beside_it(tmp_path: Path, attached: bool) -> None:
    assert sign(tmp_path, "phu-luc.xlsx", *(["--attached"] if attached else [])).exit_code == 0
    data = (tmp_path / "phu-luc.xlsx.p7s").read_bytes()
    (finding,) = examine_cms(data, None if attached else FILES["phu-luc.xlsx"], GIVEN)
    assert (finding.kind, finding.reasons) == ("cades", ())


@pytest.mark.parametrize("name", FILES)
def test_an_authority_makes_it_b_t(tmp_path: Path, name: str) -> None:
    with serving(openssl(world().authority, folder())) as tsa:
        told = sign(tmp_path, name, "--tsa", tsa.url, "--json")
    assert (told.exit_code, json.loads(told.stdout)["level"], len(tsa.asked)) == (0, "B-T", 1)


@needs_softhsm
def test_the_key_may_be_in_a_token(tmp_path: Path) -> None:
    options = ("--pkcs11", token().library, "--token", TOKEN, "--key", "elliptic", "--secret-env", "TOKEN_PIN")
    assert sign(tmp_path, "goi-tin.edxml", *options, key=False).exit_code == 0
    check_by_xmlsec((tmp_path / "goi-tin.signed.edxml").read_bytes(), world().ca.certificate_path)


def test_the_hub_s_own_key_signs_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True)
    root = make_certificate(home, NOW)
    assert sign(tmp_path, "goi-tin.edxml", "--home", home, key=False).exit_code == 0
    check_by_xmlsec((tmp_path / "goi-tin.signed.edxml").read_bytes(), str(root))


def test_the_password_may_stand_in_a_private_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    secret.write_text(f"{PASSWORD}\n", "utf-8")
    options = ("--pkcs12", pkcs12_file(world().person, tmp_path), "--secret-file", secret)
    assert sign(tmp_path, "goi-tin.edxml", *options, key=False).exit_code == 0
    secret.chmod(0o644)
    told = sign(tmp_path, "phu-luc.xlsx", *options, key=False)
    assert isinstance(told.exception, HubError)
    assert told.exception.code == "keys-exposed"


REFUSED: dict[str, tuple[list[str], str]] = {
    "a wrong password": (["--secret-env", "WRONG"], "signing-key-unusable"),
    "no answer from the authority": (["--tsa", "http://127.0.0.1:1/"], "trust-unavailable"),
    "no authority": (["--tsa", "nowhere"], "settings-invalid"),
    "a packet as PDF": (["--form", "pdf"], "cannot-sign"),
}


@pytest.mark.parametrize(("options", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_signed_is_named_and_nothing_is_written(tmp_path: Path, options: list[str], code: str) -> None:
    told = sign(tmp_path, "goi-tin.edxml", *options, env={"WRONG": "not-the-password"})
    assert isinstance(told.exception, HubError), told.output
    assert told.exception.code == code
    assert "not-the-password" not in f"{told.output}{told.exception}"
    assert not (tmp_path / "goi-tin.signed.edxml").exists()


WRONG_USE = {
    "no key": [],
    "two keys": ["--pkcs12", "{p12}", "--home", "."],
    "half a token": ["--pkcs11", "{p12}", "--token", "x"],
    "no secret and nobody to ask": ["--pkcs12", "{p12}"],
    "no such variable": ["--pkcs12", "{p12}", "--secret-env", "NOT_THERE"],
    "two secrets": ["--pkcs12", "{p12}", "--secret-env", "KEY_PASSWORD", "--secret-file", "{p12}"],
    "a password on the command line": ["--pkcs12", "{p12}", "--password", "x"],
    "a file that is there": ["--pkcs12", "{p12}", "--secret-env", "KEY_PASSWORD", "--out", "{p12}"],
}


@pytest.mark.parametrize("options", WRONG_USE.values(), ids=WRONG_USE.keys())
def test_wrong_use_is_told(tmp_path: Path, options: list[str]) -> None:
    p12 = str(pkcs12_file(world().person, tmp_path))
    before = Path(p12).read_bytes()
    assert sign(tmp_path, "goi-tin.edxml", *(one.format(p12=p12) for one in options), key=False).exit_code == 2
    assert Path(p12).read_bytes() == before


def test_the_whole_command_tells_an_unusable_key_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(PACKET)
    p12 = pkcs12_file(world().person, tmp_path)
    options = ["sign", str(tmp_path / "a.xml"), "--pkcs12", str(p12), "--secret-env", "WRONG"]
    done = subprocess.run(
        [*LGSP, *options], capture_output=True, text=True, check=False, env={**os.environ, "WRONG": "nay-sai"}, timeout=240
    )
    assert done.returncode == 2
    assert "signing-key-unusable: Không dùng được khóa" in done.stderr
    assert "nay-sai" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
