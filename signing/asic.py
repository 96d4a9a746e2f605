"""ASiC-S and ASiC-E containers (ETSI EN 319 162-1): CAdES and XAdES signatures, and time-stamps over files or manifests.

1. open the container, within bounds (`archive`)
2. mimetype: first, stored, plain, and one that is known, where there is one (§A.1)
3. time-stamps first, because they prove the age of the signatures that their manifests name
4. signatures over the one file (ASiC-S) or over a manifest, whose digests are those of the files (ASiC-E)
5. every file is answered for by some signature: one that is not could have been put in by anybody
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from schemas.errors import Refused, Violation, error
from signing import cms, cms_structure, timestamp, xml_signature
from signing.archive import Archive, open_archive
from signing.asic_manifest import Manifest, check_digests, read_manifest
from signing.cms_value import Parts
from signing.finding import Coverage, Finding, Given, Integrity, Stamp, StampKind, Used, forbidden

SIMPLE, EXTENDED = "application/vnd.etsi.asic-s+zip", "application/vnd.etsi.asic-e+zip"
_MIMETYPE, _META = "mimetype", "META-INF/"
_OTHERS = ("application/vnd.oasis.opendocument.", "application/epub+zip", "application/vnd.adobe.")  # containers that may be ASiC-E, §4.4.1

# An XML signature file, by entry name and bytes, with all files of the container by name → its findings; `covers` names what they are over.
Xml = Callable[[str, bytes, Mapping[str, bytes]], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class _Box:
    files: Mapping[str, bytes]
    objects: tuple[str, ...]  # what is there to be signed
    simple: bool
    manifests: tuple[Manifest, ...]


def examine_asic(data: bytes, given: Given, xml: Xml | None = None) -> tuple[Finding, ...]:
    """One finding for each signer and each time-stamp in the container, time-stamps last. `xml` reads XML signatures instead of ours.

    Raises `Refused`: `malformed-container`, `path-traversal`, `decompression-bomb`, `resource-limit`; `no-signature` where there is none.
    """
    archive = open_archive(data, given.limits)  # 1
    box = _box(archive)  # 2
    stamps = [_time_stamp(box, name, given) for name in _named(box, ".tst")]  # 3
    found = [one for name in _named(box, ".p7s") for one in _signatures(box, name, given, stamps)]  # 4
    for name in _named(box, ".xml"):
        if not _is_manifest(name):
            found.extend(_handed_on(name, box, xml or partial(_xades, given)))
    if not found and not stamps:
        raise Refused("no-signature", got=", ".join(list(box.files)[:8]), expected="a signature in META-INF")
    return tuple(_answered(box, [*found, *stamps]))  # 5


def _box(archive: Archive) -> _Box:
    objects = tuple(name for name in archive.files if name != _MIMETYPE and not name.startswith(_META))
    declared = _declared(archive)
    manifests = tuple(read_manifest(name, archive.files[name]) for name in archive.files if name.startswith(_META) and _is_manifest(name))
    alone = len(objects) == 1 and not any("ASiCManifest" in one.name for one in manifests)
    simple = declared == SIMPLE or (
        not declared and alone and bool({_META + "signature.p7s", _META + "timestamp.tst"} & archive.files.keys())
    )
    if simple and len(objects) != 1:
        raise Refused("malformed-container", got=f"{len(objects)} files beside META-INF", expected="one (ASiC-S)")
    return _Box(archive.files, objects, simple, manifests)


def _declared(archive: Archive) -> str:
    if _MIMETYPE not in archive.files:
        text = archive.comment.removeprefix(b"mimetype=").decode("ascii", "replace").strip() if archive.comment else ""
        return text if text in (SIMPLE, EXTENDED) else ""
    if next(iter(archive.files)) != _MIMETYPE or _MIMETYPE not in archive.stored or _MIMETYPE not in archive.plain:
        raise Refused("malformed-container", got="a mimetype that is not first, or packed", expected="mimetype first, stored, plain")
    text = archive.files[_MIMETYPE][:256].decode("ascii", "replace").strip()
    if text not in (SIMPLE, EXTENDED) and not text.startswith(_OTHERS):
        raise Refused("malformed-container", got=f"mimetype {text}", expected=f"{SIMPLE} or {EXTENDED}")
    return text


def _is_manifest(name: str) -> bool:
    return name.startswith((_META + "ASiCManifest", _META + "ASiCArchiveManifest"))


def _named(box: _Box, suffix: str) -> list[str]:
    """Files in META-INF that are signatures or time-stamps by name, §A.4 and §A.7; other files there are nobody's signature."""
    word = "timestamp" if suffix == ".tst" else "signature"
    return [name for name in box.files if name.startswith(_META) and name.endswith(suffix) and (word in name.lower() or _is_manifest(name))]


