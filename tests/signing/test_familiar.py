"""A signature in the words of one that passed is judged as if nobody remembered anything, whatever a forger makes of it."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from hub.demo.pki import Identity
from schemas.errors import Refused
from schemas.xml import as_root, canonical, parse
from signing import familiar, packet_signature
from signing.algorithms import CURRENT, DEFAULT_CANONICALIZATION, DSIG, ENVELOPED, EXC_C14N
from signing.finding import Given
from signing.packet_signature import Signatures, examine_packet
from signing.remembered import Remembered
from tests.signing.material import AT, PACKET, QCVN, Forger, rsa_key_value
from tests.signing.test_costs import REFERENCE

PLAIN = PACKET.replace("<!-- soạn thảo -->".encode(), b"")  # a document with comments is never in usual words
OTHER = PLAIN.replace("thống kê".encode(), "kiểm kê".encode())
GIVEN = Given(AT, CURRENT)
LIMIT = 1 << 20
Said = Signatures | tuple[str, ...]


def said(raw: bytes) -> Said:
    """The findings, or the codes of the refusal."""
    try:
        return examine_packet(parse(raw), GIVEN)
    except Refused as fault:
        return (fault.code, *(one.code for one in fault.violations))


def reason(found: Said) -> str:
    """The deciding one, "" where nothing speaks against it."""
    if isinstance(found, tuple):
        return found[0]
    said_of = (*found.absent, *(violation for one in found.findings for violation in one.violations))
    return said_of[0].code if said_of else ""


@dataclass
class Memory:
    """What is remembered, and how often somebody had to look closer."""

    monkeypatch: pytest.MonkeyPatch
    looks: int = 0

    def without(self, raw: bytes) -> Said:
        """What somebody says who remembers nothing."""
        with self.monkeypatch.context() as patch:
            patch.setattr(familiar, "_passed", Remembered(0))
            return said(raw)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    kept = Memory(monkeypatch)
    look = packet_signature._examine_packet

    def noting(*asked: object) -> Signatures:
        kept.looks += 1
        return look(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(familiar, "_passed", Remembered(LIMIT))
    monkeypatch.setattr(packet_signature, "_examine_packet", noting)
    yield kept


C14N = f'<ds:Transform Algorithm="{DEFAULT_CANONICALIZATION}"/>'
ALONE = f'<ds:Transform Algorithm="{ENVELOPED}"/>'
WITH_ID = PLAIN.replace(b"<edXML ", b'<edXML Id="p" ', 1), OTHER.replace(b"<edXML ", b'<edXML Id="p" ', 1)


def inclusive(forger: Forger, raw: bytes) -> bytes:
    """`raw` signed by way of the inclusive form of SignedInfo."""
    draft = forger.but(c14n=DEFAULT_CANONICALIZATION, signature=b"\x01").sign(raw)
    octets = canonical(as_root(next(etree.fromstring(draft).iter(f"{{{DSIG}}}SignedInfo"))), exclusive=False)
    return draft.replace(b">AQ==<", b">" + base64.b64encode(forger._value(octets)) + b"<")


# How a system signs → its packets, each in the words of the first
USUAL: dict[str, Callable[[Forger], tuple[bytes, bytes]]] = {
    "in the header": lambda forger: (forger.sign(PLAIN), forger.sign(OTHER)),
    "in the root": lambda forger: (forger.sign(PLAIN, before=b"</edXML>"), forger.sign(OTHER, before=b"</edXML>")),
    "inclusive SignedInfo": lambda forger: (inclusive(forger, PLAIN), inclusive(forger, OTHER)),
    "by an id of the root": lambda forger: (forger.but(uri="#p").sign(WITH_ID[0]), forger.but(uri="#p").sign(WITH_ID[1])),
    "a digest of many lines": lambda forger: (forger.sign(PLAIN), forger.sign(OTHER + b"\n" * 9)),
}


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("kind", ["rsa", "elliptic"])
def test_a_second_packet_of_a_system_costs_no_second_look(name: str, kind: str, forger: Forger, elliptic: Identity, memory: Memory) -> None:
    first, second = USUAL[name](forger if kind == "rsa" else Forger.of(elliptic))
    found = said(first)
    assert (reason(found), memory.looks) == ("", 1)
    again = said(second)
    assert (memory.looks, isinstance(again, Signatures)) == (1, True)
    assert again == found == memory.without(second)


def test_an_inclusive_form_of_the_packet_is_remembered_too(forger: Forger, memory: Memory) -> None:
    signs = etree.tostring(etree.fromstring(PLAIN).getroottree(), method="c14n", with_comments=False)
    raw = forger.but(transforms=ALONE + C14N, digest=hashlib.sha256(signs).digest()).sign(PLAIN)
    assert [reason(said(raw)) for _ in range(2)] == ["", ""]
    assert memory.looks == 1
    changed = raw.replace("thống kê".encode(), "kiểm kê".encode())
    assert said(changed) == memory.without(changed)
    assert reason(said(changed)) == "tampered"


_DIGEST = re.compile(rb"(<ds:DigestValue>)([^<]+)")
_VALUE = re.compile(rb"(<ds:SignatureValue>)([^<]+)")
_CERTIFICATE = re.compile(rb"<ds:X509Certificate>[^<]+</ds:X509Certificate>")
_CERTIFICATES = re.compile(rb"(<ds:X509Certificate>[^<]+</ds:X509Certificate>)+")
_SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.S)


def digest_of(raw: bytes, of: bytes) -> bytes:
    """`raw` with the digest that `of` has."""
    other = _DIGEST.search(of)
    return _DIGEST.sub(lambda found: found[1] + (other[2] if other else b""), raw)


def value_of(raw: bytes, of: bytes) -> bytes:
    other = _VALUE.search(of)
    return _VALUE.sub(lambda found: found[1] + (other[2] if other else b""), raw)


def spaced(raw: bytes) -> bytes:
    return _DIGEST.sub(lambda found: found[1] + found[2][:20] + b"\n" + found[2][20:], raw)


def after_signature(text: str) -> Callable[[bytes, bytes], bytes]:
    return lambda raw, _: raw.replace(b"</ds:Signature>", b"</ds:Signature>" + text.encode(), 1)


def inside(before: bytes, text: str) -> Callable[[bytes, bytes], bytes]:
    return lambda raw, _: raw.replace(before, text.encode() + before, 1)


def declared(count: int) -> str:
    return "".join(f' xmlns:n{n}="urn:{n}"' for n in range(count))


# What is made of a signed packet, with another one of the same system at hand → the deciding reason
FORGED: dict[str, tuple[Callable[[bytes, bytes], bytes], str]] = {
    "a word of the packet": (lambda raw, _: raw.replace("thống kê".encode(), "thống nhất".encode()), "tampered"),
    "the other packet's content": (lambda raw, other: _SIGNATURE.sub(lambda _: _SIGNATURE.findall(raw)[0], other), "tampered"),
    "the other packet's digest": (digest_of, "bad-signature-value"),
    "the other packet's value": (value_of, "bad-signature-value"),
    "the other packet's digest and value": (lambda raw, other: value_of(digest_of(raw, other), other), "tampered"),
    "a digest of one bit more": (lambda raw, _: _DIGEST.sub(lambda m: m[1] + b"A" + m[2][1:], raw), "bad-signature-value"),
    "an empty digest": (lambda raw, _: _DIGEST.sub(rb"\1", raw), "malformed-signature"),
    "a line break in the digest": (lambda raw, _: spaced(raw), "bad-signature-value"),
    "an element in the digest": (lambda raw, _: raw.replace(b"</ds:DigestValue>", b"<ds:x/></ds:DigestValue>"), "malformed-signature"),
    "a comment in the digest": (lambda raw, _: raw.replace(b"</ds:DigestValue>", b"<!--x--></ds:DigestValue>"), ""),
    "an instruction in the value": (
        lambda raw, _: raw.replace(b"</ds:SignatureValue>", b"<?x?></ds:SignatureValue>"),
        "malformed-signature",
    ),
    "a line break in the value": (lambda raw, _: _VALUE.sub(lambda found: found[1] + b"\n" + found[2], raw), ""),
    "a value that is no base64": (lambda raw, _: _VALUE.sub(rb"\1!\2", raw), "malformed-signature"),
    "no value": (lambda raw, _: _VALUE.sub(rb"\1", raw), "malformed-signature"),
    "no certificate": (lambda raw, _: _CERTIFICATE.sub(b"", raw), "no-key"),
    "certificates the other way round": (
        lambda raw, _: _CERTIFICATES.sub(lambda found: b"".join(_CERTIFICATE.findall(found[0])[::-1]), raw),
        "",
    ),
    "certificates that call themselves lists": (lambda raw, _: raw.replace(b"X509Certificate>", b"X509CRL>"), "no-key"),
    "a certificate twice": (lambda raw, _: _CERTIFICATE.sub(lambda found: found[0] * 2, raw, count=1), ""),
    "a second signature": (lambda raw, _: raw.replace(_SIGNATURE.findall(raw)[0], _SIGNATURE.findall(raw)[0] * 2), "wrapping"),
    "a decorative signature beside it": (after_signature("<Signature/>"), "tampered"),
    "a second header": (lambda raw, _: raw.replace(b"<edXML:edXMLBody>", b"<edXML:edXMLHeader/><edXML:edXMLBody>"), "tampered"),
    "moved into a second envelope": (
        lambda raw, _: raw.replace(b"<AttachmentEncoded>", f'<e:edXMLEnvelope xmlns:e="{QCVN}"/><AttachmentEncoded>'.encode(), 1),
        "tampered",
    ),
    "moved out of the header": (
        lambda raw, _: _SIGNATURE.sub(b"", raw).replace(b"</edXML>", _SIGNATURE.findall(raw)[0] + b"</edXML>", 1),
        "",
    ),
    "moved into the body": (
        lambda raw, _: _SIGNATURE.sub(b"", raw).replace(b"<edXML:edXMLManifest", _SIGNATURE.findall(raw)[0] + b"<edXML:edXMLManifest", 1),
        "wrapping",
    ),
    "a foreign element in the signature": (inside(b"</ds:Signature>", '<x xmlns="urn:x"/>'), "wrapping"),
    "an Object in the signature": (inside(b"</ds:Signature>", "<ds:Object/>"), ""),
    "a comment in the packet": (inside(b"</edXML:Subject>", "<!--x-->"), ""),
    "text in the signature, where nothing is signed": (inside(b"<ds:KeyInfo>", "Chuyển khoản"), ""),
    "text after the signature": (after_signature("x"), "tampered"),
    "an instruction beside the root": (lambda raw, _: raw + b"<?x y?>", "tampered"),
    "an instruction with the end of a signature beside the root": (lambda raw, _: raw + b"<?x </ds:Signature> ?>", "tampered"),
    "another SignatureMethod": (lambda raw, _: raw.replace(b"#rsa-sha256", b"#rsa-sha512"), "bad-signature-value"),
    "another canonical form of SignedInfo": (
        lambda raw, _: raw.replace(EXC_C14N.encode(), DEFAULT_CANONICALIZATION.encode(), 1),
        "bad-signature-value",
    ),
    "an id for SignedInfo": (lambda raw, _: raw.replace(b"<ds:SignedInfo>", b'<ds:SignedInfo Id="DigestValue>">'), "bad-signature-value"),
    "a tag's text in an attribute": (
        lambda raw, _: raw.replace(b"<ds:DigestValue>", b'<ds:DigestValue Id="&lt;DigestValue>">'),
        "bad-signature-value",
    ),
    "64 declarations above SignedInfo": (lambda raw, _: raw.replace(b"<edXML ", f"<edXML{declared(64)} ".encode(), 1), "resource-limit"),
    "20 declarations above SignedInfo": (lambda raw, _: raw.replace(b"<edXML ", f"<edXML{declared(20)} ".encode(), 1), ""),
    "the key as a hint besides": (
        lambda raw, _: raw.replace(
            b"</ds:X509Data>", b"</ds:X509Data>" + rsa_key_value(rsa.generate_private_key(65537, 2048).public_key()).encode()
        ),
        "key-confusion",
    ),
    "another name of the root": (lambda raw, _: re.sub(rb"(</?)edXML(?=[ >])", rb"\1edxml", raw), "tampered"),
    "nothing": (lambda raw, _: raw, ""),
}


@pytest.mark.parametrize(("forge", "owed"), FORGED.values(), ids=FORGED)
def test_nothing_hides_behind_what_is_remembered(forge: Callable[[bytes, bytes], bytes], owed: str, forger: Forger, memory: Memory) -> None:
    raw, other = forger.sign(PLAIN), forger.sign(OTHER)
    assert [reason(said(one)) for one in (raw, other)] == ["", ""]
    forged = forge(raw, other)
    assert forged != raw or forge is FORGED["nothing"][0]
    found = said(forged)
    assert found == memory.without(forged)
    assert reason(found) == owed
    assert [reason(said(one)) for one in (raw, other)] == ["", ""]


SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
UNUSED = PLAIN.replace(b"<edXML ", b'<edXML xmlns:u="urn:u" ', 1)  # inclusive forms have it, exclusive ones do not
SECOND = f'<e:edXMLEnvelope xmlns:e="{QCVN}"><e:edXMLHeader><e:MessageHeader/></e:edXMLHeader><e:edXMLBody/></e:edXMLEnvelope>'
TWICE = PLAIN.replace(b"<AttachmentEncoded>", SECOND.encode() + b"<AttachmentEncoded>", 1)


def moved(raw: bytes) -> bytes:
    """`raw` with its signature in the second header."""
    return _SIGNATURE.sub(b"", raw).replace(b"</e:edXMLHeader>", _SIGNATURE.findall(raw)[0] + b"</e:edXMLHeader>", 1)


# What the system itself signs at first, and what it signs then → the deciding reason for the second
SIGNED: dict[str, tuple[Callable[[Forger], tuple[bytes, bytes]], str]] = {
    "by another digest": (lambda forger: (forger.sign(PLAIN), forger.but(digest_method=SHA1).sign(PLAIN)), "alg-forbidden"),
    "by a digest of another length": (lambda forger: (forger.sign(PLAIN), forger.but(digest=b"0" * 20).sign(PLAIN)), "tampered"),
    "by fewer transforms": (lambda forger: (forger.sign(UNUSED), forger.but(transforms=ALONE).sign(UNUSED)), "tampered"),
    "by another order of transforms": (
        lambda forger: (forger.sign(PLAIN), forger.but(transforms="".join(re.findall("<[^>]+>", forger.transforms)[::-1])).sign(PLAIN)),
        "transform-forbidden",
    ),
    "a part of it": (lambda forger: (forger.but(uri="#p").sign(WITH_ID[0]), forger.but(uri="#q").sign(WITH_ID[0])), "reference-missing"),
    "an id that stands twice": (
        lambda forger: (
            forger.but(uri="#p").sign(WITH_ID[0]),
            forger.but(uri="#p").sign(WITH_ID[0].replace(b"<edXML:Subject>", b'<edXML:Subject id="p">')),
        ),
        "duplicate-id",
    ),
    "with two References": (
        lambda forger: (forger.sign(PLAIN), forger.but(more_references=REFERENCE).sign(PLAIN)),
        "coverage",
    ),
    "over a signature of before": (
        lambda forger: (forger.sign(PLAIN), forger.sign(forger.sign(PLAIN, before=b"</edXML:edXMLBody>"))),
        "wrapping",
    ),
    "in the other of two headers": (lambda forger: (forger.sign(TWICE), moved(forger.sign(TWICE))), ""),
}


@pytest.mark.parametrize(("sign", "owed"), SIGNED.values(), ids=SIGNED)
def test_other_words_of_a_known_system_are_read(
    sign: Callable[[Forger], tuple[bytes, bytes]], owed: str, forger: Forger, memory: Memory
) -> None:
    first, second = sign(forger)
    assert [reason(said(one)) for one in (first, first)] == ["", ""]
    found = said(second)
    assert found == memory.without(second)
    assert reason(found) == owed


def test_another_certificate_of_the_same_name_is_another_signer(forger: Forger, agency: Identity, memory: Memory) -> None:
    assert reason(said(forger.sign(PLAIN))) == ""
    stranger = rsa.generate_private_key(65537, 2048)
    twin = _certificate(agency.chain[0].subject, stranger.public_key(), stranger)
    found = said(Forger(stranger, (twin, *agency.chain[1:])).sign(PLAIN))
    assert isinstance(found, Signatures)
    assert [one.signer for one in found.findings] == [twin.public_bytes(Encoding.DER)]
    assert reason(said(forger.but(certificates=(twin, *agency.chain[1:])).sign(PLAIN))) == "bad-signature-value"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_changed_is_told_as_ever(data: st.DataObject, forger: Forger, memory: Memory) -> None:
    raw = forger.sign(PLAIN)
    assert reason(said(raw)) == ""
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + data.draw(st.binary(max_size=2)) + raw[at + 1 :]

    def told(judge: Callable[[bytes], Said]) -> Said:
        try:
            return judge(changed)
        except Refused as fault:
            return (fault.code,)

    assert told(said) == told(memory.without)


def test_a_value_that_fits_two_certificates_names_nobody(forger: Forger, memory: Memory) -> None:
    """Two keys made for it, all but one prime in common: the first packet fits one of them, the second both."""
    exponent, moduli = _keys_in_common()
    keys = [rsa.RSAPublicNumbers(65537, modulus).public_key() for modulus in moduli]
    subjects = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"key {n}")]) for n in range(2)]
    certificates = [_certificate(subject, key, forger.key) for subject, key in zip(subjects, keys, strict=True)]
    draft = forger.but(certificates=certificates, signature=b"\x01")
    packets: dict[bool, bytes] = {}  # whether the value fits both → the packet
    while len(packets) < 2:
        raw = draft.sign(PLAIN.replace("thống kê".encode(), b"%d" % len(packets) + uuid4().hex.encode()))
        value = pow(_padded(raw), exponent, math.lcm(*moduli))
        octets = (value % moduli[0]).to_bytes(256, "big")
        packets[value < moduli[0]] = raw.replace(b">AQ==<", b">" + base64.b64encode(octets) + b"<")
    for owed, raw in (("", packets[False]), ("key-confusion", packets[True]), ("", packets[False])):
        assert (reason(said(raw)), reason(memory.without(raw))) == (owed, owed)


def _keys_in_common() -> tuple[int, tuple[int, int]]:
    """What makes a value for both keys, and their moduli, the smaller first."""
    made = rsa.generate_private_key(65537, 2045).private_numbers()
    shared, order = made.p * made.q, math.lcm(made.p - 1, made.q - 1, 5 - 1, 7 - 1)
    return pow(65537, -1, order), (shared * 5, shared * 7)


def _padded(raw: bytes) -> int:
    """What a key of 256 octets signs for SignedInfo (RFC 8017 §9.2)."""
    octets = etree.tostring(next(etree.fromstring(raw).iter(f"{{{DSIG}}}SignedInfo")), method="c14n", exclusive=True)
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(octets).digest()
    return int.from_bytes(b"\x00\x01" + b"\xff" * (256 - 3 - len(info)) + b"\x00" + info, "big")


def _certificate(subject: x509.Name, key: rsa.RSAPublicKey, by: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key).serial_number(7)
    return made.not_valid_before(AT - timedelta(days=1)).not_valid_after(AT + timedelta(days=1)).sign(by, hashes.SHA256())


def test_many_words_are_forgotten_in_turn(forger: Forger, memory: Memory) -> None:
    def signed(number: int) -> bytes:
        return forger.but(transforms=ALONE, uri=f"#p{number}").sign(PLAIN.replace(b"<edXML ", f'<edXML Id="p{number}" '.encode(), 1))

    packets = [signed(number) for number in range(12)]
    memory.monkeypatch.setattr(familiar, "_passed", kept := Remembered[tuple[object, ...], familiar._Passed](60_000))
    for raw in packets * 2:
        assert said(raw) == memory.without(raw)
        assert kept.weight <= 60_000
    assert kept.weight > 0
    before = memory.looks
    assert said(packets[-1]) == said(packets[-1])
    assert memory.looks == before


def test_threads_that_ask_at_once_are_told_the_same(forger: Forger, elliptic: Identity, memory: Memory) -> None:
    good = [forger.sign(PLAIN), Forger.of(elliptic).sign(PLAIN), forger.sign(OTHER), Forger.of(elliptic).sign(OTHER)]
    bad = [raw.replace("cáo".encode(), b"oan") for raw in good]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda raw: reason(said(raw)), (*good, *bad) * 25))
    assert told == ["", "", "", "", *["tampered"] * 4] * 25
