"""Whom to believe: trust anchors and the intermediate CA certificates known besides, read from a folder.

A store is one trust domain. The Government-dedicated hierarchy (G1, G2) and the public national one are separate stores, `Domains` keeps
them by name, and an agency's policy chooses one: a path that begins in one domain never ends in the other.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from schemas.errors import Halted, Refused
from signing import certificate
from signing.certificate import Certificate

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der"})
INTERMEDIATES = "intermediates"  # subfolder for CA certificates that are not anchors
LISTS, ANSWERS = "crl", "ocsp"  # subfolders for lists of revoked certificates and status answers (`collected`)
NO_DOMAINS = frozenset({INTERMEDIATES, LISTS, ANSWERS})
TABLE = "trust.toml"
GOVERNMENT, NATIONAL = "government", "national"  # how the two hierarchies are called where nobody says otherwise


@dataclass(frozen=True, slots=True, eq=False)
class TrustStore:
    """Anchors and intermediates. An empty store trusts nobody: that is the only safe meaning of "nothing configured".

    An anchor is believed because it stands here: its own signature is not checked (the G1 root is SHA-1), its period, key and CA
    marks are. A signer's certificate may itself be an anchor.
    """

    anchors: tuple[x509.Certificate, ...] = ()
    intermediates: tuple[x509.Certificate, ...] = ()
    domain: str = ""  # name of the hierarchy, where there are several
    fingerprint: str = field(init=False)  # SHA-256 over the sorted digests of all: names the store in a verdict's artefacts
    issuers: dict[str, tuple[Certificate, ...]] = field(init=False, repr=False)  # by `subject_key`
    anchor_ids: frozenset[str] = field(init=False, repr=False)  # SHA-256 of the anchors
    ders: tuple[bytes, ...] = field(init=False, repr=False)  # of all, by issuer

    def __post_init__(self) -> None:
        anchors = tuple(dict.fromkeys(certificate.of(c) for c in self.anchors))
        known = tuple(dict.fromkeys((*anchors, *(certificate.of(c) for c in self.intermediates))))
        issuers: dict[str, tuple[Certificate, ...]] = {}
        for cert in known:
            issuers[cert.subject_key] = (*issuers.get(cert.subject_key, ()), cert)
        named = "\n".join(sorted(f"{'a' if c in anchors else 'i'} {c.sha256}" for c in known))
        object.__setattr__(self, "fingerprint", hashlib.sha256(named.encode()).hexdigest())
        object.__setattr__(self, "issuers", issuers)
        object.__setattr__(self, "anchor_ids", frozenset(c.sha256 for c in anchors))
        object.__setattr__(self, "ders", tuple(cert.der for certs in issuers.values() for cert in certs))

    @classmethod
    def load(cls, folder: Path, domain: str = "") -> TrustStore:
        """Reads ``*.pem``, ``*.crt``, ``*.cer``, ``*.der`` (PEM bundles or DER) of `folder`, and of its ``intermediates/``.

        Raises `Halted` with `trust-invalid` for a folder that is not there and for any file that is not a certificate: a store that
        is silently smaller than its operator believes is worse than none.
        """
        if not folder.is_dir():
            raise Halted("trust-invalid", got=f"{folder.name}: not a folder", expected="a folder of CA certificates")
        try:
            return cls(_read(folder), _read(folder / INTERMEDIATES) if (folder / INTERMEDIATES).is_dir() else (), domain)
        except Refused as fault:
            raise Halted("trust-invalid", got=fault.got, expected=fault.expected) from fault


@dataclass(frozen=True, slots=True)
class Domains:
    """Trust stores by the name of their hierarchy; "" is the one without a name."""

    stores: Mapping[str, TrustStore]

    @classmethod
    def load(cls, folder: Path) -> Domains:
        """One store per subfolder of `folder` (``government/``, ``national/``, …; each as `TrustStore.load` takes it); or as ``trust.toml``
        says, a table per domain with ``anchors`` and ``intermediates``, names of files beside it; or, with neither, all as one store.

        Raises `Halted` with `trust-invalid` as `TrustStore.load` does, and for certificates outside of every domain.
        """
        if (folder / TABLE).is_file():
            return cls(_by_table(folder))
        if not folder.is_dir():
            raise Halted("trust-invalid", got=f"{folder.name}: not a folder", expected="a folder of CA certificates")
        named = sorted(one.name for one in folder.iterdir() if one.is_dir() and one.name not in NO_DOMAINS)
        if not named:
            return cls({"": TrustStore.load(folder)})
        loose = [one.name for one in folder.iterdir() if one.suffix.lower() in SUFFIXES and one.is_file()]
        if loose or (folder / INTERMEDIATES).is_dir():
            got = ", ".join(loose[:5]) or INTERMEDIATES
            raise Halted(
                "trust-invalid", got=f"{got} beside the domains {', '.join(named)}", expected="every certificate in a domain's folder"
            )
        return cls({name: TrustStore.load(folder / name, name) for name in named})

    def store(self, name: str = "") -> TrustStore:
        """The store of that domain; without a name, the only one there is. A domain that does not exist trusts nobody."""
        if not name and len(self.stores) == 1:
            return next(iter(self.stores.values()))
        return self.stores.get(name, TrustStore(domain=name))

    def of(self, anchor_sha256: str) -> tuple[str, ...]:
        """Names of the domains that have this anchor."""
        return tuple(name for name, store in self.stores.items() if anchor_sha256 in store.anchor_ids)


# The real roots, so that a folder in which they lie side by side can be told apart. SHA-256 of the DER.
KNOWN_ROOTS = {
    "f7bc89054cec7f12730d7b8cd3eb7955b163835087e5eb873edfb584763b3f90": GOVERNMENT,  # G1, Ban Cơ yếu Chính phủ, 2010 to 2030
    "f04ba4b459a7c9a1b971ad9b1cb833e695a80c79aea63b174b66a70edfe2fdb8": GOVERNMENT,  # G2, 2018 to 2048
    "bac8bf609ab420a8ee1780d74f4de5c7f7184959d2a7375b0a75e4c29f0908e7": NATIONAL,  # Vietnam National Root CA, 2014 to 2039
}


def sorted_by_domain(store: TrustStore) -> Domains:
    """The self-issued anchors of one store by the hierarchy that they are known to belong to, the rest under ""; every intermediate goes
    with the root that signed it, so that none is believed in two domains.
    """
    anchors, others = ([certificate.of(c) for c in some] for some in (store.anchors, store.intermediates))
    domains = {cert.sha256: KNOWN_ROOTS.get(cert.sha256, "") for cert in anchors}
    roots = [cert for cert in anchors if domains[cert.sha256]]
    for cert in (*anchors, *others):
        if not domains.get(cert.sha256):
            domains[cert.sha256] = next((domains[root.sha256] for root in roots if certificate.issued(cert, root)), "")
    return Domains(
        {
            name: TrustStore(
                tuple(c.parsed for c in anchors if domains[c.sha256] == name),
                tuple(c.parsed for c in others if domains[c.sha256] == name),
                name,
            )
            for name in dict.fromkeys(domains.values())
        }
    )


def _by_table(folder: Path) -> dict[str, TrustStore]:
    try:
        table = tomllib.loads((folder / TABLE).read_text("utf-8"))
        return {name: _from_row(folder, name, row) for name, row in table.items()}
    except (OSError, ValueError, TypeError, AttributeError) as fault:
        raise Halted("trust-invalid", got=f"{TABLE}: {fault}", expected="a table per domain with anchors and intermediates") from fault
    except Refused as fault:
        raise Halted("trust-invalid", got=fault.got, expected=fault.expected) from fault


def _from_row(folder: Path, name: str, row: Mapping[str, list[str]]) -> TrustStore:
    unknown = sorted(set(row) - {"anchors", INTERMEDIATES})
    if unknown:
        raise ValueError(f"{name} has {', '.join(unknown)}")
    anchors, others = (
        tuple(c for file in row.get(key, ()) for c in read_certificates(folder / file)) for key in ("anchors", INTERMEDIATES)
    )
    return TrustStore(anchors, others, name)


def _read(folder: Path) -> tuple[x509.Certificate, ...]:
    found: list[x509.Certificate] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            found.extend(read_certificates(path))
    return tuple(found)


def read_certificates(path: Path) -> list[x509.Certificate]:
    """All certificates of one file, PEM or DER. Raises `Halted` with `trust-invalid`."""
    try:
        raw = path.read_bytes()
        return x509.load_pem_x509_certificates(raw) if b"-----BEGIN" in raw else [x509.load_der_x509_certificate(raw)]
    except (OSError, ValueError, x509.InvalidVersion) as fault:
        raise Halted("trust-invalid", got=f"{path.name}: {fault}", expected="certificates in PEM or DER") from fault
