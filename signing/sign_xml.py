"""Signing packets: XMLDSig, and XAdES baseline B-B and B-T (ETSI EN 319 132-1), enveloped, in the place the national format has for it.

A packet keeps every byte it had; the Signature is text put in before an end tag, because systems exist that read literal prefixes
(facts page edxml.md §5) and a re-serialised packet would lose them.

1. place: before ``</edXMLHeader>``, or as the root's last child
2. digest of the packet: of the packet as it was, which is what it is without its signature
3. XAdES: SigningTime, SigningCertificateV2 and DataObjectFormat, with what was asked for besides; the digest of their canonical form
4. SignedInfo in its canonical form, in place, signed by whoever holds the key
5. XAdES B-T: an authority's token over the canonical SignatureValue, put in besides
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from schemas.errors import Refused
from schemas.xml import Element, as_root, canonical, local_name, parse
from signing.algorithms import CURVES, DEFAULT_CANONICALIZATION, DIGESTS, DSIG, ENVELOPED, EXC_C14N, SIGNATURES
from signing.sign_key import Credential
from signing.sign_stamp import TimeAuthority

XADES = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"  # type of the reference, EN 319 132-1 §4.4
ROOT_ID = "packet"
_END_OF_HEADER = re.compile(rb"</([A-Za-z_][\w.-]*:)?edXMLHeader\s*>")
_START_OF_ROOT = re.compile(rb"<([A-Za-z_][\w.-]*:)?edXML(?=[\s>])")
_DIGEST_PLACE, _PROPERTIES_PLACE, _VALUE_PLACE, _UNSIGNED_PLACE = b"DIGEST-HERE", b"PROPERTIES-HERE", b"VALUE-HERE", b"<UNSIGNED-HERE/>"
_EMPTY = {_DIGEST_PLACE: b"AA==", _PROPERTIES_PLACE: b"AA==", _VALUE_PLACE: b"AA==", _UNSIGNED_PLACE: b""}


@dataclass(frozen=True, slots=True)
class Properties:
    """What XAdES signs beside the packet. `roles` are what the signer claims to act as (SignerRoleV2/ClaimedRoles)."""

    signing_time: datetime
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """How the signature is laid out. `digest` "" is the one that fits the key; `parent` is ``header`` or ``root``."""

    digest: str = ""
    exclusive: bool = True
    reference_id: bool = False  # refer to the root by id instead of ``URI=""``
    parent: str = "header"
    prefix: str = "ds"  # of the signature's elements, "" for none


USUAL = Shape()


def sign(
    raw: bytes,
    credential: Credential,
    *,
    shape: Shape = USUAL,
    properties: Properties | None = None,
    authority: TimeAuthority | None = None,
) -> bytes:
    """`raw` with an enveloped signature over all of it; other bytes stay as they are (but for an Id on the root, if asked for).

    XMLDSig without `properties`, XAdES B-B with them, B-T where there is an `authority`.

    Raises `Refused` with `cannot-sign`, or as `schemas.xml.parse` does; `TryLater` with `token-unavailable` or `trust-unavailable`;
    `Refused` with `timestamp-invalid`.
    """
    if authority and properties is None:
        raise RuntimeError("a time-stamp stands in XAdES properties")
    if shape.reference_id:
        raw = _START_OF_ROOT.sub(lambda m: m.group() + f' Id="{ROOT_ID}"'.encode(), raw, count=1)
    before = parse(raw)
    if next(before.root.iter(f"{{{DSIG}}}Signature"), None) is not None:
        raise Refused("cannot-sign", got="a packet that is signed already", expected="one without Signature")
    at, digest = _place(raw, shape.parent), shape.digest or credential.digest
    template = _Template(credential, shape, digest, hashlib.sha256(raw).hexdigest()[:16], properties).text()
    drafted = _Draft(raw, at, template, shape)
    octets = canonical(before.root, exclusive=shape.exclusive, whole_document=not shape.reference_id)  # 2
    drafted.fill(_DIGEST_PLACE, _b64(hashlib.new(digest, octets).digest()))
    if properties:  # 3
        signed = canonical(drafted.element(XADES, "SignedProperties"), exclusive=True)
        drafted.fill(_PROPERTIES_PLACE, _b64(hashlib.new(digest, signed).digest()))
    info = drafted.element(DSIG, "SignedInfo")  # 4
    octets = canonical(info if shape.exclusive else as_root(info), exclusive=shape.exclusive)
    drafted.fill(_VALUE_PLACE, _b64(_value(credential, octets, digest)))
    if authority:  # 5
        octets = canonical(drafted.element(DSIG, "SignatureValue"), exclusive=True)
        token = authority.token(hashlib.new(digest, octets).digest(), digest)
        drafted.fill(_UNSIGNED_PLACE, _stamp(token, shape.prefix))
    return drafted.done()


@dataclass(slots=True)
class _Draft:
    """The packet with a signature in which some places are still empty."""

    raw: bytes
    at: int
    template: bytes
    shape: Shape

    def fill(self, place: bytes, content: bytes) -> None:
        self.template = self.template.replace(place, content, 1)

    def element(self, space: str, name: str) -> Element:
        """The one element of that name in the signature as it stands in the packet now."""
        root = parse(self.done()).root
        found = list(root.iter(f"{{{space}}}{name}"))
        signature = next(root.iter(f"{{{DSIG}}}Signature"), None)
        if signature is None or len(found) != 1 or not _is_at(signature, self.shape.parent):
            raise Refused("cannot-sign", got="no place for the signature", expected="an edXMLHeader in an ASCII-compatible encoding")
        return found[0]

    def done(self) -> bytes:
        signature = self.template
        for place, content in _EMPTY.items():
            signature = signature.replace(place, content)
        return self.raw[: self.at] + signature + self.raw[self.at :]


def _place(raw: bytes, parent: str) -> int:  # 1
    if parent == "header":
        ends = [m.start() for m in _END_OF_HEADER.finditer(raw)]
        if len(ends) != 1:
            raise Refused("cannot-sign", got=f"{len(ends)} end tags of edXMLHeader", expected="one, outside comments")
        return ends[0]
    return raw.rstrip().rfind(b"</")


def _is_at(signature: Element, parent: str) -> bool:
    """Whether it stands where the format has it: /edXML/edXMLEnvelope/edXMLHeader, or in the root."""
    above = [local_name(one) for one in signature.iterancestors()]
    return len(above) == 1 if parent == "root" else len(above) == 3 and above[:2] == ["edXMLHeader", "edXMLEnvelope"]


@dataclass(frozen=True, slots=True)
class _Template:
    """The text of a signature, with places for what is only known later."""

    credential: Credential
    shape: Shape
    digest: str
    token: str  # makes the ids of this signature its own
    properties: Properties | None

    def text(self) -> bytes:
        p = self.shape.prefix and f"{self.shape.prefix}:"
        form = EXC_C14N if self.shape.exclusive else DEFAULT_CANONICALIZATION
        uri = f"#{ROOT_ID}" if self.shape.reference_id else ""
        family = self.credential.family
        method = next(one.uri for one in SIGNATURES.values() if one.family is family and one.hash.name == self.digest)
        certificates = "".join(f"<{p}X509Certificate>{_der64(c)}</{p}X509Certificate>" for c in self.credential.chain)
        declared = f"xmlns:{self.shape.prefix}" if p else "xmlns"
        own, own_reference = (f' Id="sig-{self.token}"', f' Id="ref-{self.token}"') if self.properties else ("", "")
        return (
            f'<{p}Signature {declared}="{DSIG}"{own}><{p}SignedInfo>'
            f'<{p}CanonicalizationMethod Algorithm="{form}"/><{p}SignatureMethod Algorithm="{method}"/>'
            f'<{p}Reference{own_reference} URI="{uri}"><{p}Transforms><{p}Transform Algorithm="{ENVELOPED}"/>'
            f'<{p}Transform Algorithm="{form}"/></{p}Transforms>{self._digest(_DIGEST_PLACE)}</{p}Reference>{self._second_reference()}'
            f"</{p}SignedInfo><{p}SignatureValue>{_VALUE_PLACE.decode()}</{p}SignatureValue>"
            f"<{p}KeyInfo><{p}X509Data>{certificates}</{p}X509Data></{p}KeyInfo>{self._object()}</{p}Signature>"
        ).encode("ascii", "xmlcharrefreplace")  # whatever the packet's encoding is

    def _digest(self, place: bytes) -> str:
        p = self.shape.prefix and f"{self.shape.prefix}:"
        uri = next(uri for uri, name in DIGESTS.items() if name == self.digest)
        return f'<{p}DigestMethod Algorithm="{uri}"/><{p}DigestValue>{place.decode()}</{p}DigestValue>'

    def _second_reference(self) -> str:
        if self.properties is None:
            return ""
        p = self.shape.prefix and f"{self.shape.prefix}:"
        return (
            f'<{p}Reference Type="{SIGNED_PROPERTIES}" URI="#props-{self.token}"><{p}Transforms><{p}Transform Algorithm="{EXC_C14N}"/>'
            f"</{p}Transforms>{self._digest(_PROPERTIES_PLACE)}</{p}Reference>"
        )

    def _object(self) -> str:
        if self.properties is None:
            return ""
        p = self.shape.prefix and f"{self.shape.prefix}:"
        certificate = hashlib.new(self.digest, self.credential.chain[0].public_bytes(Encoding.DER)).digest()
        cert_digest = self._digest(_b64(certificate))
        roles = "".join(f"<xades:ClaimedRole>{escape(role, quote=False)}</xades:ClaimedRole>" for role in self.properties.roles)
        claimed = f"<xades:SignerRoleV2><xades:ClaimedRoles>{roles}</xades:ClaimedRoles></xades:SignerRoleV2>" if roles else ""
        moment = self.properties.signing_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f'<{p}Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#sig-{self.token}">'
            f'<xades:SignedProperties Id="props-{self.token}"><xades:SignedSignatureProperties>'
            f"<xades:SigningTime>{moment}</xades:SigningTime>"
            f"<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>{cert_digest}</xades:CertDigest></xades:Cert>"
            f"</xades:SigningCertificateV2>{claimed}</xades:SignedSignatureProperties>"
            f'<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#ref-{self.token}">'
            f"<xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>"
            f"</xades:SignedProperties>{_UNSIGNED_PLACE.decode()}</xades:QualifyingProperties></{p}Object>"
        )


def _stamp(token: bytes, prefix: str) -> bytes:
    p = prefix and f"{prefix}:"
    return (
        f"<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp>"
        f'<{p}CanonicalizationMethod Algorithm="{EXC_C14N}"/>'
        f"<xades:EncapsulatedTimeStamp>{_b64(token).decode()}</xades:EncapsulatedTimeStamp>"
        f"</xades:SignatureTimeStamp></xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
    ).encode()


def _value(credential: Credential, octets: bytes, digest: str) -> bytes:
    """As XML Signature 1.1 §6.4 has it: r‖s for ECDSA."""
    value, key = credential.custody.sign(octets, digest), credential.custody.public_key
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return value
    size = CURVES[key.curve.name][1]
    r, s = decode_dss_signature(value)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _der64(certificate: x509.Certificate) -> str:
    return _b64(certificate.public_bytes(Encoding.DER)).decode()


def _b64(octets: bytes) -> bytes:
    return base64.b64encode(octets)
