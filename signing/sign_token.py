"""Keys in a token that speaks PKCS#11 (an HSM, a smart card, SoftHSM): the key never leaves it, only digests go in.

The module is a shared library that runs inside this process, so its path comes from the operator's settings or command line, never from
a document. A wrong PIN is asked for once and never again: tokens lock themselves after a few.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pkcs11
from asn1crypto import algos, core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from schemas.errors import Halted, Refused, TryLater
from signing import certificate
from signing.sign_key import Credential, PublicKey, chain_of

_WRONG = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked, pkcs11.PinExpired)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Which key: the library, the token in it, and the key by its label (CKA_LABEL); its certificate has the same CKA_ID or label."""

    module: str
    token: str
    key: str


@dataclass(slots=True)
class _Open:
    """A session with the key found in it."""

    session: Any
    key: Any

    def close(self) -> None:
        with suppress(pkcs11.PKCS11Error):
            self.session.close()


@dataclass(slots=True)
class InToken:
    """A key in a token. One session, used by one thread at a time; a lost one is opened again at the next signature."""

    where: TokenKey
    public_key: PublicKey
    _pin: str = field(repr=False)
    _open: _Open | None = field(repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)
    _refused: Halted | None = field(default=None, repr=False)  # the PIN was, and is not tried again

    def sign(self, octets: bytes, digest: str) -> bytes:
        """See `Custody.sign`. The digest is made here; the token signs it."""
        hashed = hashlib.new(digest, octets).digest()
        with self._lock:
            if self._refused is not None:
                raise self._refused
            if self._open is not None:
                try:
                    return self._signed(self._open.key, hashed, digest)
                except pkcs11.PKCS11Error:  # the token was taken out, or the device restarted
                    self._open.close()
            try:
                self._open = _opened(self.where, self._pin)
                return self._signed(self._open.key, hashed, digest)
            except pkcs11.PKCS11Error as fault:
                raise _away(self.where, fault) from fault
            except Halted as fault:
                self._refused = fault
                raise

    def _signed(self, key: Any, hashed: bytes, digest: str) -> bytes:
        if isinstance(self.public_key, rsa.RSAPublicKey):  # RFC 8017 §9.2: the token pads, we name the hash
            method = algos.DigestAlgorithm({"algorithm": digest, "parameters": core.Null()})
            info = algos.DigestInfo({"digest_algorithm": method, "digest": hashed})
            return bytes(key.sign(info.dump(), mechanism=pkcs11.Mechanism.RSA_PKCS))
        value = bytes(key.sign(hashed, mechanism=pkcs11.Mechanism.ECDSA))  # r‖s, PKCS#11 v2.40 §2.3.1
        half = len(value) // 2
        return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))

    def close(self) -> None:
        """Ends the session; the next signature opens another."""
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None


def from_token(where: TokenKey, pin: str) -> Credential:
    """The key that `where` names, with the certificates on the token.

    Raises `Halted` with `signing-key-unusable` (no such key or certificate, a wrong PIN), `TryLater` with `token-unavailable`.
    """
    opened = _opened(where, pin)
    try:
        chain = _chain(opened, where)
        public_key = chain[0].public_key()
        if not isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise _unusable(type(public_key).__name__, "an RSA or EC key")
    except pkcs11.PKCS11Error as fault:
        opened.close()
        raise _away(where, fault) from fault
    except Refused as fault:
        opened.close()
        raise _unusable(fault.got, fault.expected) from fault
    except Halted:
        opened.close()
        raise
    return Credential(chain, InToken(where, public_key, pin, opened))


def _chain(opened: _Open, where: TokenKey) -> tuple[x509.Certificate, ...]:
    objects = opened.session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE})
    found = {bytes(one[pkcs11.Attribute.VALUE]): one for one in objects}
    own = [der for der, one in found.items() if _same(one, opened.key)]
    if len(own) != 1:
        raise _unusable(f"{len(own)} certificates of the key {where.key}", "one, with the key's CKA_ID or label")
    return chain_of(certificate.load(own[0]).parsed, _readable(set(found) - set(own)))


def _readable(ders: set[bytes]) -> list[x509.Certificate]:
    return [found.parsed for der in sorted(ders) if (found := certificate.readable(der))]


def _same(cert: Any, key: Any) -> bool:
    ids = cert[pkcs11.Attribute.ID], key[pkcs11.Attribute.ID]
    return bool(ids[0] == ids[1] if all(ids) else cert[pkcs11.Attribute.LABEL] == key[pkcs11.Attribute.LABEL])


def _opened(where: TokenKey, pin: str) -> _Open:
    session = _session(where, pin)
    try:
        keys = list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.Attribute.LABEL: where.key}))
    except pkcs11.PKCS11Error as fault:
        raise _away(where, fault) from fault
    if len(keys) != 1:
        session.close()
        raise _unusable(f"{len(keys)} private keys labelled {where.key} on {where.token}", "one")
    return _Open(session, keys[0])


def _session(where: TokenKey, pin: str) -> Any:
    try:
        token = pkcs11.lib(where.module).get_token(token_label=where.token)
        try:
            return token.open(user_pin=pin)
        except pkcs11.UserAlreadyLoggedIn:  # by another session of this process; logins are shared
            return token.open()
    except _WRONG as fault:
        raise _unusable(f"{type(fault).__name__} for the token {where.token}", "the user PIN") from None
    except pkcs11.MultipleTokensReturned as fault:
        raise _unusable(f"several tokens labelled {where.token}", "one") from fault
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as fault:
        raise _away(where, fault) from fault


def _away(where: TokenKey, fault: Exception) -> TryLater:
    return TryLater(
        "token-unavailable", got=f"{where.token}: {type(fault).__name__}", expected=f"a token that answers through {where.module}"
    )


def _unusable(got: str, expected: str) -> Halted:
    return Halted("signing-key-unusable", got=got, expected=expected)
