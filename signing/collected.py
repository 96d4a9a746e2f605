"""Certificates, lists and answers from folders that people fill: PEM or DER, several in a file, whatever the files are called.

What cannot be read is told and left out. That is for `lgsp verify` and for lists that come and go; the hub's own trust store is read by
`trust`, which refuses a folder with anything else in it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import Refused, Violation, shown, warning
from signing import ber, certificate, crl, ocsp
from signing.limits import MAX_CRL_BYTES
from signing.trust import ANSWERS, INTERMEDIATES, LISTS, NO_DOMAINS, TABLE, Domains, TrustStore, sorted_by_domain

MAX_FILES = 4_000
MAX_TOTAL_BYTES = 8 * MAX_CRL_BYTES
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*?)-----END \1-----")


@dataclass(frozen=True, slots=True)
class Collected:
    """DER, each once, in order of the files' names; `notes` say what was left out."""

    ders: tuple[bytes, ...] = ()
    notes: tuple[Violation, ...] = ()


def certificates_in(place: Path) -> Collected:
    """X.509 certificates in the files of a folder, or in one file."""
    return _collected(place, lambda der: certificate.load(der).der)


def lists_in(place: Path) -> Collected:
    """CRLs."""
    return _collected(place, lambda der: _whole(der, crl.load(der)))


def answers_in(place: Path) -> Collected:
    """OCSP responses."""
    return _collected(place, lambda der: _whole(der, ocsp.load(der)))


def trust_in(place: Path, domain: str = "") -> tuple[TrustStore, tuple[Violation, ...]]:
    """Anchors from the files of `place`, and from its ``intermediates/`` what is known besides; of a folder with one subfolder for each
    domain, those of `domain`, or of all where none is named. A folder with ``trust.toml`` is read as that says, and in a plain folder the
    real roots tell which hierarchy is meant. A domain that is not there trusts nobody. Raises `Halted` with `trust-invalid` for the table.
    """
    if (place / TABLE).is_file():
        return _by_table(Domains.load(place), domain), ()
    inner = sorted(one for one in place.iterdir() if one.is_dir() and one.name not in NO_DOMAINS) if place.is_dir() else []
    places = [one for one in inner if one.name == domain] if domain and inner else [place, *inner]
    anchors = [certificates_in(one) for one in places]
    others = [certificates_in(one / INTERMEDIATES) for one in places if (one / INTERMEDIATES).is_dir()]
    store = TrustStore(
        tuple(certificate.load(der).parsed for found in anchors for der in found.ders),
        tuple(certificate.load(der).parsed for found in others for der in found.ders),
        domain,
    )
    if domain and not inner:
        store = sorted_by_domain(store).stores.get(domain, TrustStore(domain=domain))
    return store, tuple(note for found in (*anchors, *others) for note in found.notes)


def _by_table(domains: Domains, domain: str) -> TrustStore:
    if domain or len(domains.stores) == 1:
        return domains.store(domain)
    stores = domains.stores.values()
    return TrustStore(tuple(c for one in stores for c in one.anchors), tuple(c for one in stores for c in one.intermediates))


def beside(trust: Path) -> tuple[Collected, Collected]:
    """The lists and the answers that lie in a trust folder's ``crl/`` and ``ocsp/``, and in those of its domains."""
    inner = sorted(one for one in trust.iterdir() if one.is_dir() and one.name not in NO_DOMAINS) if trust.is_dir() else []
    found = [
        [read(one / name) for one in (trust, *inner) if (one / name).is_dir()] for name, read in ((LISTS, lists_in), (ANSWERS, answers_in))
    ]
    lists, answers = (
        Collected(tuple(dict.fromkeys(d for one in some for d in one.ders)), tuple(n for one in some for n in one.notes)) for some in found
    )
    return lists, answers


def _whole(der: bytes, _: object) -> bytes:
    return der


def _collected(place: Path, load: Callable[[bytes], bytes]) -> Collected:
    ders: dict[bytes, None] = {}
    notes: list[Violation] = []
    left = MAX_TOTAL_BYTES
    for path in _files(place):
        try:
            size = path.stat().st_size
            left -= size
            if left < 0 or size > MAX_CRL_BYTES:
                raise Refused("resource-limit", got=f"{size} bytes", expected=f"at most {MAX_CRL_BYTES} and {MAX_TOTAL_BYTES} together")
            for block in _blocks(path.read_bytes()):
                try:
                    ders[load(block)] = None
                except Refused as fault:
                    notes.append(_left_out(path, fault.got))
        except (Refused, OSError) as fault:
            notes.append(_left_out(path, fault.got if isinstance(fault, Refused) else str(fault.strerror)))
    return Collected(tuple(ders), tuple(notes))


def _left_out(path: Path, got: str) -> Violation:
    return warning("trust-invalid", path=shown(path.name), got=got, expected="PEM or DER; it was left out")


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    yield from sorted(one for one in place.iterdir() if one.is_file() and not one.name.startswith("."))[:MAX_FILES]


def _blocks(raw: bytes) -> Iterator[bytes]:
    """Everything in one file; what is no value of its own is handed on whole, for its reader to refuse."""
    if b"-----BEGIN " in raw:
        found = list(_PEM.finditer(raw))
        for match in found:
            with suppress(binascii.Error):
                yield base64.b64decode(b"".join(match.group(2).split()), validate=True)
        if not found:
            yield raw
        return
    try:
        yield from ber.split(raw)
    except Refused:
        yield raw
