"""Hierarchies of certificates with one defect each, and honest ones that look odd: RFC 5280 cases as PKITS has them, made by us.

Every function builds one `Case`: a signer, what is sent along, the anchors, and the one word that a validator owes, with its reason.
Times stand around `AT`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests.vectors.certificates import AT, DAY, YEAR, Extension, Maker, name_of

POLICY, OTHER_POLICY, MAPPED = (ObjectIdentifier(f"2.16.704.1.1.1.1.{n}") for n in (1, 2, 3))
ANY_POLICY = ObjectIdentifier("2.5.29.32.0")
OPENSSL = frozenset({"openssl"})
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@dataclass(frozen=True)
class Case:
    """`reason` is "" where an honest validator accepts. `differs` names tools known to say otherwise, or that are not asked: "all"."""

    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]
    anchors: tuple[x509.Certificate, ...]
    reason: str = ""
    at: datetime = AT
    differs: frozenset[str] = frozenset()
    explicit: bool = False  # an accepted policy is demanded along the path
    policies: frozenset[str] = frozenset()


ROOT_NAME, CA_NAME, SUB_NAME, SIGNER_NAME = (name_of(text) for text in ("Root", "CA", "Sub CA", "Nguyễn Văn A"))
ROOT = Maker(ROOT_NAME, "root", ca=True, not_after=AT + 20 * YEAR)
CA = Maker(CA_NAME, "ca", ROOT_NAME, "root", ca=True, not_after=AT + 10 * YEAR)
SUB = Maker(SUB_NAME, "sub", CA_NAME, "ca", ca=True, not_after=AT + 5 * YEAR)
SIGNER = Maker(SIGNER_NAME, "signer", CA_NAME, "ca")
BELOW_SUB = SIGNER.but(issuer=SUB_NAME, issuer_key="sub")

CASES: dict[str, Callable[[], Case]] = {}


def case(sentence: str) -> Callable[[Callable[[], Case]], Callable[[], Case]]:
    """Enters the function under `sentence`."""

    def enter(build: Callable[[], Case]) -> Callable[[], Case]:
        CASES[sentence] = build
        return build

    return enter


def chain(reason: str, *makers: Maker, **how: object) -> Case:
    """The first is the signer, the last the anchor."""
    signer, *others, root = [maker.make() for maker in makers]
    return Case(signer, tuple(others), (root,), reason, **how)  # type: ignore[arg-type]


def policies(*oids: ObjectIdentifier, critical: bool = False) -> Extension:
    """certificatePolicies."""
    return x509.CertificatePolicies([x509.PolicyInformation(oid, None) for oid in oids]), critical


def within(*names: x509.GeneralName, without: Sequence[x509.GeneralName] | None = None) -> Extension:
    """nameConstraints."""
    return x509.NameConstraints(list(names) or None, list(without) if without else None), True


def directory(**how: object) -> x509.DirectoryName:
    """C=`country`."""
    return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, str(how["country"]))]))


# --- honest ones ---------------------------------------------------------------------------------------------------------------


HONEST: dict[str, Callable[[], Case]] = {
    "an ordinary path": lambda: chain("", SIGNER, CA, ROOT),
    "nonRepudiation alone": lambda: chain("", SIGNER.but(usages=("content_commitment",)), CA, ROOT),
    "digitalSignature alone": lambda: chain("", SIGNER.but(usages=("digital_signature",)), CA, ROOT),
    "a signer without keyUsage": lambda: chain("", SIGNER.but(usages=()), CA, ROOT),
    "a signer marked as no CA": lambda: chain("", SIGNER.but(ca=False), CA, ROOT),
    "a CA without keyUsage": lambda: chain("", SIGNER, CA.but(usages=()), ROOT),
    "certificates without key identifiers": lambda: chain("", SIGNER.but(identifiers=False), CA.but(identifiers=False), ROOT),
    "directory names inside the constraint": lambda: chain("", SIGNER, CA.but(extensions=(within(directory(country="VN")),)), ROOT),
    "directory names outside the excluded ones": lambda: chain(
        "", SIGNER, CA.but(extensions=(within(without=[directory(country="LA")]),)), ROOT
    ),
    "an e-mail name inside the constraint": lambda: chain(
        "",
        SIGNER.but(extensions=((x509.SubjectAlternativeName([x509.RFC822Name("a@so.gov.vn")]), False),)),
        CA.but(extensions=(within(x509.RFC822Name("so.gov.vn")),)),
        ROOT,
    ),
    "a policy all along": lambda: chain(
        "", SIGNER.but(extensions=(policies(POLICY),)), CA.but(extensions=(policies(POLICY),)), ROOT, explicit=True
    ),
    "any policy above": lambda: chain(
        "", SIGNER.but(extensions=(policies(POLICY),)), CA.but(extensions=(policies(ANY_POLICY),)), ROOT, explicit=True
    ),
    "a critical policy that nobody asked for": lambda: chain("", SIGNER.but(extensions=(policies(POLICY, critical=True),)), CA, ROOT),
    "a mapped policy": lambda: chain(
        "",
        SIGNER.but(extensions=(policies(MAPPED),)),
        CA.but(extensions=(policies(POLICY), (x509.PolicyConstraints(0, None), True), _mapping(POLICY, MAPPED))),
        ROOT,
    ),
    "path length just enough": lambda: chain("", BELOW_SUB, SUB, CA.but(path_length=1), ROOT),
    "P-384 and P-521 above RSA": lambda: chain(
        "",
        Maker(SIGNER_NAME, "signer:rsa2048", CA_NAME, "ca:p384"),
        CA.but(key_name="ca:p384", issuer_key="root:p521", hash=hashes.SHA512()),
        ROOT.but(key_name="root:p521", hash=hashes.SHA512()),
    ),
    "RSA-PSS": lambda: chain(
        "", SIGNER.but(issuer_key="ca:rsa2048", pss=True), CA.but(key_name="ca:rsa2048", issuer_key="root:rsa3072", pss=True), _rsa_root()
    ),
    "Ed25519 above": lambda: chain("", SIGNER.but(issuer_key="ca:ed25519"), CA.but(key_name="ca:ed25519"), ROOT),
    "SHA-3": lambda: chain("", SIGNER.but(hash=hashes.SHA3_256()), CA.but(hash=hashes.SHA3_512()), ROOT, differs=OPENSSL),
    "an anchor signed with SHA-1": lambda: chain("", SIGNER, CA.but(issuer_key="root:rsa2048"), _sha1_root()),
    "a critical e-mail purpose": lambda: chain(
        "", SIGNER.but(extensions=(_purpose(ExtendedKeyUsageOID.EMAIL_PROTECTION, critical=True),)), CA, ROOT
    ),
    "a policy's notice in letters that its type has not": lambda: chain(
        "", SIGNER.but(extensions=(_notice("gælder".encode("latin-1")),)), CA, ROOT
    ),
    "an unknown extension that is not critical": lambda: chain("", SIGNER.but(extensions=((UNKNOWN, False),)), CA, ROOT),
    "the first second of its period": lambda: chain("", SIGNER.but(not_before=AT), CA, ROOT),
    "the last second of its period": lambda: chain("", SIGNER.but(not_after=AT), CA, ROOT, differs=OPENSSL),
    "a period that ends after 2050": lambda: chain("", SIGNER.but(not_after=AT + 40 * YEAR), CA.but(not_after=AT + 45 * YEAR), ROOT),
}


def _mapping(above: ObjectIdentifier, below: ObjectIdentifier) -> Extension:
    """policyMappings; `cryptography` has no type for it: SEQUENCE OF SEQUENCE { issuerDomainPolicy, subjectDomainPolicy }."""
    der = asn1.PolicyMappings([{"issuer_domain_policy": above.dotted_string, "subject_domain_policy": below.dotted_string}]).dump()
    return x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.33"), der), True


def _notice(letters: bytes) -> Extension:
    """One policy with a UserNotice whose explicitText is a VisibleString of these bytes."""
    notice = _sequence(bytes((0x1A, len(letters))) + letters)
    qualifier = _sequence(bytes.fromhex("06082b06010505070202") + notice)
    octets = _sequence(_sequence(bytes.fromhex("06032a0304") + _sequence(qualifier)))
    return x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.32"), octets), False


def _sequence(octets: bytes) -> bytes:
    return bytes((0x30, len(octets))) + octets


def _purpose(*oids: ObjectIdentifier, critical: bool = False) -> Extension:
    return x509.ExtendedKeyUsage(oids), critical


def _rsa_root() -> Maker:
    return ROOT.but(key_name="root:rsa3072", pss=True)


def _sha1_root() -> Maker:
    return ROOT.but(key_name="root:rsa2048", hash=hashes.SHA1())


@case("a name in PrintableString below the same in UTF8String")
def _printable() -> Case:
    utf8, printable = name_of("CA", _type=_ASN1Type.UTF8String), name_of("CA", _type=_ASN1Type.PrintableString)
    return chain("", SIGNER.but(issuer=printable), CA.but(subject=utf8), ROOT, differs=frozenset({"cryptography"}))


@case("a name in other letters and spaces")
def _letters() -> Case:
    return chain("", SIGNER.but(issuer=name_of("  ca  SO  1 ")), CA.but(subject=name_of("CA số 1".replace("ố", "o"))), ROOT)


@case("a decomposed name below the same composed")
def _decomposed() -> Case:
    text = "CA phục vụ các cơ quan Nhà nước"
    names = (name_of(unicodedata.normalize(form, text)) for form in ("NFD", "NFC"))
    below, above = names
    return chain("", SIGNER.but(issuer=below), CA.but(subject=above), ROOT, differs=OPENSSL)


@case("a cross certificate leads to the configured root")
def _cross() -> Case:
    old = ROOT.make()
    new_name = name_of("New root")
    new = Maker(new_name, "new root", ca=True).make()
    cross = Maker(new_name, "new root", ROOT_NAME, "root", ca=True).make()
    ca = CA.but(issuer=new_name, issuer_key="new root").make()
    return Case(SIGNER.make(), (ca, new, cross), (old,), differs=OPENSSL)


@case("key rollover, new with old")
def _rollover() -> Case:
    new_with_old = Maker(CA_NAME, "ca new", CA_NAME, "ca", ca=True).make()
    return Case(SIGNER.but(issuer_key="ca new").make(), (CA.make(), new_with_old), (ROOT.make(),))


@case("a self-issued CA certificate does not count in the path length")
def _self_issued() -> Case:
    new_with_old = Maker(CA_NAME, "ca new", CA_NAME, "ca", ca=True).make()
    return Case(SIGNER.but(issuer_key="ca new").make(), (CA.but(path_length=0).make(), new_with_old), (ROOT.make(),))


@case("two CAs of one name, both trusted, one of them issued it")
def _namesakes() -> Case:
    others = (CA.but(key_name="ca twin").make(), CA.make())
    return Case(SIGNER.make(), others, (ROOT.make(),))


@case("crowds of namesakes around the one that issued it")
def _crowd() -> Case:
    crowd = tuple(CA.but(key_name=f"ca twin {n}").make() for n in range(40))
    return Case(SIGNER.make(), (*crowd[:20], CA.make(), *crowd[20:]), (ROOT.make(),))


# --- with one defect ------------------------------------------------------------------------------------------------------------


DEFECTS: dict[str, Callable[[], Case]] = {
    "no anchor": lambda: replace(chain("untrusted-chain", SIGNER, CA, ROOT), anchors=(ROOT.but(key_name="stranger").make(),)),
    "issued by a key that only has the CA's name": lambda: chain("untrusted-chain", SIGNER.but(issuer_key="thief"), CA, ROOT),
    "an intermediate is missing": lambda: chain("untrusted-chain", SIGNER, ROOT),
    "self-signed": lambda: chain("self-signed", SIGNER.but(issuer=SIGNER_NAME, issuer_key="signer"), CA, ROOT),
    "a CA without basicConstraints": lambda: chain("path-constraint", SIGNER, CA.but(ca=None, usages=("key_cert_sign",)), ROOT),
    "a CA marked as none": lambda: chain("path-constraint", SIGNER, CA.but(ca=False, usages=("key_cert_sign",)), ROOT),
    "a signer who issued another": lambda: chain(
        "path-constraint",
        SIGNER.but(subject=name_of("B"), key_name="b", issuer=SIGNER_NAME, issuer_key="signer"),
        SIGNER.but(ca=False, usages=("digital_signature",)),
        CA,
        ROOT,
    ),
    "a CA without keyCertSign": lambda: chain("key-usage", SIGNER, CA.but(usages=("crl_sign",)), ROOT),
    "path length too small": lambda: chain("path-constraint", BELOW_SUB, SUB, CA.but(path_length=0), ROOT),
    "the anchor's path length too small": lambda: chain("path-constraint", BELOW_SUB, SUB, CA, ROOT.but(path_length=0)),
    "a critical extension nobody knows": lambda: chain("path-constraint", SIGNER.but(extensions=((UNKNOWN, True),)), CA, ROOT),
    "a CA's critical extension nobody knows": lambda: chain("path-constraint", SIGNER, CA.but(extensions=((UNKNOWN, True),)), ROOT),
    "a directory name outside the constraint": lambda: chain(
        "path-constraint", SIGNER, CA.but(extensions=(within(directory(country="LA")),)), ROOT
    ),
    "a directory name among the excluded": lambda: chain(
        "path-constraint", SIGNER, CA.but(extensions=(within(without=[directory(country="VN")]),)), ROOT
    ),
    "a constraint two steps above": lambda: chain(
        "path-constraint", BELOW_SUB, SUB.but(subject=SUB_NAME), CA.but(extensions=(within(directory(country="LA")),)), ROOT
    ),
    "an e-mail name outside the constraint": lambda: chain(
        "path-constraint",
        SIGNER.but(extensions=((x509.SubjectAlternativeName([x509.RFC822Name("a@example.com")]), False),)),
        CA.but(extensions=(within(x509.RFC822Name("so.gov.vn")),)),
        ROOT,
    ),
    "an anchor's constraint": lambda: chain(
        "path-constraint", SIGNER, CA, ROOT.but(extensions=(within(directory(country="LA")),)), differs=OPENSSL
    ),
    "no policy where the CA demands one": lambda: chain(
        "path-constraint", SIGNER, CA.but(extensions=(policies(POLICY), (x509.PolicyConstraints(0, None), True))), ROOT
    ),
    "another policy where the CA demands its own": lambda: chain(
        "path-constraint",
        SIGNER.but(extensions=(policies(OTHER_POLICY),)),
        CA.but(extensions=(policies(POLICY), (x509.PolicyConstraints(0, None), True))),
        ROOT,
    ),
    "any policy where the CA inhibits it": lambda: chain(
        "path-constraint",
        SIGNER.but(extensions=(policies(ANY_POLICY),)),
        CA.but(extensions=(policies(POLICY), (x509.InhibitAnyPolicy(0), True), (x509.PolicyConstraints(0, None), True))),
        ROOT,
    ),
    "a mapping where it is inhibited": lambda: chain(
        "path-constraint",
        BELOW_SUB.but(extensions=(policies(MAPPED),)),
        SUB.but(extensions=(policies(POLICY), _mapping(POLICY, MAPPED))),
        CA.but(extensions=(policies(POLICY), (x509.PolicyConstraints(0, 0), True))),
        ROOT,
    ),
    "a mapping from any policy": lambda: chain(
        "path-constraint",
        SIGNER.but(extensions=(policies(MAPPED),)),
        CA.but(extensions=(policies(POLICY), _mapping(ANY_POLICY, MAPPED))),
        ROOT,
    ),
    "the agency demands a policy, and there is none": lambda: chain(
        "path-constraint", SIGNER, CA, ROOT, explicit=True, policies=frozenset({POLICY.dotted_string})
    ),
    "the agency demands another policy": lambda: chain(
        "path-constraint",
        SIGNER.but(extensions=(policies(OTHER_POLICY),)),
        CA.but(extensions=(policies(OTHER_POLICY),)),
        ROOT,
        explicit=True,
        policies=frozenset({POLICY.dotted_string}),
    ),
    "one second too early": lambda: chain("not-yet-valid", SIGNER.but(not_before=AT + timedelta(seconds=1)), CA, ROOT),
    "one second too late": lambda: chain("expired", SIGNER.but(not_after=AT - timedelta(seconds=1)), CA, ROOT),
    "an expired CA": lambda: chain("expired", SIGNER, CA.but(not_before=AT - 9 * DAY, not_after=AT - timedelta(hours=1)), ROOT),
    "an expired anchor": lambda: chain("expired", SIGNER, CA, ROOT.but(not_before=AT - 9 * DAY, not_after=AT - timedelta(hours=1))),
    "RSA-1024": lambda: chain("weak-key", Maker(SIGNER_NAME, "weak:rsa1024", CA_NAME, "ca"), CA, ROOT, differs=frozenset({"all"})),
    "a CA with RSA-1024": lambda: chain(
        "weak-key", SIGNER.but(issuer_key="weak:rsa1024"), CA.but(key_name="weak:rsa1024"), ROOT, differs=frozenset({"all"})
    ),
    "P-192": lambda: chain("weak-key", Maker(SIGNER_NAME, "weak:p192", CA_NAME, "ca"), CA, ROOT, differs=frozenset({"all"})),
    "SHA-1 under the signer": lambda: chain(
        "alg-forbidden",
        SIGNER.but(issuer_key="ca:rsa2048", hash=hashes.SHA1()),
        CA.but(key_name="ca:rsa2048"),
        ROOT,
        differs=frozenset({"all"}),
    ),
    "SHA-1 under the CA": lambda: chain(
        "alg-forbidden", SIGNER, CA.but(issuer_key="root:rsa2048", hash=hashes.SHA1()), _sha1_root(), differs=frozenset({"all"})
    ),
    "a web server": lambda: _for_another_purpose(ExtendedKeyUsageOID.SERVER_AUTH),
    "a time-stamping unit": lambda: _for_another_purpose(ExtendedKeyUsageOID.TIME_STAMPING),
    "an OCSP responder": lambda: _for_another_purpose(ExtendedKeyUsageOID.OCSP_SIGNING),
    "a CA for web servers": lambda: chain(
        "key-usage", SIGNER, CA.but(extensions=(_purpose(ExtendedKeyUsageOID.SERVER_AUTH),)), ROOT, differs=frozenset({"all"})
    ),
    "keyEncipherment alone": lambda: chain("key-usage", SIGNER.but(usages=("key_encipherment",)), CA, ROOT, differs=frozenset({"all"})),
    "a CA that signs documents itself": lambda: chain("key-usage", CA, ROOT, differs=frozenset({"all"})),
}


def _for_another_purpose(oid: ObjectIdentifier) -> Case:
    return chain("key-usage", SIGNER.but(extensions=(_purpose(oid),)), CA, ROOT, differs=frozenset({"all"}))


@case("CAs that certify each other in a circle")
def _loop() -> Case:
    a, b = name_of("A"), name_of("B")
    crowd = (Maker(a, "a", b, "b", ca=True).make(), Maker(b, "b", a, "a", ca=True).make())
    return Case(SIGNER.but(issuer=a, issuer_key="a").make(), crowd, (ROOT.make(),), "untrusted-chain")


@case("a path of forty CAs")
def _long() -> Case:
    names = [ROOT_NAME, *(name_of(f"CA {n}") for n in range(40))]
    keys = ["root", *(f"long {n % 4}" for n in range(40))]
    cas = tuple(Maker(names[n], keys[n], names[n - 1], keys[n - 1], ca=True).make() for n in range(1, 41))
    signer = SIGNER.but(issuer=names[-1], issuer_key=keys[-1]).make()
    return Case(signer, cas, (ROOT.make(),), "untrusted-chain", differs=frozenset({"all"}))


@case("a namesake of the CA below another root")
def _stolen_name() -> Case:
    evil = CA.but(key_name="thief", issuer=name_of("Evil"), issuer_key="evil").make()
    return Case(
        SIGNER.but(issuer_key="thief").make(), (evil, Maker(name_of("Evil"), "evil", ca=True).make()), (ROOT.make(),), "untrusted-chain"
    )


CASES |= HONEST | DEFECTS
