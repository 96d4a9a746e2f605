"""XML signatures in any document or container: enveloped, enveloping, detached inside it or over content given beside it; with XAdES.

 1. every Signature is found; each gives a finding of its own
 2. SignedInfo is read from its canonical bytes, the same that the value is over
 3. each Reference is resolved to one node, file or content (`xml_reference`)
 4. the XAdES properties are read, if they are what a Reference is to (`xades`)
 5. a certificate's key made the value; whatever else is said of the key agrees
 6. each Reference has its digest, and so has each one in a Manifest that is covered
 7. time-stamps among the properties, the table of algorithms for the time that they prove
 8. everything in the document is under some signature that fits (`xml_coverage`)

Nothing is asked of paths, trust or revocation, nothing is fetched, and the clock is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from schemas.errors import Refused, Violation, error, warning
from schemas.namespaces import is_light
from schemas.xml import Element, ParsedXml, line_of, parse, path_of
from signing import certificate, xades, xades_stamps, xmldsig
from signing.certificate import Certificate
from signing.cms import judged_by_time
from signing.cms_signer import Checked
from signing.finding import Coverage, Finding, Given, Integrity, ordered
from signing.xml_check import Case, check_digests, check_key, read_properties, resolve_all
from signing.xml_coverage import uncovered
from signing.xml_key import KeyInfo, key_info_of
from signing.xml_reference import MAX_SIGNATURES, Outside, Place
from signing.xml_transform import Removed
from signing.xmldsig import SIGNATURE

_ORDER = (
    *("malformed-signature", "resource-limit", "alg-forbidden", "weak-key", "transform-forbidden", "external-reference", "duplicate-id"),
    *("reference-missing", "no-key", "key-confusion", "bad-signature-value", "tampered", "attachment-integrity", "wrapping", "coverage"),
    "timestamp-invalid",
)


def examine_xml(data: bytes, given: Given) -> tuple[Finding, ...]:
    """One finding for each signature in the XML document `data`; `given.content` is what a detached one is over.

    Raises `Refused` as `schemas.xml.parse` does, `resource-limit` for too many signatures, `no-signature` where there is none.
    """
    return examine_tree(parse(data, limits=given.limits), given, Outside(content=given.content))


def examine_file(name: str, data: bytes, files: Mapping[str, bytes], given: Given) -> tuple[Finding, ...]:
    """The same of a signature file in a container (ASiC): references are to its `files`, which `covers` names. Raises as `examine_xml`."""
    found = examine_tree(parse(data, limits=given.limits), given, Outside(files=files), frames=_CONTAINER_FRAMES)
    kinds = {"xades": "asic-xades", "xmldsig": "asic-xmldsig"}
    return tuple(replace(one, kind=kinds.get(one.kind, one.kind), name=f"{name} {one.name}".strip()) for one in found)


_CONTAINER_FRAMES = frozenset(
    {
        "{http://uri.etsi.org/02918/v1.2.1#}XAdESSignatures",
        "{urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0}document-signatures",
    }
)


@dataclass(frozen=True, slots=True)
class Examined:
    """One signature: its finding, and the nodes that it is over, with what was left out of them."""

    signature: Element
    finding: Finding
    nodes: tuple[tuple[Element, Removed], ...] = ()
    read: bool = True


def examine_tree(tree: ParsedXml, given: Given, outside: Outside, *, frames: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """`examine_xml` for a document that was parsed, its `outside` and the elements that only hold signatures."""
    found = list(tree.root.iter(SIGNATURE))
    signatures = [one for one in found if not xades.is_countersignature(one)]  # 1
    if not signatures:
        raise Refused("no-signature", got="no Signature in the namespace of XML Signature", expected="one at least")
    if len(found) > MAX_SIGNATURES:
        raise Refused("resource-limit", got=f"{len(found)} signatures", expected=f"at most {MAX_SIGNATURES}")
    place = Place.of(tree, outside, given.limits)
    names = [one.get("Id") or (str(number) if len(signatures) > 1 else "") for number, one in enumerate(signatures, 1)]
    examined = [_examine(one, name, place, given) for one, name in zip(signatures, names, strict=True)]
    return tuple(_with_coverage(tree, examined, frames))  # 8


def _with_coverage(tree: ParsedXml, examined: list[Examined], frames: frozenset[str]) -> Iterable[Finding]:
    fitting = [one for one in examined if one.finding.integrity is not Integrity.FAILED]
    over = fitting or [one for one in examined if one.read]
    missing = _missing(tree, over, examined, frames) if over else ()
    for one in examined:
        finding = one.finding
        if one not in over:
            yield finding
            continue
        whole = not missing and (len(examined) == 1 or not _missing(tree, [one], [one], frames))
        reasons = ordered((*finding.violations, *missing), _ORDER)
        yield replace(finding, coverage=Coverage.WHOLE if whole else Coverage.PART, violations=reasons)


def _missing(tree: ParsedXml, over: list[Examined], examined: list[Examined], frames: frozenset[str]) -> tuple[Violation, ...]:
    nodes = [node for one in over for node, _ in one.nodes]
    return uncovered(tree, nodes, [one.signature for one in examined if not _under_another(one.signature, over)], frames)


def _under_another(signature: Element, over: list[Examined]) -> bool:
    above = {signature, *signature.iterancestors()}
    return any(
        node in above and removed is not Removed.ALL for one in over if one.signature is not signature for node, removed in one.nodes
    )


def _examine(signature: Element, name: str, place: Place, given: Given) -> Examined:
    try:
        case = Case(signature, place, given, xmldsig.signed_info_of(signature, light=is_light(len(place.tree.held))))  # 2
        value = xmldsig.value_of(signature)
    except Refused as fault:
        reasons = fault.violations or (error(fault.code, path=path_of(signature), got=fault.got, expected=fault.expected),)
        return Examined(signature, Finding("xmldsig", name, Integrity.FAILED, Coverage.UNKNOWN, b"", violations=reasons), read=False)
    keys = _keys(case)
    resolve_all(case)  # 3
    said = read_properties(case)  # 4
    holder = check_key(case, value, keys, said) if keys is not None else None  # 5
    nodes = check_digests(case)  # 6
    return Examined(signature, _finding(case, name, keys or KeyInfo((), ()), said, holder), nodes)


def _keys(case: Case) -> KeyInfo | None:
    """None where they cannot be read: then nobody's key made the value."""
    try:
        return key_info_of(case.signature)
    except Refused as fault:
        case.take(fault)
        case.failed = True
        return None


