"""Status at the time judged for: lists, answers, who may sign them, what they are about, when they count."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ObjectIdentifier

from signing.certificate import Certificate, load
from signing.context import Context, Demand, Status
from signing.path import check_path
from signing.remembered import Remembered
from signing.revocation import RevocationAnswer, check_revocation
from signing.trust import TrustStore
from tests.vectors.build_pki import CA, CA_NAME, ROOT, ROOT_NAME, SIGNER
from tests.vectors.build_status import Crl, Entry, Ocsp, general_time, scope, try_later, with_changed_status
from tests.vectors.certificates import AT, DAY, YEAR, Maker, name_of

SERIAL, CA_SERIAL = 1001, 55
HOUR = timedelta(hours=1)
URL = "http://ca.example.vn/ca.crl"
OTHER_URL = "http://ca.example.vn/other.crl"


def point(url: str = URL, **how: object) -> x509.CRLDistributionPoints:
    fields: dict[str, object] = {
        "full_name": [x509.UniformResourceIdentifier(url)],
        "relative_name": None,
        "reasons": None,
        "crl_issuer": None,
    }
    return x509.CRLDistributionPoints([x509.DistributionPoint(**(fields | how))])  # type: ignore[arg-type]


INDIRECT = name_of("CRL issuer")
ROOT_CERT, CA_CERT = ROOT.make(), CA.but(serial=CA_SERIAL).make()
SIGNER_CERT = SIGNER.but(serial=SERIAL, extensions=((point(), False),)).make()
PLAIN_CERT = SIGNER.but(serial=SERIAL).make()
SHORT_CERT = SIGNER.but(serial=SERIAL, not_before=AT - 30 * DAY, not_after=AT - 10 * DAY).make()
BY_INDIRECT = SIGNER.but(serial=SERIAL, extensions=((point(full_name=None, crl_issuer=[x509.DirectoryName(INDIRECT)]), False),)).make()
INDIRECT_CERT = Maker(INDIRECT, "crl issuer", CA_NAME, "ca", usages=("crl_sign",), serial=77).make()
TWIN_CERT = Maker(CA_NAME, "ca lists", ROOT_NAME, "root", ca=False, usages=("crl_sign",), serial=78).make()
THIEF_CERT = Maker(CA_NAME, "thief", name_of("Sub CA"), "sub", usages=("crl_sign",)).make()
RESPONDER = Maker(
    name_of("OCSP"),
    "responder",
    CA_NAME,
    "ca",
    usages=("digital_signature",),
    extensions=((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False), (x509.OCSPNoCheck(), False)),
)
RESPONDER_CERT = RESPONDER.make()
STORE = TrustStore((ROOT_CERT,), (CA_CERT,))

ROOT_CRL = Crl(issuer=ROOT_NAME, key_name="root", this_update=AT - 300 * DAY, next_update=AT + 300 * DAY)
GOOD = Crl()
REVOKED = Crl((Entry(SERIAL),))
ANSWER = Ocsp(SIGNER_CERT, CA_CERT, RESPONDER_CERT, "responder", sends=(RESPONDER_CERT,))
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def der(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.DER)


def path_of(cert: x509.Certificate) -> tuple[Certificate, ...]:
    return tuple(load(der(c)) for c in (cert, CA_CERT, ROOT_CERT))


def ask(
    *statements: Crl | Ocsp | bytes,
    cert: x509.Certificate = SIGNER_CERT,
    others: tuple[x509.Certificate, ...] = (),
    root: Crl | None = ROOT_CRL,
    **how: object,
) -> RevocationAnswer:
    crls = tuple(one.make() for one in (root, *statements) if isinstance(one, Crl))
    ocsps = tuple(one.make() if isinstance(one, Ocsp) else one for one in statements if not isinstance(one, Crl))
    ctx = Context(trust=STORE, crls=crls, ocsps=ocsps, **({"at": AT} | how))  # type: ignore[arg-type]
    return check_revocation(path_of(cert), ctx, tuple(map(der, others)))


Answering = Callable[[], RevocationAnswer]
CASES: dict[str, tuple[str, Answering]] = {
    # lists
    "a current list without it": ("ok", lambda: ask(GOOD)),
    "a list on which it stands": ("revoked", lambda: ask(REVOKED)),
    "no list": ("revocation-unknown", ask),
    "no list about the CA": ("revocation-unknown", lambda: ask(GOOD, root=None)),
    "a CA that was revoked": ("revoked", lambda: ask(GOOD, ROOT_CRL.but(entries=(Entry(CA_SERIAL),)))),
    "a list of yesterday": ("revocation-unknown", lambda: ask(GOOD.but(next_update=AT - HOUR))),
    "an old list on which it stands": ("revoked", lambda: ask(REVOKED.but(next_update=AT - HOUR), GOOD)),
    "a list of tomorrow": ("revocation-unknown", lambda: ask(GOOD.but(this_update=AT + HOUR))),
    "a list signed by a thief": ("revocation-unknown", lambda: ask(GOOD.but(key_name="thief"))),
    "a list by a namesake below another CA": ("revocation-unknown", lambda: ask(GOOD.but(key_name="thief"), others=(THIEF_CERT,))),
    "a list by the CA's own key for lists": ("ok", lambda: ask(GOOD.but(key_name="ca lists"), others=(TWIN_CERT,))),
    "a list by a key for lists that was revoked": (
        "revocation-unknown",
        lambda: ask(GOOD.but(key_name="ca lists"), root=ROOT_CRL.but(entries=(Entry(78),)), others=(TWIN_CERT,)),
    ),
    "rubbish beside a good list": ("ok", lambda: ask(GOOD, b"rubbish", try_later())),
    "a list with a critical extension nobody knows": ("revocation-unknown", lambda: ask(GOOD.but(extensions=((UNKNOWN, True),)))),
    "a list with an unknown extension": ("ok", lambda: ask(GOOD.but(extensions=((UNKNOWN, False),)))),
    "an entry with a critical extension nobody knows": (
        "revocation-unknown",
        lambda: ask(GOOD.but(entries=(Entry(5, extensions=((UNKNOWN, True),)),))),
    ),
    "it stands there with a critical extension nobody knows": (
        "revoked",
        lambda: ask(GOOD.but(entries=(Entry(SERIAL, extensions=((UNKNOWN, True),)),))),
    ),
    "a list by SHA-1": ("revocation-unknown", lambda: by_rsa(GOOD.but(hash=hashes.SHA1()))),
    "a list by SHA-1 on which it stands": ("revoked", lambda: by_rsa(REVOKED.but(hash=hashes.SHA1()))),
    "a list of all reasons but one": (
        "revocation-unknown",
        lambda: ask(GOOD.but(extensions=(scope(only_some_reasons=_others("certificateHold")),))),
    ),
    "it stands there to be taken off": (
        "revocation-unknown",
        lambda: ask(GOOD.but(entries=(Entry(SERIAL, reason="removeFromCRL"),))),
    ),
    # scope
    "a list for signers": ("ok", lambda: ask(GOOD.but(extensions=(scope(only_contains_user_certs=True),)))),
    "a list for CAs": ("revocation-unknown", lambda: ask(GOOD.but(extensions=(scope(only_contains_ca_certs=True),)))),
    "a list for attributes": ("revocation-unknown", lambda: ask(GOOD.but(extensions=(scope(only_contains_attribute_certs=True),)))),
    "a list of its point": ("ok", lambda: ask(GOOD.but(extensions=(scope(full_name=[x509.UniformResourceIdentifier(URL)]),)))),
    "a list of another point": (
        "revocation-unknown",
        lambda: ask(GOOD.but(extensions=(scope(full_name=[x509.UniformResourceIdentifier(OTHER_URL)]),))),
    ),
    "a list for some reasons": (
        "revocation-unknown",
        lambda: ask(GOOD.but(extensions=(scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})),))),
    ),
    "two lists for all reasons together": (
        "ok",
        lambda: ask(
            GOOD.but(extensions=(scope(only_some_reasons=_reasons("keyCompromise", "cACompromise")),)),
            GOOD.but(extensions=(scope(only_some_reasons=_others("keyCompromise", "cACompromise")),)),
        ),
    ),
    "an indirect list that the certificate names": ("ok", lambda: _indirect(Entry(SERIAL + 1))),
    "an indirect list on which it stands": ("revoked", lambda: _indirect(_listed(SERIAL, CA_NAME))),
    "an indirect list with the number of another CA's": ("ok", lambda: _indirect(_listed(SERIAL, INDIRECT))),
    "an indirect list that nobody named": (
        "revocation-unknown",
        lambda: ask(_indirect_list(), cert=SIGNER_CERT, others=(INDIRECT_CERT,)),
    ),
    "a list of the named issuer that is not indirect": (
        "revocation-unknown",
        lambda: ask(GOOD.but(issuer=INDIRECT, key_name="crl issuer"), cert=BY_INDIRECT, others=(INDIRECT_CERT,)),
    ),
    # deltas and holds
    "a delta alone": ("revocation-unknown", lambda: ask(_delta())),
    "a delta on which it stands": ("revoked", lambda: ask(GOOD, _delta(Entry(SERIAL)))),
    "a hold": ("revoked", lambda: ask(_hold())),
    "a hold that a delta ended": ("ok", lambda: ask(_hold(), _delta(Entry(SERIAL, reason="removeFromCRL")))),
    "a hold that a later list no longer shows": ("ok", lambda: ask(_hold(), GOOD.but(this_update=AT - HOUR, number=8))),
    "a hold that an earlier list did not show": ("revoked", lambda: ask(_hold(), GOOD.but(this_update=AT - 2 * DAY, number=6))),
    "a revocation that a later list no longer shows": ("revoked", lambda: ask(REVOKED, GOOD.but(this_update=AT - HOUR, number=8))),
    # time
    "revoked after the proven time": ("ok", lambda: ask(REVOKED, proven_time=AT - 2 * DAY)),
    "revoked before the proven time": ("revoked", lambda: ask(REVOKED, proven_time=AT - 6 * HOUR)),
    "revoked in the second of the proven time": ("revoked", lambda: ask(REVOKED, proven_time=AT - 12 * HOUR)),
    "invalid since before the proven time": (
        "revoked",
        lambda: ask(Crl((Entry(SERIAL, reason="keyCompromise", invalid_since=AT - 9 * DAY),)), proven_time=AT - 2 * DAY),
    ),
    "revoked after the claimed time": ("? revoked", lambda: ask(REVOKED, claimed_time=AT - 2 * DAY)),
    "the key compromised after the claimed time": (
        "revoked",
        lambda: ask(Crl((Entry(SERIAL, reason="keyCompromise"),)), claimed_time=AT - 2 * DAY),
    ),
    "revoked before the claimed time": ("revoked", lambda: ask(REVOKED, claimed_time=AT - HOUR)),
    "a list younger than the proven time": ("ok", lambda: ask(GOOD.but(next_update=AT - HOUR), proven_time=AT - 2 * DAY)),
    "a list that ended before the proven time": (
        "revocation-unknown",
        lambda: ask(GOOD.but(this_update=AT - 9 * DAY, next_update=AT - 8 * DAY), proven_time=AT - 2 * DAY),
    ),
    "a stale list and a claimed time within it": (
        "revocation-unknown",
        lambda: ask(GOOD.but(next_update=AT - HOUR), claimed_time=AT - 2 * HOUR),
    ),
    "a list from after its expiry": ("revocation-unknown", lambda: ask(GOOD, cert=SHORT_CERT, proven_time=AT - 20 * DAY)),
    "a list from after its expiry that keeps expired ones": (
        "ok",
        lambda: ask(GOOD.but(extensions=((_keeps_expired(), False),)), cert=SHORT_CERT, proven_time=AT - 20 * DAY),
    ),
    # answers
    "a good answer by a named responder": ("ok", lambda: ask(ANSWER)),
    "a good answer by the CA": ("ok", lambda: ask(ANSWER.but(responder=CA_CERT, key_name="ca", sends=()))),
    "an answer that names its responder": ("ok", lambda: ask(ANSWER.but(by_name=True))),
    "an answer with SHA-256 in its identifier": ("ok", lambda: ask(ANSWER.but(hash=hashes.SHA256()))),
    "an answer that it was revoked": ("revoked", lambda: ask(ANSWER.but(status="revoked"))),
    "an answer that it is not known": ("revocation-unknown", lambda: ask(ANSWER.but(status="unknown"))),
    "a forged good answer": ("revocation-unknown", lambda: ask(with_changed_status(ANSWER.but(status="revoked").make()))),
    "an answer of yesterday": ("revocation-unknown", lambda: ask(ANSWER.but(this_update=AT - 3 * DAY, next_update=AT - DAY))),
    "an answer without an end, just made": ("ok", lambda: ask(ANSWER.but(next_update=None))),
    "an answer without an end, of last week": ("revocation-unknown", lambda: ask(ANSWER.but(this_update=AT - 7 * DAY, next_update=None))),
    "an answer about another certificate": ("revocation-unknown", lambda: ask(ANSWER.but(cert=INDIRECT_CERT))),
    "an answer by a stranger": ("revocation-unknown", lambda: ask(ANSWER.but(responder=THIEF_CERT, key_name="thief", sends=(THIEF_CERT,)))),
    "a responder without the purpose": ("revocation-unknown", lambda: _responder(extensions=())),
    "a responder whom another CA named": ("revocation-unknown", lambda: _responder(issuer=ROOT_NAME, issuer_key="root")),
    "a responder that had expired": ("revocation-unknown", lambda: _responder(not_after=AT - 2 * HOUR)),
    "a responder whose CA has named no place to ask for its status": ("ok", lambda: _responder(extensions=RESPONDER.extensions[:1])),
    "a responder whose own status is published, and not at hand": (
        "revocation-unknown",
        lambda: _responder(extensions=(*RESPONDER.extensions[:1], (point(), False))),
    ),
    "a responder that was revoked": (
        "revocation-unknown",
        lambda: _responder(_lists(Entry(900)), extensions=RESPONDER.extensions[:1], serial=900),
    ),
    "a responder that was revoked, and need not be asked about": ("ok", lambda: _responder(_lists(Entry(900)), serial=900)),
    "a responder whom the answer does not bring": ("ok", lambda: ask(ANSWER.but(sends=()), others=(RESPONDER_CERT,))),
    "a responder whom nobody brings": ("revocation-unknown", lambda: ask(ANSWER.but(sends=()))),
    "a responder whose own status a list gives": ("ok", lambda: _responder(GOOD, extensions=RESPONDER.extensions[:1])),
    "good by answer, revoked by list": ("revoked", lambda: ask(ANSWER, REVOKED)),
    "revoked by answer, good by list": ("revoked", lambda: ask(ANSWER.but(status="revoked"), GOOD)),
    # what is demanded
    "nothing published, nothing demanded of such": ("ok", lambda: ask(cert=PLAIN_CERT, root=None, demand=Demand.PUBLISHED)),
    "published, and not at hand": ("revocation-unknown", lambda: ask(root=None, demand=Demand.PUBLISHED)),
    "nothing demanded": ("ok", lambda: ask(root=None, demand=Demand.NONE)),
    "nothing demanded, and revoked": ("revoked", lambda: ask(REVOKED, root=None, demand=Demand.NONE)),
}


def by_rsa(listed: Crl) -> RevocationAnswer:
    """Below a CA with an RSA key, which alone can sign by SHA-1."""
    ca, signer = CA.but(serial=CA_SERIAL, key_name="ca:rsa2048").make(), SIGNER.but(serial=SERIAL, issuer_key="ca:rsa2048").make()
    crls = (ROOT_CRL.make(), listed.but(key_name="ca:rsa2048").make())
    return check_revocation(tuple(load(der(c)) for c in (signer, ca, ROOT_CERT)), Context(STORE, AT, crls=crls))


def _lists(*entries: Entry) -> Crl:
    """Revoked long before the answer was made, on a list that says nothing of the signer's certificate."""
    listed = tuple(replace(entry, at=AT - 5 * DAY) for entry in entries)
    return GOOD.but(entries=listed, extensions=(scope(full_name=[x509.DirectoryName(CA_NAME)]),))


