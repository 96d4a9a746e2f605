"""XML signatures of every form, made by libxmlsec and by a forger with real keys: honest ones, and one function for each defect."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from functools import cache

from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.vectors.case import Case
from tests.vectors.certificates import Maker, key, name_of
from tests.vectors.identities import Signer, World
from tests.vectors.sign_xml import (
    C14N,
    C14N_1_1,
    DS,
    ECDSA,
    ENVELOPED,
    EXC,
    FORMS,
    MORE,
    MORE_2007,
    MORE_2021,
    SHA256,
    by_hand,
    ecdsa_made,
    exclusive,
    reference,
    rsa_made,
    signature,
    with_xmlsec,
    x509,
)

Builder = Callable[[World], Case]
CONTENT = "Báo cáo quý IV\r\n".encode() * 30
BODY = (
    '<n:Noi-dung Id="b" xmlns:n="urn:vn:noi-dung" so="12">Quyết định &amp; phụ lục <!-- dự thảo -->'
    '<n:Muc xmlns="urn:k"><k/></n:Muc></n:Noi-dung>'
)
LETTER = f'<?xml-stylesheet href="a.css"?><!-- đầu --><Van-ban xmlns="urn:vn" xml:lang="vi" loai="cv"><Ten>Công văn</Ten>{BODY}%s</Van-ban>'
FRAME = f'<Goi xmlns="urn:vn:goi">{BODY}%s</Goi>'
OBJECT = '<ds:Object Id="o" MimeType="text/xml"><x xmlns="urn:x">nội dung<!--c--></x></ds:Object>'
_NOT_SIGNATURES = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>{}</ds:XPath></ds:Transform>'
_FILTER = (
    '<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2">'
    '<f:XPath xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" Filter="{}">{}</f:XPath></ds:Transform>'
)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


# --- honest ----------------------------------------------------------------------------------------------------------------------


def honest(world: World) -> Iterator[Case]:
    """What real signers write."""
    person, agency, elliptic = world.person, world.agency, world.elliptic
    for form in FORMS:
        short = form.rpartition("/")[2]
        yield Case(f"enveloped, {short}", with_xmlsec(LETTER % signature(reference("", (ENVELOPED, form)), form=form), person))
        yield Case(f"enveloping, {short}", with_xmlsec(signature(reference("#o", (form,)), form=form, objects=OBJECT), person))
        yield Case(f"detached inside, {short}", with_xmlsec(FRAME % signature(reference("#b", (form,)), form=form), person))
    yield Case("no canonical form named", with_xmlsec(LETTER % signature(reference("", (ENVELOPED,))), person))
    yield Case("no transforms at all", with_xmlsec(FRAME % signature(reference("#b", ())), person))
    root_by_id = LETTER.replace("<Van-ban ", '<Van-ban Id="r" ')
    for uri in ("#r", "#xpointer(id('r'))", "#xpointer(/)"):
        done = with_xmlsec(root_by_id % signature(reference(uri, (ENVELOPED, EXC + "WithComments")), form=C14N), person)
        yield Case(f"the root as {uri}", done)
    two = signature(reference("#b", (EXC,)), reference("#o", (C14N_1_1,)), objects=OBJECT)
    yield Case("two references", with_xmlsec(FRAME % two, person))
    yield Case("P-256", with_xmlsec(LETTER % signature(reference(""), method=ECDSA), elliptic))
    first = (FRAME % (signature(reference("#b", (EXC,)), method=ECDSA) + "%s")).replace("%s", "")
    once = with_xmlsec(first, elliptic).decode().partition("?>")[2]
    again = once.replace("</Goi>", signature(reference("#b", (EXC,))) + "</Goi>")
    yield Case("two signers of one element", with_xmlsec(again, person), findings=2)
    for raw in (_NOT_SIGNATURES.format("not(ancestor-or-self::ds:Signature)"), _FILTER.format("subtract", "/descendant::ds:Signature")):
        document = LETTER % signature(reference("", (), raw=raw + f'<ds:Transform Algorithm="{EXC}"/>'))
        once = with_xmlsec(document, person).decode().partition("?>")[2]
        second = signature(reference("", (), raw=raw + f'<ds:Transform Algorithm="{EXC}"/>'), key_info=x509(agency))
        both = with_xmlsec(once.replace("</Van-ban>", second + "</Van-ban>"), agency)
        yield Case(f"two signers who leave signatures out, {raw[20:60]}", both, findings=2)
    # A prefix of its own, which the exclusive form of SignedInfo leaves out.
    own = _NOT_SIGNATURES.format("not(ancestor-or-self::s:Signature)").replace("XPath>", f'XPath xmlns:s="{DS}">', 1)
    yield Case("XPath by a prefix that only it uses", with_xmlsec(LETTER % signature(reference("", (), raw=own)), person))
    yield from _honest_detached(world)
    yield from _honest_keys(world)
    yield from _honest_algorithms(world)


def _honest_detached(world: World) -> Iterator[Case]:
    made = rsa_made(world.person)
    known = x509(world.person)
    for uri in ("bao-cao.txt", "http://example.invalid/bao-cao.txt", None):
        yield Case(f"detached, {uri}", by_hand(signature(reference(uri, ()), key_info=known), made, parts=[CONTENT]), CONTENT)
    letter = LETTER % ""
    octets = exclusive(letter)
    yield Case("detached, of XML", by_hand(signature(reference("a.xml", (EXC,)), key_info=known), made, parts=[octets]), letter.encode())
    packed = f'<ds:Object Id="o" Encoding="{DS}base64">{_text(CONTENT)}</ds:Object>'
    document = signature(reference("#o", (DS + "base64",)), key_info=known, objects=packed)
    yield Case("enveloping, in base64", by_hand(document, made, parts=[CONTENT]))
    manifest = f'<ds:Manifest Id="m">{reference("#o", (EXC,), said=_text(hashlib.sha256(_object(OBJECT)).digest()))}</ds:Manifest>'
    document = signature(reference("#m", (EXC,)), key_info=known, objects=f"<ds:Object>{manifest}</ds:Object>{OBJECT}")
    yield Case("a manifest", by_hand(document, made, parts=[exclusive(document, "//ds:Manifest")]))


def _object(text: str) -> bytes:
    return exclusive(signature(objects=text), "//ds:Object")


def _honest_keys(world: World) -> Iterator[Case]:
    elliptic = world.elliptic  # among the certificates that are given
    made = ecdsa_made(_elliptic_key(world), hashes.SHA256())
    serial = issuer_serial(elliptic.certificate.serial_number)
    said = _text(hashlib.sha256(elliptic.der).digest())
    digest = f'<e:X509Digest xmlns:e="http://www.w3.org/2009/xmldsig11#" Algorithm="{SHA256}">{said}</e:X509Digest>'
    public = elliptic.certificate.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key_value = f'<e:DEREncodedKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#">{_text(der)}</e:DEREncodedKeyValue>'
    for what, info in (
        ("issuer and serial number", f"<ds:X509Data>{serial}</ds:X509Data>"),
        ("digest of the certificate", f"<ds:X509Data>{digest}</ds:X509Data>"),
        ("its key in DER", key_value),
        ("subject", f"<ds:X509Data><ds:X509SubjectName>{_name(elliptic)}</ds:X509SubjectName></ds:X509Data>"),
        ("subject, the other way round", f"<ds:X509Data><ds:X509SubjectName>{_name(elliptic, -1)}</ds:X509SubjectName></ds:X509Data>"),
        ("certificate, serial number and key", f"<ds:X509Data>{serial}</ds:X509Data>{x509(elliptic)}{key_value}"),
        ("certificate and issuer", x509(elliptic, world.ca)),
        ("issuer before certificate", x509(world.ca, elliptic)),
        (
            "certificate, and places of a template left empty",
            f"<ds:X509Data><ds:X509IssuerSerial/><ds:X509SKI/></ds:X509Data>{x509(elliptic)}",
        ),
    ):
        document = LETTER % signature(reference(""), method=ECDSA, key_info=info)
        yield Case(f"key by {what}", by_hand(document, made, parts=[exclusive(LETTER % "")]))


def _name(signer: Signer, step: int = 1) -> str:
    return ", ".join(signer.certificate.subject.rfc4514_string().split(",")[::step])


def issuer_serial(number: int) -> str:
    """X509IssuerSerial, whoever the issuer."""
    inside = f"<ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>{number}</ds:X509SerialNumber>"
    return f"<ds:X509IssuerSerial>{inside}</ds:X509IssuerSerial>"


def _elliptic_key(world: World) -> ec.EllipticCurvePrivateKey:
    if not isinstance(world.elliptic.key, ec.EllipticCurvePrivateKey):
        raise RuntimeError("P-256")
    return world.elliptic.key


@cache
def signer_of(kind: str) -> certificates.Certificate:
    return Maker(name_of(f"Người ký {kind}"), f"signer:{kind}").make()


def _honest_algorithms(world: World) -> Iterator[Case]:
    person = world.person
    algorithm: hashes.HashAlgorithm
    for name, algorithm in (("sha384", hashes.SHA384()), ("sha512", hashes.SHA512()), ("sha224", hashes.SHA224())):
        document = LETTER % signature(reference(""), method=f"{MORE}rsa-{name}", key_info=x509(person))
        yield Case(f"rsa-{name}", by_hand(document, rsa_made(person, algorithm), parts=[exclusive(LETTER % "")]))
    for name, algorithm in (
        ("sha256", hashes.SHA256()),
        ("sha512", hashes.SHA512()),
        ("sha3-256", hashes.SHA3_256()),
        ("sha3-224", hashes.SHA3_224()),
    ):
        document = LETTER % signature(reference(""), method=f"{MORE_2007}{name}-rsa-MGF1", key_info=x509(person))
        scheme = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        yield Case(f"{name}-rsa-MGF1", by_hand(document, rsa_made(person, algorithm, scheme), parts=[exclusive(LETTER % "")]))
    for what, inside, algorithm, salt in (
        ("defaults", "", hashes.SHA256(), 32),
        ("SHA-384, salt of 20", _pss_parameters(MORE + "sha384", 20), hashes.SHA384(), 20),
        ("SHA-512", _pss_parameters("http://www.w3.org/2001/04/xmlenc#sha512", None), hashes.SHA512(), 64),
    ):
        document = LETTER % signature(reference(""), method=MORE_2007 + "rsa-pss", parameters=inside, key_info=x509(person))
        scheme = padding.PSS(padding.MGF1(algorithm), salt)
        yield Case(f"rsa-pss, {what}", by_hand(document, rsa_made(person, algorithm, scheme), parts=[exclusive(LETTER % "")]))
    yield from _honest_curves()


def _pss_parameters(digest: str, salt: int | None) -> str:
    own = f'<ds:DigestMethod Algorithm="{digest}"/>'
    length = "" if salt is None else f"<p:SaltLength>{salt}</p:SaltLength>"
    mask = f'<p:MaskGenerationFunction Algorithm="{MORE_2007}MGF1">{own}</p:MaskGenerationFunction>'
    return f'<p:RSAPSSParams xmlns:p="{MORE_2007}">{own}{mask}{length}<p:TrailerField>1</p:TrailerField></p:RSAPSSParams>'


def _honest_curves() -> Iterator[Case]:
    for kind, method, algorithm in (
        ("p384", MORE + "ecdsa-sha384", hashes.SHA384()),
        ("p521", MORE + "ecdsa-sha512", hashes.SHA512()),
        ("p521", MORE_2021 + "ecdsa-sha3-512", hashes.SHA3_512()),
    ):
        signing = key(f"signer:{kind}")
        document = LETTER % signature(reference(""), method=method, key_info=_x509(kind))
        if isinstance(signing, ec.EllipticCurvePrivateKey):
            yield Case(f"{kind} {method[-14:]}", by_hand(document, ecdsa_made(signing, algorithm), parts=[exclusive(LETTER % "")]))
    signing = key("signer:ed25519")
    document = LETTER % signature(reference(""), method=MORE_2021 + "eddsa-ed25519", key_info=_x509("ed25519"))
    if isinstance(signing, ed25519.Ed25519PrivateKey):
        yield Case("Ed25519", by_hand(document, signing.sign, parts=[exclusive(LETTER % "")]))
    sha3 = reference("", digest=MORE_2007 + "sha3-256", said=_text(hashlib.sha3_256(exclusive(LETTER % "")).digest()))
    document = LETTER % signature(sha3, method=MORE_2021 + "eddsa-ed25519", key_info=_x509("ed25519"))
    if isinstance(signing, ed25519.Ed25519PrivateKey):
        yield Case("a digest by SHA-3", by_hand(document, signing.sign))


def _x509(kind: str) -> str:
    der = signer_of(kind).public_bytes(Encoding.DER)
    return f"<ds:X509Data><ds:X509Certificate>{_text(der)}</ds:X509Certificate></ds:X509Data>"
