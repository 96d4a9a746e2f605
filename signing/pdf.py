"""Signed PDFs: PAdES B-B to B-LTA (ETSI EN 319 142-1) and the legacy forms that Vietnamese agencies have signed with since 2010.

1. open: a PDF that can be read, within bounds (`pdf_reader`)
2. coverage: each signature's ByteRange, from the bytes alone (`pdf_range`)
3. integrity: document time-stamps first, because they prove the age of what they are over; then signatures (`cms`, `timestamp`)
4. what changed after each of them, and whether it was let (`pdf_changes`)
5. evidence and active content (`pdf_content`)

Every filled signature field gives a finding, also one whose value makes no sense: a signature that is there is never overlooked.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pyhanko.pdf_utils import generic

from schemas.errors import Refused, Violation, error, shown, warning
from signing import cms, cms_structure, cms_value, timestamp
from signing.cms import Evidence
from signing.cms_structure import DATA
from signing.finding import Coverage, Finding, Given, Integrity, Stamp, StampKind, Used, codes, forbidden
from signing.pdf_changes import Permission, check_changes, permission_of
from signing.pdf_content import RUNS, active_content, evidence_of
from signing.pdf_range import Covered, covered
from signing.pdf_reader import Document, Field, entry, open_pdf, reading

MAX_SIGNATURES = 64
_DETACHED = frozenset({"/adbe.pkcs7.detached", "/ETSI.CAdES.detached"})
_SHA1 = "/adbe.pkcs7.sha1"
_STAMP = "/ETSI.RFC3161"


@dataclass(slots=True)
class _Case:
    """One signature field on its way through the steps."""

    place: Field
    dictionary: generic.DictionaryObject | None = None
    form: str = ""  # SubFilter
    covered: Covered | None = None
    allowed: Permission = field(default_factory=Permission)
    found: tuple[Finding, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether it fits, whoever signed."""
        return bool(self.found) and all(one.integrity is Integrity.OK for one in self.found)


def examine_pdf(data: bytes, given: Given) -> tuple[Finding, ...]:
    """One finding for each signer of each signature and for each document time-stamp, in the order of the fields; none: nobody signed.

    Raises `Refused`: `malformed-pdf`, `too-large`, `resource-limit`, `decompression-bomb`; `malformed-signature` where something calls
    itself a signature and no field leads to it.
    """
    document = open_pdf(data)  # 1
    if len(document.fields) > MAX_SIGNATURES:
        raise Refused("resource-limit", got=f"{len(document.fields)} signatures", expected=f"at most {MAX_SIGNATURES}")
    cases = [_case(document, one) for one in document.fields]
    if not cases and b"/ByteRange" in data and b"/UR3" not in data:
        raise Refused("malformed-signature", got="a signature dictionary that no field leads to", expected="one in a signature field")
    for case in cases:  # 3
        if case.covered and case.form == _STAMP:
            case.found = (_time_stamp(case, case.covered, given),)
    for case in cases:
        if case.covered and case.form != _STAMP:
            case.found = _signature(case, case.covered, given, tuple(_later(case.covered, cases)))
    for case in cases:  # 4
        if case.covered:
            _judge_changes(document, case, case.covered, cases)
    return tuple(_with_surroundings(document, cases))  # 5


def _case(document: Document, place: Field) -> _Case:  # 2
    case = _Case(place)
    try:
        with reading("a signature field"):
            value: Any = place.field["/V"]
        if not isinstance(value, generic.DictionaryObject):
            raise Refused("malformed-signature", got=type(value).__name__, expected="a signature dictionary")
        case.dictionary, case.form = value, str(entry(value, "/SubFilter", ""))
        case.covered = covered(document, place.value)
        case.allowed = permission_of(value, place.field)
    except Refused as fault:
        case.found = (_broken(case, fault),)
        case.covered = None
    return case


def _broken(case: _Case, fault: Refused) -> Finding:
    coverage = Coverage.PART if fault.code == "pdf-byterange" else Coverage.UNKNOWN
    kind = "pdf-timestamp" if case.form == _STAMP else "pdf"
    reason = error(fault.code, path=case.place.name, got=fault.got, expected=fault.expected)
    return Finding(kind, case.place.name, Integrity.FAILED, coverage, b"", violations=(reason,))


