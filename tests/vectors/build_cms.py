"""CMS and CAdES signatures made by openssl and by a forger with real keys, honest ones and one for each defect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from asn1crypto import algos, cms, core
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo

from tests.vectors.case import Case, changed, flipped, run
from tests.vectors.forge_cms import Forger, token
from tests.vectors.identities import Signer, World

CONTENT = "Quyết định số 12/QĐ-UBND về việc phê duyệt kế hoạch năm 2026\r\n".encode() * 20
OTHER = CONTENT.replace(b"2026", b"2027")
MOMENT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
LONG_AGO = datetime(2016, 3, 4, 5, 6, 7, tzinfo=UTC)  # SHA-1 was fit for use
STAMP = "1.2.840.113549.1.9.16.2.14"

Builder = Callable[[World], Case]


def openssl(signer: Signer, *options: str, content: bytes = CONTENT, more: tuple[Signer, ...] = ()) -> bytes:
    """``openssl cms -sign``, DER."""
    signers = [arg for one in (signer, *more) for arg in ("-signer", one.certificate_path, "-inkey", one.key_path)]
    return run("openssl", "cms", "-sign", "-binary", "-outform", "DER", *signers, *options, given=content)


def stamped(forger: Forger, content: bytes, made: Callable[[bytes], bytes]) -> bytes:
    """A signature with the token that `made` makes for its value. RSA PKCS #1 v1.5 gives the same value twice."""
    return forger.but(unsigned=[(STAMP, made(forger.value_of(forger.sign(content))))]).sign(content)


# --- honest ----------------------------------------------------------------------------------------------------------------------


def honest(world: World) -> Iterator[Case]:
    """What real signers write."""
    person, agency, ec = world.person, world.agency, world.elliptic
    good = Forger(person, claimed=MOMENT, bound_to=person)
    yield Case("openssl detached", openssl(person), CONTENT)
    yield Case("openssl attached", openssl(person, "-nodetach"))
    yield Case("openssl attached, the content given as well", openssl(person, "-nodetach"), CONTENT)
    yield Case("openssl CAdES-BES", openssl(person, "-cades"), CONTENT)
    yield Case("openssl indefinite length, content in pieces", openssl(person, "-nodetach", "-stream", content=CONTENT * 200))
    yield Case("zeros after the value", openssl(person) + b"\0" * 5000, CONTENT)
    yield Case("indefinite length and zeros", openssl(person, "-nodetach", "-stream") + b"\0" * 64)
    yield Case("a line feed after the value", openssl(person) + b"\n", CONTENT)
    yield Case("PEM", run("openssl", "cms", "-cmsout", "-inform", "DER", "-outform", "PEM", given=openssl(person)), CONTENT)
    yield Case("key identifier", openssl(person, "-keyid"), CONTENT)
    yield Case("no certificate inside", openssl(ec, "-nocerts"), CONTENT)
    yield Case("no signed attributes", openssl(person, "-noattr"), CONTENT)
    yield Case("no signed attributes, P-256", openssl(ec, "-noattr"), CONTENT)
    yield Case("P-256", openssl(ec), CONTENT)
    yield Case("RSASSA-PSS", openssl(person, "-keyopt", "rsa_padding_mode:pss"), CONTENT)
    yield Case("RSASSA-PSS, SHA-384 and no salt", openssl(person, "-md", "sha384", *_pss("rsa_pss_saltlen:0")), CONTENT)
    yield Case("SHA-512", openssl(person, "-md", "sha512"), CONTENT)
    yield Case("P-256 with SHA-384", openssl(ec, "-md", "sha384"), CONTENT)
    yield Case("two signers, person and agency", openssl(person, more=(agency,)), CONTENT, findings=2)
    yield Case("signing-certificate of version 1", good.but(bound_v1=True).sign(CONTENT), CONTENT)
    yield Case("attributes written in another order than signed", good.but(shuffled=True).sign(CONTENT), CONTENT)
    yield Case("content of no bytes", openssl(person, content=b""), b"")
    yield Case("signature time-stamp", stamped(good, CONTENT, lambda v: token(world.authority, v, MOMENT)), CONTENT, stamped=True)
    old = Forger(person, digest="sha1")
    yield Case(
        "SHA-1 with a time-stamp of then", stamped(old, CONTENT, lambda v: token(world.authority, v, LONG_AGO)), CONTENT, stamped=True
    )
    weak = stamped(good, CONTENT, lambda v: token(world.authority, v, LONG_AGO, digest="sha1"))
    yield Case("a token by SHA-1 proves nothing and harms nothing", weak, CONTENT, notes=("alg-forbidden",))
    countersigned = good.but(unsigned=[("1.2.840.113549.1.9.6", agency_countersigns(world))]).sign(CONTENT)
    yield Case("a countersignature is reported", countersigned, CONTENT, notes=("coverage",))


