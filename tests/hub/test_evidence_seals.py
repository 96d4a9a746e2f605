"""What both checkers make of time stamps, of every kind of key that seals, of a replaced log key, and of every member changed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files as resources
from pathlib import Path

import pytest

from adapters.egress import EgressPolicy
from hub.demo.pki import build_pki
from hub.keys import Keyring
from hub.node import utc_now
from hub.rotation import retire_signing, rotate_signing
from hub.stamps import StampClient
from replay.cosigned import record_stamp
from replay.evidence.box import CHECKPOINT, PROOF
from replay.evidence.check import check
from replay.evidence.stamp import LEADS, STAMPED, TOKEN
from signing.asic_writer import MANIFEST, SIGNATURE, manifest_of
from signing.context import Context
from signing.note import NoteVerifier
from signing.trust import TrustStore
from tests.hub.evidence_world import WITNESS, Files, World, build, failing, judged, repacked, unpacked
from tests.hub.stage import MOTCUA
from tests.signing.authority import openssl, serving
from tests.signing.signers import folder as signers_folder
from tests.signing.signers import world as signers
from tests.vectors.case import run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With its checkpoint stamped by an authority."""
    pki = build_pki(tmp_path_factory.mktemp("pki"), (MOTCUA,), utc_now() - timedelta(days=1), elliptic=[MOTCUA], root_bits=2048)
    made = build(tmp_path_factory.mktemp("world"), pki)
    published = made.stage.hub.keeper.publisher.publish()
    with serving(openssl(signers().authority, signers_folder())) as tsa:
        token = StampClient(tsa.url, EgressPolicy()).stamp(published.note, utc_now())
    with made.stage.hub.store.write(sequenced=False) as conn:
        record_stamp(conn, published.checkpoint.size, token)
    yield made
    made.stage.hub.stop()


@pytest.fixture(scope="module")
def container(world: World) -> bytes:
    return world.message()


@pytest.fixture(scope="module")
def trust(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from cryptography.hazmat.primitives.serialization import Encoding

    folder = tmp_path_factory.mktemp("trust")
    assert world.seal.credential is not None
    (folder / "hub.pem").write_bytes(world.seal.credential.chain[0].public_bytes(Encoding.PEM))
    (folder / "tsa.der").write_bytes(signers().ca.certificate.public_bytes(Encoding.DER))
    return folder


def states(found: Mapping[str, object]) -> dict[str, str]:
    points = found["points"]
    assert isinstance(points, list)
    return {one["point"]: one["state"] for one in points}


def test_the_stamp_says_when_and_whose_it_is(world: World, container: bytes, trust: Path, tmp_path: Path) -> None:
    assert {STAMPED, TOKEN, LEADS} <= unpacked(container).keys()
    report = judged(world, container, unsigned=False)
    assert report.is_valid, report.as_json()
    [told] = [point.text for point in report.points if point.name == "stamp"]
    assert "entries existed at 20" in told
    assert "without --trust" in told
    found = world.script(container, tmp_path, "--trust", str(trust))
    assert found["valid"], found
    assert (states(found)["stamp"], states(found)["signature"]) == ("ok", "ok")
    whole = world.period()
    assert judged(world, whole).is_valid
    assert TOKEN in unpacked(whole)
    assert states(world.script(whole, tmp_path, "--trust", str(trust)))["stamp"] == "ok"


def test_a_stranger_to_the_readers_trust_is_refused(world: World, container: bytes, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "other.pem").write_bytes(signers().person.certificate.public_bytes(Encoding.PEM))
    found = states(world.script(container, tmp_path, "--trust", str(tmp_path / "trust")))
    assert (found["stamp"], found["signature"]) == ("failed", "failed")


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] if data else b"?"


STAMPS = {
    "another checkpoint": lambda files: files | {STAMPED: files[STAMPED].replace(b"\n\n", b"\nmore\n\n", 1)},
    "another size": lambda files: files | {STAMPED: files[STAMPED].replace(b"\n1", b"\n2", 1)},
    "a proof from elsewhere": lambda files: files | {LEADS: bytes(32)},
    "a proof that is no hashes": lambda files: files | {LEADS: b"x"},
    "a token that is cut": lambda files: files | {TOKEN: files[TOKEN][:-7]},
    "a token with another signature": lambda files: files | {TOKEN: flipped(files[TOKEN], len(files[TOKEN]) - 3)},
    "no token but nonsense": lambda files: files | {TOKEN: b"nonsense"},
    "no checkpoint": lambda files: {name: body for name, body in files.items() if name != STAMPED},
}


