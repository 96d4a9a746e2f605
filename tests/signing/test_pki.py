"""Paths as RFC 5280 has them, on generated hierarchies: our word, that of two other validators, and where they are known to differ."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from signing.context import Context, PolicyDemand, Purpose, Status
from signing.path import check_path
from signing.trust import TrustStore
from tests.vectors.build_pki import CA, CASES, HONEST, ROOT, SIGNER, Case
from tests.vectors.build_pki_keys import MORE
from tests.vectors.certificates import AT, DAY, YEAR, Extension, Maker, name_of

RESOLVED = {sentence: build() for sentence, build in (CASES | MORE).items()}


def context(case: Case) -> Context:
    return Context(TrustStore(case.anchors), case.at, policies=PolicyDemand(case.policies, case.explicit))


def der(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.DER)


@pytest.mark.parametrize("case", RESOLVED.values(), ids=RESOLVED.keys())
def test_our_word(case: Case) -> None:
    answer = check_path(der(case.signer), tuple(map(der, case.others)), context(case))
    if case.reason:
        assert answer.status is Status.FAILED
        assert answer.reasons[0] == case.reason
    else:
        assert (answer.reasons, answer.status) == ((), Status.OK)
        assert answer.chain is not None
        assert answer.chain.certificates[0].der == der(case.signer)
        assert answer.chain.certificates[-1].parsed in case.anchors
        assert answer.chain.holds(case.at)


@pytest.mark.parametrize("case", RESOLVED.values(), ids=RESOLVED.keys())
def test_openssl_says_the_same(case: Case, tmp_path: Path) -> None:
    """What it refuses we refuse; what we refuse it refuses too, but for what is not its question."""
    files = {"anchors": case.anchors, "others": case.others, "signer": (case.signer,)}
    for name, certificates in files.items():
        (tmp_path / f"{name}.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in certificates))
    command = [
        "openssl",
        "verify",
        "-attime",
        str(int(case.at.timestamp())),
        "-no-CApath",
        "-no-CAfile",
        "-no-CAstore",
        "-trusted",
        "anchors.pem",
    ]
    command += ["-policy_check", *(["-explicit_policy"] if case.explicit else [])]
    command += [flag for policy in case.policies or ("2.5.29.32.0",) for flag in ("-policy", policy)]
    command += ["-untrusted", "others.pem"] if case.others else []
    done = subprocess.run([*command, "signer.pem"], cwd=tmp_path, capture_output=True, text=True, check=False)
    if not {"all", "openssl"} & case.differs:
        assert (done.returncode == 0) == (not case.reason), done.stdout + done.stderr


@pytest.mark.parametrize("case", RESOLVED.values(), ids=RESOLVED.keys())
def test_what_the_second_library_accepts_we_accept(case: Case) -> None:
    """It refuses extensions that it does not process, so only its yes says something."""
    accepts = ExtensionPolicy.permit_all()
    builder = PolicyBuilder().store(Store(list(case.anchors))).time(case.at).max_chain_depth(12)
    verifier = builder.extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=accepts).build_client_verifier()
    try:
        verifier.verify(case.signer, list(case.others))
    except VerificationError:
        return
    except ValueError:
        return
    assert not case.reason or case.differs or case.explicit


def test_there_are_honest_ones_and_defects_enough() -> None:
    reasons = [case.reason for case in RESOLVED.values()]
    assert len(HONEST) + 8 <= reasons.count("")
    assert len(reasons) >= 70


OLD = datetime(2015, 6, 1, tzinfo=UTC)
OF_THEN = {"not_before": OLD - DAY, "not_after": OLD + 3 * YEAR}
LEGACY_ROOT = ROOT.but(key_name="root:rsa2048", hash=hashes.SHA1(), **OF_THEN | {"not_after": OLD + 20 * YEAR}).make()
LEGACY_CA = CA.but(key_name="ca:rsa2048", issuer_key="root:rsa2048", hash=hashes.SHA1(), **OF_THEN).make()
LEGACY = SIGNER.but(key_name="signer:rsa2048", issuer_key="ca:rsa2048", hash=hashes.SHA1(), **OF_THEN).make()


@pytest.mark.parametrize(
    ("times", "reasons"),
    [
        ({"at": AT, "proven_time": OLD}, ()),
        ({"at": AT, "claimed_time": OLD}, ("alg-forbidden", "expired")),
        ({"at": OLD}, ("alg-forbidden",)),
        ({"at": AT, "proven_time": OLD + 2.9 * YEAR}, ("alg-forbidden",)),
        ({"at": AT}, ("alg-forbidden", "expired")),
    ],
    ids=["proven to be old", "claimed to be old", "asked as of then", "proven to be younger than the end of SHA-1", "asked as of now"],
)
def test_a_sha1_hierarchy_holds_for_what_is_proven_to_be_old(times: dict[str, datetime], reasons: tuple[str, ...]) -> None:
    answer = check_path(der(LEGACY), (der(LEGACY_CA),), Context(TrustStore((LEGACY_ROOT,)), **times))  # type: ignore[arg-type]
    assert answer.reasons == reasons


PURPOSES: dict[str, tuple[tuple[ObjectIdentifier, ...], Purpose, bool]] = {
    "a unit that stamps times": ((ExtendedKeyUsageOID.TIME_STAMPING,), Purpose.TIMESTAMP, True),
    "a unit that does other things too": (
        (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.EMAIL_PROTECTION),
        Purpose.TIMESTAMP,
        False,
    ),
    "a signer of documents who stamps times": ((ExtendedKeyUsageOID.EMAIL_PROTECTION,), Purpose.TIMESTAMP, False),
    "anybody who stamps times": ((), Purpose.TIMESTAMP, False),
    "any purpose is not that one": ((ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), Purpose.TIMESTAMP, False),
    "a responder": ((ExtendedKeyUsageOID.OCSP_SIGNING,), Purpose.OCSP, True),
    "anybody who answers": ((), Purpose.OCSP, False),
}


@pytest.mark.parametrize(("oids", "purpose", "good"), PURPOSES.values(), ids=PURPOSES.keys())
def test_what_a_certificate_is_for(oids: tuple[ObjectIdentifier, ...], purpose: Purpose, good: bool) -> None:
    extensions: tuple[Extension, ...] = ((x509.ExtendedKeyUsage(oids), True),) if oids else ()
    cert = SIGNER.but(extensions=extensions, usages=("digital_signature",)).make()
    answer = check_path(der(cert), (der(CA.make()),), Context(TrustStore((ROOT.make(),)), AT), purpose)
    assert answer.reasons == (() if good else ("key-usage",))


def test_an_algorithm_outside_that_is_not_the_one_inside_is_refused() -> None:
    """RFC 5280 §4.1.1.2; nothing signs the outer one."""
    certificate = asn1.Certificate.load(der(LEGACY))
    certificate["signature_algorithm"] = {"algorithm": "sha256_rsa"}
    answer = check_path(certificate.dump(force=True), (der(LEGACY_CA),), Context(TrustStore((LEGACY_ROOT,)), AT, proven_time=OLD))
    assert answer.status is Status.FAILED


def test_a_crowd_of_namesakes_hides_nobody() -> None:
    """More of them than signature checks are allowed; the key identifier says who is asked first."""
    crowd = tuple(CA.but(key_name=f"twin {n % 8}", serial=n + 2).make() for n in range(300))
    answer = check_path(der(SIGNER.make()), tuple(map(der, (CA.make(), *crowd))), Context(TrustStore((ROOT.make(),)), AT))
    assert (answer.reasons, answer.status) == ((), Status.OK)


def test_hostile_crowds_cost_little() -> None:
    """Forty namesakes that all issued each other: paths without end, were they not bounded."""
    names = [name_of(f"X{n % 4}") for n in range(4)]
    crowd = tuple(der(Maker(names[n % 4], f"x{n % 4}", names[(n + 1) % 4], f"x{(n + 1) % 4}", ca=True).make()) for n in range(120))
    signer = SIGNER.but(issuer=names[0], issuer_key="x0").make()
    began = time.perf_counter()
    assert check_path(der(signer), crowd, Context(TrustStore((ROOT.make(),)), AT)).reasons == ("untrusted-chain",)
    assert time.perf_counter() - began < 30
