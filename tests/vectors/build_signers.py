"""Who signed, and whether that held when they did: CMS by signers of the hierarchies of `build_pki.py`, with the lists and answers of
`build_status.py`, as whole verdicts. One function makes one defect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.vectors.build_cms import STAMP
from tests.vectors.build_pki import CA, CASES, ROOT, ROOT_NAME, SIGNER, Case
from tests.vectors.build_pki_keys import MORE
from tests.vectors.build_status import Crl, Entry, Ocsp, scope, try_later, with_changed_status
from tests.vectors.certificates import AT, DAY, YEAR, Maker, key, name_of
from tests.vectors.forge_cms import Forger, token
from tests.vectors.identities import Signer

CONTENT = "Biên bản làm việc\r\n".encode() * 20
SERIAL = 0x5157  # of the signer whose status is asked
EARLY, LATE = AT - timedelta(days=2), AT - timedelta(hours=1)  # before and after the revocation of `Entry`, twelve hours ago
_KEYS = ("signer", "signer:rsa2048", "b", "ca", "weak:rsa1024", "weak:p192")
_STAMPING = ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),)


def der(cert: x509.Certificate) -> bytes:
    """In DER."""
    return cert.public_bytes(Encoding.DER)


def _signer(cert: x509.Certificate, *key_names: str) -> Signer:
    for name in key_names or _KEYS:
        found = key(name)
        if isinstance(found, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) and found.public_key() == cert.public_key():
            return Signer(name, found, cert, Path())
    raise RuntimeError("nobody has that key")


@dataclass(frozen=True)
class Signed:
    """A signature with what is known of its signers. `reason` is "" for a valid one."""

    data: bytes
    anchors: tuple[bytes, ...]
    verdict: str
    reason: str = ""
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    at: datetime = AT
    asked_status: bool = True
    policies: frozenset[str] = field(default_factory=frozenset)
    explicit: bool = False


# --- paths -------------------------------------------------------------------------------------------------------------------------


def on_path(build: Callable[[], Case]) -> Signed:
    """An attached CMS by the case's signer, the others sent along. Status is another question."""
    case = build()
    return Signed(
        data=_enclosing(case.signer, case.others),
        anchors=tuple(map(der, case.anchors)),
        verdict="invalid" if case.reason else "valid",
        reason=case.reason,
        at=case.at,
        asked_status=False,
        policies=case.policies,
        explicit=case.explicit,
    )


