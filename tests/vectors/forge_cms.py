"""A signer of CMS with a real key who writes whatever he likes: every member can be made wrong on purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from signing.sign import SigningKey
from tests.vectors.identities import Signer

_HASHES: dict[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "md5": hashes.MD5()}


@dataclass(frozen=True)
class Forger:
    """Signs `content` for `signer`. None means: as it should be."""

    signer: Signer
    digest: str = "sha256"
    content_type: str = "data"
    attached: bool = False
    claimed: datetime | None = None
    said_type: str | None = None
    said_digest: bytes | None = None
    bound_to: Signer | None = None  # signing-certificate-v2
    bound_v1: bool = False
    more: Sequence[cms.CMSAttribute] = ()  # signed attributes
    attributes: bool = True
    named: Signer | None = None  # by the identifier
    embedded: Sequence[Signer] | None = None
    method: str | None = None  # signature algorithm as written
    digest_written: str | None = None
    unsigned: Sequence[tuple[str, bytes]] = ()  # dotted type, value in DER
    value: bytes | None = None
    shuffled: bool = False  # signed attributes written in another order than signed
    extra: dict[str, Any] = field(default_factory=dict)

    def but(self, **changes: Any) -> Forger:
        """The same with another idea."""
        return replace(self, **changes)

    def info(self, content: bytes) -> cms.SignerInfo:
        """The SignerInfo."""
        octets, attributes = content, None
        if self.attributes:
            attributes = cms.CMSAttributes(self._attributes(content))
            octets = b"\x31" + attributes.dump()[1:]
        named = self._certificate(self.named or self.signer)
        members: dict[str, Any] = {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {"issuer_and_serial_number": cms.IssuerAndSerialNumber({"issuer": named.issuer, "serial_number": named.serial_number})}
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": self.digest_written or self.digest}),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": self.method or self._method()}),
            "signature": self.value if self.value is not None else self._sign(self.signer.key, octets),
        }
        if attributes is not None:
            written = list(attributes)
            members["signed_attrs"] = _Unsorted(reversed(written) if self.shuffled else written)
        if self.unsigned:
            members["unsigned_attrs"] = _PlainSet([_Plain({"type": name, "values": [core.Any.load(der)]}) for name, der in self.unsigned])
        return cms.SignerInfo(members)

    def sign(self, content: bytes, *others: Forger) -> bytes:
        """ContentInfo in DER, with the others' SignerInfos beside."""
        embedded = self.embedded if self.embedded is not None else [self.signer, *(other.signer for other in others)]
        inner: dict[str, Any] = {"content_type": self.content_type}
        if self.attached:
            inner["content"] = core.ParsableOctetString(content) if self.content_type == "tst_info" else content
        infos = [one.info(content) for one in (self, *others)]
        signed = cms.SignedData(
            {
                "version": "v1" if self.content_type == "data" else "v3",
                "digest_algorithms": [algos.DigestAlgorithm({"algorithm": self.digest})],
                "encap_content_info": inner,
                "certificates": [self._certificate(one) for one in embedded],
                "signer_infos": infos,
            }
        )
        return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())

    def value_of(self, signature: bytes) -> bytes:
        """The signature value inside what `sign` made."""
        return bytes(cms.ContentInfo.load(signature)["content"]["signer_infos"][0]["signature"].native)

    def _certificate(self, signer: Signer) -> x509.Certificate:
        return x509.Certificate.load(signer.der)

    def _attributes(self, content: bytes) -> list[cms.CMSAttribute]:
        said = self.said_digest if self.said_digest is not None else hashlib.new(self.digest, content).digest()
        found = [
            cms.CMSAttribute({"type": "content_type", "values": [self.said_type or self.content_type]}),
            cms.CMSAttribute({"type": "message_digest", "values": [said]}),
        ]
        if self.claimed:
            found.append(cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": self.claimed})]}))
        if self.bound_to:
            found.append(binding(self.bound_to, v1=self.bound_v1))
        return [*found, *self.more]

    def _method(self) -> str:
        return f"{self.digest}_rsa" if isinstance(self.signer.key, rsa.RSAPrivateKey) else f"{self.digest}_ecdsa"

    def _sign(self, key: SigningKey, octets: bytes) -> bytes:
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(octets, padding.PKCS1v15(), _HASHES[self.digest])
        return key.sign(octets, ec.ECDSA(_HASHES[self.digest]))


class _Unsorted(cms.CMSAttributes):  # type: ignore[misc]  # asn1crypto is not annotated
    """Signed attributes in the order given."""

    def _set_contents(self, force: bool = False) -> None:
        self._contents = b"".join(child.dump(force=force) for child in self.children)
        self._header = None


class _AnySet(core.SetOf):  # type: ignore[misc]
    _child_spec = core.Any


class _Plain(core.Sequence):  # type: ignore[misc]
    """An attribute whose value may be anything, also where its type says otherwise."""

    _fields = [("type", core.ObjectIdentifier), ("values", _AnySet)]  # noqa: RUF012


class _PlainSet(cms.CMSAttributes):  # type: ignore[misc]
    _child_spec = _Plain


def binding(to: Signer, *, v1: bool = False) -> cms.CMSAttribute:
    """signing-certificate(-v2) that names `to`."""
    if v1:
        old = tsp.SigningCertificate({"certs": [{"cert_hash": hashlib.sha1(to.der).digest()}]})
        return cms.CMSAttribute({"type": "signing_certificate", "values": [old]})
    new = tsp.SigningCertificateV2({"certs": [{"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": hashlib.sha256(to.der).digest()}]})
    return cms.CMSAttribute({"type": "signing_certificate_v2", "values": [new]})


def token(authority: Signer, content: bytes, at: datetime, *, digest: str = "sha256", **changes: Any) -> bytes:
    """A time-stamp token over `content`."""
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4.1",
            "message_imprint": {"hash_algorithm": {"algorithm": digest}, "hashed_message": hashlib.new(digest, content).digest()},
            "serial_number": 4711,
            "gen_time": at,
        }
    ).dump()
    forger = Forger(authority, digest=digest, content_type="tst_info", attached=True, bound_to=authority)
    return forger.but(**changes).sign(info)
