"""Evidence of one message: it holds without the hub, for our own checker and for the stand-alone one, and nothing in it can be changed."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files as resources
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.demo.pki import Pki, build_pki
from hub.evidence import Seal
from hub.node import utc_now
from replay.evidence.box import CHECKPOINT, INDEX, MAX_CONTAINER_BYTES
from replay.evidence.check import check
from replay.evidence.message_check import RAW, RECEIPT, VERDICT
from replay.tlog_proof import from_text, to_text
from signing.context import Context
from signing.cosignature import CosignatureVerifier
from signing.note import NoteSigner, NoteVerifier, note_text, sign_note
from signing.sign_key import Credential, InMemory
from signing.trust import TrustStore
from tests.hub.evidence_world import WITNESS, Files, World, build, failing, judged, repacked, unpacked
from tests.hub.stage import MOTCUA
from tests.packets import PDF

OTHER = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
POINTS = [
    "container",
    "signature",
    "checkpoint",
    "witnesses",
    "entries",
    "openings",
    "chain",
    "stamp",
    "message",
    "files",
    "receipt",
    "verdict",
]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return build_pki(tmp_path_factory.mktemp("pki"), (MOTCUA,), utc_now() - timedelta(days=1), elliptic=[MOTCUA], root_bits=2048)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("world"), pki)
    yield made
    made.stage.hub.stop()


@pytest.fixture(scope="module")
def container(world: World) -> bytes:
    return world.message()


def test_it_holds_point_by_point_and_reaches_the_verdict_again(world: World, container: bytes) -> None:
    report = judged(world, container, unsigned=False)
    assert report.is_valid, report.as_json()
    assert [point.name for point in report.points] == POINTS
    states = {point.name: str(point.state) for point in report.points}
    assert states == dict.fromkeys(POINTS, "ok") | {"signature": "open", "stamp": "open"}  # nobody said whose certificate that is
    files = unpacked(container)
    assert files["message/attachments/001.pdf"] == PDF
    assert json.loads(files[VERDICT])["verdict"] == "valid"
    assert len([name for name in files if name.startswith("verdict/evidence/")]) >= 4  # bundle, anchors, lists


def test_with_trust_of_his_own_the_reader_is_told_whose_signatures_they_are(world: World, container: bytes, pki: Pki) -> None:
    assert world.seal.credential is not None
    lists = tuple(path.read_bytes() for path in sorted((pki.trust / "crl").iterdir()))
    store = TrustStore.load(pki.trust)
    own = TrustStore((*store.anchors, world.seal.credential.chain[0]), store.intermediates)
    report = check(container, replace(world.known, now=Context(own, utc_now(), crls=lists), has_trust=True))
    states = {point.name: str(point.state) for point in report.points}
    assert report.is_valid, report.as_json()
    assert states["signature"] in ("ok", "open")
    assert states["today"] == "ok"
    stranger = check(container, replace(world.known, now=Context(TrustStore(), utc_now()), has_trust=True))
    assert "signature" in failing(stranger)


def test_the_stand_alone_script_agrees_in_a_bare_python_far_from_the_project(world: World, container: bytes, tmp_path: Path) -> None:
    script, file = tmp_path / "verify.py", tmp_path / "evidence.asice"
    script.write_text(resources("replay.standalone").joinpath("verify_evidence.py").read_text("utf-8"), "utf-8")
    file.write_bytes(container)
    (tmp_path / "trust").mkdir()
    assert world.seal.credential is not None
    from cryptography.hazmat.primitives.serialization import Encoding

    (tmp_path / "trust" / "hub.pem").write_bytes(world.seal.credential.chain[0].public_bytes(Encoding.PEM))
    keys = ["--log-key", world.known.log_keys[0].text, "--witness-key", WITNESS.verifier.text, "--trust", "trust"]
    command = [sys.executable, "-I", "-S", str(script), str(file), *keys, "--json"]
    done = subprocess.run(command, cwd=tmp_path, env={"PATH": os.defpath}, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    told = json.loads(done.stdout)
    states = {point["point"]: point["state"] for point in told["points"]}
    assert told["valid"]
    assert states["signature"] == states["entries"] == states["witnesses"] == "ok"
    done = subprocess.run([*command[:6], "nonsense"], cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def _entry(files: Files, event: str) -> str:
    return next(n for n in files if n.endswith(".tlog-proof") and f'"event":"{event}"'.encode() in from_text(files[n]).leaf)


def _raw(files: Files) -> Files:
    return files | {RAW: files[RAW].replace(b"7/X", b"8/X", 1)}


def _other_leaf(files: Files) -> Files:
    name = _entry(files, "delivery")
    proof = from_text(files[name])
    return files | {name: to_text(replace(proof, leaf=proof.leaf.replace(b'"event":"delivery"', b'"event":"redeliver"'))).encode()}


def _other_value(files: Files) -> Files:
    name = _entry(files, "delivery")
    proof = from_text(files[name])
    assert proof.opening is not None
    return files | {name: to_text(replace(proof, opening=proof.opening.replace(b'"delivered"', b'"refused"'))).encode()}


def _closed(files: Files) -> Files:
    name = _entry(files, "delivery")
    return files | {name: to_text(replace(from_text(files[name]), opening=None)).encode()}


def _renumbered(files: Files) -> Files:
    name = _entry(files, "delivery")
    proof = from_text(files[name])
    rest = {other: body for other, body in files.items() if other != name}
    return rest | {f"journal/{proof.index + 1}.tlog-proof": to_text(replace(proof, index=proof.index + 1)).encode()}


def _beyond(files: Files) -> Files:
    name = _entry(files, "delivery")
    proof = from_text(files[name])
    return files | {"journal/99999999999.tlog-proof": to_text(replace(proof, index=99_999_999_999)).encode()}


def _missing(files: Files) -> Files:
    """The delivery that a later entry follows."""
    name = next(n for n in files if n.endswith(".tlog-proof") and _entry(files, "accepted") != n)
    numbers = sorted(int(n[8:-11]) for n in files if n.endswith(".tlog-proof"))
    accepted = int(_entry(files, "accepted")[8:-11])
    assert accepted == numbers[0]
    assert name
    return {other: body for other, body in files.items() if other != f"journal/{numbers[0]}.tlog-proof"}


def _verdict(files: Files) -> Files:
    told = json.loads(files[VERDICT])
    return files | {VERDICT: json.dumps(told | {"legal_value": "none"}).encode()}


def _receipt(files: Files) -> Files:
    return files | {RECEIPT: files[RECEIPT].replace(b'"kind":"document.new"', b'"kind":"document.old"')}


def _blob(files: Files) -> Files:
    name = next(n for n in files if n.startswith("verdict/evidence/"))
    return files | {name: files[name] + b" "}


def _other_checkpoint(files: Files) -> Files:
    origin, size, root = note_text(files[CHECKPOINT]).split("\n")[:3]
    forged = sign_note(f"{origin}\n{size}\n{root}\n", [NoteSigner(origin, OTHER)]).encode()
    return _with_checkpoint(files, forged)


def _another_root(files: Files) -> Files:
    note = files[CHECKPOINT].decode()
    root = note.split("\n")[2]
    return _with_checkpoint(files, note.replace(root, base64.b64encode(bytes(32)).decode(), 1).encode())


def _other_witness(files: Files) -> Files:
    note = files[CHECKPOINT].decode()
    return _with_checkpoint(files, "".join(line for line in note.splitlines(True) if "witness" not in line).encode())


def _with_checkpoint(files: Files, note: bytes) -> Files:
    proofs = {n: to_text(replace(from_text(b), checkpoint=note)).encode() for n, b in files.items() if n.endswith(".tlog-proof")}
    return files | proofs | {CHECKPOINT: note}


def _other_message(files: Files) -> Files:
    return files | {INDEX: files[INDEX].replace(b'"message_id":"', b'"message_id":"0')}


CHANGES = {
    "one byte of the packet": (_raw, "message"),
    "an event in a leaf": (_other_leaf, "entries"),
    "a value behind a commitment": (_other_value, "openings"),
    "a value that is kept back": (_closed, "openings"),
    "an index one further": (_renumbered, "entries"),
    "an index that no log has": (_beyond, "entries"),
    "an entry that is left out": (_missing, "chain"),
    "the recorded verdict": (_verdict, "verdict"),
    "a receipt that says something else": (_receipt, "receipt"),
    "a certificate or list": (_blob, "verdict"),
    "a checkpoint that another key signed": (_other_checkpoint, "checkpoint"),
    "a checkpoint with another root": (_another_root, "checkpoint"),
    "a checkpoint without the witness": (_other_witness, "witnesses"),
    "the name of the message": (_other_message, "chain"),
}


@pytest.mark.parametrize(("change", "point"), CHANGES.values(), ids=CHANGES)
def test_nothing_in_it_can_be_changed(world: World, container: bytes, tmp_path: Path, change: object, point: str) -> None:
    assert callable(change)
    forged = repacked(change(unpacked(container)), world.seal.credential)  # a dishonest hub would sign that, too
    report = judged(world, forged)
    assert point in failing(report), report.as_json()
    told = world.script(forged, tmp_path)
    assert (told["valid"], told["exit"]) == (False, 1)
    assert point in [one["point"] for one in told["points"] if one["state"] == "failed"], told


def test_an_unsigned_container_has_to_be_accepted_expressly(world: World, container: bytes, tmp_path: Path) -> None:
    bare = repacked(unpacked(container))
    assert failing(judged(world, bare, unsigned=False)) == ["signature"]
    assert judged(world, bare).is_valid
    assert world.script(bare, tmp_path)["exit"] == 1
    assert world.script(bare, tmp_path, unsigned=True)["exit"] == 0


def test_the_containers_signature_is_over_every_file(world: World, container: bytes, tmp_path: Path) -> None:
    """Any change of a file, by whoever has no key, is seen by the signature or the manifest."""
    files = unpacked(container)
    sealed = {name: body for name, body in zipped(container).items() if name.startswith("META-INF/")}
    for name in ("README.md", INDEX):
        forged = bare_zip({"mimetype": zipped(container)["mimetype"], **(files | {name: files[name] + b"\n"}), **sealed})
        assert "signature" in failing(judged(world, forged))
        assert not world.script(forged, tmp_path)["valid"]
    assert "signature" in failing(judged(world, bare_zip({**zipped(container), "stranger.txt": b"x"})))
    assert not world.script(bare_zip({**zipped(container), "stranger.txt": b"x"}), tmp_path)["valid"]


def zipped(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def bare_zip(files: Files, *, more: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in (*files.items(), *more):
            archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return out.getvalue()


MIMETYPE = {"mimetype": b"application/vnd.etsi.asic-e+zip"}
HOSTILE = {
    "nothing": b"",
    "no archive": b"PK\x03\x04 and no more",
    "an archive without index": bare_zip(MIMETYPE),
    "an index that is no JSON": bare_zip({**MIMETYPE, INDEX: b"{"}),
    "an index of hopeless depth": bare_zip({**MIMETYPE, INDEX: b"[" * 100_000}),
    "an index of another format": bare_zip({**MIMETYPE, INDEX: b'{"format":"lgsp-hub/evidence/9"}'}),
    "an index with a list for its format": bare_zip({**MIMETYPE, INDEX: b'{"format":[1]}'}),
    "a name that leads out": bare_zip({**MIMETYPE, INDEX: b"{}", "../../etc/passwd": b"x"}),
    "an absolute name": bare_zip({**MIMETYPE, INDEX: b"{}", "/etc/passwd": b"x"}),
    "a bomb": bare_zip({**MIMETYPE, INDEX: b"{}", "bomb": bytes(64 * 1024 * 1024)}),
    "mimetype not first": bare_zip({INDEX: b"{}", **MIMETYPE}),
    "a checkpoint that is none": bare_zip({**MIMETYPE, INDEX: b'{"format":"lgsp-hub/evidence/1"}', CHECKPOINT: b"\xff\x00"}),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_container_gets_a_verdict_and_no_more(world: World, tmp_path: Path, data: bytes) -> None:
    report = judged(world, data)
    assert not report.is_valid
    assert report.points[-1].text
    assert world.script(data, tmp_path, unsigned=True)["exit"] == 1


def test_a_name_that_stands_twice_is_refused(world: World, container: bytes, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        doubled = bare_zip(zipped(container), more=((RAW, b"another"),))
    assert failing(judged(world, doubled)) == ["container"]
    assert world.script(doubled, tmp_path)["exit"] == 1


def test_a_container_that_is_cut_anywhere_is_refused(world: World, container: bytes, tmp_path: Path) -> None:
    for at in range(0, len(container), max(1, len(container) // 24)):
        assert failing(judged(world, container[:at])) == ["container"]
        assert world.script(container[:at], tmp_path)["exit"] == 1


def test_one_that_is_too_large_is_not_even_opened(world: World) -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return MAX_CONTAINER_BYTES + 1

    assert "resource-limit" in judged(world, Huge(b"PK")).points[0].text


def test_the_key_and_the_witness_of_another_log_show_nothing(world: World, container: bytes) -> None:
    name = world.known.log_keys[0].name
    for keys in ([NoteVerifier(name, OTHER.public_key())], [NoteVerifier("other.log", world.known.log_keys[0].key)]):
        assert failing(check(container, replace(world.known, log_keys=keys))) == ["checkpoint"]
    stranger = CosignatureVerifier("witness.test/two", OTHER.public_key())
    assert failing(check(container, replace(world.known, witnesses=(stranger,)))) == ["witnesses"]


def test_a_key_of_rsa_signs_containers_too(world: World, container: bytes, pki: Pki, tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Trục liên thông thử")])
    now: datetime = utc_now()
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(7)
    cert = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    sealed = repacked(unpacked(container), Credential((cert,), InMemory(key)))
    assert judged(world, sealed, unsigned=False).is_valid
    told = world.script(sealed, tmp_path)
    assert told["exit"] == 0, told
    assert "Trục liên thông thử" in told["points"][1]["text"]


def test_an_export_is_journalled_and_stands_in_the_next_one(world: World) -> None:
    world.cosign()
    files = unpacked(replace(world.exporter, seal=Seal(None)).message(world.message_id, "person:x"))
    assert _entry(files, "evidence")
    assert judged(world, repacked(files)).is_valid
    world.stage.check()


def test_the_commands_from_export_to_verdict(world: World, tmp_path: Path) -> None:
    home, key = str(world.stage.hub.settings.home), world.known.log_keys[0].text

    def lgsp(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["evidence", *arguments])

    made = lgsp("export", str(world.message_id), "--out", str(tmp_path / "one.asice"), "--home", home)
    assert made.exit_code == 0, made.output
    checked = lgsp("verify", str(tmp_path / "one.asice"), "--log-key", key, "--json")
    assert (checked.exit_code, json.loads(checked.stdout)["valid"]) == (0, True)
    assert lgsp("verify", str(tmp_path / "one.asice"), "--log-key", NoteVerifier("x", OTHER.public_key()).text).exit_code == 1
    assert lgsp("verify", str(tmp_path / "one.asice"), "--log-key", key, "--quorum", "1").exit_code == 2
    several = lgsp("export", "--query", f"sender={MOTCUA}", "--out", str(tmp_path / "many"), "--home", home, "--json")
    assert several.exit_code == 0, several.output
    assert [Path(one).name for one in json.loads(several.stdout)["files"]] == [f"evidence-{world.message_id}.asice"]
    period = ["--from", world.started.isoformat(), "--to", world.ended.isoformat()]
    whole = lgsp("completeness", "--party", MOTCUA, *period, "--out", str(tmp_path / "whole.asice"), "--home", home)
    assert whole.exit_code == 0, whole.output
    party_key = lgsp("party-key", MOTCUA, "--home", home).stdout.strip()
    asked = ["--party", MOTCUA, *period, "--party-key", party_key]
    assert lgsp("verify", str(tmp_path / "whole.asice"), "--log-key", key, *asked).exit_code == 0
    assert lgsp("script").stdout == resources("replay.standalone").joinpath("verify_evidence.py").read_text("utf-8")
    assert lgsp("export", "--home", home).exit_code == 2
    world.stage.check()


def test_a_byte_changed_anywhere_is_seen_and_breaks_nothing(world: World, container: bytes, tmp_path: Path) -> None:
    """Nothing is raised; the two checkers agree unless the byte is in a ZIP field that neither has a use for."""
    unused = 0
    for at in range(7, len(container), max(1, len(container) // 40)):
        forged = bytearray(container)
        forged[at] ^= 0x55
        ours, theirs = judged(world, bytes(forged), unsigned=False).is_valid, world.script(bytes(forged), tmp_path)["valid"]
        if ours or theirs:
            assert unpacked(bytes(forged)) == unpacked(container)  # a time or a system in a header
            unused += 1
    assert unused < 10
