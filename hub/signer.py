"""The hub as a signer of documents: statuses that it composes on behalf of an agency (`hub/status.py`).

The certificate is the hub's own, from ``[signing]`` of `hub.toml`: a PKCS#12 file or a PKCS#11 token. It is another key than those of
`hub/keys.py`, which sign receipts and checkpoints and have no certificate.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from hub.settings import Settings, SigningSettings, read_toml
from schemas.errors import Halted, Refused, TryLater
from schemas.message import rfc3339
from signing import certificate, on_behalf, sign_xml
from signing.sign_key import Credential, from_pkcs12
from signing.sign_stamp import TimeAuthority

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HubSigner:
    """Signs in the hub's name, marked as on behalf of whom."""

    credential: Credential
    authority: TimeAuthority | None

    def sign(self, packet: bytes, *, on_behalf_of: str, at: datetime) -> bytes:
        """`packet` with an XAdES signature that claims the role ``on_behalf_of`` that agency: B-T, or B-B where no authority answers.

        Raises `TryLater` with `token-unavailable`, `Halted` with `signing-key-unusable` (the certificate has expired since).
        """
        self.credential.check(at)
        properties = sign_xml.Properties(at, (on_behalf.role(on_behalf_of),))
        try:
            return sign_xml.sign(packet, self.credential, properties=properties, authority=self.authority)
        except (TryLater, Refused) as fault:
            if fault.code not in ("trust-unavailable", "timestamp-invalid"):
                raise
            log.warning("status-not-stamped", code=fault.code, got=fault.got)  # an authority that is down delays evidence, not traffic
            return sign_xml.sign(packet, self.credential, properties=properties)

    def health(self) -> dict[str, Any]:
        """Whose certificate, until when, and whether time-stamps are asked for."""
        signer = certificate.of(self.credential.chain[0])
        return {"signer": signer.subject, "sha256": signer.sha256, "until": rfc3339(signer.not_after), "stamps": self.authority is not None}

    def close(self) -> None:
        """Lets the key go."""
        self.credential.custody.close()


def open_signer(settings: Settings, at: datetime) -> HubSigner | None:
    """The signer that ``[signing]`` describes, found usable at `at`; None where it says nothing.

    Raises `Halted` with `settings-invalid`, `keys-exposed` or `signing-key-unusable`, `TryLater` with `token-unavailable`.
    """
    chosen = settings.signing
    if not chosen.pkcs12 and not chosen.module:
        return None
    secret = _secret(settings, chosen)
    authority = TimeAuthority.at(chosen.tsa, lambda: secrets.randbits(63), chosen.tsa_timeout_s) if chosen.tsa else None
    credential = _from_file(settings, chosen.pkcs12, secret) if chosen.pkcs12 else _from_token(chosen, secret)
    credential.check(at)
    return HubSigner(credential, authority)


def _from_file(settings: Settings, name: str, password: str) -> Credential:
    path = settings.home / name
    if path.exists() and path.stat().st_mode & 0o077:
        raise Halted("keys-exposed", got=f"{path.name} mode {path.stat().st_mode & 0o777:o}", expected="600")
    return from_pkcs12(path, password.encode() or None)


def _from_token(chosen: SigningSettings, pin: str) -> Credential:
    from signing.sign_token import TokenKey, from_token

    return from_token(TokenKey(chosen.module, chosen.token, chosen.key), pin)


def _secret(settings: Settings, chosen: SigningSettings) -> str:
    if not chosen.secret_ref:
        return ""
    try:
        return secret_texts(settings)(chosen.secret_ref)
    except LookupError as fault:
        raise Halted("settings-invalid", got=f"signing.secret_ref: {fault}", expected="a text in secrets.toml") from fault


def secret_texts(settings: Settings) -> Callable[[str], str]:
    """Credentials by name, from `secrets.toml` (mode 0600); the look-up raises `LookupError`."""
    path = settings.home / "secrets.toml"
    table = read_toml(path) if path.exists() else {}
    if path.exists() and path.stat().st_mode & 0o077:
        raise Halted("keys-exposed", got=f"{path.name} mode {path.stat().st_mode & 0o777:o}", expected="600")

    def secret(name: str) -> str:
        value: Any = table
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if not isinstance(value, str):
            raise LookupError(f"{path.name} has no text named {name}")
        return value

    return secret