def _reasons(*values: str) -> frozenset[x509.ReasonFlags]:
    return frozenset(x509.ReasonFlags(value) for value in values)


def _others(*values: str) -> frozenset[x509.ReasonFlags]:
    return frozenset(x509.ReasonFlags) - _reasons(*values, "unspecified", "removeFromCRL")


def _indirect_list(*entries: Entry) -> Crl:
    return Crl(entries, INDIRECT, "crl issuer", extensions=(scope(indirect_crl=True),))


def _indirect(*entries: Entry) -> RevocationAnswer:
    return ask(
        _indirect_list(*entries),
        GOOD.but(extensions=(scope(only_contains_ca_certs=True),)),
        _for_issuer(),
        cert=BY_INDIRECT,
        others=(INDIRECT_CERT,),
    )


def _for_issuer() -> Ocsp:
    return Ocsp(INDIRECT_CERT, CA_CERT, RESPONDER_CERT, "responder", sends=(RESPONDER_CERT,))


def _listed(serial: int, issuer: x509.Name) -> Entry:
    return Entry(serial, extensions=((x509.CertificateIssuer([x509.DirectoryName(issuer)]), True),))


def _delta(*entries: Entry) -> Crl:
    return Crl(entries, this_update=AT - 2 * HOUR, number=9, extensions=((x509.DeltaCRLIndicator(7), True),))