@pytest.mark.parametrize("change", STAMPS.values(), ids=STAMPS)
def test_a_stamp_that_does_not_hold_is_told(world: World, container: bytes, tmp_path: Path, change: object) -> None:
    assert callable(change)
    forged = repacked(change(unpacked(container)))
    assert failing(judged(world, forged)) == ["stamp"]
    found = world.script(forged, tmp_path, unsigned=True)
    assert (states(found)["stamp"], found["exit"]) == ("failed", 1)


def test_without_a_stamp_it_says_so_and_stands(world: World, container: bytes, tmp_path: Path) -> None:
    bare = {name: body for name, body in unpacked(container).items() if name not in (STAMPED, TOKEN, LEADS)}
    assert judged(world, repacked(bare)).is_valid
    assert states(world.script(repacked(bare), tmp_path, unsigned=True))["stamp"] == "open"


# --- who seals ------------------------------------------------------------------------------------------------------------------------

KEYS: dict[str, tuple[list[str], list[str]]] = {
    "P-256": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], []),
    "P-384": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], []),
    "P-521": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], []),
    "RSA": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], []),
    "RSA-PSS": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["-keyopt", "rsa_padding_mode:pss"]),
}


def sealed_by_openssl(files: Files, folder: Path, key: str) -> bytes:
    """As another tool seals the same files."""
    make, how = KEYS[key]
    run("openssl", "genpkey", *make, "-out", folder / "key.pem")
    about = ["-subj", "/CN=Trục liên thông thử", "-utf8", "-days", "30", "-addext", "keyUsage=critical,digitalSignature"]
    run("openssl", "req", "-x509", "-key", folder / "key.pem", *about, "-out", folder / "cert.pem")
    (folder / "manifest").write_bytes(manifest_of(files))
    sign = ["-sign", "-cades", "-binary", "-md", "sha512" if key == "P-521" else "sha256", "-signer", folder / "cert.pem", *how]
    run("openssl", "cms", *sign, "-inkey", folder / "key.pem", "-in", folder / "manifest", "-outform", "DER", "-out", folder / "p7s")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), b"application/vnd.etsi.asic-e+zip", zipfile.ZIP_STORED)
        for name, body in {**files, MANIFEST: manifest_of(files), SIGNATURE: (folder / "p7s").read_bytes()}.items():
            archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@pytest.mark.parametrize("key", KEYS)
def test_every_kind_of_key_seals_and_both_checkers_say_so(world: World, container: bytes, tmp_path: Path, key: str) -> None:
    sealed = sealed_by_openssl(unpacked(container), tmp_path, key)
    now = Context(TrustStore(), utc_now() + timedelta(minutes=1))  # the world's own clock is behind
    report = check(sealed, replace(world.known, now=now))
    assert report.is_valid, report.as_json()
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "own.pem").write_bytes((tmp_path / "cert.pem").read_bytes())
    found = world.script(sealed, tmp_path, "--trust", str(tmp_path / "trust"))
    assert states(found)["signature"] == "ok", found
    assert "Trục liên thông thử" in found["points"][1]["text"]
    forged = sealed.replace(b"application/vnd", b"application/vnx", 1)
    assert not check(forged, replace(world.known, now=now)).is_valid


# --- every member ---------------------------------------------------------------------------------------------------------------------


