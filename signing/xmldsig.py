"""XML signatures: reading what one says (W3C XML Signature 1.1), and finding the one that counts in a packet.

A thin reader of our own on lxml, because the libraries either refuse honest inclusive signatures or accept duplicate ids; they serve
as oracles in the tests. Rules that keep forgeries out: one signature, in one of two places; SignedInfo is read from the canonical
bytes that the signature value is checked against, never from the tree; nothing inside the Signature element (which no enveloped
signature covers) may look like part of a packet. `integrity.py` holds the rest for packets, `xml_signature.py` for any other document.

Every function raises `Refused` with the reason and all violations; none touches the shared tree, fetches or opens anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from lxml import etree

from schemas.namespaces import in_scope
from schemas.xml import Element, ParsedXml, child_elements, local_name, namespace, reread
from signing import xml_canonical, xml_method, xml_transform
from signing.algorithms import DSIG, DSIG11, EXC_C14N
from signing.cms_value import Method
from signing.element import algorithm_of, base64_of, names_of, octets_of, refused, tags_of
from signing.xml_transform import Transform

MAX_FRAME_BYTES = 4 * 1024
MAX_SIGNED_INFO_CHARS = 64 * 1024  # an honest one has some 1,500
_MAX_SIGNED_INFO_BYTES = 4 * MAX_SIGNED_INFO_CHARS
FEW_NODES = 24  # in the SignedInfo of a light document: its canonical form cannot be large
MAX_REFERENCES = 256
MAX_IN_SCOPE = 64  # namespace declarations in SignedInfo, with those it inherits
_DUMMIES = ("Signature", "DigitalSignature")  # as the Java and the C# SDK write them
_ANY_DIGEST = b"AA=="
_DIGEST = re.compile(rb"[A-Za-z0-9+/= \n]{1,200}")


def _ds(*names: str) -> list[str]:
    return [f"{{{DSIG}}}{name}" for name in names]


(SIGNATURE,) = _ds("Signature")
_CANONICALIZATION, _METHOD, _REFERENCE = _SIGNED_INFO = _ds("CanonicalizationMethod", "SignatureMethod", "Reference")
_KEY_INFO, _OBJECT = _ds("KeyInfo", "Object")
_PARTS = _ds("SignedInfo", "SignatureValue")
(_TRANSFORM,) = _ds("Transform")
_REFERENCE_PARTS = _ds("Transforms", "DigestMethod", "DigestValue")
# What an enveloped signature does not cover may hold parts of signatures and nothing that a reader of packets could take for a part
# of one. XAdES properties are known here so that they are named rightly; they are not read yet.
_FOREIGN = etree.XPath("descendant::*[not(self::ds:*)]", namespaces={"ds": DSIG})
_ALSO_KNOWN = (DSIG11, EXC_C14N, xml_method.MORE_2007, "http://uri.etsi.org/01903/v1.3.2#", "http://uri.etsi.org/01903/v1.4.1#")


@dataclass(frozen=True, slots=True)
class Found:
    """What a packet carries: at most one signature that counts, and placeholders that do not."""

    signature: Element | None
    decorative: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """What one Reference says. Identifiers are as written; nothing is allowed yet."""

    uri: str | None
    transforms: tuple[Transform, ...]
    digest_method: str
    digest: bytes
    kind: str = ""  # Type
    name: str = ""  # Id


@dataclass(frozen=True, slots=True, eq=False)
class SignedInfo:
    """SignedInfo as signed: `octets` are its canonical bytes, everything else was read from them."""

    octets: bytes
    method: str  # identifier
    made: Method  # what it stands for
    references: tuple[Reference, ...]
    like: SignedInfo | None = None  # another that says the same but for its one digest; the same object each time


def signatures_in(tree: ParsedXml) -> list[Element]:
    """All of them, in order."""
    if tree.layout is not None:  # then `held` are its elements
        tags = tree.layout.tags
        if tags.count(SIGNATURE) < 2:
            return [tree.held[tags.index(SIGNATURE)]] if SIGNATURE in tags else []
    return list(tree.root.iter(SIGNATURE))


def find(tree: ParsedXml) -> Found:
    """Step 1. Raises `wrapping` for a second signature or a strange place, `malformed-signature` for loose parts of one."""
    root = tree.root
    signatures = signatures_in(tree)
    if not signatures:
        return Found(None, _decorative(root))
    if len(signatures) > 1:
        raise refused("wrapping", *signatures, got=f"{len(signatures)} signatures", expected="one")
    if not _in_place(signatures[0], root):
        raise refused("wrapping", signatures[0], expected="a child of edXMLHeader or of the root")
    return Found(signatures[0], ())


def _in_place(element: Element, root: Element) -> bool:
    """Where the national format puts the Signature: /edXML/edXMLEnvelope/edXMLHeader; or, as common elsewhere, in the root."""
    header = element.getparent()
    if header is root:
        return True
    envelope = header.getparent() if header is not None else None
    if header is None or envelope is None or envelope.getparent() is not root:
        return False
    own = str(root.tag).rpartition("}")[0]
    own = own and own + "}"
    return header.tag == own + "edXMLHeader" and envelope.tag == own + "edXMLEnvelope"


def _decorative(root: Element) -> tuple[Element, ...]:
    loose = next(root.iter(f"{{{DSIG}}}*", f"{{{DSIG11}}}*"), None)
    if loose is not None:
        raise refused("malformed-signature", loose, got=f"{local_name(loose)} without a Signature", expected="a whole Signature")
    dummies = tuple(e for e in root.iter(*(f"{{*}}{name}" for name in _DUMMIES)) if _in_place(e, root))
    for dummy in dummies:
        if namespace(dummy) != namespace(root):
            raise refused("malformed-signature", dummy, got=f"namespace {namespace(dummy)!r}", expected=DSIG)
    return dummies


def read_signed_info(signature: Element, *, light: bool = False) -> SignedInfo:
    """`signed_info_of` for the one signature of a packet: raises `wrapping` for foreign content, `transform-forbidden` in a Transform."""
    foreign = [e for e in cast("list[Element]", _FOREIGN(signature)) if namespace(e) not in _ALSO_KNOWN]
    if foreign:
        around = foreign[0].getparent()
        if around is not None and around.tag == _TRANSFORM:  # a stylesheet belongs to its transform; nothing was wrapped
            raise refused("transform-forbidden", around, got=around.get("Algorithm", ""), expected="enveloped-signature, c14n")
        raise refused("wrapping", foreign[0], got=f"{local_name(foreign[0])} inside Signature", expected="parts of a signature only")
    return signed_info_of(signature, light=light)


def signed_info_of(signature: Element, *, light: bool = False) -> SignedInfo:
    """Step 2. `light` says that the document is (`namespaces.is_light`).

    Raises `malformed-signature`, `resource-limit`, or `alg-forbidden` for the canonical form.
    """
    parts = child_elements(signature)
    tags = tags_of(parts)
    if tags[:2] != _PARTS or [t for t in tags[2:] if t != _OBJECT] not in ([], [_KEY_INFO]):
        raise refused("malformed-signature", signature, got=names_of(parts), expected="SignedInfo, SignatureValue, KeyInfo, Object")
    light = (
        light and len(list(parts[0].iter())) <= FEW_NODES and len(parts[0].nsmap) <= FEW_NODES
    )  # then its size is looked at when it is there
    if not light:
        _check_size(parts[0])
    octets = signed_octets(parts[0], light=light)
    if len(octets) > _MAX_SIGNED_INFO_BYTES:
        expected = f"at most {_MAX_SIGNED_INFO_BYTES}"
        raise refused("resource-limit", parts[0], got=f"a SignedInfo of {len(octets)} bytes", expected=expected)
    xml_transform.check_prefixes(parts[0])
    frame = frame_of(octets)
    if frame is None:
        return _read(octets)
    before, digest, after = frame
    said = _read_frame(before + _ANY_DIGEST + after)
    one = said.references[0]
    reference = Reference(one.uri, one.transforms, one.digest_method, base64_of(digest.decode("ascii"), parts[0]), one.kind, one.name)
    return SignedInfo(octets, said.method, said.made, (reference,), said)


def _check_size(signed_info: Element) -> None:
    """Before it is canonicalised, which anyone may make us do: no key has been looked at yet. Raises `resource-limit`."""
    size = 0
    for node in signed_info.iter():
        size += len(str(node.tag)) + len(node.text or "") + len(node.tail or "")
        if isinstance(node.tag, str):
            size += sum(len(name) + len(value) for name, value in node.attrib.items())
        if size > MAX_SIGNED_INFO_CHARS:
            expected = f"at most {MAX_SIGNED_INFO_CHARS}"
            raise refused("resource-limit", signed_info, got=f"a SignedInfo of {size} characters or more", expected=expected)
    declared = in_scope(signed_info, MAX_IN_SCOPE)
    if declared > MAX_IN_SCOPE:
        got = f"{declared} namespace declarations in scope of SignedInfo, or more"
        raise refused("resource-limit", signed_info, got=got, expected=f"at most {MAX_IN_SCOPE}")


def frame_of(octets: bytes) -> tuple[bytes, bytes, bytes] | None:
    """SignedInfo before its one digest, the digest's text, and what is after it: all but the digest is the same in every packet that a
    system signs. None where anything else could be mistaken for it: one start tag and one end tag of its name, only base64 between.
    """
    parts = octets.split(b"DigestValue>")
    if len(octets) > MAX_FRAME_BYTES or len(parts) != 3 or octets.count(b"DigestValue") != 2:
        return None
    digest, opening, prefix = parts[1].rpartition(b"</")
    if not _DIGEST.fullmatch(digest) or not parts[0].endswith(b"<" + prefix):
        return None
    return parts[0] + b"DigestValue>", digest, opening + prefix + b"DigestValue>" + parts[2]


@lru_cache(maxsize=256)
def _read_frame(octets: bytes) -> SignedInfo:
    return _read(octets)


def _read(octets: bytes) -> SignedInfo:
    signed_info = reread(octets)
    read = child_elements(signed_info)
    tags = tags_of(read)
    if len(tags) < 3 or tags != _SIGNED_INFO + [_REFERENCE] * (len(tags) - 3):
        raise refused("malformed-signature", signed_info, got=names_of(read), expected=", ".join(_SIGNED_INFO))
    if len(tags) > MAX_REFERENCES + 2:
        raise refused("resource-limit", signed_info, got=f"{len(tags) - 2} References", expected=f"at most {MAX_REFERENCES}")
    return SignedInfo(octets, algorithm_of(read[1]), xml_method.method_of(read[1]), tuple(reference_of(r) for r in read[2:]))


def signed_octets(signed_info: Element, *, light: bool = False) -> bytes:
    """The canonical bytes of SignedInfo in its place in the packet. Raises `alg-forbidden` or `transform-forbidden`."""
    method = next(signed_info.iterchildren("*"), None)
    if method is None or method.tag != _CANONICALIZATION:
        raise refused("malformed-signature", signed_info, expected="CanonicalizationMethod first")
    form, prefixes = xml_canonical.form_of(method)
    return xml_canonical.of_part(signed_info, form, prefixes, light=light)


def reference_of(element: Element) -> Reference:
    """One Reference, of SignedInfo or of a Manifest. Raises `malformed-signature` or `transform-forbidden`."""
    parts = child_elements(element)
    if tags_of(parts) not in (_REFERENCE_PARTS, _REFERENCE_PARTS[1:]):
        raise refused("malformed-signature", element, got=names_of(parts), expected="Transforms, DigestMethod, DigestValue")
    return Reference(
        uri=element.get("URI"),
        transforms=xml_transform.read(parts[0]) if len(parts) == 3 else (),
        digest_method=algorithm_of(parts[-2]),
        digest=octets_of(parts[-1]),
        kind=element.get("Type") or "",
        name=element.get("Id") or "",
    )


def value_of(signature: Element) -> bytes:
    """The octets of SignatureValue. Raises `malformed-signature`."""
    return octets_of(child_elements(signature)[1])