def _over(box: _Box, name: str) -> tuple[Parts, tuple[str, ...], Manifest | None]:
    """What the signature file `name` is over, and which files that answers for."""
    naming = [one for one in box.manifests if one.signature == name]
    if len(naming) > 1:
        raise Refused("malformed-container", got=f"{name} in {len(naming)} manifests", expected="one manifest")
    if naming:
        return (naming[0].octets,), tuple(one.name for one in naming[0].references), naming[0]
    if not box.simple:
        raise Refused("malformed-container", got=f"{name}, which no manifest names", expected="an ASiCManifest that does (ASiC-E)")
    return (box.files[box.objects[0]],), box.objects, None


def _time_stamp(box: _Box, name: str, given: Given) -> Finding:
    try:
        content, covers, manifest = _over(box, name)
    except Refused as fault:
        return _broken("asic-timestamp", name, fault)
    stamp = timestamp.examine(box.files[name], content, StampKind.DOCUMENT, given)
    used, faults = check_digests(manifest, box.files) if manifest else ((), ())
    moment = stamp.at or given.at
    refused = (*stamp.violations, *faults, *forbidden((*stamp.algorithms, *used), given.algorithms, moment, proven=False))
    return Finding(
        kind="asic-timestamp",
        name=name,
        integrity=Integrity.OK if stamp.fits and not faults else Integrity.FAILED,
        coverage=_coverage(box, covers),
        signer=stamp.authority,
        certificates=stamp.certificates,
        crls=stamp.crls,
        claimed_time=stamp.at,
        stamp=stamp if stamp.fits and not faults else None,
        stamps=(stamp,),
        algorithms=(*stamp.algorithms, *used),
        violations=refused,
        covers=covers,
    )


def _signatures(box: _Box, name: str, given: Given, stamps: Iterable[Finding]) -> tuple[Finding, ...]:
    try:
        content, covers, manifest = _over(box, name)
        signed = cms_structure.read(box.files[name])
        if signed.content and (signed.content,) != content:
            raise Refused("cms-malformed", got="a signature over content of its own", expected="a detached one")
        later = tuple(_later(name, stamps))
        found = cms.examine_signers(signed, content, given, kind="asic-cades", name=name, later=later)
    except Refused as fault:
        return (_broken("asic-cades", name, fault),)
    used, faults = check_digests(manifest, box.files) if manifest else ((), ())
    coverage = _coverage(box, covers)
    return tuple(
        replace(
            one,
            integrity=Integrity.FAILED if faults else one.integrity,
            coverage=coverage,
            covers=covers,
            algorithms=(*one.algorithms, *used),
            violations=(*one.violations, *faults, *_forbidden(one, used, given)),
        )
        for one in found
    )


def _forbidden(finding: Finding, used: Iterable[Used], given: Given) -> tuple[Violation, ...]:
    stamp = finding.stamp
    moment, proven = (stamp.at, True) if stamp and stamp.at else (given.at, False)
    return forbidden(used, given.algorithms, moment, proven=proven)


def _later(name: str, stamps: Iterable[Finding]) -> Iterator[Stamp]:
    """Time-stamps over a manifest that names the signature."""
    for one in stamps:
        if one.stamp and name in one.covers:
            yield one.stamp


def _xades(given: Given, name: str, data: bytes, files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    return xml_signature.examine_file(name, data, files, given)


def _handed_on(name: str, box: _Box, xml: Xml) -> tuple[Finding, ...]:
    try:
        found = xml(name, box.files[name], box.files)
    except Refused as fault:
        return (_broken("asic-xades", name, fault),)
    return tuple(replace(one, coverage=_coverage(box, one.covers) if one.coverage is Coverage.WHOLE else one.coverage) for one in found)


def _coverage(box: _Box, covers: Iterable[str]) -> Coverage:
    return Coverage.WHOLE if set(box.objects) <= set(covers) else Coverage.PART


def _broken(kind: str, name: str, fault: Refused) -> Finding:
    reasons = fault.violations or (error(fault.code, path=name, got=fault.got, expected=fault.expected),)
    return Finding(kind, name, Integrity.FAILED, Coverage.UNKNOWN, b"", violations=reasons)


def _answered(box: _Box, found: list[Finding]) -> Iterator[Finding]:
    answered = {name for one in found for name in one.covers}
    missing = [name for name in box.objects if name not in answered]
    reasons = tuple(error("coverage", path=name, got="a file that no signature is over", expected="one that is") for name in missing[:8])
    for one in found:
        yield replace(one, violations=(*one.violations, *reasons)) if reasons and one.integrity is not Integrity.FAILED else one
