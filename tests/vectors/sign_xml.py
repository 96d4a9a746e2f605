"""How the XML vectors are signed: templates that libxmlsec fills in, and a forger of our own for what it does not make."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence

import xmlsec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from tests.vectors.identities import Signer

DS = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
MORE_2021 = "http://www.w3.org/2021/04/xmldsig-more#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ENVELOPED = DS + "enveloped-signature"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
C14N_1_1 = "http://www.w3.org/2006/12/xml-c14n11"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
FORMS = (C14N, C14N + "#WithComments", C14N_1_1, C14N_1_1 + "#WithComments", EXC, EXC + "WithComments")
RSA, ECDSA = MORE + "rsa-sha256", MORE + "ecdsa-sha256"

Making = Callable[[bytes], bytes]


def reference(
    uri: str | None, transforms: Sequence[str] = (ENVELOPED, EXC), *, digest: str = SHA256, said: str = "", more: str = "", raw: str = ""
) -> str:
    """A Reference; `said` is its digest in base64, `more` its other attributes, `raw` transforms as they are."""
    steps = "".join(f'<ds:Transform Algorithm="{one}"/>' for one in transforms) + raw
    wrapped = f"<ds:Transforms>{steps}</ds:Transforms>" if steps else ""
    name = "" if uri is None else f' URI="{uri}"'
    return (
        f'<ds:Reference{name}{more}>{wrapped}<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue>{said}</ds:DigestValue></ds:Reference>'
    )


def signature(
    *references: str,
    method: str = RSA,
    form: str = EXC,
    key_info: str = "<ds:X509Data/>",
    objects: str = "",
    more: str = "",
    parameters: str = "",
    value: str = "",
) -> str:
    """A Signature that waits for digests and value."""
    inside = f"<ds:KeyInfo>{key_info}</ds:KeyInfo>" if key_info else ""
    return (
        f'<ds:Signature xmlns:ds="{DS}"{more}><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{form}"/>'
        f'<ds:SignatureMethod Algorithm="{method}">{parameters}</ds:SignatureMethod>{"".join(references)}</ds:SignedInfo>'
        f"<ds:SignatureValue>{value}</ds:SignatureValue>{inside}{objects}</ds:Signature>"
    )


def x509(signer: Signer, *others: Signer) -> str:
    """X509Data with the certificates."""
    parts = (f"<ds:X509Certificate>{base64.b64encode(one.der).decode()}</ds:X509Certificate>" for one in (signer, *others))
    return f"<ds:X509Data>{''.join(parts)}</ds:X509Data>"


def with_xmlsec(document: str, signer: Signer) -> bytes:
    """The document, its last template filled in by libxmlsec."""
    root = etree.fromstring(document.encode())
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(signer.key_path, xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_file(signer.certificate_path, xmlsec.constants.KeyDataFormatPem)
    context.sign(list(root.iter(f"{{{DS}}}Signature"))[-1])
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def by_hand(document: str, made: Making, *, parts: Sequence[bytes] = ()) -> bytes:
    """The document with the empty digests of its last signature set to those of `parts` (as octets), and its value made over SignedInfo.

    SignedInfo is taken in the exclusive form, by lxml and nobody else.
    """
    root = etree.fromstring(document.encode())
    found = list(root.iter(f"{{{DS}}}Signature"))[-1]
    empty = [one for one in found.iter(f"{{{DS}}}DigestValue") if not one.text]
    for element, octets in zip(empty, parts, strict=True):
        element.text = base64.b64encode(hashlib.sha256(octets).digest()).decode()
    value = made(etree.tostring(found[0], method="c14n", exclusive=True))
    found[1].text = base64.b64encode(value).decode()
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def rsa_made(signer: Signer, algorithm: hashes.HashAlgorithm | None = None, scheme: padding.AsymmetricPadding | None = None) -> Making:
    """PKCS #1 v1.5 with SHA-256 unless said otherwise."""
    key = signer.key
    if not isinstance(key, rsa.RSAPrivateKey):
        raise RuntimeError("an RSA key")
    return lambda octets: key.sign(octets, scheme or padding.PKCS1v15(), algorithm or hashes.SHA256())


def ecdsa_made(key: ec.EllipticCurvePrivateKey, algorithm: hashes.HashAlgorithm) -> Making:
    """r‖s."""

    def made(octets: bytes) -> bytes:
        size = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(algorithm)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return made


def exclusive(text: str | bytes, xpath: str = "") -> bytes:
    """The exclusive form of a document, or of the one element that `xpath` finds in it; without comments."""
    root = etree.fromstring(text.encode() if isinstance(text, str) else text)
    node = root.xpath(xpath, namespaces={"ds": DS}) if xpath else None
    if isinstance(node, list) and node:
        return etree.tostring(node[0], method="c14n", exclusive=True, with_comments=False)
    return etree.tostring(root.getroottree(), method="c14n", exclusive=True, with_comments=False)
