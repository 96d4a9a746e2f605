"""Time-stamps in XAdES: what each kind is over (EN 319 132-1 §5.2.8, §5.3, §5.5; TS 101 903 Annex), and whether its token is about that.

A node is canonicalised by the property's own CanonicalizationMethod, or as XML Signature does without one. One that fits and is about the
signature's value proves that the signature existed; one that does not fit refuses the signature that carries it.

With Include (§5.1.4.4) it is over what these name, in their order: elements of the signature, or with ``referencedData`` what one of its
References is to. What they name elsewhere is not looked for. Told, and proof of nothing, are a time-stamp over that, and an archive
time-stamp that does not fit, if it is one of 1.3.2, whose order differs from that of 1.4.1, or one with Include (§5.5.2.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from schemas.errors import Refused, Violation, error, warning
from schemas.xml import Element, child_elements, line_of, local_name, namespace, path_of
from signing import timestamp, xml_canonical
from signing.algorithms import CANONICALIZATIONS, DEFAULT_CANONICALIZATION, DSIG, Canonicalization
from signing.cms_value import Parts
from signing.element import MAX_BASE64_CHARS, base64_of, refused
from signing.finding import Given, Stamp, StampKind
from signing.xades import Properties, named
from signing.xml_coverage import XADES
from signing.xmldsig import Reference

MAX_STAMPS = 16
MAX_INCLUDES = 256
_CANONICALIZATION, _OBJECT = f"{{{DSIG}}}CanonicalizationMethod", f"{{{DSIG}}}Object"
_XADES_141 = XADES[-1]
_REFERENCES = (
    *("CompleteCertificateRefs", "CompleteCertificateRefsV2", "CompleteRevocationRefs"),
    *("AttributeCertificateRefs", "AttributeCertificateRefsV2", "AttributeRevocationRefs"),
)
_KINDS = {
    "SignatureTimeStamp": StampKind.SIGNATURE,
    "SigAndRefsTimeStamp": StampKind.SIGNATURE,
    "SigAndRefsTimeStampV2": StampKind.SIGNATURE,
    "RefsOnlyTimeStamp": StampKind.REFERENCES,
    "RefsOnlyTimeStampV2": StampKind.REFERENCES,
    "ArchiveTimeStamp": StampKind.ARCHIVE,
    "AllDataObjectsTimeStamp": StampKind.CONTENT,
    "IndividualDataObjectsTimeStamp": StampKind.CONTENT,
}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as far as time-stamps can be over it: `octets` are those of its References, by their number."""

    signature: Element
    properties: Properties
    references: tuple[Reference, ...]
    octets: Mapping[int, Parts] = field(repr=False)


def examine(signed: Signed, given: Given) -> tuple[tuple[Stamp, ...], tuple[Violation, ...]]:
    """The stamps in their order, those over content first, and notes on what was not checked. Raises nothing."""
    stamps: list[Stamp] = []
    notes: list[Violation] = []
    elements = [one for one in (*signed.properties.content_stamps, *signed.properties.unsigned) if local_name(one) in _KINDS]
    for element in elements:
        if len(stamps) >= MAX_STAMPS:
            notes.append(_note(element, "more time-stamps than are looked at"))
            break
        kind = _KINDS[local_name(element)]
        try:
            content = _content(element, signed)
            found = [timestamp.examine(token, content, kind, given) for token in _tokens(element)]
        except Refused as fault:
            found = [_broken(kind, element, fault)]
        if content_unknown(element, signed) or (_is_loose(element) and not all(one.fits for one in found)):
            notes.append(_note(element, f"{local_name(element)}: not checked"))
        else:
            stamps.extend(found)
    return tuple(stamps), tuple(notes)


def level(properties: Properties, stamps: tuple[Stamp, ...]) -> str:
    """The baseline level that the signature has the parts of (EN 319 132-1 §6), "none" without SigningCertificate."""
    if not properties.certificates:
        return "none"
    fitting = {stamp.kind for stamp in stamps if stamp.fits}
    if StampKind.SIGNATURE not in fitting:
        return "B-B"
    if not (properties.carried.crls or properties.carried.ocsps):
        return "B-T"
    return "B-LTA" if StampKind.ARCHIVE in fitting else "B-LT"


def content_unknown(element: Element, signed: Signed) -> bool:
    """Whether nothing here can say what it is over: the distributed form, or content that was not given."""
    name, includes = local_name(element), _includes(element)
    wants = name in ("ArchiveTimeStamp", "AllDataObjectsTimeStamp", "IndividualDataObjectsTimeStamp")
    if includes and name == "AllDataObjectsTimeStamp":
        return True  # which has none
    if any(_included(one, signed) is None for one in includes):
        return True
    return wants and any(number not in signed.octets for number in range(len(signed.references)))


