"""XAdES properties (ETSI EN 319 132-1; TS 101 903 1.1.1 to 1.4.1): what the signer said beside the content, and what was put with it later.

Only what a Reference is to has been signed: SignedProperties must be in a node that was digested, and there is one of them. Unsigned
properties are evidence to be judged, never believed by themselves. Time-stamps among them are in `xades_stamps`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice, takewhile

from asn1crypto import tsp

from schemas.errors import Refused, Violation, error, warning
from schemas.xml import Element, child_elements, line_of, local_name, path_of, text_of
from signing import cms_value
from signing.algorithms import DSIG
from signing.certificate import Certificate
from signing.cms import Evidence, whole_response
from signing.element import MAX_BASE64_CHARS, algorithm_of, base64_of, octets_of, refused
from signing.xml_coverage import XADES
from signing.xml_key import MAX_CRL_CHARS
from signing.xml_method import digest_name

MAX_VALUES = 64  # of each kind of evidence
MAX_PROPERTIES = 64
MAX_SERIAL_DIGITS = 64
_SIGNATURE, _OBJECT, _DIGEST_METHOD, _DIGEST_VALUE, _SERIAL_NUMBER = (
    f"{{{DSIG}}}{name}" for name in ("Signature", "Object", "DigestMethod", "DigestValue", "X509SerialNumber")
)
_SIGNED_PROPERTIES = "#SignedProperties"  # how every version's Type of the Reference ends
_STORE = ("SignaturePolicyStore", "SignaturePolicyDocument")


@dataclass(frozen=True, slots=True)
class Named:
    """A certificate by the digest of its DER, and by its serial number where that is said, too."""

    hash: str
    digest: bytes
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Properties:
    """What the properties of one signature say."""

    container: Element  # QualifyingProperties
    certificates: tuple[Named, ...]  # SigningCertificate: one of them is the signer's
    claimed_time: datetime | None
    content_stamps: tuple[Element, ...]
    unsigned: tuple[Element, ...]  # unsigned signature properties, in order
    carried: Evidence = field(repr=False)
    countersignatures: tuple[Element, ...]
    violations: tuple[Violation, ...]
    notes: tuple[Violation, ...]
    details: tuple[str, ...]


def named(*names: str) -> tuple[str, ...]:
    """The tags of these names in every version."""
    return tuple(f"{{{version}}}{name}" for version in XADES for name in names)


def is_countersignature(signature: Element) -> bool:
    """Whether it stands in a CounterSignature property."""
    parent = signature.getparent()
    return parent is not None and parent.tag in named("CounterSignature")


def means(one: Named, certificate: Certificate) -> bool:
    """Whether `certificate` has that digest; it only says which one is meant, so the table of algorithms is not asked."""
    digest = cms_value.digest(one.hash, (certificate.der,))
    return digest is not None and hmac.compare_digest(digest, one.digest)


def read(signature: Element, references: Iterable[tuple[str, Element]]) -> Properties | None:
    """The properties, None where there are none. `references` are the Types of the signature's References with the nodes that they are to.

    Raises `malformed-signature` or `resource-limit`.
    """
    containers = [one for each in signature.iterchildren(_OBJECT) for one in each.iterchildren(*named("QualifyingProperties"))]
    if not containers:
        return None
    if len(containers) > 1:
        raise refused("malformed-signature", *containers, got=f"{len(containers)} QualifyingProperties", expected="one")
    signed = list(containers[0].iterchildren(*named("SignedProperties")))
    unsigned = [
        one
        for each in containers[0].iterchildren(*named("UnsignedProperties"))
        for part in each.iterchildren(*named("UnsignedSignatureProperties"))
        for one in child_elements(part)
    ]
    if len(signed) > 1 or len(unsigned) > MAX_PROPERTIES:
        got = f"{len(signed)} SignedProperties, {len(unsigned)} unsigned"
        raise refused("malformed-signature", containers[0], got=got, expected=f"one, at most {MAX_PROPERTIES}")
    violations = list(_faults(signature, containers[0], signed, list(references)))
    said = _Said(signed[0] if signed else None)
    if said.policy_hash is not None:
        violations.extend(_policy_faults(said.policy_hash, unsigned))
    return Properties(
        container=containers[0],
        certificates=said.certificates,
        claimed_time=said.claimed_time,
        content_stamps=said.content_stamps,
        unsigned=tuple(unsigned),
        carried=_carried(unsigned),
        countersignatures=tuple(one for each in unsigned if each.tag in named("CounterSignature") for one in each.iterchildren(_SIGNATURE)),
        violations=tuple(violations),
        notes=tuple(said.notes()),
        details=said.details,
    )


def _faults(signature: Element, container: Element, signed: list[Element], references: list[tuple[str, Element]]) -> Iterator[Violation]:
    where = path_of(container), line_of(container)
    target = container.get("Target")
    if (
        target is not None and target.casefold() != f"#{signature.get('Id')}".casefold()
    ):  # signers are known that write #Signature for #signature
        yield error("wrapping", path=where[0], line=where[1], got=f"properties of {target}", expected=f"#{signature.get('Id')}")
    nodes = {node for _, node in references}
    typed = [node for kind, node in references if kind.endswith(_SIGNED_PROPERTIES)]
    for one in signed:
        inside = takewhile(lambda above: above is not signature, one.iterancestors())  # what is over the signature leaves it out
        if not nodes & {one, *inside}:
            yield error("coverage", path=where[0], line=where[1], got="SignedProperties that no Reference is to", expected="one that is")
    if any(node not in signed for node in typed):
        yield error("wrapping", path=where[0], line=where[1], got="a Reference to other SignedProperties", expected="to these")


class _Said:
    """SignedProperties, read."""

    def __init__(self, signed: Element | None) -> None:
        self._signed = signed
        self.certificates = tuple(self._certificates())
        self.claimed_time = self._time()
        self.content_stamps = tuple(self._find("AllDataObjectsTimeStamp", "IndividualDataObjectsTimeStamp"))
        self.policy_hash = next(iter(self._find("SigPolicyHash")), None)
        self.details = tuple(self._details())

    def _find(self, *names: str) -> list[Element]:
        return [] if self._signed is None else list(islice(self._signed.iter(*named(*names)), MAX_VALUES))

    def _certificates(self) -> Iterator[Named]:
        for property_ in self._find("SigningCertificate", "SigningCertificateV2"):
            for digest in islice(property_.iter(*named("CertDigest")), MAX_VALUES):
                found = _digest(digest)
                if found is None:
                    raise refused(
                        "malformed-signature", digest, got="a certificate without its digest", expected="DigestMethod, DigestValue"
                    )
                yield replace(found, serial=_serial(digest))

    def _time(self) -> datetime | None:
        found = self._find("SigningTime")
        try:
            moment = datetime.fromisoformat(text_of(found[0]).strip()) if found else None
        except ValueError:
            return None
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None

    def _details(self) -> Iterator[str]:
        for element in self._find("SignaturePolicyIdentifier"):
            implied = next(element.iter(*named("SignaturePolicyImplied")), None) is not None
            identifier = next(element.iter(*named("Identifier")), None)
            yield "policy implied" if implied else f"policy {text_of(identifier).strip() if identifier is not None else ''}"[:200]
        for element in self._find("CommitmentTypeId"):
            identifier = next(element.iter(*named("Identifier")), None)
            yield f"commitment {text_of(identifier).strip() if identifier is not None else ''}"[:200]
        for element in self._find("MimeType"):
            yield f"data object of type {text_of(element).strip()}"[:200]

    def notes(self) -> Iterator[Violation]:
        """What is missing for a baseline signature."""
        if self._signed is None or not self.certificates:
            yield warning("coverage", got="no SigningCertificate among the signed properties", expected="the signer's certificate, signed")


def _serial(digest: Element) -> int | None:
    """The number in IssuerSerial beside `digest`, or in IssuerSerialV2 (DER, RFC 5035); None where none can be read."""
    for one in digest.itersiblings(*named("IssuerSerial", "IssuerSerialV2")):
        number = next(one.iterchildren(_SERIAL_NUMBER), None)
        text = (text_of(number) if number is not None else "").strip()
        if text.isascii() and text.removeprefix("-").isdigit() and len(text) <= MAX_SERIAL_DIGITS:
            return int(text)
        octets = _octets(one) if number is None else None
        with suppress(ValueError):
            return int(tsp.IssuerSerial.load(octets, strict=True)["serial_number"].native) if octets else None
    return None


def _digest(element: Element) -> Named | None:
    methods, values = list(element.iterchildren(_DIGEST_METHOD)), list(element.iterchildren(_DIGEST_VALUE))
    if len(methods) != 1 or len(values) != 1:
        return None
    return Named(digest_name(algorithm_of(methods[0])), octets_of(values[0]))


def _policy_faults(policy_hash: Element, unsigned: list[Element]) -> Iterator[Violation]:
    """The policy's text, where it came along (EN 319 132-1 §5.2.10), has the digest that was signed."""
    parent, said = policy_hash.getparent(), _digest(policy_hash)
    transformed = parent is not None and next(parent.iter(f"{{{DSIG}}}Transform"), None) is not None
    documents = [one for each in unsigned if local_name(each) == _STORE[0] for one in each if local_name(one) == _STORE[1]]
    for one in documents:
        digest = cms_value.digest(said.hash, (_octets(one) or b"",)) if said else None
        if digest is not None and said is not None and not transformed and not hmac.compare_digest(digest, said.digest):
            yield error("tampered", path=path_of(one), line=line_of(one), got=f"a policy of {digest.hex()}", expected=said.digest.hex())


def _carried(unsigned: list[Element]) -> Evidence:
    """CertificateValues, RevocationValues and those in TimeStampValidationData. What cannot be read is left out: it is nobody's proof."""
    responses = (whole_response(der) for der in _values(unsigned, "EncapsulatedOCSPValue"))
    return Evidence(
        tuple(_values(unsigned, "EncapsulatedX509Certificate")),
        tuple(_values(unsigned, "EncapsulatedCRLValue")),
        tuple(der for der in responses if der),
    )


def _values(unsigned: list[Element], name: str) -> Iterator[bytes]:
    for element in islice((one for each in unsigned for one in each.iter(*named(name))), MAX_VALUES):
        octets = _octets(element)
        if octets:
            yield octets


def _octets(element: Element) -> bytes | None:
    text = "" if len(element) else element.text or ""
    try:
        return base64_of(text, element) if 0 < len(text) <= max(MAX_CRL_CHARS, MAX_BASE64_CHARS) else None
    except Refused:
        return None
