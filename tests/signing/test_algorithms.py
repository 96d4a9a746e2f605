"""The dated table: what is allowed, what never, what only for what is proven to be old; and that the XML tables say the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from signing.algorithms import (
    CERTIFICATE_HASHES,
    CURRENT,
    CURVES,
    DIGESTS,
    DSIG,
    DSIG_MORE,
    SIGNATURES,
    TABLE,
    VERSION,
    AlgorithmPolicy,
    Kind,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
END = datetime(2018, 2, 4, 17, tzinfo=UTC)  # midnight of 5 February in Hà Nội

ALWAYS: list[tuple[Kind, str, int]] = [
    *(("hash", name, 0) for name in ("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512")),
    *(("key", "RSA", bits) for bits in (2048, 3072, 4096, 8192)),
    *(("key", name, bits) for name, bits in (("secp256r1", 256), ("secp384r1", 384), ("secp521r1", 521), ("Ed25519", 256))),
    *(("scheme", name, 0) for name in ("rsa-pkcs1", "rsa-pss", "ecdsa", "ed25519")),
    *(("identifier", uri, 0) for uri in (*SIGNATURES, *DIGESTS)),
    ("identifier", "1.2.840.113549.1.1.11", 0),
    ("identifier", "1.2.840.10045.4.3.2", 0),
    ("identifier", "1.3.101.112", 0),
]
NEVER: list[tuple[Kind, str, int, str]] = [
    ("hash", "md5", 0, "alg-forbidden"),
    ("hash", "md2", 0, "alg-forbidden"),
    ("key", "RSA", 1024, "weak-key"),
    ("key", "RSA", 2047, "weak-key"),
    ("key", "RSA", 16384, "weak-key"),
    ("key", "DSA", 2048, "alg-forbidden"),
    ("key", "secp192r1", 192, "weak-key"),
    ("key", "brainpoolP256r1", 256, "weak-key"),
    ("scheme", "hmac", 0, "alg-forbidden"),
    ("scheme", "dsa", 0, "alg-forbidden"),
    ("identifier", DSIG + "hmac-sha1", 0, "alg-forbidden"),
    ("identifier", DSIG + "dsa-sha1", 0, "alg-forbidden"),
    ("identifier", DSIG_MORE + "rsa-md5", 0, "alg-forbidden"),
    ("identifier", DSIG_MORE + "hmac-sha256", 0, "alg-forbidden"),
    ("identifier", "1.2.840.113549.1.1.4", 0, "alg-forbidden"),  # md5WithRSAEncryption
    ("identifier", "", 0, "alg-forbidden"),
]
DATED: list[tuple[Kind, str]] = [
    ("hash", "sha1"),
    ("identifier", DSIG + "rsa-sha1"),
    ("identifier", DSIG + "sha1"),
    ("identifier", "1.2.840.113549.1.1.5"),
    ("identifier", "1.3.14.3.2.26"),
]


@pytest.mark.parametrize(("kind", "name", "size"), ALWAYS)
def test_allowed_without_end(kind: Kind, name: str, size: int) -> None:
    answer = CURRENT.allows(kind, name, size, at=NOW)
    assert (answer.ok, answer.reason) == (True, "")
    assert answer.source


@pytest.mark.parametrize(("kind", "name", "size", "reason"), NEVER)
@pytest.mark.parametrize("at", [NOW, datetime(2010, 1, 1, tzinfo=UTC)], ids=["now", "long ago"])
def test_never_allowed_however_well_proven(kind: Kind, name: str, size: int, reason: str, at: datetime) -> None:
    assert CURRENT.allows(kind, name, size, at=at, proven=True).reason == reason


@pytest.mark.parametrize(("kind", "name"), DATED)
def test_sha1_only_for_what_is_proven_to_be_old(kind: Kind, name: str) -> None:
    before = END - timedelta(seconds=1)
    assert CURRENT.allows(kind, name, at=before, proven=True).ok
    assert CURRENT.allows(kind, name, at=before, proven=False).reason == "alg-forbidden"
    assert CURRENT.allows(kind, name, at=END, proven=True).reason == "alg-forbidden"
    assert CURRENT.allows(kind, name, at=NOW, proven=True).reason == "alg-forbidden"


def test_a_key_is_asked_about_with_its_parameters() -> None:
    assert CURRENT.allows_key(rsa.generate_private_key(65537, 2048).public_key(), at=NOW).ok
    assert CURRENT.allows_key(rsa.generate_private_key(65537, 1024).public_key(), at=NOW).reason == "weak-key"
    assert CURRENT.allows_key(rsa.generate_private_key(3, 2048).public_key(), at=NOW).reason == "weak-key"
    assert CURRENT.allows_key(dsa.generate_private_key(2048).public_key(), at=NOW).reason == "alg-forbidden"


def test_every_row_names_a_source_and_every_source_a_label() -> None:
    assert all(row.source in CURRENT.sources for row in CURRENT.rows.values())
    assert all(text.endswith(("[L]", "[S]", "[N]", "[G]")) for text in CURRENT.sources.values())


def test_the_xml_tables_are_rows_of_it_without_an_end() -> None:
    assert all(CURRENT.allows("identifier", uri, at=NOW).ok for uri in (*SIGNATURES, *DIGESTS))
    assert all(CURRENT.identifiers[uri].hash == row.hash.name for uri, row in SIGNATURES.items())
    assert all(CURRENT.identifiers[uri].hash == name for uri, name in DIGESTS.items())
    assert all(CURRENT.allows("key", name, curve.key_size, at=NOW).ok for name, (_, _, curve) in CURVES.items())
    assert "sha1" not in CERTIFICATE_HASHES
    assert CURRENT.hashes(at=NOW, proven=True) == CERTIFICATE_HASHES
    assert CURRENT.hashes(at=END - timedelta(days=1), proven=True) == CERTIFICATE_HASHES | {"sha1"}


def test_the_version_is_that_of_the_file() -> None:
    assert AlgorithmPolicy.load(TABLE).version == VERSION == CURRENT.version
