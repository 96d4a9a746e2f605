"""Every honest form of signature is accepted, by us and by two libraries that know nothing of us; and theirs by us."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from itertools import product

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.exceptions import InvalidSignature
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from hub.demo.pki import Identity, Pki, certificate
from schemas.message import VerdictStatus
from signing.algorithms import DEFAULT_CANONICALIZATION, DSIG, DSIG_MORE, ENVELOPED, EXC_C14N
from signing.sign import sign_packet
from signing.trust import TrustStore
from tests.signing.material import AT, ELLIPTIC, PACKET, SENDER, encoded, reasons, verdict

NODES = {f"{{{DSIG}}}": "ds"}


@dataclass(frozen=True)
class Form:
    """One way to sign."""

    key: str
    digest: str
    exclusive: bool
    reference_id: bool
    parent: str
    prefix: str

    def __str__(self) -> str:
        c14n, reference = "exclusive" if self.exclusive else "inclusive", "by id" if self.reference_id else "whole"
        return f"{self.key} {self.digest} {c14n} {reference} in {self.parent} prefix {self.prefix or 'none'}"

    def sign(self, identity: Identity, packet: bytes = PACKET) -> bytes:
        return sign_packet(
            packet,
            identity.key,
            identity.chain,
            digest=self.digest,
            exclusive=self.exclusive,
            reference_id=self.reference_id,
            parent=self.parent,
            prefix=self.prefix,
        )


FORMS = [
    Form(key, digest, exclusive, by_id, parent, prefix)
    for key, digest, exclusive, by_id, parent, prefix in product(
        (SENDER, ELLIPTIC), ("sha256", "sha384", "sha512"), (True, False), (True, False), ("header", "root"), ("ds", "")
    )
]


def xmlsec_accepts(raw: bytes, identity: Identity) -> bool:
    root = etree.fromstring(raw)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(identity.certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(next(root.iter(f"{{{DSIG}}}Signature")))
    except xmlsec.Error:
        return False
    return True


def signxml_accepts(raw: bytes, identity: Identity) -> bool:
    expected = SignatureConfiguration(location=".//")
    try:
        XMLVerifier().verify(raw, x509_cert=identity.certificate, expect_config=expected)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_what_we_sign_is_valid_for_us_and_for_xmlsec(form: Form, pki: Pki, trust: TrustStore) -> None:
    identity = pki.identities[form.key]
    signed = form.sign(identity)
    found = verdict(signed, trust)
    assert (found.status, found.reasons) == (VerdictStatus.VALID, ())
    assert found.signatures[0].certificate_sha256 == identity.sha256
    assert xmlsec_accepts(signed, identity)


@pytest.mark.parametrize("form", [f for f in FORMS if f.exclusive and not f.reference_id and f.digest == "sha256"], ids=str)
def test_what_we_sign_exclusively_is_valid_for_signxml(form: Form, pki: Pki) -> None:
    identity = pki.identities[form.key]  # signxml refuses honest inclusive ones where a default namespace is inherited
    assert signxml_accepts(form.sign(identity), identity)


@pytest.mark.parametrize("form", FORMS[::5], ids=str)
def test_a_signed_packet_keeps_every_byte_it_had(form: Form, pki: Pki) -> None:
    signed = form.sign(pki.identities[form.key])
    without = re.sub(rb"<(ds:)?Signature .*</(ds:)?Signature>", b"", signed, flags=re.S)
    assert without.replace(b' Id="packet"', b"") == PACKET


def test_p384_signs_too(trust: TrustStore, pki: Pki) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    root = certificate("Another root", key, AT, authority=True)
    signer_key = ec.generate_private_key(ec.SECP384R1())
    signer = certificate("P-384", signer_key, AT, issuer=root, issuer_key=key)
    signed = sign_packet(PACKET, signer_key, [signer], digest="sha384")
    assert reasons(signed, TrustStore(anchors=(root,))) == ()


# What others write: (canonicalisation of SignedInfo, transforms, attributes on the root)
ENVELOPED_ONLY = f'<ds:Transform Algorithm="{ENVELOPED}"/>'
PREFIXES = f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="#default edXML none"/>'
OTHERS = {
    "no canonicalisation among the transforms": (EXC_C14N, ENVELOPED_ONLY, ""),
    "inclusive throughout": (DEFAULT_CANONICALIZATION, f'{ENVELOPED_ONLY}<ds:Transform Algorithm="{DEFAULT_CANONICALIZATION}"/>', ""),
    "with comments, which a same-document reference leaves out": (
        EXC_C14N + "WithComments",
        f'{ENVELOPED_ONLY}<ds:Transform Algorithm="{EXC_C14N}WithComments"/>',
        "",
    ),
    "inclusive with comments": (
        DEFAULT_CANONICALIZATION + "#WithComments",
        f'{ENVELOPED_ONLY}<ds:Transform Algorithm="{DEFAULT_CANONICALIZATION}#WithComments"/>',
        "",
    ),
    "a prefix list": (EXC_C14N, f'{ENVELOPED_ONLY}<ds:Transform Algorithm="{EXC_C14N}">{PREFIXES}</ds:Transform>', ""),
    "inherited xml:lang and unused namespaces": (
        DEFAULT_CANONICALIZATION,
        ENVELOPED_ONLY,
        ' xml:lang="vi" xml:space="preserve" xmlns:u="urn:u"',
    ),
}


def xmlsec_signs(identity: Identity, c14n: str, transforms: str, attributes: str, *, indent: str = "\n  ") -> bytes:
    """A packet signed by libxmlsec over a template with white space in it."""
    family = "ecdsa" if isinstance(identity.key, ec.EllipticCurvePrivateKey) else "rsa"
    certificates = "".join(f"<ds:X509Certificate>\n{encoded(c)}\n</ds:X509Certificate>" for c in identity.chain)
    inner = PREFIXES if "ec:InclusiveNamespaces" in transforms else ""
    template = (
        f'<ds:Signature xmlns:ds="{DSIG}">{indent}<ds:SignedInfo><!-- ngày ký -->{indent}'
        f'<ds:CanonicalizationMethod Algorithm="{c14n}">{inner}</ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{DSIG_MORE}{family}-sha256"/>{indent}<ds:Reference URI="">{indent}<ds:Transforms>{transforms}'
        f'</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>{indent}<ds:DigestValue/></ds:Reference>'
        f"</ds:SignedInfo>{indent}<ds:SignatureValue/>{indent}<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
        f"</ds:Signature>"
    )
    raw = PACKET.replace(b"<edXML xmlns", f"<?pi before?><edXML{attributes} xmlns".encode(), 1) + b"<?pi after?>"
    root = etree.fromstring(raw.replace(b"</edXML:edXMLHeader>", template.encode() + b"</edXML:edXMLHeader>", 1))
    context = xmlsec.SignatureContext()
    private = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context.key = xmlsec.Key.from_memory(private, xmlsec.constants.KeyDataFormatPem)
    context.sign(next(root.iter(f"{{{DSIG}}}Signature")))
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


@pytest.mark.parametrize("form", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("name", [SENDER, ELLIPTIC])
def test_what_xmlsec_signs_is_valid(name: str, form: tuple[str, str, str], pki: Pki, trust: TrustStore) -> None:
    signed = xmlsec_signs(pki.identities[name], *form)
    assert reasons(signed, trust) == ()
    assert "tampered" in reasons(signed.replace("Khánh Hòa".encode(), "Khánh Hoà".encode(), 1), trust)


@pytest.mark.parametrize("algorithm", ["exclusive", "inclusive"])
def test_what_signxml_signs_is_valid(algorithm: str, agency: Identity, trust: TrustStore) -> None:
    form = CanonicalizationMethod
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        c14n_algorithm=form.EXCLUSIVE_XML_CANONICALIZATION_1_0 if algorithm == "exclusive" else form.CANONICAL_XML_1_0,
    )
    signed = signer.sign(etree.fromstring(PACKET), key=agency.key, cert=list(agency.chain))
    assert reasons(etree.tostring(signed, encoding="UTF-8"), trust) == ()


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "US-ASCII", "UTF-8-SIG"])
def test_a_signature_survives_another_encoding_of_the_same_characters(encoding: str, agency: Identity, trust: TrustStore) -> None:
    root = etree.fromstring(agency.sign(PACKET))
    raw = etree.tostring(root.getroottree(), encoding=encoding.removesuffix("-SIG"), xml_declaration=True)
    assert reasons(b"\xef\xbb\xbf" + raw if encoding.endswith("SIG") else raw, trust) == ()


def test_a_second_key_of_an_agency_may_come_with_its_chain_in_any_order(agency: Identity, trust: TrustStore) -> None:
    signed = sign_packet(PACKET, agency.key, tuple(reversed(agency.chain)))
    assert reasons(signed, trust) == ()


def test_line_breaks_in_base64_are_no_change(agency: Identity, trust: TrustStore) -> None:
    signed = agency.sign(PACKET)
    value = re.search(rb"<ds:SignatureValue>([^<]+)<", signed)
    assert value is not None
    broken = b"\r\n".join(value.group(1)[i : i + 64] for i in range(0, len(value.group(1)), 64))
    assert base64.b64decode(broken) == base64.b64decode(value.group(1))
    assert reasons(signed.replace(value.group(1), b"\n" + broken + b"\n"), trust) == ()
