"""What a certificate may be used for: key usage, extended key usage, CA marks, and extensions that nobody here can process.

Key usage follows what real signers have: nonRepudiation alone is enough, digitalSignature too, neither is demanded beside the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from schemas.errors import Violation, error
from signing.certificate import Certificate
from signing.context import Purpose

# RFC 5280 §4.2.1.12: who carries only these purposes signs something else than documents
_OTHER_PURPOSES = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
        ExtendedKeyUsageOID.CODE_SIGNING,
    }
)
_PROCESSED = frozenset(  # by the walk, by `rfc5280.py` or by `revocation.py`; any other critical one refuses
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.FRESHEST_CRL,
        ExtensionOID.OCSP_NO_CHECK,
    }
)
_NAMES = {
    Purpose.TIMESTAMP: (ExtendedKeyUsageOID.TIME_STAMPING, "timeStamping alone (RFC 3161 §2.3)"),
    Purpose.OCSP: (ExtendedKeyUsageOID.OCSP_SIGNING, "OCSPSigning (RFC 6960 §4.2.2.2)"),
}


def extension_faults(cert: Certificate) -> tuple[Violation, ...]:
    """Critical extensions that are not processed (RFC 5280 §4.2)."""
    unknown = [e.oid.dotted_string for e in cert.extensions if e.critical and e.oid not in _PROCESSED]
    if not unknown:
        return ()
    return (error("path-constraint", got=f"{cert.subject}: critical {', '.join(unknown)}", expected="extensions of RFC 5280"),)


def purpose_faults(cert: Certificate, purpose: Purpose) -> tuple[Violation, ...]:
    """Why the certificate may not be used for `purpose`, as `key-usage`."""
    if purpose is Purpose.CRL:
        usage = cert.extension(x509.KeyUsage)
        return (_usage(cert, "keyUsage without cRLSign", "cRLSign"),) if usage and not usage.crl_sign else ()
    return tuple(_signer_faults(cert, purpose))


def _signer_faults(cert: Certificate, purpose: Purpose) -> Iterator[Violation]:
    usage = cert.extension(x509.KeyUsage)
    signs = usage is not None and (usage.digital_signature or usage.content_commitment)
    if is_ca(cert) and not (signs and purpose is Purpose.DOCUMENT):  # RFC 5280 §4.2.1.3: a CA may have both uses, where it says so
        yield _usage(cert, "a CA's certificate", "a signer's")
    if usage and not signs:  # nonRepudiation alone is what real signers have
        yield _usage(cert, "keyUsage", "digitalSignature or nonRepudiation")
    purposes = cert.extension(x509.ExtendedKeyUsage)
    if purpose is Purpose.DOCUMENT:
        if purposes and all(one in _OTHER_PURPOSES for one in purposes):
            yield _usage(cert, _listed(purposes), "a purpose that includes signing documents")
        return
    wanted, expected = _NAMES[purpose]
    alone = purpose is Purpose.TIMESTAMP
    if not purposes or wanted not in purposes or (alone and len(list(purposes)) > 1):
        yield _usage(cert, _listed(purposes) if purposes else "no purpose", expected)


def authority_faults(cert: Certificate, below: int, purpose: Purpose, *, is_anchor: bool) -> Iterator[Violation]:
    """Why `cert` may not have issued what stands under it, with `below` CAs between (those that issue to themselves not counted)."""
    constraints = cert.extension(x509.BasicConstraints)
    if not is_ca(cert):
        yield error("path-constraint", got=f"{cert.subject}: not a CA", expected="basicConstraints cA=TRUE")
    elif constraints and constraints.path_length is not None and below > constraints.path_length:
        yield error("path-constraint", got=f"{below} CAs below {cert.subject}", expected=f"at most {constraints.path_length}")
    usage = cert.extension(x509.KeyUsage)
    if usage and not usage.key_cert_sign:
        yield _usage(cert, "keyUsage without keyCertSign", "keyCertSign")
    purposes = cert.extension(x509.ExtendedKeyUsage)
    if purpose is Purpose.DOCUMENT and not is_anchor and purposes and all(one in _OTHER_PURPOSES for one in purposes):
        yield _usage(cert, _listed(purposes), "a CA whose purposes include signing documents")


def is_ca(cert: Certificate) -> bool:
    """Whether basicConstraints say so."""
    constraints = cert.extension(x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _usage(cert: Certificate, got: str, expected: str) -> Violation:
    return error("key-usage", got=f"{cert.subject}: {got}", expected=expected)


def _listed(purposes: x509.ExtendedKeyUsage) -> str:
    return ", ".join(purpose._name for purpose in purposes)