def _hold() -> Crl:
    return Crl((Entry(SERIAL, at=AT - 2 * DAY, reason="certificateHold"),))


def _keeps_expired() -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.60"), general_time(AT - 2 * YEAR))


def _responder(*more: Crl, **changes: object) -> RevocationAnswer:
    cert = RESPONDER.but(**changes).make()
    answer = ANSWER.but(responder=cert, sends=(cert,))
    signers_only = GOOD.but(extensions=(scope(full_name=[x509.UniformResourceIdentifier(OTHER_URL)]),))
    return ask(answer, *more, signers_only)


@pytest.mark.parametrize(("word", "answer"), CASES.values(), ids=CASES.keys())
def test_the_word_on(word: str, answer: Answering) -> None:
    said = answer()
    if word == "ok":
        assert (said.reasons, said.status) == ((), Status.OK)
        assert said.faults == ()
    else:
        unknown = word.startswith("? ") or word == "revocation-unknown"
        assert (said.reasons, said.status) == ((word.removeprefix("? "),), Status.UNKNOWN if unknown else Status.FAILED)


def test_what_was_used_is_named_and_what_was_unreadable_noted() -> None:
    said = ask(GOOD, b"rubbish")
    assert len(said.used) == 2
    assert [note.code for note in said.notes] == ["revocation-unknown"]


