"""Whether a list speaks of a certificate, and for which reasons of revocation (RFC 5280 §6.3.3 (b), §5.2.5, §4.2.1.13)."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509

from signing.certificate import Certificate, name_key
from signing.crl import RevocationList
from signing.purpose import is_ca
from signing.statement import ALL_REASONS


def reasons_covered(listed: RevocationList, cert: Certificate) -> frozenset[str]:
    """The reasons for which silence of the list means that `cert` is not revoked; empty where the list is not about it."""
    scope = listed.scope
    if scope and (scope.only_contains_attribute_certs or (scope.only_contains_user_certs if is_ca(cert) else scope.only_contains_ca_certs)):
        return frozenset()
    indirect = listed.issuer_key != cert.issuer_key
    if indirect and not (scope and scope.indirect_crl):
        return frozenset()
    points = cert.extension(x509.CRLDistributionPoints)
    named = _names(scope.full_name, scope.relative_name, listed.parsed.issuer) if scope else frozenset()
    covered: frozenset[str] = frozenset()
    if not indirect and (not named or (not points and _directory(cert.issuer_key) in named)):
        covered = ALL_REASONS
    for point in points or ():
        covered |= _covered_by(point, listed, cert, named, indirect=indirect)
    return covered & _flags(scope.only_some_reasons) if scope and scope.only_some_reasons else covered


def _covered_by(
    point: x509.DistributionPoint, listed: RevocationList, cert: Certificate, named: frozenset[str], *, indirect: bool
) -> frozenset[str]:
    issuers = _names(point.crl_issuer, None, None)
    if issuers and _directory(listed.issuer_key) not in issuers:
        return frozenset()
    if indirect and not issuers:
        return frozenset()
    base = listed.parsed.issuer if issuers else cert.parsed.issuer
    own = _names(point.full_name, point.relative_name, base) or issuers
    if named and not named & own:
        return frozenset()
    return _flags(point.reasons) if point.reasons else ALL_REASONS


def _flags(reasons: Iterable[x509.ReasonFlags]) -> frozenset[str]:
    return frozenset(flag.value for flag in reasons)


def _names(
    full: Iterable[x509.GeneralName] | None, relative: x509.RelativeDistinguishedName | None, base: x509.Name | None
) -> frozenset[str]:
    found = {_directory(name_key(n.value)) if isinstance(n, x509.DirectoryName) else f"{type(n).__name__} {n.value}" for n in full or ()}
    if relative is not None and base is not None:
        found.add(_directory(name_key(x509.Name([*base.rdns, relative]))))
    return frozenset(found)


def _directory(key: str) -> str:
    return f"directory {key}"
