"""Every way we know to make a verifier say yes to something else than was signed, one named case each."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from unicodedata import normalize

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.demo.pki import STRANGER, Identity, Pki, certificate
from schemas.message import VerdictStatus
from signing.algorithms import DEFAULT_CANONICALIZATION, DSIG, DSIG_MORE, ENVELOPED, EXC_C14N
from signing.sign import sign_packet
from signing.trust import TrustStore
from tests.signing.material import AT, EARLIER, ELLIPTIC, LATER, PACKET, QCVN, SENDER, Forger, encoded, reasons, rsa_key_value, verdict

SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.S)


def _signature(raw: bytes) -> bytes:
    found = SIGNATURE.search(raw)
    assert found is not None
    return found.group()


def _wrapped_in_object(raw: bytes) -> bytes:
    original = SIGNATURE.sub(b"", raw).partition(b"?>")[2].strip()
    signature = _signature(raw).replace(b"</ds:Signature>", b"<ds:Object>" + original + b"</ds:Object></ds:Signature>")
    return SIGNATURE.sub(lambda _: signature, raw.replace(ELLIPTIC.encode(), b"000.00.00.H99"))


def _wrapped_in_packet(raw: bytes) -> bytes:
    return f'<edXML xmlns="{QCVN}">'.encode() + raw.partition(b"?>")[2] + b"</edXML>"


# A change of a signed packet's bytes → the deciding reason
CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a word of the subject": (lambda raw: raw.replace("thống kê".encode(), "thống nhất".encode()), "tampered"),
    "one character composed otherwise (NFD)": (lambda raw: raw.replace("Sơn".encode(), normalize("NFD", "Sơn").encode()), "tampered"),
    "the recipient": (lambda raw: raw.replace(ELLIPTIC.encode(), b"000.00.00.H99"), "tampered"),
    "one bit of an attachment": (lambda raw: raw.replace(b"VsSDbiBi4bqjbg==", b"VsSDbiBi4bqjbw=="), "tampered"),
    "an attribute's value": (lambda raw: raw.replace(b'version="1.0"/>', b'version="2.0"/>'), "tampered"),
    "an attribute more": (lambda raw: raw.replace(b"<edXML:To>", b'<edXML:To extra="1">'), "tampered"),
    "an element more": (lambda raw: raw.replace(b"</edXML:To>", b"</edXML:To><edXML:To/>", 1), "tampered"),
    "an element less": (lambda raw: re.sub(rb"<edXML:Subject>.*</edXML:Subject>", b"", raw), "tampered"),
    "another namespace": (lambda raw: raw.replace(b"<AttachmentEncoded>", b'<AttachmentEncoded xmlns="urn:x">'), "tampered"),
    "white space between elements": (lambda raw: raw.replace(b"</edXML:To>", b"</edXML:To> "), "tampered"),
    "text after the signature": (lambda raw: raw.replace(b"</ds:Signature>", b"</ds:Signature>x"), "tampered"),
    "a processing instruction": (lambda raw: raw + b"<?x y?>", "tampered"),
    "an instruction that looks like the signature": (
        lambda raw: raw.replace(b"<edXML:To>", b"<?x <ds:Signature ?><edXML:To>", 1),
        "tampered",
    ),
    "an instruction that looks like the end of the signature": (
        lambda raw: raw.replace(b"<edXML:edXMLBody>", b"<?x </ds:Signature> ?><edXML:edXMLBody>", 1),
        "tampered",
    ),
    "the digest made to fit": (
        lambda raw: re.sub(rb"(<ds:DigestValue>)[^<]+", rb"\1" + base64.b64encode(bytes(32)), raw),
        "bad-signature-value",
    ),
    "the signature value": (lambda raw: re.sub(rb"(<ds:SignatureValue>)..", rb"\1AA", raw), "bad-signature-value"),
    "a zero more before the signature value": (
        lambda raw: re.sub(rb"(<ds:SignatureValue>)([^<]+)", lambda m: m[1] + base64.b64encode(b"\0" + base64.b64decode(m[2])), raw),
        "bad-signature-value",
    ),
    "the signature value emptied": (lambda raw: re.sub(rb"(<ds:SignatureValue>)[^<]+", rb"\1", raw), "malformed-signature"),
    "no base64": (lambda raw: re.sub(rb"(<ds:SignatureValue>)..", rb"\1@@", raw), "malformed-signature"),
    "a comment in the signature value": (lambda raw: re.sub(rb"(<ds:SignatureValue>..)", rb"\1<!-- -->", raw), "malformed-signature"),
    "a comment in the certificate": (lambda raw: re.sub(rb"(<ds:X509Certificate>..)", rb"\1<!-- -->", raw), "malformed-signature"),
    "a certificate that is none": (
        lambda raw: re.sub(
            rb"<ds:X509Data>.*</ds:X509Data>", b"<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>", raw
        ),
        "malformed-signature",
    ),
    "no certificate": (lambda raw: re.sub(rb"<ds:X509Data>.*</ds:X509Data>", b"", raw), "no-key"),
    "no KeyInfo": (lambda raw: re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", raw), "no-key"),
    "a key's name in place of its certificate": (
        lambda raw: re.sub(rb"<ds:X509Data>.*</ds:X509Data>", b"<ds:KeyName>H32</ds:KeyName>", raw),
        "no-key",
    ),
    "the signature taken out": (lambda raw: SIGNATURE.sub(b"", raw), "no-signature"),
    "the signature's namespace changed": (
        lambda raw: raw.replace(DSIG.encode(), b"http://www.w3.org/2000/09/xmldsig"),
        "malformed-signature",
    ),
    "the signature unwrapped": (lambda raw: re.sub(rb"<(/?)ds:Signature(?=[ >])", rb"<\1ds:Unsigned", raw), "malformed-signature"),
    "the signature moved into the body": (
        lambda raw: SIGNATURE.sub(b"", raw).replace(b"<edXML:edXMLManifest", _signature(raw) + b"<edXML:edXMLManifest", 1),
        "wrapping",
    ),
    "the signature moved into MessageHeader": (
        lambda raw: SIGNATURE.sub(b"", raw).replace(b"</edXML:MessageHeader>", _signature(raw) + b"</edXML:MessageHeader>", 1),
        "wrapping",
    ),
    "the signature twice": (lambda raw: SIGNATURE.sub(lambda m: m[0] + m[0], raw), "wrapping"),
    "a second signature by nobody": (
        lambda raw: raw.replace(b"</edXML>", f'<ds:Signature xmlns:ds="{DSIG}"/></edXML>'.encode()),
        "wrapping",
    ),
    "a part of a packet inside the signature": (
        lambda raw: raw.replace(b"</ds:KeyInfo>", b"</ds:KeyInfo><ds:Object><edXML:To/></ds:Object>"),
        "wrapping",
    ),
    "a part of a packet inside KeyInfo": (lambda raw: raw.replace(b"</ds:KeyInfo>", b"<edXML:From/></ds:KeyInfo>"), "wrapping"),
    "the original inside the signature, another one outside": (_wrapped_in_object, "wrapping"),
    "the original inside another packet": (_wrapped_in_packet, "wrapping"),
    "parameters in SignatureMethod": (
        lambda raw: re.sub(
            rb"(<ds:SignatureMethod [^>]*)/>", rb"\1><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>", raw
        ),
        "malformed-signature",
    ),
    "SignedInfo twice": (lambda raw: re.sub(rb"(<ds:SignedInfo>.*</ds:SignedInfo>)", rb"\1\1", raw), "malformed-signature"),
    "no SignedInfo": (lambda raw: re.sub(rb"<ds:SignedInfo>.*</ds:SignedInfo>", b"", raw), "malformed-signature"),
    "no Reference": (lambda raw: re.sub(rb"<ds:Reference .*</ds:Reference>", b"", raw), "malformed-signature"),
    "a relative namespace, so that there is no canonical form": (
        lambda raw: raw.replace(b"<edXML:edXMLBody>", b'<edXML:edXMLBody xmlns:r="relative">'),
        "malformed-xml",
    ),
    "an unknown canonical form": (
        lambda raw: raw.replace(
            f'<ds:CanonicalizationMethod Algorithm="{EXC_C14N}"'.encode(), b'<ds:CanonicalizationMethod Algorithm="urn:none"'
        ),
        "alg-forbidden",
    ),
}


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_packet_is_refused(change: Callable[[bytes], bytes], reason: str, agency: Identity, trust: TrustStore) -> None:
    signed = agency.sign(PACKET)
    changed = change(signed)
    assert changed != signed
    found = verdict(changed, trust)
    assert found.status is VerdictStatus.INVALID
    assert found.reasons[0] == reason


def transform(*algorithms: str) -> str:
    return "".join(f'<ds:Transform Algorithm="{a}"/>' for a in algorithms)


XPATH = f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1</ds:XPath></ds:Transform>'
STYLESHEET = (
    f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">'
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/></ds:Transform>'
)
ROOT_ID = PACKET.replace(b"<edXML xmlns", b'<edXML Id="all" xmlns', 1)
PART = b"<edXML:To>", b'<edXML:To Id="all">'

# What the forger, who has a trusted key, writes into the signature → the deciding reason
INVENTIONS: dict[str, tuple[dict[str, object], str]] = {
    "SHA-1 in the signature": ({"method": DSIG + "rsa-sha1"}, "alg-forbidden"),
    "SHA-1 in the digest": ({"digest_method": DSIG + "sha1", "digest": bytes(20)}, "alg-forbidden"),
    "MD5": ({"method": DSIG_MORE + "rsa-md5"}, "alg-forbidden"),
    "RIPEMD-160": ({"method": DSIG_MORE + "rsa-ripemd160"}, "alg-forbidden"),
    "DSA": ({"method": DSIG + "dsa-sha1"}, "alg-forbidden"),
    "an empty algorithm": ({"digest_method": ""}, "alg-forbidden"),
    "ECDSA named for an RSA key": ({"method": DSIG_MORE + "ecdsa-sha256"}, "key-confusion"),
    "RSA-SHA512 named for a SHA-256 signature": ({"method": DSIG_MORE + "rsa-sha512"}, "bad-signature-value"),
    "XPath": ({"transforms": XPATH}, "transform-forbidden"),
    "XSLT": ({"transforms": transform(ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116")}, "transform-forbidden"),
    "XSLT with its stylesheet": ({"transforms": STYLESHEET}, "transform-forbidden"),
    "base64": ({"transforms": transform(ENVELOPED, DSIG + "base64")}, "transform-forbidden"),
    "XPointer filter": ({"transforms": transform(ENVELOPED, "http://www.w3.org/2002/06/xmldsig-filter2")}, "transform-forbidden"),
    "canonical form before the enveloped transform": ({"transforms": transform(EXC_C14N, ENVELOPED)}, "transform-forbidden"),
    "two canonical forms": ({"transforms": transform(ENVELOPED, EXC_C14N, DEFAULT_CANONICALIZATION)}, "transform-forbidden"),
    "no enveloped transform": ({"transforms": transform(EXC_C14N)}, "transform-forbidden"),
    "no transform": ({"transforms": ""}, "transform-forbidden"),
    "a parameter for the enveloped transform": (
        {"transforms": f'<ds:Transform Algorithm="{ENVELOPED}"><ds:XPath>1</ds:XPath></ds:Transform>'},
        "transform-forbidden",
    ),
    "a file": ({"uri": "file:///etc/passwd"}, "external-reference"),
    "a web address": ({"uri": "http://127.0.0.1/packet.xml"}, "external-reference"),
    "a relative address": ({"uri": "packet.xml"}, "external-reference"),
    "an id that is nowhere": ({"uri": "#nowhere"}, "reference-missing"),
    "an XPointer": ({"uri": "#xpointer(/)"}, "reference-missing"),
    "an empty fragment": ({"uri": "#"}, "reference-missing"),
    "no URI": ({"uri": None}, "reference-missing"),
    "a second Reference": (
        {
            "more_references": '<ds:Reference URI="#x"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
            "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
        },
        "coverage",
    ),
    "the digest of nothing": ({"digest": hashes.Hash(hashes.SHA256()).finalize()}, "tampered"),
    "a digest cut short": ({"digest": bytes(8)}, "tampered"),
    "a signature of zeros": ({"signature": bytes(256)}, "bad-signature-value"),
    "an element of XML Signature that does not belong": ({"objects": "<ds:Manifest/>"}, "malformed-signature"),
    "a key hint that cannot be read": ({"key_info": "<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>"}, "key-confusion"),
}


@pytest.mark.parametrize(("invention", "reason"), INVENTIONS.values(), ids=INVENTIONS.keys())
def test_an_invented_signature_is_refused(invention: dict[str, object], reason: str, forger: Forger, trust: TrustStore) -> None:
    assert reasons(forger.sign(PACKET), trust) == ()  # what the forger writes plainly is good
    assert reasons(forger.but(**invention).sign(PACKET), trust)[0] == reason


def test_a_signature_by_id_over_a_part_is_refused(forger: Forger, trust: TrustStore) -> None:
    packet = PACKET.replace(*PART, 1)
    part = re.search(rb'<edXML:To Id="all">.*</edXML:To>', packet)
    assert part is not None
    alone = part.group().replace(b"<edXML:To", f'<edXML:To xmlns:edXML="{QCVN}"'.encode(), 1)
    assert reasons(forger.but(uri="#all").sign(packet, signs=alone), trust) == ("coverage",)
    assert reasons(forger.but(uri="#all", transforms=transform(EXC_C14N)).sign(packet, signs=alone), trust) == ("coverage",)


def test_two_elements_with_the_id_that_was_signed_are_refused(forger: Forger, trust: TrustStore) -> None:
    assert reasons(forger.but(uri="#all").sign(ROOT_ID), trust) == ()
    for name in (b"Id", b"ID", b"id", b"xml:id"):
        doubled = ROOT_ID.replace(b"<edXML:To>", b"<edXML:To " + name + b'="all">', 1)
        assert reasons(forger.but(uri="#all").sign(doubled), trust)[0] == "duplicate-id"


def test_the_signed_root_moved_below_another_is_refused(forger: Forger, trust: TrustStore) -> None:
    signed = forger.but(uri="#all").sign(ROOT_ID)
    signature = _signature(signed)
    evil = PACKET.replace(ELLIPTIC.encode(), b"000.00.00.H99").replace(b"    </edXML:edXMLHeader>", signature + b"    </edXML:edXMLHeader>")
    original = ROOT_ID.partition(b"?>")[2].strip()
    assert reasons(evil.replace(b"</edXML>", original + b"</edXML>"), trust) == ("wrapping",)


def test_hmac_with_the_public_key_as_its_secret_is_refused(forger: Forger, agency: Identity, trust: TrustStore) -> None:
    secret = agency.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(b"what SignedInfo says")  # the method is refused before anything is computed
    value = mac.finalize()
    for name in ("hmac-sha256", "hmac-sha1"):
        for base in (DSIG, DSIG_MORE):
            assert reasons(forger.but(method=base + name, signature=value).sign(PACKET), trust)[0] == "alg-forbidden"


def test_a_key_value_beside_the_certificate_must_be_its_key(forger: Forger, agency: Identity, trust: TrustStore) -> None:
    mine = rsa.generate_private_key(65537, 2048)
    data = "<ds:X509Data>" + "".join(f"<ds:X509Certificate>{encoded(c)}</ds:X509Certificate>" for c in agency.chain) + "</ds:X509Data>"
    honest = agency.key.public_key()
    assert isinstance(honest, rsa.RSAPublicKey)
    assert reasons(forger.but(key_info=rsa_key_value(honest) + data).sign(PACKET), trust) == ()
    assert reasons(forger.but(key_info=rsa_key_value(mine.public_key()) + data).sign(PACKET), trust) == ("key-confusion",)
    # Signed with the key of KeyValue, shown with the agency's certificate: the certificate decides.
    stolen = forger.but(key=mine, key_info=rsa_key_value(mine.public_key()) + data)
    assert reasons(stolen.sign(PACKET), trust)[:2] == ("bad-signature-value", "key-confusion")
    assert reasons(forger.but(key=mine, key_info=rsa_key_value(mine.public_key())).sign(PACKET), trust)[0] == "no-key"


def test_two_certificates_of_one_key_are_refused(forger: Forger, agency: Identity, trust: TrustStore) -> None:
    assert not isinstance(agency.key, ec.EllipticCurvePrivateKey)
    alias = certificate("Someone else", agency.key, AT)
    assert reasons(forger.but(certificates=(alias, *agency.chain)).sign(PACKET), trust)[0] == "key-confusion"


def test_a_bundle_of_certificates_is_bounded(forger: Forger, agency: Identity, trust: TrustStore) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    crowd = [certificate(f"n{n}", key, AT) for n in range(9)]
    assert reasons(forger.but(certificates=(*agency.chain, *crowd)).sign(PACKET), trust)[0] == "malformed-signature"


# A key or a certificate that should not count → all reasons
def _self_signed(_: Pki) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return sign_packet(PACKET, key, [certificate("Nobody", key, AT)])


def _weak(_: Pki) -> bytes:
    weak, root_key = rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())
    root = certificate("root", root_key, AT, authority=True)
    return sign_packet(PACKET, weak, [certificate("Weak", weak, AT, issuer=root, issuer_key=root_key), root])


def _strange(pki: Pki) -> bytes:
    return pki.identities[STRANGER].sign(PACKET)


def test_a_stranger_is_not_trusted(pki: Pki, trust: TrustStore) -> None:
    assert reasons(_strange(pki), trust) == ("untrusted-chain",)
    assert reasons(_self_signed(pki), trust) == ("self-signed",)
    assert reasons(_weak(pki), trust) == ("weak-key", "untrusted-chain")


def test_nobody_is_trusted_by_an_empty_store(agency: Identity) -> None:
    assert reasons(agency.sign(PACKET), TrustStore()) == ("untrusted-chain",)


def test_a_stranger_who_calls_himself_the_root_is_not_trusted(pki: Pki, trust: TrustStore) -> None:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    namesake = certificate("Demo Root CA", root_key, AT, authority=True)
    signer = certificate(f"Agency {SENDER}", key, AT, issuer=namesake, issuer_key=root_key)
    assert reasons(sign_packet(PACKET, key, [signer, namesake]), trust) == ("untrusted-chain",)


def test_a_signature_counts_only_while_its_certificate_does(agency: Identity, trust: TrustStore) -> None:
    signed = agency.sign(PACKET)
    assert reasons(signed, trust, AT) == ()
    assert reasons(signed, trust, LATER) == ("expired",)
    assert reasons(signed, trust, EARLIER) == ("not-yet-valid",)
    assert verdict(signed, trust, LATER).signatures[0].time == "failed"
    assert verdict(signed, trust, LATER).signatures[0].path == "ok"


def test_a_missing_ca_certificate_breaks_the_chain(pki: Pki, agency: Identity) -> None:
    root_only = TrustStore(anchors=pki.store().anchors)
    assert reasons(agency.sign(PACKET), root_only) == ()  # the packet brings it
    assert reasons(sign_packet(PACKET, agency.key, [agency.certificate]), root_only) == ("untrusted-chain",)
    assert reasons(sign_packet(PACKET, agency.key, [agency.certificate]), pki.store()) == ()  # the store knows it


def test_all_reasons_are_named_the_lowest_step_first(pki: Pki, trust: TrustStore) -> None:
    raw = _strange(pki).replace(ELLIPTIC.encode(), b"000.00.00.H99")
    found = verdict(raw, trust, LATER)
    assert found.reasons == ("tampered", "untrusted-chain", "expired")
    report = found.signatures[0]
    answers = (report.integrity, report.coverage, report.path, report.revocation, report.time, report.algorithms)
    assert answers == ("failed", "ok", "failed", "not checked", "failed", "ok")