def _enclosing(signer: x509.Certificate, others: tuple[x509.Certificate, ...], unsigned: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    who = _signer(signer)
    embedded = [who, *(Signer("", who.key, one, Path()) for one in others)]
    return Forger(who, attached=True, embedded=embedded, bound_to=who, unsigned=unsigned).sign(CONTENT)


def paths() -> dict[str, Callable[[], Signed]]:
    """Every path of `build_pki.py` and `build_pki_keys.py`."""
    return {sentence: lambda build=build: on_path(build) for sentence, build in (CASES | MORE).items()}  # type: ignore[misc]


# --- status ------------------------------------------------------------------------------------------------------------------------

STATUSES: dict[str, Callable[[], Signed]] = {}


def case(sentence: str) -> Callable[[Callable[[], Signed]], Callable[[], Signed]]:
    """Enters the function under `sentence`."""

    def enter(build: Callable[[], Signed]) -> Callable[[], Signed]:
        STATUSES[sentence] = build
        return build

    return enter


@cache
def hierarchy() -> tuple[x509.Certificate, x509.Certificate, x509.Certificate, x509.Certificate]:
    """Signer, CA, root, and an authority for time-stamps; in force for years on both sides."""
    signer = SIGNER.but(serial=SERIAL, not_before=AT - YEAR)
    ca = CA.but(not_before=AT - 2 * YEAR)
    authority = Maker(name_of("Cấp dấu thời gian"), "tsa", CA.subject, "ca", usages=("digital_signature",), extensions=_STAMPING)
    return (
        signer.make(),
        ca.make(),
        ROOT.but(not_before=AT - 9 * YEAR).make(),
        authority.but(not_before=AT - YEAR, not_after=AT + 9 * YEAR).make(),
    )


ABOVE = Crl(issuer=ROOT_NAME, key_name="root", this_update=AT - 3 * DAY, next_update=AT + 9 * DAY)
LIST = Crl(this_update=AT - timedelta(hours=2), next_update=AT + DAY)
REVOKED = LIST.but(entries=(Entry(SERIAL),))


def signed(
    verdict: str,
    reason: str = "",
    *,
    crls: tuple[Crl, ...] = (),
    ocsps: tuple[bytes, ...] = (),
    stamped: datetime | None = None,
    claimed: datetime | None = None,
    above: bool = True,
    at: datetime = AT,
) -> Signed:
    """By the signer of `hierarchy`; with a time-stamp, where a time is given. `above`: the root's list, by which the CA is good."""
    signer, ca, root, authority = hierarchy()
    who = _signer(signer, "signer")
    forger = Forger(who, attached=True, bound_to=who, claimed=claimed, embedded=[who, Signer("", who.key, ca, Path())])
    data = forger.sign(CONTENT)
    if stamped:
        stamp = token(_signer(authority, "tsa"), forger.value_of(data), stamped)
        data = forger.but(value=forger.value_of(data), unsigned=((STAMP, stamp),)).sign(CONTENT)
    lists = tuple(one.make() for one in (*crls, *((ABOVE,) if above else ())))
    return Signed(data, (der(root),), verdict, reason, lists, ocsps, at)


def answer(status: str = "good", **changes: object) -> bytes:
    """The CA's own OCSP answer on the signer."""
    signer, ca, _, _ = hierarchy()
    return Ocsp(signer, ca, ca, "ca", status=status).but(**changes).make()


STATUSES |= {
    "good by list": lambda: signed("valid", crls=(LIST,)),
    "good by answer": lambda: signed("valid", ocsps=(answer(),)),
    "good by an answer with SHA-256 identifiers": lambda: signed("valid", ocsps=(answer(hash=hashes.SHA256()),)),
    "good by list, time-stamped": lambda: signed("valid", crls=(LIST,), stamped=EARLY),
    "revoked, by list": lambda: signed("invalid", "revoked", crls=(REVOKED,)),
    "revoked, by answer": lambda: signed("invalid", "revoked", ocsps=(answer("revoked"),)),
    "revoked by one, good by the other": lambda: signed("invalid", "revoked", crls=(REVOKED,), ocsps=(answer(),)),
    "revoked before the time-stamp": lambda: signed("invalid", "revoked", crls=(REVOKED,), stamped=LATE),
    "revoked after the time-stamp": lambda: signed("valid", crls=(REVOKED,), stamped=EARLY),
    "superseded after the time-stamp": lambda: signed(
        "valid", crls=(LIST.but(entries=(Entry(SERIAL, reason="superseded"),)),), stamped=EARLY
    ),
    "key known to others before the time-stamp, revoked after": lambda: signed(
        "invalid", "revoked", crls=(LIST.but(entries=(Entry(SERIAL, reason="keyCompromise", invalid_since=AT - 9 * DAY),)),), stamped=EARLY
    ),
    "nothing at hand": lambda: signed("indeterminate", "revocation-unknown"),
    "nothing of the CA at hand": lambda: signed("indeterminate", "revocation-unknown", crls=(LIST,), above=False),
    "a list that is out of date": lambda: signed(
        "indeterminate", "revocation-unknown", crls=(LIST.but(this_update=AT - 9 * DAY, next_update=AT - DAY),)
    ),
    "a list of the future": lambda: signed(
        "indeterminate", "revocation-unknown", crls=(LIST.but(this_update=AT + DAY, next_update=AT + 2 * DAY),)
    ),
    "a list by somebody else's key": lambda: signed("indeterminate", "revocation-unknown", crls=(LIST.but(key_name="thief"),)),
    "a list of another CA": lambda: signed("indeterminate", "revocation-unknown", crls=(LIST.but(issuer=name_of("Another CA")),)),
    "a list for CAs only": lambda: signed(
        "indeterminate", "revocation-unknown", crls=(LIST.but(extensions=(scope(only_contains_ca_certs=True),)),)
    ),
    "the CA does not know": lambda: signed("indeterminate", "revocation-unknown", ocsps=(answer("unknown"),)),
    "an answer that is out of date": lambda: signed(
        "indeterminate", "revocation-unknown", ocsps=(answer(this_update=AT - 9 * DAY, next_update=AT - DAY),)
    ),
    "an answer that says: later": lambda: signed("indeterminate", "revocation-unknown", ocsps=(try_later(),)),
    "an answer whose status was changed": lambda: signed(
        "indeterminate", "revocation-unknown", ocsps=(with_changed_status(answer("revoked")),)
    ),
}


@case("an answer by a responder whom nobody delegated")
def _undelegated() -> Signed:
    responder = Maker(name_of("Responder"), "responder", CA.subject, "ca", usages=("digital_signature",)).make()
    answered = answer(responder=responder, key_name="responder", sends=(responder,))
    return signed("indeterminate", "revocation-unknown", ocsps=(answered,))


@case("an answer by a delegated responder")
def _delegated() -> Signed:
    purpose = ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False), (x509.OCSPNoCheck(), False))
    responder = Maker(name_of("Responder"), "responder", CA.subject, "ca", usages=("digital_signature",), extensions=purpose).make()
    return signed("valid", ocsps=(answer(responder=responder, key_name="responder", sends=(responder,)),))