def test_a_claimed_time_is_marked() -> None:
    assert ask(GOOD, claimed_time=AT - HOUR).claimed
    assert not ask(GOOD, claimed_time=AT - HOUR, proven_time=AT - HOUR).claimed
    assert not ask(GOOD).claimed


def test_a_large_list_is_indexed_once() -> None:
    crls = (ROOT_CRL.make(), Crl([Entry(10_000 + n) for n in range(50_000)]).make())
    path = path_of(SIGNER_CERT)
    began = time.perf_counter()
    ctx = Context(trust=STORE, at=AT, crls=crls)
    assert check_revocation(path, ctx).status is Status.OK
    first = time.perf_counter() - began
    began = time.perf_counter()
    for n in range(200):
        assert check_revocation(path, replace(ctx, at=AT + timedelta(seconds=n))).status is Status.OK
    assert time.perf_counter() - began < 50 * first, "200 more questions cost less than 50 indexings: it was not indexed for each"


def test_threads_agree() -> None:
    ctx = Context(trust=STORE, at=AT, crls=(ROOT_CRL.make(), REVOKED.make()))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: check_revocation(path_of(SIGNER_CERT), ctx).reasons, range(64)))
    assert set(found) == {("revoked",)}


def test_what_is_remembered_is_bounded() -> None:
    kept: Remembered[int, int] = Remembered(100)
    for n in range(1000):
        assert kept.of(n, lambda n=n: n, weight=10) == n  # type: ignore[misc]
    assert kept.weight <= 100
    assert kept.of(5000, lambda: 1, weight=101) == 1
    assert kept.weight <= 100


