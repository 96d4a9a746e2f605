"""Whole packets: signed themselves, with signed attachments, or both; and one function for each thing that a forger does to them.

The wrapping attacks are the eight of Somorovsky and others (USENIX Security 2012), made for this format's shape. The
module is longer than 300 lines because it is one table of cases, each a few lines that belong beside each other.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from schemas.edxml.packing import File
from signing import on_behalf
from signing.sign_key import Credential, InMemory
from signing.sign_xml import Properties, Shape, sign
from tests import packets
from tests.signing.material import Forger, rsa_key_value
from tests.vectors import build_asic, build_pdf, build_pdf_updates
from tests.vectors.build_cms import openssl
from tests.vectors.build_xml import issuer_serial
from tests.vectors.case import changed
from tests.vectors.identities import Signer, World
from tests.vectors.sign_pdf import BASE, signed

SENDER, OTHER = packets.SENDER, packets.RECIPIENT
NOBODY = "H32.77"
MOMENT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
_SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.S)
_HEADER_END = b"</edXML:edXMLHeader>"
_SUBJECT = re.compile(rb"(<edXML:Subject>)[^<]+")
_EVIL = "Chuyển khoản 999 tỷ".encode()

Make = Callable[[World], bytes]
HONEST: dict[str, Make] = {}
DEFECTS: dict[str, tuple[Make, str, str]] = {}  # sentence → packet, verdict, reason


def honest(sentence: str) -> Callable[[Make], Make]:
    """Enters the function under `sentence`."""

    def enter(make: Make) -> Make:
        HONEST[sentence] = make
        return make

    return enter


def defect(sentence: str, reason: str, verdict: str = "invalid") -> Callable[[Make], Make]:
    """Enters the function under `sentence`, with what is owed."""

    def enter(make: Make) -> Make:
        DEFECTS[sentence] = (make, verdict, reason)
        return make

    return enter


def packet(*files: File, sender: str = SENDER) -> bytes:
    """Well-made, with these attachments."""
    return packets.document(sender, attachments=files)


def by(signer: Signer) -> Credential:
    """The signer's key."""
    return Credential((signer.certificate,), InMemory(signer.key))


def own(world: World, *files: File, **shape: object) -> bytes:
    """A packet with its sender's XMLDSig."""
    return sign(packet(*files), by(world.person), shape=Shape(**shape))  # type: ignore[arg-type]


def pdf(world: World, name: str = "Công văn.pdf") -> File:
    """A signed PDF."""
    return File(name, build_pdf.one(world))


def _beside(world: World) -> File:
    """The signature over `a.docx`, where that is the letter."""
    return File("a.docx.p7s", openssl(world.person, "-cades", content=build_asic.LETTER))


# --- honest ------------------------------------------------------------------------------------------------------------------------

HONEST |= {
    "XMLDSig": own,
    "XMLDSig, inclusive": lambda w: own(w, exclusive=False),
    "XMLDSig in the root": lambda w: own(w, parent="root"),
    "XMLDSig without prefix": lambda w: own(w, prefix=""),
    "XMLDSig by the root's id": lambda w: own(w, reference_id=True),
    "XAdES": lambda w: sign(packet(), by(w.person), properties=Properties(MOMENT)),
    "ECDSA": lambda w: sign(packet(sender=OTHER), by(w.elliptic)),
    "SHA-512": lambda w: own(w, digest="sha512"),
    "a signed PDF": lambda w: packet(pdf(w)),
    "a PDF signed by person and agency": lambda w: packet(File("a.pdf", build_pdf.seal(w))),
    "a signed PDF that was filled as its signer allows": lambda w: packet(File("a.pdf", build_pdf.filled(build_pdf.certified(w)))),
    "a signed CMS": lambda w: packet(File("a.p7m", openssl(w.person, "-cades", "-nodetach"))),
    "a file and its detached CMS signature": lambda w: packet(File("a.docx", build_asic.LETTER), _beside(w)),
    "an ASiC container": lambda w: packet(File("a.asics", build_asic.packed(build_asic.simple(w)))),
    "two signed PDFs": lambda w: packet(pdf(w), pdf(w, "Phụ lục.pdf")),
    "signed itself, with a signed PDF": lambda w: own(w, pdf(w)),
    "signed itself, with an attachment that nobody signed": lambda w: own(w, File("a.docx", b"anything at all")),
    "a signed PDF in base64, without zip": lambda w: _raw(packet(pdf(w)), build_pdf.one(w)),
    "a placeholder of the SDK beside a signed PDF": lambda w: _with_header(
        packet(pdf(w)), b"<Signature><SignatureValue>x</SignatureValue></Signature>"
    ),
    "unprefixed": lambda w: sign(packets.unprefixed(packet()), by(w.person), shape=Shape(parent="root")),
    "a comment between elements": lambda w: sign(packet().replace(b"<edXML:Subject>", b"<!-- x --><edXML:Subject>", 1), by(w.person)),
}


