"""RFC 3161 time-stamp tokens: whether a token is about these bytes, and whether an authority's key signed it as an authority must.

1. structure: SignedData over TSTInfo, one signer, version 1
2. the message imprint is the digest of the content
3. the signature fits, and the signing-certificate attribute names the authority's certificate (§2.4.1, RFC 5816)
4. that certificate is for time-stamping alone, and says so critically (§2.3)
5. its algorithms need no older time to be believed: a token proves a time, so nothing else proves its own

Whether the authority is trusted, and was at the time, is judged elsewhere.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from asn1crypto import core, tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from schemas.errors import Refused, Violation, error
from signing import ber, cms_structure, cms_value
from signing.certificate import Certificate
from signing.cms_signer import Checked, check
from signing.cms_structure import TST_INFO, Algorithm, SignedData, reading
from signing.finding import Coverage, Finding, Given, Integrity, Stamp, StampKind, Used, forbidden

_TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
_GRANTED = (0, 1)  # PKIStatus granted, grantedWithMods, §2.4.2


@dataclass(frozen=True, slots=True)
class _Info:
    """TSTInfo, as far as it is needed."""

    imprint_algorithm: str
    imprint: bytes
    at: datetime


def examine_token(data: bytes, content: bytes | None, given: Given) -> tuple[Finding, ...]:
    """The one finding on a token or TimeStampResp (.tsr) that stands for `content`.

    Without `content` its integrity is unknown, with `reference-missing`. Raises `Refused` with `cms-malformed` where there is no token.
    """
    stamp = examine(token_in(ber.unwrapped(data)), None if content is None else (content,), StampKind.FILE, given)
    missing = content is None
    integrity = Integrity.OK if stamp.fits else Integrity.FAILED if not missing or len(stamp.violations) > 1 else Integrity.UNKNOWN
    refused = stamp.violations or forbidden(stamp.algorithms, given.algorithms, stamp.at or given.at, proven=False)
    return (
        Finding(
            kind="tsr",
            name="",
            integrity=integrity,
            coverage=Coverage.UNKNOWN if missing else Coverage.WHOLE,
            signer=stamp.authority,
            certificates=stamp.certificates,
            crls=stamp.crls,
            claimed_time=stamp.at,
            stamp=stamp if stamp.fits else None,
            stamps=(stamp,),
            algorithms=stamp.algorithms,
            violations=refused,
        ),
    )


def token_in(data: bytes) -> bytes:
    """The token in a TimeStampResp, or `data` itself. Raises `Refused`: `timestamp-invalid` where the authority did not grant one."""
    der = ber.definite(data)
    with reading("a time-stamp token or response (RFC 3161)"):
        first, *others = cms_structure.members(der)
        if first[:1] != b"\x30":  # a ContentInfo begins with its type, a response with PKIStatusInfo
            return der
        status = int(core.Integer.load(cms_structure.members(first)[0], strict=True).native)
    if status not in _GRANTED or len(others) != 1:
        raise Refused("timestamp-invalid", got=f"a response of status {status}", expected="a token that was granted")
    return others[0]


def examine(token: bytes, content: cms_value.Parts | None, kind: StampKind, given: Given) -> Stamp:
    """What can be said of `token` for `content`, None where there is nothing to compare with. Raises nothing."""
    try:
        signed = cms_structure.read(token)
        info = _info(signed)
    except Refused as fault:
        broken = error("timestamp-invalid", path=kind, got=fault.got, expected=fault.expected or "a time-stamp token (RFC 3161)")
        return Stamp(kind, False, None, b"", (), (), token, (), (broken,))
    checked = check(signed, signed.signers[0], (signed.content or b"",), given.certificates)
    used = (Used("hash", info.imprint_algorithm, "imprint"), *checked.used)
    faults = [*_imprint_faults(info, content, kind), *_signer_faults(checked, kind)]
    return Stamp(
        kind=kind,
        fits=not faults and checked.integrity is Integrity.OK,
        at=info.at,
        authority=checked.der,
        certificates=signed.certificates,
        crls=signed.crls,
        token=signed.der,
        algorithms=tuple(replace(one, what=f"time-stamp: {one.what}") for one in used),
        violations=tuple(dict.fromkeys(faults)),
    )


def believable(stamp: Stamp, given: Given) -> tuple[Violation, ...]:
    """What the table says against a token that fits: without a time of its own, so nothing that has an end passes."""
    return forbidden(stamp.algorithms, given.algorithms, stamp.at or given.at, proven=False) if stamp.fits else ()


def proof(stamps: Iterable[Stamp], given: Given) -> Stamp | None:
    """The earliest of the stamps that fit and are believable."""
    good = [stamp for stamp in stamps if stamp.fits and stamp.at and not believable(stamp, given)]
    return min(good, key=_time_of, default=None)


def _time_of(stamp: Stamp) -> datetime:
    return stamp.at or datetime.max.replace(tzinfo=UTC)


def _info(signed: SignedData) -> _Info:  # 1
    if signed.content_type != TST_INFO or signed.content is None:
        raise Refused("timestamp-invalid", got=f"content of type {signed.content_type}", expected=f"TSTInfo, {TST_INFO}")
    if len(signed.signers) != 1:
        raise Refused("timestamp-invalid", got=f"{len(signed.signers)} signers", expected="one (RFC 3161 §2.4.2)")
    with reading("TSTInfo (RFC 3161)"):
        read: Any = tsp.TSTInfo.load(signed.content, strict=True)
        if read["version"].native != "v1":
            raise ValueError("another version")
        imprint, moment = read["message_imprint"], read["gen_time"].native
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise ValueError("genTime without Z")
        _ = read.native  # all of it can be read
        name = cms_value.digest_name(Algorithm(imprint["hash_algorithm"]["algorithm"].dotted))
        return _Info(name, imprint["hashed_message"].native, moment.astimezone(UTC))


def _imprint_faults(info: _Info, content: cms_value.Parts | None, kind: StampKind) -> Iterable[Violation]:  # 2
    if content is None:
        yield error("reference-missing", path=kind, got="no content", expected="the content that was time-stamped")
        return
    octets = cms_value.digest(info.imprint_algorithm, content)
    if octets is None:
        yield error("alg-forbidden", path=kind, got=info.imprint_algorithm, expected="an imprint by SHA-2 or SHA-3")
    elif not hmac.compare_digest(octets, info.imprint):
        yield error(
            "timestamp-invalid", path=kind, got=f"an imprint {info.imprint.hex()}", expected=f"{info.imprint_algorithm} {octets.hex()}"
        )


def _signer_faults(checked: Checked, kind: StampKind) -> Iterable[Violation]:  # 3, 4
    for violation in checked.violations:
        yield error("timestamp-invalid", path=f"{kind}: {violation.code}", got=violation.got, expected=violation.expected)
    if not checked.bound:
        yield error("timestamp-invalid", path=kind, got="no signing-certificate attribute", expected="the authority's certificate, signed")
    if checked.certificate is not None:
        yield from _usage_faults(checked.certificate, kind)


def _usage_faults(authority: Certificate, kind: StampKind) -> Iterable[Violation]:
    expected = "extended key usage timeStamping alone, critical"
    found: Callable[[type[x509.ExtendedKeyUsage]], x509.Extension[x509.ExtendedKeyUsage]] = authority.extensions.get_extension_for_class
    try:
        usage = found(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        yield error("timestamp-invalid", path=kind, got=f"{authority.subject}: no extended key usage", expected=expected)
        return
    if list(usage.value) != [_TIME_STAMPING] or not usage.critical:
        names = ", ".join(one.dotted_string for one in usage.value) + ("" if usage.critical else ", not critical")
        yield error("timestamp-invalid", path=kind, got=f"{authority.subject}: {names}", expected=expected)
