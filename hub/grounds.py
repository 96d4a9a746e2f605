"""What the hub judges signatures with: the trust domains, and the lists and answers that lie beside them, read again when they change.

Nothing is fetched here: a trust service that is down delays evidence, never traffic (DESIGN §2.8). What the background job fetches is
added with `learn` and kept in memory up to a bound; what an operator puts into ``trust/crl`` and ``trust/ocsp`` counts from the next look.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import structlog

from signing import collected
from signing.context import Context, Demand
from signing.trust import ANSWERS, LISTS, Domains

MAX_LEARNT = 128  # of each kind; `signing.limits` looks at 256 at most
log = structlog.get_logger(__name__)
Snapshot = tuple[tuple[bytes, ...], tuple[bytes, ...]]


@dataclass(slots=True)
class Grounds:
    """Thread-safe. `context` takes what was last read; `refresh` reads."""

    folder: Path
    domains: Domains
    demand: Demand = Demand.ALL
    _read: Snapshot = ((), ())
    _learnt: Snapshot = ((), ())
    _seen: tuple[tuple[str, int, int], ...] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def load(cls, folder: Path, demand: Demand = Demand.ALL) -> Grounds:
        """The grounds in `folder`. Raises `Halted` with `trust-invalid` as `Domains.load` does; a bad list is logged and left out."""
        grounds = cls(folder, Domains.load(folder), demand)
        grounds.refresh()
        return grounds

    def context(self, at: datetime, domain: str = "") -> Context:
        """What to judge with, as of `at`, in one trust domain."""
        (crls, ocsps), (more_crls, more_ocsps) = self._read, self._learnt
        return Context(
            self.domains.store(domain),
            at,
            crls=(*crls, *more_crls) if more_crls else crls,
            ocsps=(*ocsps, *more_ocsps) if more_ocsps else ocsps,
            demand=self.demand,
        )

    def refresh(self) -> bool:
        """Reads the folders again where a file came, went or changed; whether one did."""
        with self._lock:
            seen = tuple(self._files())
            if seen == self._seen:
                return False
            lists, answers = collected.beside(self.folder)
            for note in (*lists.notes, *answers.notes):
                log.warning("trust-file-left-out", file=note.path, got=note.got)
            self._read, self._seen = (lists.ders, answers.ders), seen
            return True

    def learn(self, crls: tuple[bytes, ...], ocsps: tuple[bytes, ...]) -> None:
        """Adds what was fetched; the oldest is let go."""
        with self._lock:
            known_crls, known_ocsps = self._learnt
            self._learnt = (
                tuple(dict.fromkeys((*crls, *known_crls)))[:MAX_LEARNT],
                tuple(dict.fromkeys((*ocsps, *known_ocsps)))[:MAX_LEARNT],
            )

    def _files(self) -> list[tuple[str, int, int]]:
        places = [one for name in (LISTS, ANSWERS) for one in (self.folder / name, *self.folder.glob(f"*/{name}")) if one.is_dir()]
        found = [(path, path.stat()) for place in places for path in place.iterdir() if path.is_file()]
        return sorted((str(path), about.st_mtime_ns, about.st_size) for path, about in found)
