"""Passwords of people: argon2id (RFC 9106 §4, second recommended option), a bound on what guessing may cost the hub, no timing to read.

A password is taken as its NFC form (RFC 8265 §4.2): two keyboards may type one Vietnamese letter as different code points.
"""

from __future__ import annotations

import threading
import unicodedata
from dataclasses import dataclass, field

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from schemas.errors import Refused, TryLater

MIN_CHARS, MAX_CHARS = 12, 256  # NIST SP 800-63B §5.1.1.2 asks for 8 at the least; these people can send documents again
TELLING_CHARS = 4  # a shorter login, such as "an", is a syllable that any password may have
AT_ONCE = 4  # verifications, each of some 64 MiB
WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Passwords:
    """Hashes and checks. `hasher` carries the costs; a hash names those it was made with."""

    hasher: PasswordHasher = field(default_factory=lambda: PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY), repr=False)
    _places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE), repr=False)
    _nobody: list[str] = field(default_factory=list, repr=False)  # a hash that no password has, made when first needed

    def hash(self, password: str, login: str) -> str:
        """What is kept of `password`. Raises `Refused("person-invalid")` for one that is too short, too long, or has the login in it."""
        text = unicodedata.normalize("NFC", password)
        if not MIN_CHARS <= len(text) <= MAX_CHARS:
            raise Refused("person-invalid", got=f"a password of {len(text)} characters", expected=f"{MIN_CHARS} to {MAX_CHARS}")
        if (len(login) >= TELLING_CHARS and login.casefold() in text.casefold()) or len(set(text)) < 5:
            raise Refused("person-invalid", got="a password that is easily guessed", expected="not the login, not few letters repeated")
        return self.hasher.hash(_bytes(text))

    def hash_again(self, password: str) -> str:
        """The hash of a password that was right, with today's costs."""
        return self.hasher.hash(_bytes(unicodedata.normalize("NFC", password)))

    def is_right(self, kept: str | None, offered: str) -> bool:
        """Whether `offered` is the password of which `kept` is the hash; False, for the same work, where there is none.

        Raises `TryLater("too-busy")` where too many are being checked at once.
        """
        if not self._places.acquire(timeout=WAIT_S):
            raise TryLater("too-busy", got="passwords being checked", expected=f"at most {AT_ONCE} at once")
        try:
            return self._verify(self._of_nobody() if kept is None else kept, offered) and kept is not None
        finally:
            self._places.release()

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash was made with other costs than today's; it is made anew at the next login."""
        return self.hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, offered: str) -> bool:
        try:
            return self.hasher.verify(kept, _bytes(unicodedata.normalize("NFC", offered[: 2 * MAX_CHARS])))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    def _of_nobody(self) -> str:
        if not self._nobody:
            self._nobody.append(self.hasher.hash(b"nobody's password"))
        return self._nobody[0]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