def _pss(*options: str) -> tuple[str, ...]:
    return tuple(arg for option in ("rsa_padding_mode:pss", *options) for arg in ("-keyopt", option))


def agency_countersigns(world: World) -> bytes:
    """A countersignature, of nothing in particular."""
    return bytes(Forger(world.agency).info(b"a signature value").dump())


# --- one function for each defect ------------------------------------------------------------------------------------------------


def content_changed(world: World) -> Case:
    return Case("detached content changed", openssl(world.person), OTHER, ("tampered",), "failed")


def content_changed_without_attributes(world: World) -> Case:
    return Case("detached content changed, no signed attributes", openssl(world.person, "-noattr"), OTHER, ("tampered",), "failed")


def content_changed_without_attributes_elliptic(world: World) -> Case:
    data = openssl(world.elliptic, "-noattr")
    return Case("the same by ECDSA, which hides the digest", data, OTHER, ("bad-signature-value",), "failed")


def attached_content_changed(world: World) -> Case:
    data = openssl(world.person, "-nodetach", content=CONTENT[:70])
    return Case("attached content changed", changed(data, b"12/Q", b"13/Q"), None, ("tampered",), "failed")


def other_content_given(world: World) -> Case:
    return Case("attached, and other content given", openssl(world.person, "-nodetach"), OTHER, ("tampered",), "failed", findings=0)


def content_missing(world: World) -> Case:
    return Case("detached, no content given", openssl(world.person), None, ("reference-missing",), "unknown")


def value_changed(world: World) -> Case:
    data = openssl(world.person)
    return Case("signature value changed", flipped(data, len(data) - 9), CONTENT, ("bad-signature-value",), "failed")


def value_without_digest_info(world: World) -> Case:
    key = world.person.key
    assert isinstance(key, rsa.RSAPrivateKey)
    value = key.sign(b"\x01" * 32, padding.PKCS1v15(), NoDigestInfo())
    data = Forger(world.person, value=value).sign(CONTENT)
    return Case("a value over bare octets, no DigestInfo", data, CONTENT, ("bad-signature-value",), "failed")


def signing_time_changed(world: World) -> Case:
    data = Forger(world.person, claimed=MOMENT, bound_to=world.person).sign(CONTENT)
    return Case("signing time changed", changed(data, b"261120010203Z", b"251120010203Z"), CONTENT, ("bad-signature-value",), "failed")


def attributes_shown_as_content(world: World) -> Case:
    signed = Forger(world.person).sign(CONTENT)
    info = cms.ContentInfo.load(signed)["content"]["signer_infos"][0]
    octets = b"\x31" + info["signed_attrs"].dump()[1:]
    data = Forger(world.person, attributes=False, value=info["signature"].native).sign(octets)
    return Case("signed attributes shown as content", data, octets, ("cms-malformed",))


def attributes_missing_for_other_type(world: World) -> Case:
    data = Forger(world.person, attributes=False, content_type="tst_info").sign(CONTENT)
    return Case("no signed attributes for a type that needs them", data, CONTENT, ("cms-malformed",))


def content_type_differs(world: World) -> Case:
    return Case("signed content-type differs", Forger(world.person, said_type="signed_data").sign(CONTENT), CONTENT, ("cms-malformed",))


def attribute_twice(world: World) -> Case:
    data = Forger(world.person, more=[cms.CMSAttribute({"type": "content_type", "values": ["data"]})]).sign(CONTENT)
    return Case("a signed attribute twice", data, CONTENT, ("cms-malformed",), findings=0)


def digest_of_two_values(world: World) -> Case:
    from hashlib import sha256

    both = cms.CMSAttribute({"type": "message_digest", "values": [sha256(CONTENT).digest(), sha256(OTHER).digest()]})
    good = Forger(world.person)
    pair = [cms.CMSAttribute({"type": "content_type", "values": ["data"]}), both]
    data = _WithAttributes(**{**good.__dict__, "extra": {"attributes": pair}}).sign(CONTENT)
    return Case("message-digest of two values", data, CONTENT, ("cms-malformed",), "unknown")


