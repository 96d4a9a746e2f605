"""How the value of an XML signature was made: SignatureMethod with its parameters (XML Signature 1.1 §6.4, RFC 6931, RFC 9231).

The identifiers are rows of the table of algorithms; what has none is nobody's method and is refused by its name. Values are checked where
those of CMS are, with one difference of form: an ECDSA value is r‖s here (§6.4.3).
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from schemas.xml import Element, child_elements, text_of
from signing import cms_value
from signing.algorithms import CURRENT, DSIG
from signing.cms_value import Method, Parts
from signing.element import algorithm_of, names_of, refused, tags_of

MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
PSS = MORE_2007 + "rsa-pss"
MGF1 = MORE_2007 + "MGF1"
_PSS_PARTS = [f"{{{DSIG}}}DigestMethod", *(f"{{{MORE_2007}}}{name}" for name in ("MaskGenerationFunction", "SaltLength", "TrailerField"))]
_SALTS = {"sha1": 20, "sha224": 28, "sha3-224": 28, "sha512-256": 32} | {
    f"sha{kind}{bits}": bits // 8 for kind in ("", "3-") for bits in (256, 384, 512)
}
MAX_SALT = 512


def digest_name(uri: str) -> str:
    """The name of a DigestMethod in the table's words; the identifier itself where it has none there."""
    found = CURRENT.identifiers.get(uri)
    return found.hash if found is not None and not found.scheme and uri.startswith("http") else uri


def method_of(element: Element) -> Method:
    """What a SignatureMethod stands for. One that nobody knows has its identifier for a scheme, so that the table refuses it by name.

    Raises `malformed-signature` for parameters that do not belong there, HMACOutputLength among them.
    """
    uri, inside = algorithm_of(element), child_elements(element)
    found = CURRENT.identifiers.get(uri)
    if found is None or not found.scheme or not uri.startswith("http"):
        return Method(uri, "")
    if uri == PSS:
        return _pss(element, inside)
    if inside:
        raise refused("malformed-signature", element, got=names_of(inside), expected="no parameters")
    if found.scheme == "rsa-pss":
        return Method(found.scheme, found.hash, found.hash, _SALTS[found.hash])  # RFC 6931 §2.3.10
    return Method(found.scheme, found.hash or "sha512")  # Ed25519 names none: it is its own (RFC 8032)


def _pss(element: Element, inside: list[Element]) -> Method:
    """RFC 6931 §2.3.9: by default SHA-256, its mask the same, a salt as long as the digest."""
    if not inside:
        return Method("rsa-pss", "sha256", "sha256", 32)
    parts = {str(one.tag): one for one in child_elements(inside[0])}
    order = [tag for tag in _PSS_PARTS if tag in parts]
    if tags_of(inside) != [f"{{{MORE_2007}}}RSAPSSParams"] or tags_of(child_elements(inside[0])) != order:
        raise refused("malformed-signature", element, got=names_of(inside), expected="RSAPSSParams (RFC 6931 §2.3.9)")
    digest, mask, salt, trailer = (parts.get(tag) for tag in _PSS_PARTS)
    name = "sha256" if digest is None else digest_name(algorithm_of(digest))
    masked = name
    if mask is not None:
        if algorithm_of(mask) != MGF1:
            raise refused("alg-forbidden", mask, got=algorithm_of(mask), expected=MGF1)
        own = child_elements(mask)
        masked = digest_name(algorithm_of(own[0])) if own else name
    length = _SALTS.get(name, 32) if salt is None else _number(salt)
    if trailer is not None and _number(trailer) != 1:
        raise refused("malformed-signature", trailer, got=text_of(trailer), expected="1")
    return Method("rsa-pss", name, masked, length)


def _number(element: Element) -> int:
    text = text_of(element).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MAX_SALT):
        raise refused("malformed-signature", element, got=text[:40], expected=f"a number up to {MAX_SALT}")
    return int(text)


def made(value: bytes, octets: Parts, method: Method, key: CertificatePublicKeyTypes) -> bool:
    """Whether `key` made `value` over `octets`. False also for a key of another kind."""
    if method.scheme != "ecdsa":
        return cms_value.made(value, octets, method, key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    size = (key.curve.key_size + 7) // 8
    if len(value) != 2 * size:
        return False
    halves = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
    return cms_value.made(encode_dss_signature(*halves), octets, method, key)