def _is_loose(element: Element) -> bool:
    """Whether it may be right though it does not fit what is computed here."""
    return local_name(element) == "ArchiveTimeStamp" and (namespace(element) != _XADES_141 or bool(_includes(element)))


def _includes(element: Element) -> list[Element]:
    return list(islice(element.iterchildren(*named("Include")), MAX_INCLUDES))


def _included(include: Element, signed: Signed) -> Element | Parts | None:
    """What an Include names: octets of a Reference, or an element of the signature; None where that is not here, or not one."""
    wanted = (include.get("URI") or "").removeprefix("#")
    if wanted and include.get("referencedData") in ("true", "1"):
        numbers = [number for number, reference in enumerate(signed.references) if reference.name == wanted]
        return signed.octets.get(numbers[0]) if len(numbers) == 1 else None
    found = [one for one in signed.signature.iter("*") if one.get("Id") == wanted] if wanted else []
    return found[0] if len(found) == 1 else None


def _tokens(element: Element) -> Iterator[bytes]:
    found = list(islice(element.iterchildren(*named("EncapsulatedTimeStamp")), MAX_STAMPS))
    if not found:
        raise refused("timestamp-invalid", element, got="no EncapsulatedTimeStamp", expected="an RFC 3161 token")
    for one in found:
        text = "" if len(one) else one.text or ""
        if len(text) > 8 * MAX_BASE64_CHARS:
            raise refused("timestamp-invalid", one, got=f"a token of {len(text)} characters", expected=f"at most {8 * MAX_BASE64_CHARS}")
        yield timestamp.token_in(base64_of(text, one))


def _content(element: Element, signed: Signed) -> Parts:
    form, prefixes = _form(element)
    return tuple(part for one in _nodes(element, signed) for part in (one if isinstance(one, tuple) else (_of(one, form, prefixes),)))


def _of(element: Element, form: Canonicalization, prefixes: tuple[str, ...]) -> bytes:
    return xml_canonical.of_part(element, form, prefixes)


def _form(element: Element) -> tuple[Canonicalization, tuple[str, ...]]:
    methods = list(element.iterchildren(_CANONICALIZATION))
    if len(methods) > 1:
        raise refused("timestamp-invalid", element, got=f"{len(methods)} canonical forms", expected="one")
    return xml_canonical.form_of(methods[0]) if methods else (CANONICALIZATIONS[DEFAULT_CANONICALIZATION], ())


def _nodes(element: Element, signed: Signed) -> Iterator[Element | Parts]:
    name = local_name(element)
    parts = {local_name(one): one for one in child_elements(signed.signature) if one.tag != _OBJECT}
    before = _before(element, signed)
    included = [one for one in (_included(include, signed) for include in _includes(element)) if one is not None]
    if name == "AllDataObjectsTimeStamp":
        yield from _references(signed)
    elif included and name != "ArchiveTimeStamp":
        if _KINDS[name] is StampKind.SIGNATURE and included[0] is not parts["SignatureValue"]:
            raise refused("timestamp-invalid", element, got="Include of something else", expected="the SignatureValue first")
        yield from included
    elif name == "ArchiveTimeStamp":
        yield from (signed.octets[number] for number in sorted(signed.octets))
        yield from (parts[one] for one in ("SignedInfo", "SignatureValue", "KeyInfo") if one in parts)
        yield from included or before
        own = signed.properties.container.getparent()
        yield from (one for one in signed.signature.iterchildren(_OBJECT) if one is not own)
    else:
        if not name.startswith("RefsOnly"):
            yield parts["SignatureValue"]
        if name != "SignatureTimeStamp":
            wanted = ("SignatureTimeStamp", *_REFERENCES) if name.startswith("SigAndRefs") else _REFERENCES
            found = [one for one in before if local_name(one) in wanted]
            yield from found if name.endswith("V2") else sorted(found, key=lambda one: wanted.index(local_name(one)))


def _before(element: Element, signed: Signed) -> list[Element]:
    found: list[Element] = []
    for one in signed.properties.unsigned:
        if one is element:
            return found
        found.append(one)
    return found


def _references(signed: Signed) -> Iterator[Parts]:
    """The data of all References but the properties' own."""
    for number, reference in enumerate(signed.references):
        if not reference.kind.endswith("#SignedProperties") and number in signed.octets:
            yield signed.octets[number]


def _broken(kind: StampKind, element: Element, fault: Refused) -> Stamp:
    reason = error("timestamp-invalid", path=path_of(element), line=line_of(element), got=fault.got, expected=fault.expected)
    return Stamp(kind, False, None, b"", (), (), b"", (), (reason,))


def _note(element: Element, what: str) -> Violation:
    return warning("timestamp-invalid", path=path_of(element), line=line_of(element), got=what, expected="a signature time-stamp, which is")
