"""Lists of revoked certificates (RFC 5280 §5): read once, indexed by serial number, remembered by digest.

A list with a critical extension that nobody here knows may convict and never acquit. Indirect lists are taken where the certificate's
own distribution point names their issuer. A delta list may convict, and may end a hold that its complete list still shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import core
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from schemas.errors import Refused
from signing.certificate import Certificate, is_signed, name_key
from signing.limits import MAX_CRL_BYTES, MAX_CRL_CACHE_BYTES
from signing.remembered import Remembered

_EXPIRED_CERTS_ON_CRL = x509.ObjectIdentifier("2.5.29.60")
_KNOWN = (x509.IssuingDistributionPoint, x509.DeltaCRLIndicator, x509.CRLNumber, x509.AuthorityKeyIdentifier, x509.FreshestCRL)
_KNOWN_ENTRY = (x509.CRLReason, x509.InvalidityDate, x509.CertificateIssuer)
_TRUE = b"\x01\x01\xff"  # without it nothing in a DER document is critical
_MALFORMED = (ValueError, TypeError, OverflowError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm)

Entries = Mapping[int, x509.RevokedCertificate]


@dataclass(frozen=True, slots=True, eq=False)
class RevocationList:
    """One list. `entries` are by certificate issuer (`name_key`) and serial number."""

    sha256: str
    parsed: x509.CertificateRevocationList
    issuer_key: str
    this_update: datetime
    next_update: datetime | None
    hash_name: str
    scope: x509.IssuingDistributionPoint | None
    number: int | None
    base: int | None  # number of the complete list that this delta builds on; None: it is complete itself
    sound: bool  # nothing critical that is not understood
    keeps_since: datetime | None  # ITU-T X.509 expiredCertsOnCRL
    entries: Mapping[str, Entries]

    def entry(self, cert: Certificate) -> x509.RevokedCertificate | None:
        """What stands on it for `cert`."""
        listed = self.entries.get(cert.issuer_key)
        return listed.get(cert.parsed.serial_number) if listed else None

    def signed_by(self, signer: Certificate) -> bool:
        """Whether the key of `signer` made it."""
        return is_signed(self.parsed, self.parsed.tbs_certlist_bytes, signer.key)


_lists: Remembered[bytes, RevocationList] = Remembered(MAX_CRL_CACHE_BYTES)


def load(der: bytes) -> RevocationList:
    """The list in `der` (DER or PEM). Raises `Refused` with `revocation-unknown`, or with `resource-limit` for a huge one."""
    if len(der) > MAX_CRL_BYTES:
        raise Refused("resource-limit", got=f"a CRL of {len(der)} bytes", expected=f"at most {MAX_CRL_BYTES}")
    return _lists.of(hashlib.sha256(der).digest(), lambda: _load(der), len(der))


def _load(der: bytes) -> RevocationList:
    try:
        parsed = x509.load_pem_x509_crl(der) if der.lstrip().startswith(b"-----BEGIN") else x509.load_der_x509_crl(der)
        return _of(parsed, der)
    except _MALFORMED as fault:
        raise Refused("revocation-unknown", got=f"an unreadable CRL: {fault}", expected="a CRL as in RFC 5280 §5") from fault


def _of(parsed: x509.CertificateRevocationList, der: bytes) -> RevocationList:
    extensions = parsed.extensions
    values = {type(e.value): e.value for e in extensions}
    found, number, delta = (values.get(kind) for kind in (x509.IssuingDistributionPoint, x509.CRLNumber, x509.DeltaCRLIndicator))
    scope = found if isinstance(found, x509.IssuingDistributionPoint) else None
    algorithm = parsed.signature_hash_algorithm
    issuer_key = name_key(parsed.issuer)
    entries, understood = _indexed(parsed, issuer_key, indirect=scope is not None and scope.indirect_crl, critical=_TRUE in der)
    return RevocationList(
        sha256=hashlib.sha256(der).hexdigest(),
        parsed=parsed,
        issuer_key=issuer_key,
        this_update=parsed.last_update_utc,
        next_update=parsed.next_update_utc,
        hash_name=algorithm.name if algorithm else "",
        scope=scope,
        number=number.crl_number if isinstance(number, x509.CRLNumber) else None,
        base=delta.crl_number if isinstance(delta, x509.DeltaCRLIndicator) else None,
        sound=understood and all(isinstance(e.value, _KNOWN) for e in extensions if e.critical),
        keeps_since=_keeps_since(extensions),
        entries=entries,
    )


def _indexed(
    parsed: x509.CertificateRevocationList, issuer_key: str, *, indirect: bool, critical: bool
) -> tuple[Mapping[str, Entries], bool]:
    if not (indirect or critical):
        return {issuer_key: {entry.serial_number: entry for entry in parsed}}, True
    found: dict[str, dict[int, x509.RevokedCertificate]] = {}
    current, understood = issuer_key, True
    for entry in parsed:
        for extension in entry.extensions:
            if indirect and isinstance(extension.value, x509.CertificateIssuer):
                named = extension.value.get_values_for_type(x509.DirectoryName)
                current = name_key(named[0]) if named else ""
            understood = understood and (not extension.critical or isinstance(extension.value, _KNOWN_ENTRY))
        found.setdefault(current, {})[entry.serial_number] = entry
    return found, understood


def _keeps_since(extensions: x509.Extensions) -> datetime | None:
    for extension in extensions:
        if extension.oid == _EXPIRED_CERTS_ON_CRL and isinstance(extension.value, x509.UnrecognizedExtension):
            since = core.GeneralizedTime.load(extension.value.value).native
            return since if isinstance(since, datetime) else None
    return None


def details(entry: x509.RevokedCertificate) -> tuple[datetime, str, datetime | None]:
    """When it was revoked, why (as RFC 5280 §5.3.1 spells it, "unspecified" where nothing is said), and since when it was invalid.

    Extensions that cannot be read say nothing; the certificate is revoked all the same.
    """
    reason, since = x509.ReasonFlags.unspecified.value, None
    try:
        for extension in entry.extensions:
            if isinstance(extension.value, x509.CRLReason):
                reason = extension.value.reason.value
            elif isinstance(extension.value, x509.InvalidityDate):
                since = extension.value.invalidity_date_utc
    except _MALFORMED:
        return entry.revocation_date_utc, x509.ReasonFlags.unspecified.value, None
    return entry.revocation_date_utc, reason, since