class _WithAttributes(Forger):
    def _attributes(self, content: bytes) -> list[cms.CMSAttribute]:
        return list(self.extra["attributes"])


def bound_to_another(world: World) -> Case:
    data = Forger(world.person, bound_to=world.agency).sign(CONTENT)
    return Case("signing-certificate names another", data, CONTENT, ("key-confusion",))


def certificate_exchanged(world: World) -> Case:
    data = Forger(world.person, bound_to=world.person, named=world.twin, embedded=[world.twin]).sign(CONTENT)
    return Case("certificate exchanged for another of the same key", data, CONTENT, ("key-confusion",))


def namesake(world: World) -> Case:
    data = Forger(world.person, embedded=[world.namesake]).sign(CONTENT)
    return Case("a certificate of the same issuer and serial, another key", data, CONTENT, ("bad-signature-value",), "failed")


def certificate_missing(world: World) -> Case:
    data = Forger(world.person, named=world.ca, embedded=[]).sign(CONTENT)
    return Case("nobody has the certificate", data, CONTENT, ("no-key",), "unknown")


def algorithms_confused(world: World) -> Case:
    data = Forger(world.person, digest_written="sha512").sign(CONTENT)
    return Case("digest and signature name different hashes", data, CONTENT, ("tampered", "key-confusion"), "failed")


def protection_differs(world: World) -> Case:
    said = cms.CMSAlgorithmProtection(
        {"digest_algorithm": {"algorithm": "sha512"}, "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha512_rsa"})}
    )
    more = [cms.CMSAttribute({"type": "cms_algorithm_protection", "values": [said]})]
    return Case("algorithms are not those protected", Forger(world.person, more=more).sign(CONTENT), CONTENT, ("key-confusion",))


def key_of_another_kind(world: World) -> Case:
    data = Forger(world.person, method="sha256_ecdsa").sign(CONTENT)
    return Case("an RSA value said to be ECDSA", data, CONTENT, ("key-confusion",), "unknown")


def sha1(world: World) -> Case:
    return Case("SHA-1 today", openssl(world.person, "-md", "sha1"), CONTENT, ("alg-forbidden",))


def sha1_by_claim(world: World) -> Case:
    data = Forger(world.person, digest="sha1", claimed=LONG_AGO).sign(CONTENT)
    return Case("SHA-1, old by its own word only", data, CONTENT, ("alg-forbidden",))


def sha1_stamped_late(world: World) -> Case:
    data = stamped(Forger(world.person, digest="sha1"), CONTENT, lambda v: token(world.authority, v, MOMENT))
    return Case("SHA-1, time-stamped after its end", data, CONTENT, ("alg-forbidden",), stamped=True)


def sha1_stamped_by_sha1(world: World) -> Case:
    data = stamped(Forger(world.person, digest="sha1"), CONTENT, lambda v: token(world.authority, v, LONG_AGO, digest="sha1"))
    return Case("SHA-1, proven by SHA-1", data, CONTENT, ("alg-forbidden",), notes=("alg-forbidden",))


def md5(world: World) -> Case:
    return Case("MD5", Forger(world.person, digest="md5").sign(CONTENT), CONTENT, ("alg-forbidden",), "unknown")


def small_key(world: World) -> Case:
    return Case("RSA-1024", openssl(world.small), CONTENT, ("weak-key",))


def dsa(world: World) -> Case:
    data = Forger(world.person, method="sha256_dsa").sign(CONTENT)
    return Case("DSA", data, CONTENT, ("alg-forbidden",), "unknown")


def stamp_of_another_value(world: World) -> Case:
    data = stamped(Forger(world.person), CONTENT, lambda _: token(world.authority, b"another value", MOMENT))
    return Case("time-stamp of another signature", data, CONTENT, ("timestamp-invalid",))


def stamp_changed(world: World) -> Case:
    made: Callable[[bytes], bytes] = lambda v: changed(token(world.authority, v, MOMENT), b"20261120010203Z", b"20161120010203Z")  # noqa: E731
    return Case("time in the time-stamp changed", stamped(Forger(world.person), CONTENT, made), CONTENT, ("timestamp-invalid",))


def stamp_by_pretender(world: World) -> Case:
    data = stamped(Forger(world.person), CONTENT, lambda v: token(world.pretender, v, MOMENT))
    return Case("time-stamp by somebody who is no authority", data, CONTENT, ("timestamp-invalid",))