def parts(container: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(container)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def test_every_member_that_is_changed_removed_renamed_or_swapped_is_seen(world: World, container: bytes, tmp_path: Path) -> None:
    files = parts(container)
    assert judged(world, zipped(files), unsigned=False).is_valid
    names, seen = list(files), 0
    for at, name in enumerate(names):
        other = names[(at + 1) % len(names)]
        tables = [
            files | {name: files[name] + b"x"},
            files | {name: b""},
            files | {name: files[name][:-1] if name == SIGNATURE else flipped(files[name], len(files[name]) // 2)},
            {each: body for each, body in files.items() if each != name},
            {(each + ".x" if each == name else each): body for each, body in files.items()},
            files | {name: files[other], other: files[name]},
        ]
        for forged in (zipped(each) for each in tables if each != files):
            assert not judged(world, forged, unsigned=False).is_valid, name
            assert world.script(forged, tmp_path)["exit"] == 1, name
            seen += 1
    for stranger in ("extra.txt", "META-INF/extra.xml", "journal/999999.tlog-proof", "message/attachments/999.pdf", "verdict/evidence/00"):
        forged = zipped(files | {stranger: b"x"})
        assert not judged(world, forged, unsigned=False).is_valid, stranger
        assert world.script(forged, tmp_path)["exit"] == 1, stranger
    assert seen >= 5 * len(files) > 80


HARMLESS = {"README.md", TOKEN}  # nothing in the one is believed; without the other there is no stamp, and that is told
OURS_ALONE = ("message/attachments/", "verdict/evidence/")  # the script parses neither packets nor what a verdict rests on


def test_even_where_nobody_sealed_it_every_member_counts(world: World, container: bytes, tmp_path: Path) -> None:
    files = unpacked(container)
    last = max((name for name in files if name.endswith(PROOF)), key=lambda name: int(name[8 : -len(PROOF)]))
    for name in files.keys() - HARMLESS - {last}:  # that nothing follows the newest entry, completeness shows
        forged = repacked({each: body for each, body in files.items() if each != name})
        assert not judged(world, forged).is_valid, name
        if not name.startswith(OURS_ALONE):
            assert world.script(forged, tmp_path, unsigned=True)["exit"] == 1, name


# --- a machine of one's own -------------------------------------------------------------------------------------------------------------


def test_verify_needs_no_hub_no_home_and_no_network(world: World, container: bytes, tmp_path: Path) -> None:
    """From another folder, without the hub's settings, and where every connection would fail."""
    (tmp_path / "e.asice").write_bytes(container)
    watch = "import socket, sys\ndef no(*_): raise SystemExit('network')\nsocket.socket.connect = no\nfrom hub.cli import main\nmain()\n"
    keys = ["--log-key", world.known.log_keys[0].text, "--witness-key", WITNESS.verifier.text]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)}
    command = [sys.executable, "-c", watch, "evidence", "verify", "e.asice", *keys, "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert json.loads(done.stdout)["valid"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.asice"]


def test_the_script_without_openssl_says_what_it_needs(world: World, container: bytes, tmp_path: Path) -> None:
    (tmp_path / "e.asice").write_bytes(container)
    (tmp_path / "v.py").write_text(resources("replay.standalone").joinpath("verify_evidence.py").read_text("utf-8"), "utf-8")
    (tmp_path / "empty").mkdir()
    command = [sys.executable, "-I", "-S", "v.py", "e.asice", "--log-key", world.known.log_keys[0].text]
    done = subprocess.run(command, cwd=tmp_path, env={"PATH": str(tmp_path / "empty")}, capture_output=True, timeout=120, check=False)
    assert (done.returncode, b"Traceback" in done.stdout + done.stderr) == (1, False)
    assert b"`openssl`, 3.0 or newer, is needed" in done.stdout


# --- last, for it changes the log's keys -------------------------------------------------------------------------------------------------


def test_evidence_from_before_while_and_after_a_rotation_of_the_log_key(world: World, container: bytes, tmp_path: Path) -> None:
    hub, keys = world.stage.hub, world.stage.hub.settings.keys_folder
    old, old_id, at = world.known.log_keys[0], hub.keyring.log().id, hub.clock()

    def valid(data: bytes, key: NoteVerifier) -> tuple[bool, bool]:
        known = replace(world.known, log_keys=(key,), accepts_unsigned=True)
        (tmp_path / "e.asice").write_bytes(data)
        command = [sys.executable, "-I", str(resources("replay.standalone").joinpath("verify_evidence.py")), str(tmp_path / "e.asice")]
        more = ["--log-key", key.text, "--witness-key", WITNESS.verifier.text]
        return check(data, known).is_valid, subprocess.run([*command, *more], capture_output=True, timeout=120, check=False).returncode == 0

    def exported() -> bytes:
        return replace(world.exporter, ring=Keyring.load(keys)).message(world.message_id, "console:test")

    done = rotate_signing(hub.committer, keys, "log", by="root", at=at)
    new = NoteVerifier(hub.settings.origin, Keyring.load(keys).public("log")[done.key_id])
    assert valid(container, old) == (True, True)
    assert valid(container, new) == (False, False)
    hub.keeper._publish()
    world.cosign()
    both = exported()
    assert valid(both, old) == valid(both, new) == (True, True)
    assert TOKEN in unpacked(both)  # over a checkpoint that only the old key signed
    retire_signing(hub.committer, keys, old_id, by="root", at=at)
    hub.keeper._publish()
    world.cosign()
    after = exported()
    assert valid(after, new) == (True, True)
    assert valid(after, old) == (False, False)
    assert old.name.encode() in unpacked(after)[CHECKPOINT]
