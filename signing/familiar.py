"""What is remembered of the signatures of packets, and why nothing can hide behind it.

A system signs all its packets in the same words: the same elements in the same place, the same SignedInfo but for the digest, the same
certificates. Of two such packets three things differ: the digest, the value, and the packet. Where the whole of steps 1 to 6 had nothing
against a signature (`packet_signature`), only these three are looked at in the next one in the same words: the value is checked over all of
SignedInfo by the certificate's key, and the digest of all of the packet is taken and compared.

Words are the same where nothing differs of all else that those steps look at:

 * the place: tags of the elements above the signature, and of everything beside those
 * what is inside: one outline (`_Outline`), so nothing foreign, no properties, no second Reference, no other hint of a key. Documents with
   comments or instructions have no `ParsedXml.layout`, so none can stand anywhere
 * SignedInfo: its canonical bytes on both sides of the digest; where that cut is in doubt (`xmldsig.frame_of`), nothing is remembered
 * the texts of the certificates

Who signed is then as certain as before, and what is found is the very same value. Anything in other words, and anything that does not fit,
is worked out from the beginning: every refusal says what it always said, and no bad signature is remembered.
"""

from __future__ import annotations

import hmac
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import pybase64
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from schemas.errors import Refused
from schemas.namespaces import is_light
from schemas.xml import Element, ParsedXml, local_name
from signing import cms_value, integrity, xml_canonical, xml_key, xmldsig
from signing.algorithms import CANONICALIZATIONS, DSIG
from signing.element import algorithm_of, octets_of
from signing.finding import Coverage, Finding, Integrity
from signing.integrity import Plan
from signing.limits import MAX_FAMILIAR_BYTES
from signing.remembered import Remembered
from signing.xml_key import MAX_CERTIFICATES
from signing.xmldsig import FEW_NODES, SIGNATURE, SignedInfo

MAX_TRANSFORMS = 2
MAX_LEVELS = 3  # above the signature
MAX_BESIDE = 16  # elements in one that is above it
MAX_TEXT_CHARS = 16 * 1024  # of the certificates
_ENTRY_BYTES = 4096  # besides the words
_DIGEST_TAG = b"DigestValue>"
_TAG = attrgetter("tag")


class Sight(NamedTuple):
    """A signature in usual words, taken apart. Nothing of it has been checked."""

    words: tuple[Hashable, bytes, bytes, tuple[str, ...]]  # what is the same in every packet of its signer
    signature: Element
    value: Element
    signed_info: bytes  # canonical
    digest: bytes  # as SignedInfo writes it


@dataclass(frozen=True, slots=True, eq=False)
class _Passed:
    """What steps 1 to 6 said of a signature that they had nothing against, without its digest and its value."""

    finding: Finding
    info: SignedInfo
    how: Plan
    whole_document: bool
    key: CertificatePublicKeyTypes
    others: tuple[
        CertificatePublicKeyTypes, ...
    ]  # of the other certificates, as far as they fit the method: none of them may have made the value


_passed: Remembered[tuple[Hashable, ...], _Passed] = Remembered(MAX_FAMILIAR_BYTES)


@dataclass(frozen=True, slots=True)
class _Outline:
    """Signature and all elements in it, in document order: tags, and how many children each has."""

    tags: list[str]
    children: list[int]


@cache
def _outline(transforms: int, certificates: int) -> _Outline:
    signed_info = ["SignedInfo", "CanonicalizationMethod", "SignatureMethod", "Reference", "Transforms"]
    names = ["Signature", *signed_info, *["Transform"] * transforms, "DigestMethod", "DigestValue", "SignatureValue", "KeyInfo", "X509Data"]
    children = [3, 3, 0, 0, 3, transforms, *[0] * transforms, 0, 0, 0, 1, certificates, *[0] * certificates]
    return _Outline([f"{{{DSIG}}}{name}" for name in (*names, *["X509Certificate"] * certificates)], children)