def stamp_by_careless(world: World) -> Case:
    data = stamped(Forger(world.person), CONTENT, lambda v: token(world.careless, v, MOMENT))
    return Case("time-stamping usage not critical", data, CONTENT, ("timestamp-invalid",))


def stamp_unbound(world: World) -> Case:
    data = stamped(Forger(world.person), CONTENT, lambda v: token(world.authority, v, MOMENT, bound_to=None))
    return Case("time-stamp without signing-certificate", data, CONTENT, ("timestamp-invalid",))


def stamp_is_no_token(world: World) -> Case:
    data = Forger(world.person, unsigned=[(STAMP, core.Integer(5).dump())]).sign(CONTENT)
    return Case("a number for a time-stamp", data, CONTENT, ("timestamp-invalid",))


def no_signers(world: World) -> Case:
    data = run("openssl", "crl2pkcs7", "-nocrl", "-certfile", world.person.certificate_path, "-outform", "DER")
    return Case("certificates only", data, CONTENT, ("no-signature",), findings=0)


def enveloped(world: World) -> Case:
    data = run("openssl", "cms", "-encrypt", "-binary", "-outform", "DER", world.person.certificate_path, given=CONTENT)
    return Case("enveloped data", data, CONTENT, ("cms-malformed",), findings=0)


def cut_short(world: World) -> Case:
    return Case("cut short", openssl(world.person)[:-1], CONTENT, ("cms-malformed",), findings=0)


def trailing_bytes(world: World) -> Case:
    return Case("other bytes after the value", openssl(world.person) + b"\0\0evil", CONTENT, ("cms-malformed",), findings=0)


def two_blocks(world: World) -> Case:
    """One reader takes the first, another the last."""
    both = (
        run("openssl", "cms", "-cmsout", "-inform", "DER", "-outform", "PEM", given=openssl(one)) for one in (world.person, world.agency)
    )
    return Case("two blocks of PEM", b"".join(both), CONTENT, ("cms-malformed",), findings=0)


def nested_deeply(_: World) -> Case:
    return Case("indefinite lengths, 100,000 deep", b"\x30\x80" * 100_000, CONTENT, ("cms-malformed",), findings=0)


def one_of_two_tampered(world: World) -> Case:
    good, bad = Forger(world.agency), Forger(world.person, said_digest=b"\1" * 32)
    return Case("two signers, one of other content", bad.sign(CONTENT, good), CONTENT, ("tampered",), "failed", findings=2)


def unsigned_certificate_values(world: World) -> Case:
    """Not a defect: evidence that cannot be read is left out."""
    data = Forger(world.person, unsigned=[("1.2.840.113549.1.9.16.2.23", b"\x05\x00")]).sign(CONTENT)
    return Case("unreadable certificate values", data, CONTENT)


DEFECTS: tuple[Builder, ...] = (
    content_changed,
    content_changed_without_attributes,
    content_changed_without_attributes_elliptic,
    attached_content_changed,
    other_content_given,
    content_missing,
    value_changed,
    value_without_digest_info,
    signing_time_changed,
    attributes_shown_as_content,
    attributes_missing_for_other_type,
    content_type_differs,
    attribute_twice,
    digest_of_two_values,
    bound_to_another,
    certificate_exchanged,
    namesake,
    certificate_missing,
    algorithms_confused,
    protection_differs,
    key_of_another_kind,
    sha1,
    sha1_by_claim,
    sha1_stamped_late,
    sha1_stamped_by_sha1,
    md5,
    small_key,
    dsa,
    stamp_of_another_value,
    stamp_changed,
    stamp_by_pretender,
    stamp_by_careless,
    stamp_unbound,
    stamp_is_no_token,
    no_signers,
    enveloped,
    cut_short,
    trailing_bytes,
    two_blocks,
    nested_deeply,
    one_of_two_tampered,
    unsigned_certificate_values,
)


def cases(world: World) -> list[Case]:
    """All of them."""
    return [*honest(world), *(build(world) for build in DEFECTS)]


def write(world: World, folder: Path) -> None:
    """The vectors as files: the signature, and its content where there is one."""
    for number, case in enumerate(cases(world)):
        (folder / f"{number:03}.p7s").write_bytes(case.data)
        if case.content is not None:
            (folder / f"{number:03}.bin").write_bytes(case.content)