@case("an answer about somebody else")
def _other_serial() -> Signed:
    return signed("indeterminate", "revocation-unknown", ocsps=(answer(cert=SIGNER.but(serial=SERIAL + 1).make()),))


@case("a revoked CA")
def _revoked_ca() -> Signed:
    _, ca, _, _ = hierarchy()
    above = ABOVE.but(entries=(Entry(ca.serial_number),), this_update=AT - timedelta(hours=2))
    return signed("invalid", "revoked", crls=(LIST, above), above=False)


@case("expired, proven to have been signed in time")
def _expired_stamped() -> Signed:
    later = AT + 5 * YEAR
    kept = (LIST, ABOVE)
    fresh = tuple(one.but(this_update=later - DAY, next_update=later + DAY) for one in kept)
    return signed("valid", crls=(*kept, *fresh), stamped=EARLY, at=later, above=False)


@case("expired, and only claimed to have been signed in time")
def _expired_claimed() -> Signed:
    later = AT + 5 * YEAR
    return signed("indeterminate", "expired", crls=(LIST,), claimed=EARLY, at=later)


@case("revoked, and only claimed to have been signed before")
def _revoked_claimed() -> Signed:
    return signed("indeterminate", "revoked", crls=(REVOKED,), claimed=EARLY)


@case("a time-stamp of the future")
def _stamped_late() -> Signed:
    return signed("invalid", "timestamp-invalid", crls=(LIST,), stamped=AT + DAY)


@case("a time-stamp by an authority that nobody trusts")
def _stamped_by_stranger() -> Signed:
    stranger = Maker(name_of("Authority"), "tsa", usages=("digital_signature",), extensions=_STAMPING).make()
    signer, _, _, _ = hierarchy()
    who = _signer(signer, "signer")
    forger = Forger(who, attached=True, bound_to=who)
    value = forger.value_of(forger.sign(CONTENT))
    stamp = token(_signer(stranger, "tsa"), value, EARLY)
    good = signed("invalid", "timestamp-invalid", crls=(LIST,))
    ca = hierarchy()[1]
    stamped = forger.but(value=value, unsigned=((STAMP, stamp),), embedded=[who, Signer("", who.key, ca, Path())])
    return Signed(stamped.sign(CONTENT), good.anchors, good.verdict, good.reason, good.crls)


OLD = datetime(2015, 6, 1, tzinfo=UTC)  # SHA-1 was fit for use


@cache
def _legacy() -> tuple[Signer, x509.Certificate, x509.Certificate, Signer]:
    """Signer, CA and root of then, by SHA-1; and an authority that is in force to this day."""
    root = ROOT.but(key_name="root:rsa2048", hash=hashes.SHA1(), not_before=OLD - YEAR, not_after=OLD + 20 * YEAR)
    ca = CA.but(key_name="ca:rsa2048", issuer_key="root:rsa2048", hash=hashes.SHA1(), not_before=OLD - YEAR, not_after=OLD + 19 * YEAR)
    signer = SIGNER.but(
        key_name="signer:rsa2048",
        issuer_key="ca:rsa2048",
        hash=hashes.SHA1(),
        not_before=OLD - DAY,
        not_after=OLD + 3 * YEAR,
        serial=SERIAL,
    )
    authority = Maker(
        name_of("Cấp dấu thời gian"), "tsa", ROOT_NAME, "root:rsa2048", usages=("digital_signature",), extensions=_STAMPING
    ).but(not_before=OLD - YEAR)
    return _signer(signer.make()), ca.make(), root.make(), _signer(authority.make(), "tsa")


def _sha1(verdict: str, reason: str, *, stamped: bool) -> Signed:
    who, ca, root, authority = _legacy()
    forger = Forger(who, digest="sha1", attached=True, claimed=None if stamped else OLD, embedded=[who, Signer("", who.key, ca, Path())])
    data = forger.sign(CONTENT)
    if stamped:
        value = forger.value_of(data)
        data = forger.but(value=value, unsigned=((STAMP, token(authority, value, OLD)),)).sign(CONTENT)
    then, now = ({"this_update": at - DAY, "next_update": at + 9 * DAY} for at in (OLD, AT))
    lists = [
        Crl(key_name="ca:rsa2048", hash=hashes.SHA1()).but(**then),
        Crl(issuer=ROOT_NAME, key_name="root:rsa2048", hash=hashes.SHA1()).but(**then),
        Crl(issuer=ROOT_NAME, key_name="root:rsa2048").but(**now),
    ]
    return Signed(data, (der(root),), verdict, reason, tuple(one.make() for one in lists))


@case("SHA-1 all along, proven to be of 2015")
def _sha1_of_then() -> Signed:
    return _sha1("valid", "", stamped=True)


@case("SHA-1 all along, only claimed to be of 2015")
def _sha1_by_claim() -> Signed:
    return _sha1("invalid", "alg-forbidden", stamped=False)