def _attempted(case: _Case, work: Callable[[], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    try:
        return work()
    except Refused as fault:
        return (_broken(case, fault),)


def _time_stamp(case: _Case, here: Covered, given: Given) -> Finding:
    stamp = timestamp.examine(here.contents, here.parts, StampKind.DOCUMENT, given)
    refused = stamp.violations or forbidden(stamp.algorithms, given.algorithms, stamp.at or given.at, proven=False)
    return Finding(
        kind="pdf-timestamp",
        name=case.place.name,
        integrity=Integrity.OK if stamp.fits else Integrity.FAILED,
        coverage=Coverage.WHOLE,
        signer=stamp.authority,
        certificates=stamp.certificates,
        crls=stamp.crls,
        claimed_time=stamp.at,
        stamp=stamp if stamp.fits else None,
        stamps=(stamp,),
        algorithms=stamp.algorithms,
        violations=refused,
        details=(f"document time-stamp {case.form}",),
    )


def _later(here: Covered, cases: Iterable[_Case]) -> Iterator[Stamp]:
    """Document time-stamps over a signature, its value included."""
    for case in cases:
        if case.form == _STAMP and case.covered and case.covered.revision > here.revision and case.covered.end > here.end:
            yield from (stamp for finding in case.found for stamp in finding.stamps if stamp.fits)


def _signature(case: _Case, here: Covered, given: Given, later: tuple[Stamp, ...]) -> tuple[Finding, ...]:
    def work() -> tuple[Finding, ...]:
        if case.form == _SHA1:
            return _over_sha1(case, here, given, later)
        if case.form not in _DETACHED:
            code = "alg-forbidden" if case.form == "/adbe.x509.rsa_sha1" else "malformed-signature"
            raise Refused(code, got=f"SubFilter {case.form}", expected=", ".join(sorted(_DETACHED)))
        signed = cms_structure.read(here.contents)
        if signed.content:
            raise Refused("cms-malformed", got="a signature that carries content of its own", expected="a detached one")
        return cms.examine_signers(replace(signed, content=None), here.parts, given, kind="pdf", name=case.place.name, later=later)

    return tuple(_described(finding, case) for finding in _attempted(case, work))


def _over_sha1(case: _Case, here: Covered, given: Given, later: tuple[Stamp, ...]) -> tuple[Finding, ...]:
    """What is signed is the SHA-1 of the file, as content (ISO 32000-1 §12.8.3.3)."""
    signed = cms_structure.read(here.contents)
    octets = cms_value.digest("sha1", here.parts) or b""
    if signed.content is None or signed.content_type != DATA:
        raise Refused("cms-malformed", got="no content", expected="the SHA-1 of the file as content")
    found = cms.examine_signers(signed, (signed.content,), given, kind="pdf", name=case.place.name, later=later)
    used = Used("hash", "sha1", "file")
    proven = tuple(forbidden((used,), given.algorithms, _moment(one, given), proven=one.stamp is not None) for one in found)
    fresh = [
        replace(one, algorithms=(*one.algorithms, used), violations=(*refused, *one.violations))
        for one, refused in zip(found, proven, strict=True)
    ]
    if hmac.compare_digest(octets, signed.content):
        return tuple(fresh)
    reason = error("tampered", path=case.place.name, got=f"sha1 {octets.hex()}", expected=signed.content.hex())
    return tuple(replace(one, integrity=Integrity.FAILED, violations=(reason, *one.violations)) for one in fresh)


def _moment(finding: Finding, given: Given) -> datetime:
    return finding.stamp.at if finding.stamp and finding.stamp.at else given.at


def _described(finding: Finding, case: _Case) -> Finding:
    written = {name: _text(case.dictionary, name) for name in ("/Reason", "/Location", "/Name", "/M")}
    written_time = _written_time(written.pop("/M"))
    said = [f"{name[1:]}: {shown(text)}" for name, text in written.items() if text]
    return replace(finding, claimed_time=finding.claimed_time or written_time, details=(*finding.details, f"SubFilter {case.form}", *said))


def _text(dictionary: generic.DictionaryObject | None, name: str) -> str:
    try:
        with reading("a text"):
            value = entry(dictionary, name) if dictionary is not None else None
    except Refused:
        return ""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else ""


def _written_time(value: str) -> datetime | None:
    if not value:
        return None
    try:
        with reading("a date"):
            moment: datetime = generic.parse_pdf_date(value, strict=False)
    except Refused:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _judge_changes(document: Document, case: _Case, here: Covered, cases: list[_Case]) -> None:  # 4
    answered = [one.covered.revision for one in cases if one.covered and one.form != _STAMP]  # one that fails refuses the file itself
    levels = {one.allowed.level for one in cases if one.allowed.level and one.covered and one.intact}
    try:
        coverage, said = check_changes(document, here, case.allowed, max(answered, default=0), filling=bool(levels) and min(levels) > 1)
    except Refused as fault:
        reasons = (error(fault.code, path=case.place.name, got=fault.got, expected=fault.expected), *_new_activity(document, here))
        coverage = Coverage.MODIFIED if fault.code == "pdf-modified" else Coverage.UNKNOWN
        case.found = tuple(replace(one, coverage=coverage, violations=(*one.violations, *reasons)) for one in case.found)
        return
    details = (said,) if said else ()
    case.found = tuple(
        replace(one, coverage=coverage if one.coverage is Coverage.WHOLE else one.coverage, details=(*one.details, *details))
        for one in case.found
    )


def _new_activity(document: Document, here: Covered) -> Iterator[Violation]:
    new = set(active_content(document)) - set(active_content(document, here.revision))
    if new:
        yield error("active-content", got=f"after signing: {', '.join(sorted(new))}", expected="none")


def _with_surroundings(document: Document, cases: list[_Case]) -> Iterator[Finding]:  # 5
    evidence = evidence_of(document)
    active = active_content(document) if cases else ()
    runs = tuple(one for one in active if one in RUNS)
    against = (error("active-content", got=", ".join(runs), expected="none"),) if runs else ()
    notes = (warning("active-content", got=", ".join(active), expected="none"),) if active and not runs else ()
    sloppy = () if document.strict else ("the file breaks rules of the format; it was read leniently",)
    for case in cases:
        for finding in case.found:
            whole = Evidence(finding.certificates, finding.crls, finding.ocsps) + evidence
            is_told = "active-content" in codes(finding.violations)
            yield replace(
                finding,
                certificates=whole.certificates,
                crls=whole.crls,
                ocsps=whole.ocsps,
                violations=finding.violations if is_told else (*finding.violations, *against),
                notes=finding.notes if is_told else (*finding.notes, *notes),
                details=(*finding.details, *sloppy),
            )
