"""Our own checks, beyond the XSD: identifiers, codes and dates. Attachments have their own in `contents`.

An error is only what makes a document or a status unidentifiable, ambiguous or broken (NĐ 30/2020 Phụ lục VI). All else that is odd is
seen in real packets and travels as a warning, or is not worth one: an unusual DocumentId is neither, UUIDs are real.
What is *absent* or doubled is `structure`'s matter; these rules judge what is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from schemas import xml
from schemas.agency import AgencyCode
from schemas.edxml import names
from schemas.edxml.dates import DateForm, form_of
from schemas.edxml.packet import Bussiness, DocumentPacket, StatusPacket
from schemas.errors import Violation, error, errors_of, warning
from schemas.limits import Limits

_HEADER = "edXMLEnvelope/edXMLHeader/"
_TRACE = f"{_HEADER}TraceHeaderList/"
_FILLERS = frozenset({"n/a", "na", "null", "none", "undefined", "nan"})  # what software puts into empty mandatory fields [C]
_AGENCY = "H32.13, 000.00.13.H32"
_TYPES = ", ".join(f"{code} {name}" for code, name in names.DOCUMENT_TYPES.items())
_STATUSES = ", ".join(f"{code} {name}" for code, name in names.STATUS_CODES.items())


@dataclass(slots=True)
class Findings:
    """Violations as they are found, placed by path and line; at most `limits.max_violations` of each severity."""

    root: xml.Element
    limits: Limits
    message: str = f"{_HEADER}MessageHeader/"  # where the message's own elements stand
    told: frozenset[str] = frozenset()  # paths that are wrong already: nothing is said twice of one place,
    missing: tuple[str, ...] = ()  # nor of anything inside what is not there
    errors: list[Violation] = field(default_factory=list)
    warnings: list[Violation] = field(default_factory=list)

    def heed(self, built: Iterable[Violation]) -> None:
        """Takes note of what `structure` has found already."""
        faults = errors_of(built)
        self.told = frozenset(one.path for one in faults)
        self.missing = tuple(f"{one.path}/" for one in faults if one.code == "missing-element")

    def error(self, code: str, place: str, *, got: object = "", expected: object = "") -> None:
        """Something refuses the packet."""
        if len(self.errors) < self.limits.max_violations:
            path, line = self._located(place)
            if path not in self.told and not path.startswith(self.missing):
                self.errors.append(error(code, path=path, line=line, got=got, expected=expected))

    def warn(self, code: str, place: str, *, got: object = "", expected: object = "") -> None:
        """Something travels with the packet."""
        if len(self.warnings) < self.limits.max_violations:
            path, line = self._located(place)
            self.warnings.append(warning(code, path=path, line=line, got=got, expected=expected))

    def _located(self, place: str) -> tuple[str, int]:
        """`place` (local names from the root's children on, 1-based positions) as far as it exists."""
        here, steps = self.root, place.split("/")
        for n, step in enumerate(steps):
            name, _, position = step.rstrip("]").partition("[")
            found = next(islice(here.iterchildren(names.q(name)), int(position or 1) - 1, None), None)
            if found is None:
                return "/".join([xml.path_of(here), *steps[n:]]), xml.line_of(here)
            here = found
        return xml.path_of(here), xml.line_of(here)


def check_document(packet: DocumentPacket, findings: Findings) -> None:
    """All rules for what a document's header says."""
    for place, value in (
        ("DocumentId", packet.document_id),
        ("Code/CodeNumber", packet.code.code_number),
        ("Code/CodeNotation", packet.code.code_notation),
        ("PromulgationInfo/PromulgationDate", packet.promulgation.promulgation_date),
        ("Subject", packet.subject),
    ):
        _check_filled(place, value, findings)
        if place != "Subject":
            _check_identifier(place, value, findings)
    _check_agency(packet.sender.agency, findings.message + "From/OrganId", findings)
    _check_recipients(packet, findings)
    _check_business(packet.bussiness, findings)
    date = packet.promulgation.promulgation_date
    place = findings.message + "PromulgationInfo/PromulgationDate"
    if date and form_of(date) is DateForm.NONE:
        findings.error("not-a-date", place, got=date, expected="yyyy/MM/dd")
    else:
        _check_date(date, place, findings)
    _check_date(packet.due_date, findings.message + "DueDate", findings)
    _check_usual(packet, findings)
    _check_trace(packet, findings)


def _check_identifier(place: str, value: str, findings: Findings) -> None:
    """Identifiers go into headers, indexes and receipts: one longer than any real one is refused."""
    most = findings.limits.max_id_chars
    if len(value) > most:
        findings.error("identifier-too-long", findings.message + place, got=f"{len(value)} characters", expected=f"at most {most}")


def check_status(packet: StatusPacket, findings: Findings) -> None:
    """All rules for a status. `packet.status_code` is as written."""
    at = findings.message
    about = packet.response_for
    _check_agency(packet.sender.agency, at + "From/OrganId", findings)
    _check_agency(about.agency, at + "ResponseFor/OrganId", findings)
    _check_filled("StatusCode", packet.status_code, findings)
    _check_filled("Timestamp", packet.timestamp, findings)
    _check_identifier("ResponseFor/DocumentId", about.document_id, findings)
    _check_identifier("ResponseFor/Code", about.code, findings)
    if not about.document_id and not about.code:
        findings.error("missing-element", at + "ResponseFor/DocumentId", expected="DocumentId | Code")
    code = packet.status_code
    if code and code.zfill(2) not in names.STATUS_CODES:
        findings.error("unknown-status-code", at + "StatusCode", got=code, expected=_STATUSES)
    elif code and len(code) < 2:
        findings.warn("status-code-form", at + "StatusCode", got=code, expected=code.zfill(2))
    _check_date(about.promulgation_date, at + "ResponseFor/PromulgationDate", findings)
    _check_date(packet.timestamp, at + "Timestamp", findings, "yyyy/MM/dd HH:mm:ss")


def _check_filled(place: str, value: str, findings: Findings) -> None:
    """The schema sees to empty values; this, to those that only look filled (a no-break space)."""
    if not value.strip():
        findings.error("empty-element", findings.message + place, expected=place.rpartition("/")[2])


def _check_agency(agency: AgencyCode, place: str, findings: Findings) -> None:
    if not agency.text:
        findings.error("empty-element", place, expected=_AGENCY)
    elif not agency.is_usable:
        findings.error("unusable-organ-id", place, got=agency.text, expected=_AGENCY)


def _check_recipients(packet: DocumentPacket, findings: Findings) -> None:
    at, most = findings.message, findings.limits.max_recipients
    if len(packet.to) > most:
        findings.error("too-many-recipients", at + "To", got=len(packet.to), expected=f"≤ {most}")
        return
    first: dict[str, str] = {}
    for n, one in enumerate(packet.to, 1):
        agency = one.agency
        _check_agency(agency, f"{at}To[{n}]/OrganId", findings)
        if len(packet.to) > 1 and agency.is_usable and first.setdefault(agency.key, f"To[{n}]") != f"To[{n}]":
            findings.warn("duplicate-recipient", f"{at}To[{n}]/OrganId", got=agency.text, expected=f"≠ {first[agency.key]}")


def _check_business(business: Bussiness | None, findings: Findings) -> None:
    if business is None:
        return
    at = f"{_TRACE}Bussiness/"
    if not business.bussiness_doc_type:
        findings.error("missing-element", at + "BussinessDocType", expected=_TYPES)
    elif business.bussiness_doc_type not in names.DOCUMENT_TYPES:
        findings.error("unknown-document-type", at + "BussinessDocType", got=business.bussiness_doc_type, expected=_TYPES)
    elif business.bussiness_doc_type == "2" and not business.document_infos:
        findings.warn("usually-present", at + "BussinessDocumentInfo", expected="BussinessDocumentInfo")
    elif business.bussiness_doc_type == "3" and not business.replacements:
        findings.warn("usually-present", at + "ReplacementInfoList", expected="ReplacementInfo")
    _check_listed(business.paper, names.FLAGS, at + "Paper", findings)


def _check_listed(value: str, allowed: frozenset[str], place: str, findings: Findings) -> None:
    if value and value not in allowed:
        findings.warn("unlisted-code", place, got=value, expected=", ".join(sorted(allowed)))


def _check_date(value: str, place: str, findings: Findings, expected: str = "yyyy/MM/dd") -> None:
    form = form_of(value) if value else DateForm.OFFICIAL
    if form is DateForm.IMPOSSIBLE:
        findings.warn("impossible-date", place, got=value, expected="yyyy/MM/dd")
    elif form is not DateForm.OFFICIAL:
        findings.warn("unusual-date", place, got=value, expected=expected)


def _check_usual(packet: DocumentPacket, findings: Findings) -> None:
    at = findings.message
    for place, value, most in (  # NĐ 30/2020 Phụ lục VI Phần II
        ("From/OrganName", packet.sender.organ_name, 200),
        ("Code/CodeNumber", packet.code.code_number, 11),
        ("Code/CodeNotation", packet.code.code_notation, 30),
        ("DocumentType/TypeName", packet.document_type.type_name, 100),
        ("Subject", packet.subject, 500),
        ("SignerInfo/FullName", packet.signer.full_name, 50),
        ("SignerInfo/Position", packet.signer.position, 100),
        ("OtherInfo/PromulgationAmount", packet.other_info.promulgation_amount, 3),
        ("OtherInfo/PageAmount", packet.other_info.page_amount, 3),
    ):
        if len(value) > most:
            findings.warn("too-long", at + place, got=f"{len(value)} ký tự / characters", expected=f"≤ {most}")
    for place, value in (
        ("From/OrganName", packet.sender.organ_name),
        ("DocumentType/TypeName", packet.document_type.type_name),
        ("SignerInfo/FullName", packet.signer.full_name),
    ):
        if not value:
            findings.warn("usually-present", at + place, expected=place.rpartition("/")[2])
    for place, value in (
        ("From/OrganName", packet.sender.organ_name),
        ("Code/CodeNumber", packet.code.code_number),
        ("Code/CodeNotation", packet.code.code_notation),
        ("Subject", packet.subject),
        ("DocumentType/TypeName", packet.document_type.type_name),
        ("SignerInfo/FullName", packet.signer.full_name),
    ):
        if len(value) < 10 and value.strip().lower() in _FILLERS:
            findings.warn("filler-value", at + place, got=value, expected=place.rpartition("/")[2])
    _check_listed(packet.other_info.priority, names.PRIORITIES, at + "OtherInfo/Priority", findings)
    _check_listed(packet.steering_type, names.STEERING_TYPES, at + "SteeringType", findings)


def _check_trace(packet: DocumentPacket, findings: Findings) -> None:
    if not packet.trace:
        findings.warn("usually-present", f"{_TRACE}TraceHeader", expected="TraceHeader")
    for n, one in enumerate(packet.trace, 1):
        if not AgencyCode.of(one.organ_id).is_usable:
            findings.warn("unusable-organ-id", f"{_TRACE}TraceHeader[{n}]/OrganId", got=one.organ_id, expected=_AGENCY)
        _check_date(one.timestamp, f"{_TRACE}TraceHeader[{n}]/Timestamp", findings, "yyyy/MM/dd HH:mm:ss")
