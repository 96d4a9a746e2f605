"""XAdES of every level: properties in templates that libxmlsec signs, time-stamps over what lxml says the standard means.

Nothing here uses the verifier's own code: what a time-stamp is over is put together once more, in the order of EN 319 132-1 §5.5.2.2.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from tests.vectors.build_xml import LETTER, OBJECT
from tests.vectors.case import Case
from tests.vectors.forge_cms import token
from tests.vectors.identities import Signer, World
from tests.vectors.sign_xml import C14N, DS, EXC, SHA256, by_hand, exclusive, reference, rsa_made, signature, with_xmlsec, x509

XADES = "http://uri.etsi.org/01903/v1.3.2#"
XADES_141 = "http://uri.etsi.org/01903/v1.4.1#"
PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
MOMENT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
LATER = MOMENT + timedelta(hours=1)
_POLICY = b"Chinh sach ky so"


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


@dataclass(frozen=True)
class Making:
    """A signature to be. Every part can be made wrong on purpose."""

    signer: Signer
    named: Signer  # in SigningCertificate
    version: str = XADES
    v2: bool = True
    target: str = "#s"
    time: str = "2026-11-20T08:01:00+07:00"
    more: str = ""  # other signed properties
    second: bool = False  # a Reference to an Object besides
    serial: int = 0  # in IssuerSerial, another than its own
    data_more: str = ""  # SignedDataObjectProperties
    refers: bool = True  # a Reference is to SignedProperties
    kind: str = PROPERTIES
    form: str = EXC
    own: str = ""  # further qualifying properties

    def but(self, **changes: object) -> Making:
        """The same with something else."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def properties(self) -> str:
        """The Object with them."""
        name = "SigningCertificateV2" if self.v2 else "SigningCertificate"
        serial = self.serial or self.named.certificate.serial_number
        issuer = f"<ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>{serial}</ds:X509SerialNumber>"
        legacy = "" if self.v2 else f"<x:IssuerSerial>{issuer}</x:IssuerSerial>"
        digest = f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{_text(hashlib.sha256(self.named.der).digest())}</ds:DigestValue>'
        cert = f"<x:{name}><x:Cert><x:CertDigest>{digest}</x:CertDigest>{legacy}</x:Cert></x:{name}>"
        return (
            f'<ds:Object><x:QualifyingProperties xmlns:x="{self.version}" Target="{self.target}"><x:SignedProperties Id="sp">'
            f"<x:SignedSignatureProperties><x:SigningTime>{self.time}</x:SigningTime>{cert}{self.more}</x:SignedSignatureProperties>"
            f"<x:SignedDataObjectProperties>{self.data_more}</x:SignedDataObjectProperties></x:SignedProperties>"
            f"</x:QualifyingProperties>{self.own}</ds:Object>"
        )

    def template(self) -> str:
        """Waiting for its value."""
        references = [reference("", more=' Id="r1"')]
        if self.second:
            references.append(reference("#o", (EXC,), more=' Id="r2"'))
        if self.refers:
            references.append(reference("#sp", (self.form,), more=f' Type="{self.kind}"'))
        return signature(
            *references,
            form=self.form,
            objects=self.properties()
            + OBJECT.replace("<x ", "<ds:SignatureProperty ")
            .replace("</x>", "</ds:SignatureProperty>")
            .replace(' xmlns="urn:x"', ' Target="#s"'),
            more=' Id="s"',
        )

    def sign(self) -> bytes:
        """Level B-B."""
        return with_xmlsec(LETTER % self.template(), self.signer)


def extended(signed: bytes, *properties: str) -> bytes:
    """With unsigned properties put behind those that are there."""
    text, new = signed.decode(), "".join(properties)
    if "</x:UnsignedSignatureProperties>" in text:
        return text.replace("</x:UnsignedSignatureProperties>", f"{new}</x:UnsignedSignatureProperties>").encode()
    whole = f"<x:UnsignedProperties><x:UnsignedSignatureProperties>{new}</x:UnsignedSignatureProperties></x:UnsignedProperties>"
    return text.replace("</x:QualifyingProperties>", f"{whole}</x:QualifyingProperties>").encode()


def canonical(data: bytes, form: str, *paths: str) -> bytes:
    """The elements that the paths find, each in that form, one after another."""
    root = etree.fromstring(data)
    names = {"ds": DS, "x": XADES, "y": XADES_141}
    found = [one for path in paths for one in root.xpath(path, namespaces=names)]
    return b"".join(_form(one, exclusive_form=form == EXC) for one in found)


