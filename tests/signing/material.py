"""What the tests of signatures work with: one packet, one moment, and a forger with a real key who may write anything he likes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from hub.demo.pki import Identity
from schemas.agency import AgencyCode
from schemas.message import Verdict
from schemas.xml import parse
from signing import verify
from signing.algorithms import DSIG, DSIG_MORE, ENVELOPED, EXC_C14N
from signing.context import Context, Demand
from signing.policy import SignatureMode, SignaturePolicy
from signing.trust import TrustStore

AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)
LATER = AT + timedelta(days=365 * 4)
EARLIER = AT - timedelta(days=30)
SENDER = "000.00.00.H32"
ELLIPTIC = "000.00.00.H52"
QCVN = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

PACKET = f"""<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="{QCVN}">\r
  <edXML:edXMLEnvelope xmlns:edXML="{QCVN}">
    <edXML:edXMLHeader>
      <edXML:MessageHeader>
        <edXML:From><edXML:OrganId>{SENDER}</edXML:OrganId><edXML:OrganName>UBND tỉnh Khánh Hòa</edXML:OrganName></edXML:From>
        <edXML:To><edXML:OrganId>{ELLIPTIC}</edXML:OrganId><edXML:OrganName>UBND tỉnh Sơn La</edXML:OrganName></edXML:To>
        <edXML:DocumentId>{SENDER},2026/11/21,12/UBND-VP</edXML:DocumentId>
        <edXML:Subject>V/v báo cáo &amp; thống kê &lt;quý IV&gt;</edXML:Subject><!-- soạn thảo -->
      </edXML:MessageHeader>
    </edXML:edXMLHeader>
    <edXML:edXMLBody><edXML:edXMLManifest version="1.0"/></edXML:edXMLBody>
  </edXML:edXMLEnvelope>
  <AttachmentEncoded><Attachment><ContentId>cid:1</ContentId>
    <edXML:ContentTransferEncoded xmlns:edXML="{QCVN}">VsSDbiBi4bqjbg==</edXML:ContentTransferEncoded></Attachment></AttachmentEncoded>
</edXML>
""".encode()

ENVELOPE_END = b"    </edXML:edXMLHeader>"


def policy(mode: SignatureMode = SignatureMode.REQUIRE) -> SignaturePolicy:
    """A policy that binds nobody."""
    return SignaturePolicy(mode)


def verdict(raw: bytes, trust: TrustStore, at: datetime = AT, *, sender: str = SENDER, bound: SignaturePolicy | None = None) -> Verdict:
    """The verdict on `raw`, sent by `sender`, under a policy that requires a signature."""
    return verify.judge(parse(raw), AgencyCode.of(sender), bound or policy(), Context(trust, at, demand=Demand.NONE))


def reasons(raw: bytes, trust: TrustStore, at: datetime = AT) -> tuple[str, ...]:
    """The reasons against `raw`, the deciding one first."""
    return verdict(raw, trust, at).reasons


@dataclass(frozen=True)
class Forger:
    """Writes an enveloped signature by hand and signs whatever it says with a real key. Every field can be made wrong on purpose."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificates: Sequence[x509.Certificate]
    c14n: str = EXC_C14N
    method: str = ""  # by default what fits the key, with SHA-256
    uri: str | None = ""
    transforms: str = f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXC_C14N}"/>'
    digest_method: str = "http://www.w3.org/2001/04/xmlenc#sha256"
    digest: bytes | None = None  # by default SHA-256 of the exclusive form of what `signs` is
    more_references: str = ""
    key_info: str | None = None  # by default the certificates
    objects: str = ""
    signature: bytes | None = None  # by default made with the key

    @classmethod
    def of(cls, identity: Identity) -> Forger:
        """Someone with a good key."""
        return cls(identity.key, identity.chain)

    def but(self, **changes: object) -> Forger:
        """The same forger with another idea."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def sign(self, raw: bytes, *, before: bytes = ENVELOPE_END, signs: bytes | None = None) -> bytes:
        """`raw` with the signature before the first `before`; the digest is that of `signs`, by default of `raw` itself."""
        canonical = etree.tostring(etree.fromstring(signs or raw).getroottree(), method="c14n", exclusive=True, with_comments=False)
        digest = self.digest if self.digest is not None else hashlib.sha256(canonical).digest()
        text = self._text(base64.b64encode(digest).decode()).encode()
        drafted = raw.replace(before, text + before, 1)
        info = next(etree.fromstring(drafted).iter(f"{{{DSIG}}}SignedInfo"))
        value = self.signature if self.signature is not None else self._value(etree.tostring(info, method="c14n", exclusive=True))
        return drafted.replace(b"VALUE-HERE", base64.b64encode(value), 1)

    def _value(self, octets: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.key.sign(octets, ec.ECDSA(hashes.SHA256())))
        size = (self.key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def _text(self, digest: str) -> str:
        fitting = DSIG_MORE + ("rsa-sha256" if isinstance(self.key, rsa.RSAPrivateKey) else "ecdsa-sha256")
        certificates = "".join(f"<ds:X509Certificate>{encoded(c)}</ds:X509Certificate>" for c in self.certificates)
        key_info = self.key_info if self.key_info is not None else f"<ds:X509Data>{certificates}</ds:X509Data>"
        uri = "" if self.uri is None else f' URI="{self.uri}"'
        return (
            f'<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{self.c14n}"/>'
            f'<ds:SignatureMethod Algorithm="{self.method or fitting}"/><ds:Reference{uri}><ds:Transforms>{self.transforms}</ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{self.digest_method}"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
            f"{self.more_references}</ds:SignedInfo><ds:SignatureValue>VALUE-HERE</ds:SignatureValue>"
            f"<ds:KeyInfo>{key_info}</ds:KeyInfo>{self.objects}</ds:Signature>"
        )


def encoded(certificate: x509.Certificate) -> str:
    """The DER in base64."""
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def rsa_key_value(key: rsa.RSAPublicKey) -> str:
    """`KeyValue` for `key`."""
    numbers = key.public_numbers()
    modulus, exponent = (base64.b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big")).decode() for n in (numbers.n, numbers.e))
    parts = f"<ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>{exponent}</ds:Exponent>"
    return f"<ds:KeyValue><ds:RSAKeyValue>{parts}</ds:RSAKeyValue></ds:KeyValue>"
