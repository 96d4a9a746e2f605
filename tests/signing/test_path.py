"""Paths from a signer to an anchor: one named hierarchy each, judged by the walk and by the library's validator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from hub.demo.pki import certificate
from schemas.errors import Refused
from signing import certificate as certificates
from signing import path
from signing.certificate import Certificate
from signing.trust import TrustStore
from tests.signing.material import AT

KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(5)]
ROOT_KEY, CA_KEY, SUB_KEY, KEY, OTHER_KEY = KEYS
ROOT = certificate("Root", ROOT_KEY, AT, years=10, authority=True)
CA = certificate("CA", CA_KEY, AT, issuer=ROOT, issuer_key=ROOT_KEY, years=10, authority=True, path_length=0)
WIDE_CA = certificate("CA", CA_KEY, AT, issuer=ROOT, issuer_key=ROOT_KEY, years=10, authority=True)
STORE = TrustStore(anchors=(ROOT,), intermediates=(CA,))

POLICIES = x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier("2.16.704.1.1.1.1.1"), None)])
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
VIETNAM, LAOS = (
    x509.NameConstraints([x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, country)]))], None)
    for country in ("VN", "LA")
)


def issued(**how: object) -> x509.Certificate:
    """A signer's certificate by the CA."""
    return certificate("Signer", KEY, AT, issuer=CA, issuer_key=CA_KEY, **how)  # type: ignore[arg-type]


def purposes(*oids: ObjectIdentifier, critical: bool = False) -> x509.Certificate:
    return issued(extensions=[(x509.ExtendedKeyUsage(oids), critical)])


def reasons(signer: x509.Certificate, *others: x509.Certificate, store: TrustStore = STORE) -> tuple[str, ...]:
    """Why no path is good; empty when one is."""
    found = path.find(certificates.of(signer), tuple(certificates.of(o) for o in others), store)
    assert bool(found.chains) != bool(found.faults)
    return tuple(v.code for v in found.faults)