def _raw(raw: bytes, data: bytes) -> bytes:
    return re.sub(rb"(<edXML:ContentTransferEncoded[^>]*>)[^<]+", lambda m: m[1] + base64.b64encode(data), raw)


def _with_header(raw: bytes, text: bytes) -> bytes:
    return changed(raw, _HEADER_END, text + _HEADER_END)


# --- tampered --------------------------------------------------------------------------------------------------------------------


def _subject(raw: bytes) -> bytes:
    return _SUBJECT.sub(lambda found: found[1] + _EVIL, raw, count=1)


DEFECTS |= {
    "the subject changed": (lambda w: _subject(own(w)), "invalid", "tampered"),
    "the recipient changed": (lambda w: own(w).replace(OTHER.encode(), NOBODY.encode()), "invalid", "tampered"),
    "an attachment changed": (lambda w: _raw(own(w, pdf(w)), BASE), "invalid", "tampered"),
    "an attachment added": (
        lambda w: own(w).replace(b"</edXML>", b"<AttachmentEncoded><Attachment/></AttachmentEncoded></edXML>"),
        "invalid",
        "tampered",
    ),
    "an attribute added": (lambda w: changed(own(w), b"<edXML:Subject>", b'<edXML:Subject x="1">'), "invalid", "tampered"),
    "an instruction added": (lambda w: own(w) + b"<?evil now?>", "invalid", "tampered"),
    "the value changed": (lambda w: re.sub(rb"(<ds:SignatureValue>)..", rb"\1AA", own(w)), "invalid", "bad-signature-value"),
    "a comment inside a value": (lambda w: _commented(own(w)), "invalid", "schema"),
    "a signing time changed": (
        lambda w: changed(sign(packet(), by(w.person), properties=Properties(MOMENT)), b"2026-11-20T01:02:03Z", b"2026-11-19T01:02:03Z"),
        "invalid",
        "tampered",
    ),
}


def _commented(raw: bytes) -> bytes:
    """C14N leaves it out, so the signature fits; readers see two values."""
    return re.sub(rb"(<edXML:OrganId>H3)(2)", rb"\1<!-- -->\2", raw, count=1)


# --- wrapped ---------------------------------------------------------------------------------------------------------------------


def _parts(world: World) -> tuple[bytes, bytes, bytes]:
    """The signed root without its signature, the signature, and a root that the forger would like to have been signed."""
    whole = own(world, reference_id=True).partition(b"?>")[2].strip()
    found = _SIGNATURE.search(whole)
    if found is None:
        raise RuntimeError("no signature")
    bare = whole.replace(found[0], b"")
    return bare, found[0], _subject(bare).replace(b'Id="packet"', b'Id="evil"', 1)


def _in_object(signature: bytes, content: bytes) -> bytes:
    return signature.replace(b"</ds:Signature>", b"<ds:Object>" + content + b"</ds:Object></ds:Signature>")


def _at_end(root: bytes, content: bytes) -> bytes:
    at = root.rindex(b"</edXML>")
    return root[:at] + content + root[at:]