def sight(tree: ParsedXml) -> Sight | None:
    """The one signature of a document; None where it is not in usual words. Raises nothing."""
    layout = tree.layout
    if layout is None or layout.tags.count(SIGNATURE) != 1 or not is_light(len(tree.held)):
        return None
    tags, children, at = layout.tags, layout.children, layout.tags.index(SIGNATURE)
    transforms = children[at + 5] if len(tags) > at + 5 else 0
    data = at + 10 + transforms
    certificates = children[data] if len(tags) > data else 0
    if not (0 < transforms <= MAX_TRANSFORMS and 0 < certificates <= MAX_CERTIFICATES):
        return None
    usual, end = _outline(transforms, certificates), data + 1 + certificates
    if tags[at:end] != usual.tags or children[at:end] != usual.children:
        return None
    return _taken_apart(tree, at, data, end)


def _taken_apart(tree: ParsedXml, at: int, data: int, end: int) -> Sight | None:
    held = tree.held
    signature, info = held[at], held[at + 1]
    place, texts = _place(signature, tree.root), tuple([one.text or "" for one in held[data + 1 : end]])
    form = CANONICALIZATIONS.get(algorithm_of(held[at + 2]))
    if place is None or form is None or len(info.nsmap) > FEW_NODES or sum(map(len, texts)) > MAX_TEXT_CHARS:
        return None
    try:
        octets = xml_canonical.of_part(info, form, light=True)
    except Refused:
        return None
    before, _, rest = octets.partition(_DIGEST_TAG)  # `remember` sees to it that this cuts where `xmldsig.frame_of` does
    digest, _, after = rest.partition(b"<")
    return Sight((place, before, after, texts), signature, held[data - 2], octets, digest)


def _place(signature: Element, root: Element) -> Hashable:
    """Tags beside the signature, beside what it stands in, and so on up to the root; None where they do not say which it stands in."""
    found: list[Any] = [root.tag]
    element: Element = signature
    while element is not root:
        above = element.getparent()
        if above is None or len(found) > MAX_LEVELS or len(above) > MAX_BESIDE:
            return None
        tags = list(map(_TAG, above))
        if tags.count(element.tag) != 1:
            return None
        tags.append(element.tag)
        found.append(tuple(tags))
        element = above
    return tuple(found)


def passed(tree: ParsedXml, seen: Sight) -> Finding | None:
    """The finding on `seen`, where signatures in its words have passed, and its digest and its value fit as theirs did. Raises nothing."""
    known = _passed.found(seen.words)
    if known is None:
        return None
    try:
        return known.finding if _fits(tree, seen, known) else None
    except Refused:
        return None


def _fits(tree: ParsedXml, seen: Sight, known: _Passed) -> bool:
    integrity.check_coverage(tree, known.info)
    value, method = octets_of(seen.value), known.how.method
    if not integrity.check_value(value, seen.signed_info, method, known.key):
        return False
    if known.others and any(integrity.check_value(value, seen.signed_info, method, key) for key in known.others):
        return False
    parts = integrity.enveloped_octets(tree.root, seen.signature, known.how, whole_document=known.whole_document, light=True)
    digest = cms_value.digest(known.how.digest, parts)
    return digest is not None and hmac.compare_digest(pybase64.b64encode(digest), seen.digest)


def remember(seen: Sight, root: Element, finding: Finding) -> None:
    """Remembers what was found on the signature that `seen` shows in an edXML packet, where nothing was found against it."""
    if local_name(root) != "edXML":  # other documents are judged by other rules
        return
    sound = finding.kind == "xmldsig" and finding.integrity is Integrity.OK and finding.coverage is Coverage.WHOLE
    if not sound or finding.violations or not finding.signer or finding.algorithms:  # the rules of the common form name no algorithms
        return
    info, keys = xmldsig.read_signed_info(seen.signature, light=True), xml_key.read_key_info(seen.signature)
    _, before, after, _ = seen.words
    if info.like is None or keys.key_hints or xmldsig.frame_of(info.octets) != (before + _DIGEST_TAG, seen.digest, b"<" + after):
        return
    how = integrity.plan(info)
    holder = next((one for one in keys.certificates if one.der == finding.signer), None)
    if holder is None:
        return
    others = tuple(one.key for one in keys.certificates if one != holder and cms_value.fits(one.key, how.method))
    weight = _ENTRY_BYTES + len(seen.signed_info) + sum(len(one.der) for one in keys.certificates) * 2
    _passed.put(seen.words, _Passed(finding, info.like, how, not info.references[0].uri, holder.key, others), weight)