# As real signers have them: https and names are for servers, not for documents
GOOD: dict[str, Callable[[], x509.Certificate]] = {
    "nonRepudiation alone": issued,
    "digitalSignature alone": lambda: issued(usages=("digital_signature",)),
    "an e-mail purpose": lambda: purposes(ExtendedKeyUsageOID.EMAIL_PROTECTION),
    "a critical e-mail purpose": lambda: purposes(ExtendedKeyUsageOID.EMAIL_PROTECTION, critical=True),
    "a document purpose nobody registered": lambda: purposes(ObjectIdentifier("1.3.6.1.4.1.311.10.3.12")),
    "a server's purpose among others": lambda: purposes(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    "a policy": lambda: issued(extensions=[(POLICIES, False)]),
    "a critical policy": lambda: issued(extensions=[(POLICIES, True)]),
    "an unknown extension": lambda: issued(extensions=[(UNKNOWN, False)]),
    "an alternative name": lambda: issued(extensions=[(x509.SubjectAlternativeName([x509.RFC822Name("a@b.vn")]), False)]),
}


@pytest.mark.parametrize("signer", GOOD.values(), ids=GOOD.keys())
def test_a_signer_as_they_are_issued_has_a_path(signer: Callable[[], x509.Certificate]) -> None:
    assert reasons(signer()) == ()


BAD_SIGNERS: dict[str, tuple[Callable[[], x509.Certificate], str]] = {
    "a CA": (lambda: CA, "key-usage"),
    "the anchor itself": (lambda: ROOT, "key-usage"),
    "keyEncipherment alone": (lambda: issued(usages=("key_encipherment",)), "key-usage"),
    "a web server": (lambda: purposes(ExtendedKeyUsageOID.SERVER_AUTH), "key-usage"),
    "a time-stamping unit": (lambda: purposes(ExtendedKeyUsageOID.TIME_STAMPING, critical=True), "key-usage"),
    "an OCSP responder": (lambda: purposes(ExtendedKeyUsageOID.OCSP_SIGNING), "key-usage"),
    "an unknown critical extension": (lambda: issued(extensions=[(UNKNOWN, True)]), "path-constraint"),
    "self-signed": (lambda: certificate("Signer", KEY, AT), "self-signed"),
    "issued by a stranger": (lambda: certificate("Signer", KEY, AT, issuer=WIDE_CA, issuer_key=OTHER_KEY), "untrusted-chain"),
}


@pytest.mark.parametrize(("signer", "reason"), BAD_SIGNERS.values(), ids=BAD_SIGNERS.keys())
def test_a_signer_who_should_not_count_has_none(signer: Callable[[], x509.Certificate], reason: str) -> None:
    assert reasons(signer())[0] == reason


def below(ca: x509.Certificate, key: ec.EllipticCurvePrivateKey = CA_KEY) -> tuple[x509.Certificate, x509.Certificate]:
    """A signer under `ca`, and `ca`."""
    return certificate("Signer", KEY, AT, issuer=ca, issuer_key=key), ca


def authority(**how: object) -> x509.Certificate:
    return certificate("CA", CA_KEY, AT, issuer=ROOT, issuer_key=ROOT_KEY, authority=True, **how)  # type: ignore[arg-type]


BAD_AUTHORITIES: dict[str, tuple[Callable[[], x509.Certificate], str]] = {
    "not a CA": (
        lambda: certificate("CA", CA_KEY, AT, issuer=ROOT, issuer_key=ROOT_KEY, usages=("key_cert_sign",)),
        "path-constraint",
    ),
    "without keyCertSign": (lambda: authority(usages=("crl_sign",)), "key-usage"),
    "an unknown critical extension": (lambda: authority(extensions=[(UNKNOWN, True)]), "path-constraint"),
    "for names of another country": (lambda: authority(extensions=[(LAOS, True)]), "path-constraint"),
}


@pytest.mark.parametrize(("ca", "reason"), BAD_AUTHORITIES.values(), ids=BAD_AUTHORITIES.keys())
def test_a_path_over_a_ca_that_may_not_issue_is_refused(ca: Callable[[], x509.Certificate], reason: str) -> None:
    signer, issuer = below(ca())
    assert reasons(signer, issuer, store=TrustStore(anchors=(ROOT,)))[0] == reason


def test_a_ca_with_a_critical_policy_may_issue() -> None:
    signer, issuer = below(authority(extensions=[(POLICIES, True)]))
    assert reasons(signer, issuer, store=TrustStore(anchors=(ROOT,))) == ()


def test_a_ca_for_the_names_of_this_country_may_issue() -> None:
    signer, issuer = below(authority(extensions=[(VIETNAM, True)]))
    assert reasons(signer, issuer, store=TrustStore(anchors=(ROOT,))) == ()


def test_path_length_counts_the_cas_below() -> None:
    sub = certificate("Sub", SUB_KEY, AT, issuer=CA, issuer_key=CA_KEY, authority=True)
    signer = certificate("Signer", KEY, AT, issuer=sub, issuer_key=SUB_KEY)
    assert reasons(signer, sub)[0] == "path-constraint"
    assert reasons(signer, sub, store=TrustStore(anchors=(ROOT,), intermediates=(WIDE_CA,))) == ()


def test_the_best_of_several_paths_decides() -> None:
    signer = certificate("Signer", KEY, AT, issuer=CA, issuer_key=CA_KEY)
    narrow = authority(usages=("crl_sign",))
    assert reasons(signer, narrow, CA, store=TrustStore(anchors=(ROOT,))) == ()


def test_a_signer_may_himself_be_an_anchor() -> None:
    alone = certificate("Small office", KEY, AT)
    assert reasons(alone, store=TrustStore(anchors=(alone,))) == ()


def test_an_intermediate_may_be_an_anchor() -> None:
    assert reasons(issued(), store=TrustStore(anchors=(CA,))) == ()


def test_anchors_are_believed_for_where_they_stand_not_for_their_own_signature() -> None:
    key = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateBuilder().subject_name(ROOT.subject).issuer_name(ROOT.subject).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(AT - timedelta(days=1)).not_valid_after(AT + timedelta(days=9))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    anchor = builder.sign(ROOT_KEY, hashes.SHA256())  # by another key than its own
    signer = certificate("Signer", KEY, AT, issuer=anchor, issuer_key=key)
    assert reasons(signer, store=TrustStore(anchors=(anchor,))) == ()


def test_weak_keys_in_a_path_are_refused() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    anchor = certificate("Weak root", weak, AT, authority=True)
    signer = certificate("Signer", KEY, AT, issuer=anchor, issuer_key=weak)
    assert reasons(signer, store=TrustStore(anchors=(anchor,)))[0] == "weak-key"


KINDS: dict[str, tuple[Callable[[], Certificate], tuple[str, ...]]] = {
    "RSA 2048": (lambda: _with_key(rsa.generate_private_key(65537, 2048)), ()),
    "RSA 1024": (lambda: _with_key(rsa.generate_private_key(65537, 1024)), ("weak-key",)),
    "P-256": (lambda: _with_key(KEY), ()),
    "P-384": (lambda: _with_key(ec.generate_private_key(ec.SECP384R1())), ()),
    "P-521": (lambda: _with_key(ec.generate_private_key(ec.SECP521R1())), ()),
    "a Brainpool curve": (lambda: _with_key(ec.generate_private_key(ec.BrainpoolP256R1())), ("weak-key",)),
    "P-192": (lambda: _with_key(ec.generate_private_key(ec.SECP192R1())), ("weak-key",)),
    "DSA": (lambda: _with_key(dsa.generate_private_key(2048)), ("alg-forbidden",)),
    "Ed25519, in a CA": (lambda: _with_key(ed25519.Ed25519PrivateKey.generate()), ()),
}


def _with_key(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey | ed25519.Ed25519PrivateKey) -> Certificate:
    builder = x509.CertificateBuilder().subject_name(CA.subject).issuer_name(CA.subject).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(AT).not_valid_after(AT + timedelta(days=9))
    return certificates.of(builder.sign(CA_KEY, hashes.SHA256()))


@pytest.mark.parametrize(("cert", "reason"), KINDS.values(), ids=KINDS.keys())
def test_keys_are_strong_enough_or_named(cert: Callable[[], Certificate], reason: tuple[str, ...]) -> None:
    assert tuple(v.code for v in path.weakness(cert())) == reason


def test_a_path_whose_certificates_were_never_valid_together_holds_at_no_time() -> None:
    """What is wrong with it depends on the time that is asked for; what else is wrong can be said all the same."""
    late = AT + timedelta(days=365 * 20)
    (chain,) = path.find(certificates.of(certificate("Signer", KEY, late, issuer=CA, issuer_key=CA_KEY)), (), STORE).chains
    assert not any(chain.holds(AT + timedelta(days=365 * years)) for years in range(40))
    assert [fault.code for fault in path.period_faults(chain.certificates, AT)] == ["not-yet-valid"]
    assert [fault.code for fault in path.period_faults(chain.certificates, late)] == ["expired"] * 2
    outside = certificate("Signer", KEY, late, issuer=authority(extensions=[(LAOS, True)]), issuer_key=CA_KEY)
    assert reasons(outside, authority(extensions=[(LAOS, True)]), store=TrustStore(anchors=(ROOT,))) == ("path-constraint",)


def test_hostile_bundles_cost_little() -> None:
    """Every CA issued every other: paths without end, were they not bounded."""
    crowd = [certificate(f"X{n % 4}", KEYS[n % 4], AT, issuer=_named(f"X{(n + 1) % 4}"), issuer_key=KEYS[(n + 1) % 4]) for n in range(40)]
    assert reasons(certificate("Signer", KEY, AT, issuer=_named("X0"), issuer_key=KEYS[0]), *crowd) == ("untrusted-chain",)


def _named(name: str) -> x509.Certificate:
    return certificate(name, KEY, AT, authority=True)


@pytest.mark.parametrize(
    "raw", [b"", b"\x30\x03\x02\x01\x01", b"\x00" * 100, b"\x30" * 20_000], ids=["empty", "other DER", "zeros", "huge"]
)
def test_bytes_that_are_no_certificate_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        certificates.load(raw)
    assert caught.value.code == "malformed-signature"


@pytest.mark.filterwarnings("ignore")  # the parser warns of what it takes nevertheless
def test_any_byte_of_a_certificate_may_be_wrong() -> None:
    """Parsing is all that may happen: a broken certificate is refused, or has no path, or says the same."""
    der = issued().public_bytes(Encoding.DER)
    for place in range(0, len(der), 3):
        broken = der[:place] + bytes([der[place] ^ 0x15]) + der[place + 1 :]
        try:
            cert = certificates.load(broken)
        except Refused:
            continue
        assert path.find(cert, (), STORE).chains == ()
