"""Asking witnesses to cosign (C2SP tlog-witness, the log's side). What a witness answers is believed no further than its signature.

1. the consistency proof is from the size that the witness is known to have, 0 at first
2. 409 with a size: it has another; again from that one, once. A size that the store does not reach: it has seen more of this log than
   there is here, so the log was rolled back or forked – the one answer that is about us, and an alarm
3. 200: one line is a cosignature by the configured key over this very checkpoint, not from the future; others are ignored
4. everything else – another status, a wrong size, a wrong line, an endless answer – is a witness that did not cosign
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adapters.attempt import Attempt
from adapters.contract import Idempotency
from adapters.egress import EgressPolicy
from adapters.exchange import Answer, HttpExchange
from replay.published import Published
from replay.witness import request_body
from schemas.errors import Halted, Refused
from signing.cosignature import CosignatureVerifier
from signing.note import note_text, signature_lines

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 16 * 1024
FUTURE_S = 300  # how far a witness's clock may be ahead
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")

Prove = Callable[[int, int], Sequence[bytes]]  # consistency from the first size to the second
Size = Callable[[], int]  # entries of the store, now


@dataclass(slots=True)
class WitnessClient:
    """One witness, as one process of the hub knows it."""

    url: str  # submission prefix
    verifier: CosignatureVerifier
    egress: EgressPolicy
    timeout_s: float = TIMEOUT_S
    known: int = 0  # the size that it has, as far as is known
    _exchange: HttpExchange = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._exchange = HttpExchange(
            f"{self.url.rstrip('/')}/add-checkpoint", Idempotency.KEY, self.timeout_s, MAX_ANSWER_BYTES, self.egress
        )

    @property
    def name(self) -> str:
        """By which it cosigns."""
        return self.verifier.name

    def cosign(self, published: Published, prove: Prove, size_now: Size, at_s: int) -> tuple[str, int]:
        """Its line for the checkpoint, and the time in it (POSIX seconds). `at_s`: now.

        Raises `Refused("witness-refused")`, `Halted("witness-ahead")`, and what the adapters' exchange raises for one that is away.
        """
        size = published.checkpoint.size
        answer = self._ask(published, prove, min(self.known, size))  # 1
        if answer.status == 409:
            self.known = self._size(answer)
            if self.known > size:
                raise self._ahead(size_now())
            answer = self._ask(published, prove, self.known)  # 2
        if answer.status != 200:
            raise Refused("witness-refused", got=f"{self.name}: {answer.excerpt()[:200]}", expected="200 and a cosignature")  # 4
        line, time_s = self._line(answer, note_text(published.note), at_s)
        self.known = size
        return line, time_s

    def close(self) -> None:
        """Gives connections back."""
        self._exchange.close()

    def _ask(self, published: Published, prove: Prove, old: int) -> Answer:
        body = request_body(old, prove(old, published.checkpoint.size), published.note)
        with Attempt(self.timeout_s) as attempt:
            return self._exchange.send(attempt, "POST", {"Content-Type": "text/plain; charset=utf-8"}, body)

    def _size(self, answer: Answer) -> int:
        found = _SIZE.fullmatch(answer.body)
        if found is None or answer.media_type != "text/x.tlog.size":
            raise Refused("witness-refused", got=f"{self.name}: {answer.excerpt()[:200]}", expected="409 with a size, text/x.tlog.size")
        return int(found.group(1))

    def _ahead(self, here: int) -> Refused | Halted:
        if self.known > here:
            return Halted("witness-ahead", got=f"{self.name} has cosigned size {self.known}", expected=f"at most the {here} entries here")
        return Refused("witness-refused", got=f"{self.name} has size {self.known} already", expected="the next checkpoint")

    def _line(self, answer: Answer, text: str, at_s: int) -> tuple[str, int]:  # 3
        try:
            lines = answer.body.decode("utf-8").split("\n")
            if lines.pop():
                raise Refused("witness-refused", got=f"{self.name}: no newline at the end", expected="signature lines")
            for line, (name, raw) in zip(lines, signature_lines(lines), strict=True):
                if self.verifier.is_mine(name, raw):
                    time_s = self.verifier.time_of(raw, text)
                    if time_s > at_s + FUTURE_S:
                        raise Refused("witness-refused", got=f"{self.name}: a time {time_s - at_s} s ahead", expected="now")
                    return line + "\n", time_s
        except (UnicodeDecodeError, Refused) as fault:
            raise Refused("witness-refused", got=f"{self.name}: {fault}"[:300], expected="its cosignature") from fault
        raise Refused("witness-refused", got=f"{self.name}: no line by the configured key", expected=self.verifier.text)
