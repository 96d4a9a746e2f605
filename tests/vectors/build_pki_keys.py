"""Hierarchies whose algorithms or keys nobody should believe, and honest ones put together oddly. Tables as in `build_pki.py`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from asn1crypto import core, keys
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.vectors.build_pki import CA, CA_NAME, OPENSSL, ROOT, SIGNER, Case, chain
from tests.vectors.case import run
from tests.vectors.certificates import AT, DAY, YEAR, Maker, key, name_of, with_public_key, with_unique_identifier

ALL = frozenset({"all"})  # other tools have other lists of algorithms
RSA_ROOT = ROOT.but(key_name="root:rsa2048")
RSA_CA = CA.but(key_name="ca:rsa2048", issuer_key="root:rsa2048")
BY_RSA = SIGNER.but(issuer_key="ca:rsa2048")
LATE = {"not_before": AT + 20 * YEAR, "not_after": AT + 21 * YEAR}


def below_key(reason: str, kind: str) -> Case:
    """An ordinary signer below a CA with a key of that kind."""
    return chain(reason, SIGNER.but(issuer_key=f"odd:{kind}"), CA.but(key_name=f"odd:{kind}"), ROOT, differs=ALL)


def with_key(reason: str, kind: str) -> Case:
    """A CA of good standing has certified a key of that kind, which signs below it through another CA."""
    middle = name_of("CA between")
    between = Maker(middle, f"odd:{kind}", CA_NAME, "ca", ca=True)
    return chain(reason, SIGNER.but(issuer=middle, issuer_key=f"odd:{kind}"), between, CA, ROOT, differs=ALL)


def below_unreadable(reason: str, info: bytes) -> Case:
    """An ordinary signer below a CA whose key the parser refuses; the CA's name and its parent's signature are in order."""
    ca = with_public_key(RSA_CA.make(), info, key("root:rsa2048"))
    return Case(BY_RSA.make(), (ca,), (RSA_ROOT.make(),), reason, differs=ALL)


def rsa_key(exponent: int) -> bytes:
    """An RSA key of 2048 bits with that exponent."""
    number = int.from_bytes(b"\xc5" * 256, "big")
    algorithm = {"algorithm": "rsa", "parameters": core.Null()}
    public = keys.RSAPublicKey({"modulus": number, "public_exponent": exponent})
    return bytes(keys.PublicKeyInfo({"algorithm": algorithm, "public_key": public}).dump())


def below_written_out() -> Case:
    """A CA whose P-256 key writes its curve out instead of naming it (RFC 5480 §2.1.1 forbids it, CVE-2020-0601)."""
    private = key("odd").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    info = run("openssl", "pkey", "-pubout", "-outform", "DER", "-ec_param_enc", "explicit", given=private)
    ca = with_public_key(RSA_CA.make(), info, key("root:rsa2048"))
    return Case(SIGNER.but(issuer_key="odd").make(), (ca,), (RSA_ROOT.make(),), "weak-key", differs=ALL)


ALGORITHMS: dict[str, Callable[[], Case]] = {
    "MD5 under the signer": lambda: chain("alg-forbidden", BY_RSA.but(hash=hashes.MD5()), RSA_CA, RSA_ROOT, differs=ALL),
    "MD5 under the CA": lambda: chain("alg-forbidden", BY_RSA, RSA_CA.but(hash=hashes.MD5()), RSA_ROOT, differs=ALL),
    "MD5 under the signer, and no anchor": lambda: chain(
        "alg-forbidden", BY_RSA.but(hash=hashes.MD5()), RSA_CA.but(issuer_key="stranger:rsa2048"), RSA_ROOT, differs=ALL
    ),
    "an anchor signed with MD5": lambda: chain("", BY_RSA, RSA_CA, RSA_ROOT.but(hash=hashes.MD5()), differs=ALL),
    "SHA-1 under both": lambda: chain(
        "alg-forbidden", BY_RSA.but(hash=hashes.SHA1()), RSA_CA.but(hash=hashes.SHA1()), RSA_ROOT, differs=ALL
    ),
    "RSA with exponent 3 above": lambda: below_key("weak-key", "rsa2048e3"),
    "RSA with exponent 3 two steps above": lambda: with_key("weak-key", "rsa2048e3"),
    "RSA with exponent 1 above": lambda: below_unreadable("weak-key", rsa_key(1)),
    "RSA with an even exponent above": lambda: below_unreadable("weak-key", rsa_key(65536)),
    "RSA-1024 two steps above": lambda: with_key("weak-key", "rsa1024"),
    "P-192 above": lambda: below_key("weak-key", "p192"),
    "secp256k1 above": lambda: below_key("weak-key", "k256"),
    "a Brainpool curve above": lambda: below_key("weak-key", "brainpool"),
    "a curve written out above": below_written_out,
    "DSA above": lambda: below_key("alg-forbidden", "dsa"),
    "Ed448 above": lambda: below_key("alg-forbidden", "ed448"),
    "a key that is no key above": lambda: below_unreadable("untrusted-chain", rsa_key(65537)),
}


ODD: dict[str, Callable[[], Case]] = {
    "a CA that may sign documents, and signs one": lambda: chain(
        "", CA.but(usages=("key_cert_sign", "crl_sign", "content_commitment")), ROOT, differs=ALL
    ),
    "a CA that may sign documents, below one that allows no CA": lambda: chain(
        "path-constraint",
        Maker(name_of("Sub CA"), "b", CA_NAME, "ca", ca=True, usages=("key_cert_sign", "digital_signature")),
        CA.but(path_length=0),
        ROOT.but(path_length=0),
        differs=ALL,
    ),
    "a CA that is not valid yet": lambda: chain("not-yet-valid", SIGNER, CA.but(**LATE), ROOT.but(not_after=AT + 30 * YEAR)),
    "a CA that expired before the signer was certified": lambda: chain(
        "expired", SIGNER.but(not_before=AT - DAY), CA.but(not_before=AT - 9 * DAY, not_after=AT - 5 * DAY), ROOT.but(not_before=AT - YEAR)
    ),
}


def odd(sentence: str) -> Callable[[Callable[[], Case]], Callable[[], Case]]:
    """Enters the function under `sentence`."""

    def enter(build: Callable[[], Case]) -> Callable[[], Case]:
        ODD[sentence] = build
        return build

    return enter


@odd("an expired CA and the same CA renewed")
def _renewed() -> Case:
    expired = CA.but(not_before=AT - 9 * DAY, not_after=AT - timedelta(hours=1)).make()
    return Case(SIGNER.make(), (expired, CA.make(), expired), (ROOT.make(),), differs=OPENSSL)


@odd("a key identifier of another CA, and the CA's own signature")
def _other_identifier() -> Case:
    """It helps to find the CA, and is no reason against it (RFC 5280 §4.2.1.1)."""
    about = x509.AuthorityKeyIdentifier(b"\x01" * 20, None, None)
    return Case(SIGNER.but(identifiers=False, extensions=((about, False),)).make(), (CA.make(),), (ROOT.make(),), differs=ALL)


@odd("an issuer and serial number of another CA, and the CA's own signature")
def _other_serial() -> Case:
    about = x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(name_of("Another"))], 4711)
    return Case(SIGNER.but(identifiers=False, extensions=((about, False),)).make(), (CA.make(),), (ROOT.make(),), differs=ALL)


@odd("a good CA and a namesake by MD5, both with the key")
def _one_by_md5() -> Case:
    return Case(BY_RSA.make(), (RSA_CA.but(hash=hashes.MD5()).make(), RSA_CA.make()), (RSA_ROOT.make(),), differs=ALL)


@odd("a good CA and a namesake with a key that is no key")
def _one_unreadable() -> Case:
    broken = with_public_key(RSA_CA.make(), rsa_key(1), key("root:rsa2048"))
    return Case(BY_RSA.make(), (broken, RSA_CA.make()), (RSA_ROOT.make(),), differs=ALL)


@odd("a namesake of the anchor that signed itself")
def _false_root() -> Case:
    false = ROOT.but(key_name="thief").make()
    return Case(SIGNER.make(), (false, CA.but(issuer_key="thief").make()), (ROOT.make(),), "untrusted-chain")


@odd("roots that certified each other, one of them an anchor")
def _crossed() -> Case:
    other = name_of("Other root")
    crosses = (
        Maker(other, "other root", ROOT.subject, "root", ca=True).make(),
        Maker(ROOT.subject, "root", other, "other root", ca=True).make(),
        Maker(other, "other root", ca=True).make(),
    )
    ca = CA.but(issuer=other, issuer_key="other root").make()
    return Case(SIGNER.make(), (ca, *crosses), (ROOT.make(),), differs=OPENSSL)


@odd("a unique identifier in the CA's certificate")
def _unique() -> Case:
    return Case(BY_RSA.make(), (with_unique_identifier(RSA_CA.make(), key("root:rsa2048")),), (RSA_ROOT.make(),))


MORE: dict[str, Callable[[], Case]] = ALGORITHMS | ODD
