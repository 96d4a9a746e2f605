"""CMS and CAdES signatures (RFC 5652, ETSI EN 319 122): every signer of a SignedData, attached or detached, with time-stamps and evidence.

Who signed is answered by `cms_signer`; here its answer meets the time-stamps among the unsigned attributes, the table of algorithms for
the time that they prove, and the evidence that travels along.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from asn1crypto import core, crl, ocsp

from schemas.errors import Refused, Violation, error, warning
from signing import ber, cms_structure, timestamp
from signing.cms_signer import SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2, Checked, check
from signing.cms_structure import SignedData, Signer, reading
from signing.cms_value import Parts
from signing.finding import Coverage, Finding, Given, Stamp, StampKind, forbidden, ordered

SIGNATURE_STAMP = "1.2.840.113549.1.9.16.2.14"  # RFC 3161 Appendix A
CONTENT_STAMP = "1.2.840.113549.1.9.16.2.20"  # RFC 5126 §5.11.4
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
_CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
_REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
_ADOBE_REVOCATION = "1.2.840.113583.1.1.8"
_ARCHIVE_STAMPS = {  # protect the evidence; their imprint is over the whole signature in ways that are not recomputed here
    "1.2.840.113549.1.9.16.2.48": "archive-time-stamp v2",
    "0.4.0.1733.2.4": "archive-time-stamp v3",
    "1.2.840.113549.1.9.16.2.25": "CAdES-C-time-stamp",
    "1.2.840.113549.1.9.16.2.26": "certs-CRLs time-stamp",
}
MAX_STAMPS = 16


@dataclass(frozen=True, slots=True)
class Evidence:
    """What travels with a signature for those who judge it."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            tuple(dict.fromkeys(self.certificates + other.certificates)),
            tuple(dict.fromkeys(self.crls + other.crls)),
            tuple(dict.fromkeys(self.ocsps + other.ocsps)),
        )


def examine_cms(data: bytes, content: bytes | None, given: Given) -> tuple[Finding, ...]:
    """One finding for each signer. `content` is what a detached signature is over; an attached one must hold the same.

    Raises `Refused`: `cms-malformed`, `too-large`, `resource-limit`, or `no-signature` where nobody signed.
    """
    signed = cms_structure.read(ber.unwrapped(data))
    if signed.content is not None and content is not None and signed.content != content:
        raise Refused("tampered", got="a signature over other content that it carries itself", expected="the content given")
    parts = signed.content if signed.content is not None else content
    return examine_signers(signed, None if parts is None else (parts,), given)


def examine_signers(
    signed: SignedData, content: Parts | None, given: Given, *, kind: str = "", name: str = "", later: tuple[Stamp, ...] = ()
) -> tuple[Finding, ...]:
    """`examine_cms` for a SignedData that was read, over `content`; `later` are time-stamps elsewhere that prove it as well.

    `kind` is chosen by what is signed where it is not given.
    """
    if not signed.signers:
        raise Refused("no-signature", got="a SignedData without signers", expected="one at least")
    return tuple(
        _examine(signed, signer, content, given, label=(kind, name if len(signed.signers) == 1 else f"{name}[{number}]"), later=later)
        for number, signer in enumerate(signed.signers, 1)
    )


def _examine(
    signed: SignedData, signer: Signer, content: Parts | None, given: Given, *, label: tuple[str, str], later: tuple[Stamp, ...]
) -> Finding:
    kind, name = label
    checked = check(signed, signer, content, given.certificates)
    stamps = (*_stamps(signer, content, given), *later)
    evidence = Evidence(signed.certificates, signed.crls, signed.ocsps) + carried(signer)
    finding = Finding(
        kind=kind or ("cades" if signer.signed.keys() & {SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2} else "cms"),
        name=name,
        integrity=checked.integrity,
        coverage=Coverage.UNKNOWN if content is None else Coverage.WHOLE,
        signer=checked.der,
        certificates=evidence.certificates,
        crls=evidence.crls,
        ocsps=evidence.ocsps,
        claimed_time=checked.claimed_time,
        stamps=stamps,
        algorithms=checked.used,
        violations=checked.violations,
        notes=tuple(_notes(signer)),
    )
    return judged_by_time(finding, checked, given)


def judged_by_time(finding: Finding, checked: Checked, given: Given) -> Finding:
    """`finding` with what its time-stamps and the table of algorithms say, for the earliest time that is proven."""
    proofs = [stamp for stamp in finding.stamps if stamp.kind not in (StampKind.CONTENT, StampKind.REFERENCES)]
    stamp = timestamp.proof(proofs, given)
    moment, proven = (stamp.at, True) if stamp and stamp.at else (given.at, False)
    refused = [*forbidden(finding.algorithms, given.algorithms, moment, proven=proven), *_key_faults(checked, given, moment, proven)]
    own = [one for one in finding.stamps if one.kind is not StampKind.DOCUMENT]  # a document's stamp has a finding of its own
    broken = [violation for one in own if not one.fits for violation in one.violations]
    weak = [violation for one in finding.stamps for violation in timestamp.believable(one, given)[:1]]
    return replace(
        finding,
        stamp=stamp,
        violations=ordered((*refused, *finding.violations, *broken), _ORDER),
        notes=(*finding.notes, *(warning(v.code, path=v.path, got=v.got, expected=v.expected) for v in weak)),
    )