@defect("wrapping 1: the signed root below its signature, another above", "wrapping")
def _xsw1(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    return _at_end(evil, signature.replace(b"</ds:Signature>", bare + b"</ds:Signature>"))


@defect("wrapping 2: the signed root beside its signature", "wrapping")
def _xsw2(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    return _with_header(evil, bare + signature)


@defect("wrapping 3: the signed root whole before what is shown", "wrapping")
def _xsw3(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    at = evil.index(b">") + 1
    return evil[:at] + _with_header(bare, signature) + evil[at:]


@defect("wrapping 4: what is shown around the signed root", "wrapping")
def _xsw4(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    return _at_end(evil, _with_header(bare, signature))


@defect("wrapping 5: the signature kept in its place, the signed root at the end", "wrapping")
def _xsw5(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    return _at_end(_with_header(evil, signature), bare)


@defect("wrapping 6: the signed root inside the signature that stands in its place", "wrapping")
def _xsw6(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    return _with_header(evil, signature.replace(b"<ds:KeyInfo>", bare + b"<ds:KeyInfo>"))


@defect("wrapping 7: the signed root in an extension before", "wrapping")
def _xsw7(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    at = evil.index(b">") + 1
    return evil[:at] + b"<Extensions>" + bare + b"</Extensions>" + _with_header(evil[at:], signature)


@defect("wrapping 8: the signed root in an Object", "wrapping")
def _xsw8(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    return _with_header(evil, _in_object(signature, bare))


@defect("the signed id twice", "duplicate-id")
def _twin_ids(world: World) -> bytes:
    bare, signature, evil = _parts(world)
    return _at_end(_with_header(evil.replace(b'Id="evil"', b'Id="packet"', 1), signature), bare)


@defect("two signatures, one of them nothing", "wrapping")
def _empty_second(world: World) -> bytes:
    return own(world).replace(b"</edXML>", b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></edXML>')


# --- hostile XML -----------------------------------------------------------------------------------------------------------------


def _with_doctype(raw: bytes, doctype: bytes) -> bytes:
    return raw.replace(b"?>", b"?>" + doctype, 1)


DEFECTS |= {
    "an external entity": (
        lambda w: _with_doctype(own(w), b'<!DOCTYPE edXML [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "invalid",
        "xxe",
    ),
    "an external DTD": (lambda w: _with_doctype(own(w), b'<!DOCTYPE edXML SYSTEM "http://example.invalid/x.dtd">'), "invalid", "xxe"),
    "entities in entities": (lambda w: _with_doctype(own(w), _laughs()), "invalid", "entity-expansion"),
    "a bare DOCTYPE": (lambda w: _with_doctype(own(w), b"<!DOCTYPE edXML>"), "invalid", "dtd-forbidden"),
    "no canonical form": (
        lambda w: changed(own(w), b"<edXML:edXMLEnvelope ", b'<edXML:edXMLEnvelope xmlns:r="../relative" '),
        "invalid",
        "malformed-xml",
    ),
    "cut short": (lambda w: own(w)[:-9], "invalid", "malformed-xml"),
    "empty": (lambda w: b"", "invalid", "malformed-xml"),
    "another encoding than it says": (lambda w: own(w).replace(b'"UTF-8"', b'"UTF-16"', 1), "invalid", "encoding"),
    "nested without end": (
        lambda w: own(w).replace(b"<edXML:Subject>", b"<edXML:Subject>" + b"<a>" * 5000 + b"</a>" * 5000, 1),
        "invalid",
        "resource-limit",
    ),
}


def _laughs() -> bytes:
    rows = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return b'<!DOCTYPE edXML [<!ENTITY l0 "ha">' + rows + b"]>"


# --- keys, algorithms, transforms ------------------------------------------------------------------------------------------------


def forged(world: World, **changes: object) -> bytes:
    """By the person's own key, something in it as a forger likes it."""
    forger = Forger(world.person.key, (world.person.certificate,)).but(**changes)
    return forger.sign(packet(), before=_HEADER_END)


def _hmac(world: World) -> bytes:
    """By the public key as a secret, which everybody knows."""
    public = world.person.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.HMAC(public, hashes.SHA256())
    return forged(world, method="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", signature=mac.finalize())


def _data(*certificates: x509.Certificate) -> str:
    inside = "".join(
        f"<ds:X509Certificate>{base64.b64encode(c.public_bytes(Encoding.DER)).decode()}</ds:X509Certificate>" for c in certificates
    )
    return f"<ds:X509Data>{inside}</ds:X509Data>"


def _key_value(world: World) -> bytes:
    """Signed with the agency's key, which KeyValue names; the certificate shown is the person's."""
    public = world.agency.key.public_key()
    return forged(world, key=world.agency.key, key_info=rsa_key_value(public) + _data(world.person.certificate))  # type: ignore[arg-type]


_XPATH = (
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>false()</ds:XPath></ds:Transform>'
)
_NOT_SIGNATURES = (
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath>'
    '</ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
)
HONEST |= {
    "by XPath that leaves signatures out": lambda w: forged(w, transforms=_NOT_SIGNATURES),
    "a certificate named by its number alone": lambda w: Forger(w.elliptic.key, (), key_info=_number_of(w.elliptic)).sign(
        packet(sender=OTHER), before=_HEADER_END
    ),
}


def _number_of(signer: Signer, more: int = 0) -> str:
    return f"<ds:X509Data>{issuer_serial(signer.certificate.serial_number + more)}</ds:X509Data>"


def _in_subject(world: World) -> bytes:
    """The signature still fits: it leaves itself out wherever it stands. Who reads the Subject reads its text as well."""
    raw = sign(packet(), by(world.person), properties=Properties(MOMENT))
    found = _SIGNATURE.search(raw)
    if found is None:
        raise RuntimeError("no signature")
    return raw.replace(found[0], b"").replace(b"</edXML:Subject>", found[0] + b"</edXML:Subject>", 1)


DEFECTS |= {
    "the signature moved into a value": (_in_subject, "invalid", "schema"),
    "another serial number beside the certificate": (
        lambda w: forged(w, key_info=_data(w.person.certificate) + _number_of(w.person, 1)),
        "invalid",
        "key-confusion",
    ),
    "HMAC by the public key": (_hmac, "invalid", "alg-forbidden"),
    "SHA-1": (lambda w: forged(w, method="http://www.w3.org/2000/09/xmldsig#rsa-sha1"), "invalid", "alg-forbidden"),
    "MD5": (lambda w: forged(w, method="http://www.w3.org/2001/04/xmldsig-more#rsa-md5"), "invalid", "alg-forbidden"),
    "RSA-1024": (lambda w: sign(packet(), by(w.small)), "invalid", "weak-key"),
    "XPath that leaves nothing": (lambda w: forged(w, transforms=_XPATH), "invalid", "transform-forbidden"),
    "a file referred to": (lambda w: forged(w, uri="file:///etc/passwd"), "invalid", "external-reference"),
    "a network referred to": (lambda w: forged(w, uri="http://example.invalid/"), "invalid", "external-reference"),
    "an id that nobody has": (lambda w: forged(w, uri="#nobody"), "invalid", "reference-missing"),
    "no key": (lambda w: forged(w, key_info=""), "invalid", "no-key"),
    "KeyValue of one, certificate of another": (_key_value, "invalid", "bad-signature-value"),
    "KeyValue beside another's certificate": (
        lambda w: forged(w, key_info=rsa_key_value(w.agency.key.public_key()) + _data(w.person.certificate)),  # type: ignore[arg-type]
        "invalid",
        "key-confusion",
    ),
    "another's certificate": (lambda w: forged(w, key_info=_data(w.agency.certificate)), "invalid", "bad-signature-value"),
    "two certificates of one key": (
        lambda w: forged(w, key_info=_data(w.person.certificate, w.twin.certificate)),
        "invalid",
        "key-confusion",
    ),
}

# --- who ---------------------------------------------------------------------------------------------------------------------------

DEFECTS |= {
    "signed by another agency": (lambda w: sign(packet(), by(w.elliptic)), "invalid", "sender-mismatch"),
    "signed by an agency for one that has no certificate": (
        lambda w: sign(packet(sender=NOBODY), by(w.person)),
        "invalid",
        "sender-mismatch",
    ),
    "a PDF of another agency": (
        lambda w: packet(File("a.pdf", signed(w.elliptic))),
        "invalid",
        "sender-mismatch",
    ),
    "signed by a hub on behalf of the agency": (
        lambda w: sign(packet(), by(w.person), properties=Properties(MOMENT, (on_behalf.role(SENDER),))),
        "invalid",
        "on-behalf-of",
    ),
    "nobody signed": (lambda w: packet(File("a.docx", b"anything")), "invalid", "no-signature"),
    "a placeholder of the SDK": (
        lambda w: _with_header(packet(), b"<Signature><SignatureValue>x</SignatureValue></Signature>"),
        "invalid",
        "no-signature",
    ),
    "a detached CMS signature beside another file": (
        lambda w: packet(File("a.docx", b"another"), _beside(w)),
        "invalid",
        "tampered",
    ),
    "a detached CMS signature beside two files of one name": (
        lambda w: packet(File("a.docx", build_asic.LETTER), File("a.docx", b"another"), _beside(w)),
        "invalid",
        "reference-missing",
    ),
    "one attachment of two is signed": (lambda w: packet(pdf(w), File("b.docx", b"anything")), "invalid", "no-signature"),
}

# --- attachments -------------------------------------------------------------------------------------------------------------------


def zipped(**files: bytes) -> bytes:
    """As base64."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def _carrying(world: World, content: bytes) -> bytes:
    return _raw(packet(pdf(world)), content)


_UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
DEFECTS |= {
    "a PDF whose text was changed": (
        lambda w: packet(File("a.pdf", build_pdf.one(w).replace(b"100 trieu", b"999 trieu"))),
        "invalid",
        "tampered",
    ),
    "a PDF with a page replaced afterwards": (
        lambda w: packet(File("a.pdf", build_pdf_updates.page_content_replaced(w).data)),
        "invalid",
        "pdf-modified",
    ),
    "a PDF with a script added afterwards": (
        lambda w: packet(File("a.pdf", build_pdf_updates.script_added(w).data)),
        "invalid",
        "pdf-modified",
    ),
    "a changed PDF in a packet that is well signed": (
        lambda w: own(w, File("a.pdf", build_pdf.one(w).replace(b"100 trieu", b"999 trieu"))),
        "invalid",
        "tampered",
    ),
    "two PDFs, one of them changed": (
        lambda w: packet(pdf(w), File("b.pdf", build_pdf.one(w).replace(b"100 trieu", b"999 trieu"))),
        "invalid",
        "tampered",
    ),
    "a ByteRange that leaves a gap": (
        lambda w: packet(File("a.pdf", build_pdf.gap_elsewhere(w).data)),
        "invalid",
        "pdf-byterange",
    ),
    "an ASiC container with a file that nobody signed": (
        lambda w: packet(File("a.asice", build_asic.file_added(w).data)),
        "invalid",
        "coverage",
    ),
    "a zip of gigabytes": (lambda w: _carrying(w, zipped(**{f"{_UUID}.pdf": b"\0" * 90_000_000})), "invalid", "decompression-bomb"),
    "a zip whose name leads out": (lambda w: _carrying(w, zipped(**{"..__..__evil.pdf": build_pdf.one(w)})), "invalid", "path-traversal"),
    "not base64": (
        lambda w: re.sub(rb"(<edXML:ContentTransferEncoded[^>]*>)[^<]+", rb"\1@@@@", packet(pdf(w))),
        "invalid",
        "attachment-integrity",
    ),
    "a listed attachment that is missing": (
        lambda w: re.sub(rb"<AttachmentEncoded>.*</AttachmentEncoded>", b"", packet(pdf(w)), flags=re.S),
        "invalid",
        "no-signature",
    ),
}
