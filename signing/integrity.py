"""Whether a signature fits the packet it stands in: allow-list, signature value, coverage, digest.

The Reference must be the root and nothing else, transforms come from a closed list, and what is digested is the very tree that the
reader read. Every function raises `Refused` with the reason and all violations, or answers; none touches the shared tree.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from schemas.errors import Refused, Violation, error
from schemas.namespaces import is_light
from schemas.xml import Element, ParsedXml, local_name
from signing import algorithms, cms_value, xml_canonical, xml_method
from signing.algorithms import CANONICALIZATIONS, DEFAULT_CANONICALIZATION, DIGESTS, ENVELOPED, SIGNATURES, Canonicalization
from signing.cms_value import Method, Parts
from signing.element import refused
from signing.xml_transform import Transform
from signing.xmldsig import SignedInfo

ID_NAMES = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
_BARE_NAME = re.compile(r"#[^\s():#/]+")  # no XPointer: it has its own ways to name a part


@dataclass(frozen=True, slots=True)
class Plan:
    """SignedInfo after the allow-list: how to check the value and how to digest the packet."""

    method: Method
    digest: str  # for hashlib
    canonicalization: Canonicalization
    prefixes: tuple[str, ...]


def plan(info: SignedInfo) -> Plan:
    """Step 3: everything named is on the allow-list. Raises `alg-forbidden` and `transform-forbidden`, all of them at once."""
    return _remembered(info.like) if info.like is not None else _plan(info)


@lru_cache(maxsize=256)
def _remembered(info: SignedInfo) -> Plan:
    return _plan(info)


def _plan(info: SignedInfo) -> Plan:
    found: list[Violation] = []
    if not algorithms.lasting(info.made.used()):
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
    if found or digest is None or form is None:
        raise Refused(found[0].code, got=found[0].got, expected=found[0].expected, violations=tuple(found))
    return Plan(info.made, digest, form, last.prefixes)


def is_listed(info: SignedInfo) -> bool:
    """Whether each transform is one that packets may use, in whatever order and number."""
    return all(one.uri == ENVELOPED or one.uri in CANONICALIZATIONS for reference in info.references for one in reference.transforms)


def check_value(value: bytes, octets: bytes, method: Method, key: CertificatePublicKeyTypes) -> bool:
    """Step 4, first half: whether `key` made `value` over the canonical SignedInfo. False also for a key of another kind."""
    return xml_method.made(value, (octets,), method, key)


def check_digest(tree: ParsedXml, signature: Element, info: SignedInfo, how: Plan) -> None:
    """Step 4, second half: the packet without its signature is what was signed. Raises `tampered`."""
    reference = info.references[0]
    parts = enveloped_octets(tree.root, signature, how, whole_document=not reference.uri, light=is_light(len(tree.held)))
    octets = cms_value.digest(how.digest, parts) or b""
    if not hmac.compare_digest(octets, reference.digest):
        got, expected = octets.hex(), reference.digest.hex()
        raise refused("tampered", tree.root, got=f"{how.digest} {got}", expected=f"{how.digest} {expected}")


def enveloped_octets(root: Element, signature: Element, how: Plan, *, whole_document: bool, light: bool = False) -> Parts:
    """The canonical bytes of the packet without the signature, in order: what XMLDSig §6.6.4 digests.

    A same-document reference leaves comments out whatever the transform says (§4.4.3.3).
    """
    return xml_canonical.without(
        root, (signature,), how.canonicalization, how.prefixes, with_comments=False, whole_document=whole_document, light=light
    )


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
