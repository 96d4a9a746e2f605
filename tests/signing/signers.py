"""Who signs in the tests of `lgsp sign`: certificates in force today, keys in memory, in PKCS#12 files, and in a token of SoftHSM."""

from __future__ import annotations

import atexit
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from pkcs11 import Attribute
from pkcs11.util.x509 import decode_x509_certificate

from signing.sign_key import Credential, InMemory
from tests.vectors import identities
from tests.vectors.case import run
from tests.vectors.identities import Signer, World

NOW = datetime.now(UTC)  # openssl's authority and pyHanko read the clock
PASSWORD, PIN, TOKEN = "m\u1eadt kh\u1ea9u p12", "846213", "lgsp-test"
LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")
LIBRARY = next((one for one in LIBRARIES if Path(one).exists()), "")
HAS_SOFTHSM = bool(LIBRARY and shutil.which("softhsm2-util"))
needs_softhsm = pytest.mark.skipif(not HAS_SOFTHSM, reason="SoftHSM2 is not installed (softhsm2)")


@cache
def world() -> World:
    """Made once for each process, in force from yesterday."""
    return identities.build(folder(), NOW)


@cache
def folder() -> Path:
    """For what this process needs in files."""
    made = Path(mkdtemp(prefix="lgsp-signers-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def credential(signer: Signer) -> Credential:
    """A key in memory."""
    return Credential((signer.certificate,), InMemory(signer.key))


def pkcs12_file(signer: Signer, where: Path, password: str = PASSWORD, name: str = "signer.p12") -> Path:
    """The signer's key with its certificate and that of the CA."""
    path = where / name
    path.touch(mode=0o600)
    how = BestAvailableEncryption(password.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"signer", signer.key, signer.certificate, [world().ca.certificate], how))
    return path


@dataclass(frozen=True, slots=True)
class Token:
    """A token of SoftHSM with the keys of `person` and `elliptic`, labelled by their names."""

    library: str
    label: str
    configuration: Path  # SOFTHSM2_CONF


@cache
def token() -> Token:
    """Made once for each process: the library is initialised once, with the configuration it finds then."""
    home = folder() / "softhsm"
    (home / "tokens").mkdir(parents=True)
    configuration = home / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {home / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n", "utf-8")
    os.environ["SOFTHSM2_CONF"] = str(configuration)  # the tool and the library in this process read it
    run("softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--so-pin", "administrator", "--pin", PIN)
    for number, signer in enumerate((world().person, world().elliptic), 1):
        named = ("--label", signer.name, "--id", f"{number:02d}")
        run("softhsm2-util", "--import", signer.key_path, "--token", TOKEN, "--pin", PIN, *named)
    with pkcs11.lib(LIBRARY).get_token(token_label=TOKEN).open(rw=True, user_pin=PIN) as session:
        for number, signer in enumerate((world().person, world().elliptic, world().ca), 1):
            attributes = decode_x509_certificate(signer.der)
            session.create_object(attributes | {Attribute.ID: bytes([number]), Attribute.LABEL: signer.name, Attribute.TOKEN: True})
    return Token(LIBRARY, TOKEN, configuration)
