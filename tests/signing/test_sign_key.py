"""Where keys are kept: PKCS#12 files and PKCS#11 tokens; what is not fit for signing is refused before anything is signed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from hub.demo.pki import certificate
from schemas.errors import Halted, HubError, TryLater
from signing.certificate import load, made_by, of
from signing.sign_key import HASHES, Credential, InMemory, chain_of, from_pkcs12
from signing.sign_token import InToken, TokenKey, from_token
from tests.signing.signers import NOW, PASSWORD, PIN, TOKEN, credential, needs_softhsm, pkcs12_file, token, world

OCTETS = "Quyết định số 12".encode()


def is_signed_by(credential: Credential, value: bytes, digest: str) -> bool:

    rsa_or_ec = padding.PKCS1v15() if credential.family == "RSA" else ec.ECDSA(HASHES[digest])
    return made_by(of(credential.chain[0]).key, value, OCTETS, rsa_or_ec, HASHES[digest])


@pytest.mark.parametrize("name", ["person", "elliptic"])
def test_a_pkcs12_file_signs(tmp_path: Path, name: str) -> None:
    signer = getattr(world(), name)
    found = from_pkcs12(pkcs12_file(signer, tmp_path), PASSWORD.encode())
    found.check(NOW)
    assert [of(one).sha256 for one in found.chain] == [load(signer.der).sha256]  # the root stays where verifiers have it
    assert is_signed_by(found, found.custody.sign(OCTETS, found.digest), found.digest)


def test_a_chain_is_put_in_order_and_the_root_left_out() -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    root = certificate("Root", keys[0], NOW, authority=True)
    ca = certificate("CA", keys[1], NOW, issuer=root, issuer_key=keys[0], authority=True)
    leaf = certificate("Leaf", keys[2], NOW, issuer=ca, issuer_key=keys[1])
    assert chain_of(leaf, [root, ca, leaf]) == (leaf, ca)
    assert chain_of(leaf, [root]) == (leaf,)


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    found = from_pkcs12(pkcs12_file(world().elliptic, tmp_path), PASSWORD.encode())
    assert "custody" not in repr(found)
    assert "0x" not in repr(found.custody)


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _without_key(path: Path) -> Path:
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", None, world().person.certificate, None, BestAvailableEncryption(b"x")))
    return path


def _other_kind(path: Path) -> Path:
    key = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, None, None, BestAvailableEncryption(b"x")))
    return path


UNUSABLE_FILES: dict[str, Callable[[Path], Path]] = {
    "no such file": lambda path: path,
    "empty": _empty,
    "no key": _without_key,
    "a key that signs no documents": _other_kind,
    "too large": lambda path: (path.write_bytes(bytes(2_000_000)), path)[1],
}


@pytest.mark.parametrize("make", UNUSABLE_FILES.values(), ids=UNUSABLE_FILES.keys())
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(Halted) as caught:
        from_pkcs12(make(tmp_path / "x.p12"), b"x")
    assert caught.value.code == "signing-key-unusable"


@pytest.mark.parametrize("password", ["another", "", None], ids=["another", "empty", "none"])
def test_a_wrong_password_is_refused_and_not_repeated(tmp_path: Path, password: str | None) -> None:
    with pytest.raises(Halted) as caught:
        from_pkcs12(pkcs12_file(world().elliptic, tmp_path), password.encode() if password is not None else None)
    assert caught.value.code == "signing-key-unusable"
    assert "another" not in str(caught.value)
    assert caught.value.__cause__ is None


def _with(**how: object) -> Credential:
    key = ec.generate_private_key(ec.SECP256R1())
    return Credential((certificate("x", key, NOW, **how),), InMemory(key))  # type: ignore[arg-type]


_LATE = ec.generate_private_key(ec.SECP256R1())
UNFIT: dict[str, Callable[[], Credential]] = {
    "another's certificate": lambda: Credential((world().person.certificate,), InMemory(world().elliptic.key)),
    "RSA-1024": lambda: credential(world().small),
    "for CAs only": lambda: _with(usages=("key_cert_sign",)),
    "not yet": lambda: Credential((certificate("x", _LATE, NOW + timedelta(days=9)),), InMemory(_LATE)),
    "no longer": lambda: Credential((certificate("x", _LATE, NOW - timedelta(days=9 + 365 * 3)),), InMemory(_LATE)),
}


@pytest.mark.parametrize("make", UNFIT.values(), ids=UNFIT.keys())
def test_a_certificate_that_nobody_would_believe_signs_nothing(make: Callable[[], Credential]) -> None:
    with pytest.raises(Halted) as caught:
        make().check(NOW)
    assert caught.value.code == "signing-key-unusable"


@needs_softhsm
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("name", ["person", "elliptic"])
def test_a_token_signs(name: str, digest: str) -> None:
    found = from_token(TokenKey(token().library, TOKEN, name), PIN)
    found.check(NOW)
    assert [of(one).sha256 for one in found.chain] == [load(getattr(world(), name).der).sha256]
    assert is_signed_by(found, found.custody.sign(OCTETS, digest), digest)
    assert PIN not in repr(found.custody)
    found.custody.close()


@needs_softhsm
def test_a_session_that_was_lost_is_opened_again() -> None:
    found = from_token(TokenKey(token().library, TOKEN, "elliptic"), PIN)
    found.custody.close()
    assert is_signed_by(found, found.custody.sign(OCTETS, "sha256"), "sha256")
    found.custody.close()


NOT_THERE = {
    "no such token": (TokenKey("", "nobody", "person"), "token-unavailable"),  # or taken out
    "no such key": (TokenKey("", TOKEN, "nobody"), "signing-key-unusable"),
    "no such library": (TokenKey("/nowhere.so", TOKEN, "person"), "token-unavailable"),
}


@needs_softhsm
@pytest.mark.parametrize(("where", "code"), NOT_THERE.values(), ids=NOT_THERE.keys())
def test_a_key_that_is_not_there_is_named(where: TokenKey, code: str) -> None:
    with pytest.raises(HubError) as caught:
        from_token(TokenKey(where.module or token().library, where.token, where.key), PIN)
    assert caught.value.code == code


@needs_softhsm
def test_a_token_that_was_taken_out_is_a_matter_of_time() -> None:
    gone = InToken(TokenKey(token().library, "gone", "person"), world().person.key.public_key(), PIN, None)
    for _ in range(2):  # it is looked for again each time
        with pytest.raises(TryLater) as caught:
            gone.sign(OCTETS, "sha256")
        assert caught.value.code == "token-unavailable"


@needs_softhsm
def test_a_pin_that_was_refused_is_not_tried_again() -> None:
    """The token would lock itself."""
    changed = InToken(TokenKey(token().library, TOKEN, "person"), world().person.key.public_key(), "000111", None)
    faults = []
    for _ in range(2):
        with pytest.raises(Halted) as caught:
            changed.sign(OCTETS, "sha256")
        faults.append(caught.value)
    assert faults[0] is faults[1]


@needs_softhsm
def test_one_token_serves_several_threads() -> None:
    found = from_token(TokenKey(token().library, TOKEN, "elliptic"), PIN)
    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(lambda _: found.custody.sign(OCTETS, "sha256"), range(40)))
    found.custody.close()
    assert all(is_signed_by(found, value, "sha256") for value in values)


@needs_softhsm
def test_a_wrong_pin_is_refused_once_and_not_repeated() -> None:
    with pytest.raises(Halted) as caught:
        from_token(TokenKey(token().library, TOKEN, "person"), "000111")
    assert caught.value.code == "signing-key-unusable"
    assert "000111" not in str(caught.value)