def _key_faults(checked: Checked, given: Given, moment: Any, proven: bool) -> Iterator[Violation]:
    if checked.certificate is None:
        return
    answer = given.algorithms.allows_key(checked.certificate.key, at=moment, proven=proven)
    if not answer.ok:
        yield error(answer.reason, got=f"the key of {checked.certificate.subject}", expected=answer.source or "a key of the list")


_ORDER = ("cms-malformed", "alg-forbidden", "weak-key", "tampered", "bad-signature-value", "no-key", "key-confusion", "timestamp-invalid")


def _stamps(signer: Signer, content: Parts | None, given: Given) -> Iterator[Stamp]:
    for token in signer.unsigned.get(SIGNATURE_STAMP, ())[:MAX_STAMPS]:
        yield timestamp.examine(token, (signer.value,), StampKind.SIGNATURE, given)
    for token in signer.signed.get(CONTENT_STAMP, ())[:MAX_STAMPS]:
        if content is not None:
            yield timestamp.examine(token, content, StampKind.CONTENT, given)


def _notes(signer: Signer) -> Iterator[Violation]:
    for _ in signer.unsigned.get(COUNTERSIGNATURE, ()):
        yield warning("coverage", got="a countersignature, which is over the signature alone", expected="nothing of it is counted")
    for name, what in _ARCHIVE_STAMPS.items():
        if name in signer.unsigned:
            yield warning("timestamp-invalid", got=f"{what}: not checked", expected="a signature time-stamp, which is")


def carried(signer: Signer) -> Evidence:
    """Certificates, CRLs and OCSP responses among a signer's attributes. What cannot be read is left out: it is nobody's proof."""
    found = Evidence()
    for der in signer.unsigned.get(_CERTIFICATE_VALUES, ()):
        found += Evidence(certificates=tuple(_read(lambda der=der: [c for c in cms_structure.members(der) if c[:1] == b"\x30"])))
    for der in signer.unsigned.get(_REVOCATION_VALUES, ()):
        found += _revocations(der)
    for der in (*signer.signed.get(_ADOBE_REVOCATION, ()), *signer.unsigned.get(_ADOBE_REVOCATION, ())):
        found += _revocations(der)
    return found


def _read(work: Any) -> list[bytes]:
    try:
        with reading("evidence"):
            return list(work())
    except Refused:
        return []


class _Revocations(core.Sequence):  # type: ignore[misc]  # asn1crypto is not annotated
    """RevocationValues (RFC 5126 §6.3.4); Adobe's RevocationInfoArchival has the same members under the same tags."""

    _fields = [  # noqa: RUF012
        ("crls", type("_Crls", (core.SequenceOf,), {"_child_spec": crl.CertificateList}), {"explicit": 0, "optional": True}),
        ("ocsps", type("_Ocsps", (core.SequenceOf,), {"_child_spec": core.Any}), {"explicit": 1, "optional": True}),
        ("other", core.Any, {"explicit": 2, "optional": True}),
    ]


def _revocations(der: bytes) -> Evidence:
    crls = _read(lambda: list(_members(der, "crls")))
    ocsps = _read(lambda: [_response(one) for one in _members(der, "ocsps")])
    return Evidence(crls=tuple(crls), ocsps=tuple(ocsps))


def _members(der: bytes, name: str) -> tuple[bytes, ...]:
    found = _Revocations.load(der, strict=True)[name]
    return () if isinstance(found, core.Void) else tuple(ber.split(found.contents))


def _response(der: bytes) -> bytes:
    """An OCSPResponse; RFC 5126 keeps the BasicOCSPResponse alone, which is put back into one."""
    if cms_structure.members(der)[0][:1] == b"\x0a":  # ENUMERATED: the status
        return der
    basic = ocsp.BasicOCSPResponse.load(der, strict=True)
    _ = basic["tbs_response_data"].native  # it is one
    wrapped = ocsp.OCSPResponse(
        {
            "response_status": "successful",
            "response_bytes": {"response_type": "basic_ocsp_response", "response": core.ParsableOctetString(der)},
        }
    )
    return bytes(wrapped.dump())


def whole_response(der: bytes) -> bytes | None:
    """An OCSPResponse from one or from the BasicOCSPResponse in it, None for neither."""
    return next(iter(_read(lambda: [_response(der)])), None)
