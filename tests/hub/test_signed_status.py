"""A status that the hub composes is signed by the hub on behalf of the agency, and never counts as the agency's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.node import open_hub, utc_now
from hub.settings import load_settings
from hub.status import report
from hub.trial import make_certificate
from replay.store.tables import messages
from schemas.edxml.sender import declared_sender
from schemas.errors import Halted, Refused
from schemas.message import LegalValue, Receipt, VerdictStatus
from schemas.xml import parse
from signing import verify
from signing.certificate import of
from signing.context import Context
from signing.policy import SignatureMode, SignaturePolicy
from signing.sign_xml import XADES
from signing.trust import TrustStore, read_certificates
from tests.hub.stage import DATDAI, MOTCUA, PROFILES, Recorder, Stage, home, open_stage
from tests.packets import document, status
from tests.signing.authority import openssl, serving
from tests.signing.signers import PIN, TOKEN, folder, needs_softhsm, pkcs12_file, token, world
from tests.signing.test_sign_xml import DS, check_by_xmlsec


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[Stage]:
    where = home(tmp_path / "home", PROFILES, "sweep_s = 0.1\n")
    make_certificate(where, utc_now())
    stage = open_stage(where, fresh=False)
    stage.hub.start()
    yield stage
    stage.hub.stop()


def reported(stage: Stage, code: str = "03") -> Receipt:
    sent = stage.send(document(MOTCUA, (DATDAI,)))
    caller = stage.principal("datdai")
    (item,), _ = stage.hub.mailbox.pending(caller)
    told = report(stage.hub, caller, item.delivery_id, code=code, description="Đã tiếp nhận", staff={}, at=stage.hub.clock()).result()
    assert told.message_id != sent.message_id
    return told


def stored(stage: Stage, receipt: Receipt) -> tuple[bytes, dict[str, object]]:
    with stage.hub.store.read() as conn:
        verdict = conn.execute(select(messages.c.verdict).where(messages.c.id == receipt.message_id)).scalar_one()
        return stage.hub.payloads.get(conn, receipt.message_id), json.loads(verdict)


def test_it_is_signed_by_the_hub_and_says_on_whose_behalf(signing: Stage) -> None:
    receipt = reported(signing)
    raw, verdict = stored(signing, receipt)
    root = signing.hub.settings.home / "signing-root.pem"
    check_by_xmlsec(raw, str(root))
    assert [one.text for one in parse(raw).root.iter(f"{{{XADES}}}ClaimedRole")] == [f"on_behalf_of {DATDAI}"]
    assert (verdict["verdict"], verdict["reasons"], verdict["legal_value"]) == ("invalid", ["on-behalf-of"], "for information")
    assert verdict["policy"] == "composed-by-hub"
    signing.wait_for(lambda: signing.systems["motcua"].bodies)
    assert signing.systems["motcua"].bodies == [raw]  # the sender gets it with the signature
    signing.check()


def test_whoever_verifies_it_is_told_even_where_the_hub_may_sign_for_the_agency(signing: Stage) -> None:
    """A centre's certificate may be bound above the agency; what it signs on behalf of the agency is not the agency's for all that."""
    raw, _ = stored(signing, reported(signing))
    (root,) = read_certificates(signing.hub.settings.home / "signing-root.pem")
    assert signing.hub.signer
    own = of(signing.hub.signer.credential.chain[0]).sha256
    policy = SignaturePolicy(SignatureMode.REQUIRE, {"H32": frozenset({own})})
    tree = parse(raw)
    verdict = verify.judge(tree, declared_sender(tree), policy, Context(TrustStore((root,)), signing.hub.clock()))
    assert verdict.status is VerdictStatus.INVALID
    assert "on-behalf-of" in verdict.reasons
    assert verdict.legal_value is not LegalValue.ORIGINAL


def test_a_packet_that_an_agency_hands_in_cannot_carry_the_mark_as_its_own(signing: Stage) -> None:
    assert signing.hub.signer
    raw = signing.hub.signer.sign(status(DATDAI, MOTCUA), on_behalf_of=DATDAI, at=signing.hub.clock())
    with pytest.raises(Refused) as caught:  # a real signature that is not valid refuses under `check`
        signing.send(raw, "datdai")
    assert "on-behalf-of" in {one.code for one in caught.value.violations}


def test_the_same_report_again_is_one_status_though_it_would_be_signed_anew(signing: Stage) -> None:
    signing.send(document(MOTCUA, (DATDAI,)))
    caller = signing.principal("datdai")
    (item,), _ = signing.hub.mailbox.pending(caller)
    first, second = (
        report(signing.hub, caller, item.delivery_id, code="03", description="x", staff={}, at=signing.hub.clock()).result()
        for _ in range(2)
    )
    assert (first.body, second.repeated) == (second.body, True)


def _open(tmp_path: Path, settings: str, secret: str) -> Stage:
    where = home(tmp_path / "home", PROFILES, f"sweep_s = 0.1\n[signing]\n{settings}\n")
    secret_file = where / "secrets.toml"
    secret_file.touch(mode=0o600)
    secret_file.write_text(f"[hsm]\npin = {json.dumps(secret)}\n", "utf-8")
    pkcs12_file(world().person, where)
    return open_stage(where, fresh=False)


@needs_softhsm
def test_the_key_may_be_in_a_token(tmp_path: Path) -> None:
    settings = f'module = "{token().library}"\ntoken = "{TOKEN}"\nkey = "elliptic"\nsecret_ref = "hsm.pin"'
    stage = _open(tmp_path, settings, PIN)
    stage.hub.start()
    try:
        raw, _ = stored(stage, reported(stage))
        check_by_xmlsec(raw, world().ca.certificate_path)
    finally:
        stage.hub.stop()


def test_an_authority_stamps_it_and_one_that_is_down_keeps_nothing_up(tmp_path: Path) -> None:
    with serving(openssl(world().authority, folder())) as tsa:
        file = 'pkcs12 = "signer.p12"\nsecret_ref = "hsm.pin"'
        stage = _open(tmp_path, f'{file}\ntsa = "{tsa.url}"\ntsa_timeout_s = 60', "mật khẩu p12")
        stage.hub.start()
        try:
            raw, _ = stored(stage, reported(stage))
            assert next(parse(raw).root.iter(f"{{{XADES}}}EncapsulatedTimeStamp")).text
            check_by_xmlsec(raw, world().ca.certificate_path)
            tsa.answer = lambda _: (503, b"")
            later, _ = stored(stage, _again(stage))
            assert next(parse(later).root.iter(f"{DS}Signature")) is not None
            assert not list(parse(later).root.iter(f"{{{XADES}}}EncapsulatedTimeStamp"))
        finally:
            stage.hub.stop()


def _again(stage: Stage) -> Receipt:
    caller = stage.principal("datdai")
    (item,), _ = stage.hub.mailbox.pending(caller)
    return report(stage.hub, caller, item.delivery_id, code="05", description="Đang xử lý", staff={}, at=stage.hub.clock()).result()


WRONG = {
    "a wrong password": ('pkcs12 = "signer.p12"\nsecret_ref = "hsm.pin"', "signing-key-unusable"),
    "no such file": ('pkcs12 = "nowhere.p12"', "signing-key-unusable"),
    "no such secret": ('pkcs12 = "signer.p12"\nsecret_ref = "hsm.none"', "settings-invalid"),
    "a file and a token": ('pkcs12 = "signer.p12"\nmodule = "x"\ntoken = "t"\nkey = "k"', "settings-invalid"),
    "half a token": ('module = "x"\ntoken = "t"', "settings-invalid"),
    "no address of an authority": ('pkcs12 = "signer.p12"\nsecret_ref = "hsm.pin"\ntsa = "tsa"', "settings-invalid"),
}


@pytest.mark.parametrize(("settings", "code"), WRONG.values(), ids=WRONG.keys())
def test_a_hub_does_not_start_with_a_signing_key_that_cannot_be_used(tmp_path: Path, settings: str, code: str) -> None:
    with pytest.raises(Halted) as caught:
        _open(tmp_path, settings, "wrong-password")
    assert caught.value.code == code
    assert "wrong-password" not in str(caught.value)


def test_a_key_file_that_others_can_read_stops_it(tmp_path: Path) -> None:
    where = home(tmp_path / "home", PROFILES, "")
    make_certificate(where, utc_now())
    (where / "keys" / "signing.p12").chmod(0o644)
    with pytest.raises(Halted) as caught:
        open_hub(load_settings(where, {}), ready_adapters={name: Recorder() for name in ("motcua", "qlvb", "truc")})
    assert caught.value.code == "keys-exposed"


def test_a_trial_certificate_is_made_once(tmp_path: Path) -> None:
    where = home(tmp_path / "home", PROFILES, "sweep_s = 0.5\n")
    make_certificate(where, utc_now())
    assert load_settings(where, {}).sweep_s == 0.5  # what stood there stands there
    with pytest.raises(Refused) as caught:
        make_certificate(where, utc_now())
    assert caught.value.code == "keys-exist"
    assert {oct(p.stat().st_mode & 0o777) for p in (where / "secrets.toml", where / "keys" / "signing.p12")} == {"0o600"}
