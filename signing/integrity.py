"""Whether a signature fits the packet it stands in: allow-list, signature value, coverage, digest.

The Reference must be the root and nothing else, transforms come from a closed list, and what is digested is the very tree that the
reader read. Every function raises `Refused` with the reason and all violations, or answers; none touches the shared tree.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from schemas.errors import Refused, Violation, error
from schemas.xml import Element, ParsedXml, canonical, local_name
from signing.algorithms import (
    CANONICALIZATIONS,
    CURVES,
    DEFAULT_CANONICALIZATION,
    DIGESTS,
    ENVELOPED,
    SIGNATURES,
    Canonicalization,
    Family,
    SignatureAlgorithm,
)
from signing.element import refused
from signing.xmldsig import SIGNATURE, SignedInfo, Transform

ID_NAMES = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_PADDING = padding.PKCS1v15()
_BARE_NAME = re.compile(r"#[^\s():#/]+")  # no XPointer: it has its own ways to name a part


@dataclass(frozen=True, slots=True)
class Plan:
    """SignedInfo after the allow-list: how to check the value and how to digest the packet."""

    method: SignatureAlgorithm
    digest: str  # for hashlib
    canonicalization: Canonicalization
    prefixes: tuple[str, ...]


def plan(info: SignedInfo) -> Plan:
    """Step 3: everything named is on the allow-list. Raises `alg-forbidden` and `transform-forbidden`, all of them at once."""
    found: list[Violation] = []
    method = SIGNATURES.get(info.method)
    if method is None:
        found.append(error("alg-forbidden", path="SignedInfo/SignatureMethod", got=info.method, expected=", ".join(SIGNATURES)))
    reference = info.references[0]
    digest = DIGESTS.get(reference.digest_method)
    if digest is None:
        found.append(error("alg-forbidden", path="Reference/DigestMethod", got=reference.digest_method, expected=", ".join(DIGESTS)))
    uris = [t.uri for t in reference.transforms]
    last = reference.transforms[-1] if len(uris) == 2 else Transform(DEFAULT_CANONICALIZATION, ())
    form = CANONICALIZATIONS.get(last.uri)
    if uris[:1] != [ENVELOPED] or len(uris) > 2 or form is None:
        found.append(error("transform-forbidden", path="Reference/Transforms", got=", ".join(uris), expected="enveloped-signature, c14n"))
    if found or method is None or digest is None or form is None:
        raise Refused(found[0].code, got=found[0].got, expected=found[0].expected, violations=tuple(found))
    return Plan(method, digest, form, last.prefixes)


def check_value(value: bytes, octets: bytes, method: SignatureAlgorithm, key: CertificatePublicKeyTypes) -> bool:
    """Step 4, first half: whether `key` made `value` over the canonical SignedInfo. False also for a key of the other family."""
    try:
        if isinstance(key, rsa.RSAPublicKey) and method.family is Family.RSA:
            key.verify(value, octets, _PADDING, method.hash)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and method.family is Family.ECDSA and key.curve.name in CURVES:
            size = CURVES[key.curve.name][1]
            if len(value) != 2 * size:
                return False
            halves = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
            key.verify(encode_dss_signature(*halves), octets, ec.ECDSA(method.hash))
            return True
    except (InvalidSignature, ValueError):
        return False
    return False


def fits(key: CertificatePublicKeyTypes, method: SignatureAlgorithm) -> bool:
    """Whether a key of this kind can have made a signature of this method at all."""
    return isinstance(key, rsa.RSAPublicKey if method.family is Family.RSA else ec.EllipticCurvePublicKey)


def check_digest(tree: ParsedXml, signature: Element, info: SignedInfo, how: Plan) -> None:
    """Step 4, second half: the packet without its signature is what was signed. Raises `tampered`."""
    reference = info.references[0]
    digest = _HASHES[how.digest]()
    for part in enveloped_octets(tree.root, signature, how, whole_document=not reference.uri):
        digest.update(part)
    if not hmac.compare_digest(digest.digest(), reference.digest):
        got, expected = digest.hexdigest(), reference.digest.hex()
        raise refused("tampered", tree.root, got=f"{how.digest} {got}", expected=f"{how.digest} {expected}")


def enveloped_octets(root: Element, signature: Element, how: Plan, *, whole_document: bool) -> tuple[bytes | memoryview, ...]:
    """The canonical bytes of the packet without the signature, in order: what XMLDSig §6.6.4 digests.

    A same-document reference leaves comments out whatever the transform says (§4.4.3.3). The bytes are cut out of the canonical form
    of the whole tree: leaving an element out changes nothing elsewhere in it. Where its name occurs more than once, so that the cut
    could be in doubt, a copy of the tree without it is canonicalised instead.
    """
    form, prefixes = how.canonicalization.exclusive, how.prefixes
    octets = canonical(root, exclusive=form, inclusive_prefixes=prefixes, whole_document=whole_document)
    name = (f"{signature.prefix}:Signature" if signature.prefix else "Signature").encode()
    closing = b"</" + name + b">"
    end = octets.find(closing)
    if end == octets.rfind(closing):  # then it closes the signature, and the one tag of that name before it opens it
        starts = [octets.find(tag, 0, end) for tag in (b"<" + name + b" ", b"<" + name + b">")]  # canonical tags have no other form
        start = max(starts)
        if min(starts) == -1 < start and octets.find(octets[start : start + len(name) + 2], start + 1, end) == -1:
            view = memoryview(octets)
            return view[:start], view[end + len(closing) :]
    bare = _without_signature(root)
    return (canonical(bare, exclusive=form, inclusive_prefixes=prefixes, whole_document=whole_document),)


def _without_signature(root: Element) -> Element:
    copy = deepcopy(root.getroottree()).getroot()
    for signature in list(copy.iter(SIGNATURE)):
        parent, before = signature.getparent(), signature.getprevious()
        if parent is None:
            raise RuntimeError("the root itself is the signature")  # `find` has refused it
        if signature.tail and before is not None:
            before.tail = (before.tail or "") + signature.tail
        elif signature.tail:
            parent.text = (parent.text or "") + signature.tail
        signature.tail = None
        parent.remove(signature)
    return copy


def check_coverage(tree: ParsedXml, info: SignedInfo) -> None:
    """Step 5: the one Reference is the whole packet.

    Raises `coverage`, `wrapping` (the signed thing was moved down), `duplicate-id`, `reference-missing` or `external-reference`.
    """
    uri = info.references[0].uri
    if len(info.references) > 1:
        raise refused("coverage", tree.root, got=f"{len(info.references)} References", expected="one, to the whole packet")
    if uri == "":
        return
    if uri is None:
        raise refused("reference-missing", tree.root, got="no URI", expected='URI=""')
    if not uri.startswith("#"):
        raise refused("external-reference", tree.root, got=uri, expected='URI="" or the root\'s id')
    if not _BARE_NAME.fullmatch(uri):
        raise refused("reference-missing", tree.root, got=uri, expected='URI="" or the root\'s id')
    _check_is_root(tree.root, uri)


def _check_is_root(root: Element, uri: str) -> None:
    named = list(_named(root, uri[1:]))
    if not named:
        raise refused("reference-missing", root, got=uri, expected="an id in the packet")
    if len(named) > 1:
        raise refused("duplicate-id", *named, got=f"{len(named)} times {uri}", expected="once")
    if named[0] is not root:
        code = "wrapping" if named[0].tag == root.tag else "coverage"
        raise refused(code, named[0], got=f"{uri} is {local_name(named[0])}", expected=f"the root, {local_name(root)}")


def _named(root: Element, value: str) -> Iterator[Element]:
    for element in root.iter("*"):
        if any(element.get(name) == value for name in ID_NAMES):
            yield element