def _finding(case: Case, name: str, keys: KeyInfo, said: xades.Properties | None, holder: tuple[Certificate, bool] | None) -> Finding:
    intact = holder is not None and holder[1] and case.complete and not case.failed
    integrity = Integrity.OK if intact else Integrity.FAILED if case.failed else Integrity.UNKNOWN
    who = holder[0] if holder else None
    covers = tuple(dict.fromkeys(target.name for _, target in case.targets if target.name))
    finding = Finding(
        kind="xmldsig",
        name=name,
        integrity=integrity,
        coverage=Coverage.UNKNOWN,
        signer=who.der if who else b"",
        certificates=tuple(one.der for one in keys.certificates),
        crls=keys.crls,
        algorithms=tuple(dict.fromkeys(case.used)),
        violations=tuple(dict.fromkeys(case.found)),
        notes=tuple(case.notes),
        covers=covers,
        gone=case.gone,
    )
    if said is not None:
        finding = _with_properties(finding, case, said)
    checked = Checked(integrity, who, finding.signer, finding.algorithms, finding.claimed_time, False, finding.violations)
    judged = judged_by_time(finding, checked, case.given)
    return replace(judged, violations=ordered(judged.violations, _ORDER))


def _with_properties(finding: Finding, case: Case, said: xades.Properties) -> Finding:
    signed = xades_stamps.Signed(case.signature, said, case.info.references, case.octets)
    stamps, notes = xades_stamps.examine(signed, case.given)  # 7
    countersigned = [_countersigned(one, case) for one in said.countersignatures]
    finding = replace(
        finding,
        kind="xades",
        certificates=tuple(dict.fromkeys((*finding.certificates, *said.carried.certificates))),
        crls=tuple(dict.fromkeys((*finding.crls, *said.carried.crls))),
        ocsps=said.carried.ocsps,
        claimed_time=said.claimed_time,
        stamps=stamps,
        violations=(*finding.violations, *said.violations),
        notes=(*finding.notes, *said.notes, *notes, *countersigned),
    )
    return replace(finding, details=(*said.details, f"level {xades_stamps.level(said, stamps)}"))


def _countersigned(signature: Element, case: Case) -> Violation:
    """A countersignature is told: it is over this signature's value, and nothing of the document is counted for it."""
    finding = _examine(signature, "", case.place, case.given).finding
    who = certificate.readable(finding.signer)
    got = f"a countersignature by {who.subject if who else 'nobody known'}: {', '.join(finding.reasons) or 'it fits'}"
    return warning("coverage", path=path_of(signature), line=line_of(signature), got=got, expected="nothing of it is counted")