def test_any_byte_of_a_list_or_an_answer_may_be_wrong() -> None:
    """A broken one is unreadable, or says nothing that is believed; it never acquits."""
    crl, answer = GOOD.make(), ANSWER.make()
    root = ROOT_CRL.make()
    for place in range(0, max(len(crl), len(answer)), 5):
        broken = [raw[:place] + bytes([raw[place] ^ 0x15]) + raw[place + 1 :] if place < len(raw) else b"" for raw in (crl, answer)]
        ctx = Context(trust=STORE, at=AT, crls=(root, broken[0]), ocsps=(broken[1],))
        said = check_revocation(path_of(SIGNER_CERT), ctx)
        if said.status is Status.OK:  # a byte of the certificate sent along, outside of what was signed
            assert place >= len(crl)


def test_a_path_whose_status_is_asked_where_it_is_published() -> None:
    about = x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example.vn"))]
    )
    cert = SIGNER.but(serial=SERIAL, extensions=((about, False),)).make()
    assert ask(cert=cert, root=None, demand=Demand.PUBLISHED).reasons == ("revocation-unknown",)


@pytest.mark.parametrize(
    ("at", "claimed", "status", "reasons"),
    [
        (AT, None, Status.FAILED, ("expired",)),
        (AT, AT - 20 * DAY, Status.UNKNOWN, ("expired",)),
        (AT, AT - 5 * DAY, Status.FAILED, ("expired",)),
        (AT - 20 * DAY, None, Status.OK, ()),
        (AT - 20 * DAY, AT - 60 * DAY, Status.FAILED, ("not-yet-valid",)),
    ],
    ids=["expired", "claimed in time", "claimed too late", "in time", "claimed before there was a certificate"],
)
def test_a_period_and_a_claimed_time(at: datetime, claimed: datetime | None, status: Status, reasons: tuple[str, ...]) -> None:
    ctx = Context(trust=TrustStore((ROOT.but(not_before=AT - YEAR).make(),)), at=at, claimed_time=claimed)
    said = check_path(der(SHORT_CERT), (der(CA.but(not_before=AT - YEAR).make()),), ctx)
    assert (said.status, said.reasons) == (status, reasons)


def test_a_proven_time_takes_the_judgement_there() -> None:
    others = (der(CA.but(not_before=AT - YEAR).make()),)
    ctx = Context(trust=TrustStore((ROOT.but(not_before=AT - YEAR).make(),)), at=AT, proven_time=AT - 20 * DAY)
    assert check_path(der(SHORT_CERT), others, ctx).status is Status.OK
