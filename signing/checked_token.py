"""A time-stamp token over bytes that are at hand, as it is kept beside what it stamps."""

from __future__ import annotations

from datetime import datetime

from schemas.errors import Refused
from signing import ber
from signing.algorithms import CURRENT
from signing.finding import Given, StampKind
from signing.timestamp import believable, examine, token_in


def checked_token(answer: bytes, content: bytes, at: datetime) -> bytes:
    """The token in a TimeStampResp, or the token itself, if it is about `content` and signed as an authority must (`signing.timestamp`).

    Raises `Refused("timestamp-invalid")`. Whether the authority is trusted is judged by whoever uses the token.
    """
    given = Given(at, CURRENT)
    try:
        found = token_in(ber.unwrapped(answer))
    except Refused as fault:
        raise Refused("timestamp-invalid", got=fault.got, expected=fault.expected) from fault
    stamp = examine(found, (content,), StampKind.FILE, given)
    faults = (*stamp.violations, *believable(stamp, given))
    if not stamp.fits or faults:
        first = faults[0] if faults else None
        raise Refused("timestamp-invalid", got=first.got if first else "no token that fits", expected=first.expected if first else "")
    return found
