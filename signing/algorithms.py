"""Which algorithms may carry a signature: one dated table, `algorithms.toml`, with the legal source of each row.

What has no row is refused, so MD5, HMAC, DSA, RSA-1024 and XSLT can never be chosen by a sender. A row with an end is good
only for what a time-stamp proves to be older. The tables that the XML verifier reads are derived from the same rows: those without an end.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from schemas.errors import Refused

DSIG = "http://www.w3.org/2000/09/xmldsig#"
DSIG11 = "http://www.w3.org/2009/xmldsig11#"
DSIG_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N_1_1 = "http://www.w3.org/2006/12/xml-c14n11"
ENVELOPED = DSIG + "enveloped-signature"
TABLE = Path(__file__).with_name("algorithms.toml")

Kind = Literal["hash", "key", "scheme", "identifier"]


class Family(StrEnum):
    """Kind of key."""

    RSA = "RSA"
    ECDSA = "ECDSA"


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the table allows something: `reason` is "" or an error code, `source` the legal text of the row that decided."""

    ok: bool
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Row:
    """One algorithm. `bits` bounds a key, `until` ends the row, `proven` demands a proven time before the end."""

    name: str
    source: str
    bits: tuple[int, int] | None = None
    until: datetime | None = None
    proven: bool = False


class Named(Protocol):
    """An algorithm in the table's words (`finding.Used`)."""

    @property
    def kind(self) -> Kind:
        """Of its row."""

    @property
    def name(self) -> str:
        """Of its row."""


@dataclass(frozen=True, slots=True)
class Identified:
    """What an identifier stands for: `scheme` is "" for a bare digest, `hash` "" where parameters or the scheme itself name it."""

    scheme: str
    hash: str


@dataclass(frozen=True, slots=True, eq=False)
class AlgorithmPolicy:
    """The table as read. `version` is what verdicts and evidence name; no two tables share one."""

    version: str
    rows: Mapping[tuple[str, str], Row]  # by kind and name
    identifiers: Mapping[str, Identified]  # by URI or dotted OID
    sources: Mapping[str, str]

    @classmethod
    def load(cls, path: Path = TABLE) -> AlgorithmPolicy:
        """The table in `path`; one that is not well-formed is a defect of the installation."""
        return cls.parse(path.read_text("utf-8"))

    @classmethod
    def parse(cls, text: str) -> AlgorithmPolicy:
        """The table in `text`, such as one that was kept. Raises ValueError, KeyError or TypeError for one that is not well-formed."""
        table = tomllib.loads(text)
        rows = {(kind, row["name"]): _row(row) for kind in ("hash", "key", "scheme") for row in table[kind]}
        identifiers = {name: Identified(*pair) for part in ("xml", "oid") for name, pair in table[part].items()}
        sources = {name: f"{source['text']} [{source['label']}]" for name, source in table["source"].items()}
        return cls(table["version"], rows, identifiers, sources)

    def allows(self, kind: Kind, name: str, size: int = 0, *, at: datetime, proven: bool = False) -> Answer:
        """Whether `name` may be used. `at` is the time of use; `proven` says that an RFC 3161 time-stamp stands for it.

        `kind` ``hash`` takes hashlib's names with hyphens (``sha3-256``), ``key`` takes ``RSA``, ``Ed25519`` or the curve (with `size` in
        bits), ``scheme`` how a key signs, ``identifier`` a URI or dotted OID, which stands for a scheme and a hash.
        """
        if kind == "identifier":
            return self._allows_identifier(name, at, proven)
        row = self.rows.get((kind, name))
        if row is None:
            weak = kind == "key" and name.startswith(("sec", "brainpool", "prime"))
            return Answer(False, "weak-key" if weak else "alg-forbidden", "")
        source = self.sources[row.source]
        if row.bits and not row.bits[0] <= size <= row.bits[1]:
            return Answer(False, "weak-key", source)
        if (row.until and at >= row.until) or (row.proven and not proven):
            return Answer(False, "alg-forbidden", source)
        return Answer(True, "", source)

    def _allows_identifier(self, name: str, at: datetime, proven: bool) -> Answer:
        found = self.identifiers.get(name)
        if found is None:
            return Answer(False, "alg-forbidden", "")
        parts: tuple[tuple[Kind, str], ...] = (("scheme", found.scheme), ("hash", found.hash))
        answers = [self.allows(kind, part, at=at, proven=proven) for kind, part in parts if part]
        return next((a for a in answers if not a.ok), answers[-1])

    def allows_key(self, key: CertificatePublicKeyTypes, *, at: datetime, proven: bool = False) -> Answer:
        """`allows` for a public key, its parameters included."""
        if isinstance(key, rsa.RSAPublicKey):
            numbers = key.public_numbers()
            fault = rsa_fault(numbers.n, numbers.e)
            if fault:
                return Answer(False, "weak-key", fault)
            return self.allows("key", "RSA", key.key_size, at=at, proven=proven)
        if isinstance(key, ec.EllipticCurvePublicKey):
            return self.allows("key", key.curve.name, key.curve.key_size, at=at, proven=proven)
        if isinstance(key, ed25519.Ed25519PublicKey):
            return self.allows("key", "Ed25519", 256, at=at, proven=proven)
        return Answer(False, "alg-forbidden", "")

    def hashes(self, *, at: datetime | None = None, proven: bool = False) -> frozenset[str]:
        """Names of the hashes allowed at `at`; without it, those whose row has no end."""
        names = (name for kind, name in self.rows if kind == "hash")
        if at is None:
            return frozenset(name for name in names if self.rows["hash", name].until is None)
        return frozenset(name for name in names if self.allows("hash", name, at=at, proven=proven).ok)