def _form(element: etree._Element, *, exclusive_form: bool) -> bytes:
    if exclusive_form:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    alone = etree.fromstring(etree.tostring(element, with_tail=False))  # C14N: with the namespaces it inherits, and xml:lang of the root
    alone.set("{http://www.w3.org/XML/1998/namespace}lang", "vi")
    return etree.tostring(alone, method="c14n", with_comments=False)


def stamp(name: str, content: bytes, authority: Signer, at: datetime, *, form: str = EXC, prefix: str = "x", inside: str = "") -> str:
    """A time-stamp property over `content`."""
    return (
        f'<{prefix}:{name} xmlns:{prefix}="{XADES if prefix == "x" else XADES_141}">{inside}'
        f'<ds:CanonicalizationMethod Algorithm="{form}"/>'
        f"<x:EncapsulatedTimeStamp>{_text(token(authority, content, at))}</x:EncapsulatedTimeStamp></{prefix}:{name}>"
    )


def signature_stamped(signed: bytes, world: World, *, form: str = EXC, at: datetime = MOMENT) -> bytes:
    """Level B-T."""
    content = canonical(signed, form, "//ds:SignatureValue")
    return extended(signed, stamp("SignatureTimeStamp", content, world.authority, at, form=form))


def crl(world: World) -> bytes:
    """A list of nobody, signed by the CA."""
    builder = certificates.CertificateRevocationListBuilder().issuer_name(world.ca.certificate.subject)
    made = builder.last_update(MOMENT).next_update(MOMENT + timedelta(days=30)).sign(world.ca.key, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


def valued(signed: bytes, world: World) -> bytes:
    """With certificates and status: B-LT."""
    ca = f"<x:EncapsulatedX509Certificate>{_text(world.ca.der)}</x:EncapsulatedX509Certificate>"
    lists = f"<x:CRLValues><x:EncapsulatedCRLValue>{_text(crl(world))}</x:EncapsulatedCRLValue></x:CRLValues>"
    return extended(signed, f"<x:CertificateValues>{ca}</x:CertificateValues>", f"<x:RevocationValues>{lists}</x:RevocationValues>")


def archive_content(signed: bytes, form: str = EXC) -> bytes:
    """What an archive time-stamp put last is over."""
    bare = re.sub(r"<ds:Signature .*</ds:Signature>", "", signed.decode(), flags=re.S)
    return (
        exclusive(bare.encode())
        + canonical(signed, EXC, "//x:SignedProperties")
        + canonical(signed, form, "//ds:Signature/ds:SignedInfo", "//ds:Signature/ds:SignatureValue", "//ds:Signature/ds:KeyInfo")
        + canonical(signed, form, "//x:UnsignedSignatureProperties/*", "//ds:Signature/ds:Object[not(x:QualifyingProperties)]")
    )


def archived(signed: bytes, world: World, *, form: str = EXC, at: datetime = LATER, prefix: str = "y") -> bytes:
    """Level B-LTA."""
    return extended(signed, stamp("ArchiveTimeStamp", archive_content(signed, form), world.authority, at, form=form, prefix=prefix))


REFS = "<x:CompleteCertificateRefs><x:CertRefs/></x:CompleteCertificateRefs><x:CompleteRevocationRefs/>"


def _referenced(signed: bytes, world: World) -> bytes:
    """The legacy forms C and X, both kinds."""
    signed = extended(signed, REFS)
    refs = "//x:CompleteCertificateRefs", "//x:CompleteRevocationRefs"
    both = canonical(signed, EXC, "//ds:SignatureValue", "//x:SignatureTimeStamp", *refs)
    only = canonical(signed, EXC, *refs)
    return extended(
        signed,
        stamp("SigAndRefsTimeStamp", both, world.authority, MOMENT),
        stamp("RefsOnlyTimeStamp", only, world.authority, MOMENT),
    )


def _countersigned(signed: bytes, world: World) -> bytes:
    agency = world.agency
    text = signed.decode().replace("<ds:SignatureValue>", '<ds:SignatureValue Id="v">', 1)
    inner = signature(reference("#v", (EXC,), more=' Type="http://uri.etsi.org/01903#CountersignedSignature"'), key_info=x509(agency))
    return by_hand(
        extended(text.encode(), f"<x:CounterSignature>{inner}</x:CounterSignature>").decode().partition("?>")[2],
        rsa_made(agency),
        parts=[canonical(text.encode(), EXC, "//ds:SignatureValue")],
    )


def plain(world: World) -> Making:
    """The person's own, nothing wrong with it."""
    return Making(world.person, world.person)


def policy(digest: bytes) -> str:
    """An explicit one, by its digest."""
    return (
        "<x:SignaturePolicyIdentifier><x:SignaturePolicyId><x:SigPolicyId><x:Identifier>urn:oid:1.2.3</x:Identifier></x:SigPolicyId>"
        f'<x:SigPolicyHash><ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{_text(digest)}</ds:DigestValue></x:SigPolicyHash>'
        "</x:SignaturePolicyId></x:SignaturePolicyIdentifier>"
    )


STORE = (
    f'<y:SignaturePolicyStore xmlns:y="{XADES_141}"><y:SignaturePolicyDocument>{_text(_POLICY)}</y:SignaturePolicyDocument>'
    "</y:SignaturePolicyStore>"
)


def honest(world: World) -> Iterator[tuple[str, Case]]:
    """The level that each has, and the case."""
    good = plain(world)
    bb = good.sign()
    bt = signature_stamped(bb, world)
    blt = valued(bt, world)
    yield "B-B", Case("B-B", bb)
    yield "B-B", Case("B-B, SigningCertificate of version 1", good.but(v2=False).sign())
    yield "B-B", Case("B-B, inclusive", good.but(form=C14N).sign())
    yield "B-B", Case("B-B, a Target in other letters", good.but(target="#S").sign())
    for version in ("v1.2.2", "v1.1.1"):
        uri = f"http://uri.etsi.org/01903/{version}#"
        yield "B-B", Case(f"of {version}", good.but(version=uri, v2=False, kind=f"{uri}SignedProperties").sign())
    data = '<x:DataObjectFormat ObjectReference="#r1"><x:MimeType>text/xml</x:MimeType></x:DataObjectFormat>'
    identifier = "<x:CommitmentTypeId><x:Identifier>urn:ok</x:Identifier></x:CommitmentTypeId>"
    agreed = f"<x:CommitmentTypeIndication>{identifier}</x:CommitmentTypeIndication>"
    yield "B-B", Case("B-B with format and commitment", good.but(data_more=data + agreed).sign())
    implied = "<x:SignaturePolicyIdentifier><x:SignaturePolicyImplied/></x:SignaturePolicyIdentifier>"
    yield "B-B", Case("an implied policy", good.but(more=implied).sign())
    explicit = good.but(more=policy(hashlib.sha256(_POLICY).digest())).sign()
    yield "B-B", Case("an explicit policy", explicit)
    yield "B-B", Case("an explicit policy, which came along", extended(explicit, STORE))
    yield "B-B", Case("a countersignature is told", _countersigned(bb, world), notes=("coverage",))
    over = stamp("AllDataObjectsTimeStamp", exclusive(LETTER % ""), world.authority, MOMENT)
    yield "B-B", Case("time-stamp over the content", good.but(data_more=over).sign())
    some = stamp(
        "IndividualDataObjectsTimeStamp",
        exclusive(LETTER % ""),
        world.authority,
        MOMENT,
        inside='<x:Include URI="#r1" referencedData="true"/>',
    )
    yield "B-B", Case("time-stamp over one reference", good.but(data_more=some).sign())
    yield "B-T", Case("B-T", bt, stamped=True)
    yield "B-T", Case("B-T, inclusive", signature_stamped(bb, world, form=C14N), stamped=True)
    yield "B-T", Case("the legacy forms C and X", _referenced(bt, world), stamped=True)
    yield "B-LT", Case("B-LT", blt, stamped=True)
    yield "B-LTA", Case("B-LTA", archived(blt, world), stamped=True)
    yield "B-LTA", Case("B-LTA, inclusive", archived(blt, world, form=C14N), stamped=True)
    twice = archived(extended(archived(blt, world), _validation(world)), world, at=LATER + timedelta(hours=1))
    yield "B-LTA", Case("B-LTA, archived twice", twice, stamped=True)
    yield "B-LTA", Case("an archive time-stamp of 1.3.2", archived(blt, world, prefix="x"), stamped=True)
    wrong = extended(blt, stamp("ArchiveTimeStamp", b"in another order", world.authority, LATER))
    yield "B-LT", Case("one of 1.3.2 in an order that nobody knows", wrong, stamped=True, notes=("timestamp-invalid",))
    spread = stamp("ArchiveTimeStamp", b"x", world.authority, LATER, prefix="y", inside='<x:Include URI="#r1"/>')
    yield "B-LT", Case("an archive time-stamp spread out", extended(blt, spread), stamped=True, notes=("timestamp-invalid",))


def _validation(world: World) -> str:
    value = f"<x:EncapsulatedX509Certificate>{_text(world.agency.der)}</x:EncapsulatedX509Certificate>"
    return (
        f'<y:TimeStampValidationData xmlns:y="{XADES_141}"><x:CertificateValues>{value}</x:CertificateValues></y:TimeStampValidationData>'
    )


def defects(world: World) -> Iterator[Case]:
    """One wrong thing in each."""
    good = plain(world)
    bb = good.sign()
    bt = signature_stamped(bb, world)
    blt = valued(bt, world)
    lta = archived(blt, world)

    def case(name: str, data: bytes, *codes: str, integrity: str = "ok", stamped: bool = False, notes: Sequence[str] = ()) -> Case:
        return Case(name, data, None, codes, integrity, 1, tuple(notes), stamped)

    def changed(data: bytes, old: str, new: str) -> bytes:
        if old not in data.decode():
            raise RuntimeError(old)
        return data.decode().replace(old, new, 1).encode()

    yield case("SigningCertificate is another's", good.but(named=world.agency).sign(), "key-confusion")
    yield case("SigningCertificate with another serial number", good.but(v2=False, serial=7).sign(), "key-confusion")
    yield case("SigningCertificate is a twin's", good.but(named=world.twin).sign(), "key-confusion")
    yield case("properties that nothing is to", good.but(refers=False).sign(), "coverage")
    yield case("properties of another signature", good.but(target="#t").sign(), "wrapping")
    yield case("the signing time changed", changed(bb, "08:01:00", "07:01:00"), "tampered", integrity="failed")
    yield case("the policy changed", changed(good.but(more=policy(b"a" * 32)).sign(), "1.2.3", "1.2.4"), "tampered", integrity="failed")
    yield case("another policy came along", extended(good.but(more=policy(b"a" * 32)).sign(), STORE), "tampered")
    shown = '<x:QualifyingProperties xmlns:x="http://uri.etsi.org/01903/v1.3.2#" Target="#s"/>'
    yield case("two QualifyingProperties", good.but(own=shown).sign(), "malformed-signature")
    evil = bb.decode().replace(' Id="sp"', "", 1)
    kept = (
        "<ds:Object>"
        + re.findall(r"<x:SignedProperties .*?</x:SignedProperties>", bb.decode(), re.S)[0].replace(
            "<x:SignedProperties", '<x:SignedProperties xmlns:x="http://uri.etsi.org/01903/v1.3.2#"', 1
        )
        + "</ds:Object>"
    )
    yield case(
        "the signed properties moved, others shown",
        evil.replace("</ds:Signature>", kept + "</ds:Signature>").encode(),
        "wrapping",
        "coverage",
    )
    foreign = extended(bb, '<Van-ban xmlns="urn:vn"/>')
    yield case("foreign content among unsigned properties", foreign, "wrapping")
    other = extended(bb, stamp("SignatureTimeStamp", b"another value", world.authority, MOMENT))
    yield case("a time-stamp over another value", other, "timestamp-invalid")
    pretended = extended(bb, stamp("SignatureTimeStamp", canonical(bb, EXC, "//ds:SignatureValue"), world.pretender, MOMENT))
    yield case("a time-stamp by nobody's authority", pretended, "timestamp-invalid")
    empty = "<x:SignatureTimeStamp/>"
    yield case("a time-stamp without token", extended(bb, empty), "timestamp-invalid")
    form = '<ds:CanonicalizationMethod Algorithm="urn:x"/>'
    bad = f"<x:SignatureTimeStamp>{form}<x:EncapsulatedTimeStamp>AAAA</x:EncapsulatedTimeStamp></x:SignatureTimeStamp>"
    yield case("a time-stamp in an unknown form", extended(bb, bad), "timestamp-invalid")
    refs = _referenced(bt, world)
    yield case(
        "references changed under their time-stamps",
        changed(refs, "<x:CertRefs/>", "<x:CertRefs>x</x:CertRefs>"),
        "timestamp-invalid",
        stamped=True,
    )
    removed = re.sub(r"<x:CertificateValues>.*?</x:CertificateValues>", "", lta.decode(), flags=re.S).encode()
    yield case("evidence removed under an archive time-stamp", removed, "timestamp-invalid", stamped=True)
    moved = changed(lta, "<x:CertificateValues>", "<x:CompleteRevocationRefs/><x:CertificateValues>")
    yield case("evidence added under an archive time-stamp", moved, "timestamp-invalid", stamped=True)
    yield case(
        "content changed under an archive time-stamp",
        changed(lta, "Công văn", "Công vãn"),
        "tampered",
        integrity="failed",
        stamped=True,
        notes=("timestamp-invalid",),
    )