def _row(row: Mapping[str, Any]) -> Row:
    bits = row.get("bits")
    return Row(row["name"], row["source"], (bits[0], bits[1]) if bits else None, row.get("until"), row.get("proven", False))


def rsa_fault(modulus: int, exponent: int) -> str:
    """What is wrong with an RSA key besides its size, "" where nothing is: NIST FIPS 186-5 §A.1.1, 2^16 < e < 2^256, both odd."""
    if not 2**16 < exponent < 2**256 or exponent % 2 == 0:
        return "NIST FIPS 186-5 §A.1.1: an odd exponent from 65537, below 2^256 [N]"
    return "" if modulus % 2 else "an odd modulus"


CURRENT = AlgorithmPolicy.load()
VERSION = CURRENT.version  # verdicts name it


# --- what the XML verifier reads -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """One row: what the identifier stands for."""

    uri: str
    family: Family
    hash: hashes.HashAlgorithm


@dataclass(frozen=True, slots=True)
class Canonicalization:
    """One row: which canonical form."""

    uri: str
    exclusive: bool
    with_comments: bool
    version_1_1: bool = False


_SHA2: Mapping[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_FAMILIES = {"rsa-pkcs1": Family.RSA, "ecdsa": Family.ECDSA}  # an ECDSA value is r‖s there (XML Signature 1.1 §6.4.3)
_XML = {name: found for name, found in CURRENT.identifiers.items() if name.startswith("http") and found.hash in _SHA2}
SIGNATURES = {
    uri: SignatureAlgorithm(uri, _FAMILIES[found.scheme], _SHA2[found.hash]) for uri, found in _XML.items() if found.scheme in _FAMILIES
}
_LASTING_HASHES = CURRENT.hashes()
DIGESTS: dict[str, str] = {  # identifier → name for hashlib
    uri: one.hash for uri, one in CURRENT.identifiers.items() if uri.startswith("http") and not one.scheme and one.hash in _LASTING_HASHES
}
_LASTING = {key for key, row in CURRENT.rows.items() if row.until is None}


def lasting(used: Iterable[Named]) -> bool:
    """Whether all of these have a row without an end: what may be believed while nothing is known of the time."""
    return all((one.kind, one.name) in _LASTING for one in used)


DEFAULT_CANONICALIZATION = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"  # what a Reference without one means, §4.4.3.2
CANONICALIZATIONS = {
    uri: Canonicalization(uri, exclusive, comments, newer)
    for uri, exclusive, comments, newer in (
        (DEFAULT_CANONICALIZATION, False, False, False),
        (DEFAULT_CANONICALIZATION + "#WithComments", False, True, False),
        (C14N_1_1, False, False, True),
        (C14N_1_1 + "#WithComments", False, True, True),
        (EXC_C14N, True, False, False),
        (EXC_C14N + "WithComments", True, True, False),
    )
}

CURVES: dict[str, tuple[str, int, ec.EllipticCurve]] = {  # name → (identifier of dsig11:NamedCurve, octets of r and of s, curve)
    "secp256r1": ("urn:oid:1.2.840.10045.3.1.7", 32, ec.SECP256R1()),
    "secp384r1": ("urn:oid:1.3.132.0.34", 48, ec.SECP384R1()),
    "secp521r1": ("urn:oid:1.3.132.0.35", 66, ec.SECP521R1()),
}
CERTIFICATE_HASHES = CURRENT.hashes()  # on certificates, as long as nothing is known of the time
_LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def check_key(key: CertificatePublicKeyTypes, whose: str) -> None:
    """Whether a key is strong enough to be believed. Raises `Refused` with `weak-key` or `alg-forbidden`."""
    answer = CURRENT.allows_key(key, at=_LONG_AGO, proven=True)  # no key row has an end
    if answer.ok:
        return
    if isinstance(key, rsa.RSAPublicKey):
        raise Refused(answer.reason, got=f"RSA {key.key_size}, exponent {key.public_numbers().e} ({whose})", expected=answer.source)
    if isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused(answer.reason, got=f"{key.curve.name} ({whose})", expected=", ".join(CURVES))
    raise Refused(answer.reason, got=f"{type(key).__name__} ({whose})", expected="RSA or ECDSA")
