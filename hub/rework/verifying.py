"""Verifying again what was accepted. Three questions about the same bytes, all answered from what is stored, without asking anybody:

then   with the trust, lists, answers, table of algorithms, policy and moment of then, as they were kept at acceptance
       (`signing.kept`); that is the outcome: the verdict of then comes out again, or it does not
now    what is known today of a signature made then: today's trust, policy and table, today's lists beside those of then, and the journal as
       proof of when it existed. A certificate that was revoked since stays good; one that is now known to have been revoked before does not
today  what would be said if it came today for the first time: then no proof of an earlier time stands for it

Where ``now`` is otherwise than then, ``because`` names what makes the difference: each of `CAUSES` is put alone in the place of what it
was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub import verification
from hub.access import Principal
from hub.artefacts import policies_of, trust_of
from hub.grounds import Grounds
from hub.policies import Policies
from hub.rework.recorded import Recorded, differences, recorded, told_of
from hub.rework.without_effect import WithoutEffect
from hub.systems import SendFor
from replay.artefacts import fetch
from replay.job import Finding, Outcome
from replay.payloads import PayloadStore
from replay.selection import Item
from replay.store.engine import Store
from schemas.edxml import reader
from schemas.errors import Halted, Refused
from schemas.limits import Limits
from schemas.message import Envelope
from signing import kept
from signing.algorithms import CURRENT, AlgorithmPolicy
from signing.context import Context
from signing.policy import SignaturePolicy
from signing.remembered import Remembered
from signing.verify import PROCEDURE, Judgement, judge_envelope

MAX_REMEMBERED = 64  # artefacts that are kept read
MAX_BLOB_BYTES = 64 * 1024 * 1024  # of certificates, lists and answers in the evidence that are kept read
CAUSES = ("time", "lists", "trust", "algorithms", "policy")
_OF_THE_MOMENT = ("/signed_at", "/time_source", "/time")  # another moment is asked about, in any case
_NOT_HERE = ("artefact-missing", "artefact-changed", "not-found", "evidence-invalid")


@dataclass(frozen=True, slots=True)
class Today:
    """What a hub would judge with now."""

    grounds: Grounds
    policies: Policies
    limits: Limits
    clock: Callable[[], datetime]
    algorithms: AlgorithmPolicy = CURRENT


@dataclass(frozen=True, slots=True)
class Ground:
    """What a verdict is reached with."""

    policy: SignaturePolicy
    context: Context


@dataclass(slots=True)
class _Packet:
    """One packet, to be judged on several grounds: what its bytes alone say is looked for once (`signing.verify.judge_envelope`)."""

    envelope: Envelope
    limits: Limits
    judged: Judgement | None = None  # the last one

    def verdict(self, ground: Ground) -> Mapping[str, Any]:
        """The verdict on it, as JSON."""
        self.judged = judge_envelope(self.envelope, ground.policy, ground.context, self.limits, self.judged)
        return self.judged.verdict.as_json()


@dataclass(frozen=True, slots=True)
class Verify(WithoutEffect):
    """The work of the mode."""

    store: Store
    payloads: PayloadStore
    today: Today
    remembered: dict[str, Any]
    blobs: Remembered[str, bytes] = field(default_factory=lambda: Remembered(MAX_BLOB_BYTES))  # of the evidence

    def look(self, item: Item) -> Finding:
        """See `replay.engine.Work`."""
        known = recorded(self.store, self.payloads, item)
        if isinstance(known, Finding):
            return known
        if known.is_composed:  # the hub's own word: there is nobody else's signature to judge
            return Finding(Outcome.SAME)
        try:
            envelope = reader.read(known.inbound, self.today.limits)
        except Refused as fault:
            return Finding(Outcome.DIFFERENT, {"code": fault.code, "got": fault.got})
        was = dict(known.values["verdict"])
        try:
            then = self._of_then(known, envelope)
        except (Refused, Halted) as fault:
            if fault.code not in _NOT_HERE:
                raise
            return Finding(Outcome.IMPOSSIBLE, {"code": fault.code, "got": fault.got})
        packet = _Packet(envelope, self.today.limits)
        fields = differences(was, packet.verdict(then))
        try:
            told = _about_today(packet, was, then, self._of_today(known, envelope))
        except Refused as fault:  # the system has no profile any more
            told = {"now": {"changed": True, "code": fault.code, "got": fault.got, "because": ["policy"]}}
        told |= told_of(fields)
        return Finding(Outcome.DIFFERENT if fields else Outcome.SAME, told)

    def _of_today(self, known: Recorded, envelope: Envelope) -> Ground:
        policy = _policy(self.today.policies, known, envelope)
        context = self.today.grounds.context(self.today.clock(), policy.domain)
        return Ground(policy, replace(context, algorithm_policy=self.today.algorithms))

    def _of_then(self, known: Recorded, envelope: Envelope) -> Ground:
        named = known.artefacts
        if named["procedure"] != PROCEDURE:
            raise Refused("artefact-missing", got=f"procedure {named['procedure']}", expected=PROCEDURE)
        tables = {named["algorithms"]: self._artefact(named, "algorithms", _table)}
        address = named.get("evidence", "")
        if not address:  # nobody signed: nothing was kept beside what every verdict names
            policy = _policy(self._artefact(named, "policies", policies_of), known, envelope)
            trust = self._artefact(named, "trust", trust_of)
            context = trust.context(datetime.fromisoformat(named["judged-at"]), policy.domain)
            return Ground(policy, replace(context, algorithm_policy=tables[named["algorithms"]]))
        with self.store.read() as conn:
            bundle = verification.blob(conn, address)
            if kept.sha256(bundle) != address:
                raise Refused("evidence-invalid", got=kept.sha256(bundle), expected=address)
            blobs = {digest: self._blob(conn, digest) for digest in kept.named_in(bundle)}
        return Ground(kept.policy_in(bundle), kept.context_in(bundle, blobs.__getitem__, known.raw, tables))

    def _blob(self, conn: Connection, digest: str) -> bytes:
        """Certificates and lists are those of many packets: each is read once in a run. `kept` compares it with its digest every time."""
        found = self.blobs.found(digest)
        if found is None:
            found = verification.blob(conn, digest)
            self.blobs.put(digest, found, len(found))
        return found

    def _artefact(self, named: Mapping[str, str], kind: str, read: Callable[[bytes], Any]) -> Any:
        digest = named.get(f"{kind}-sha256", "")
        if digest not in self.remembered:
            if len(self.remembered) >= MAX_REMEMBERED:
                self.remembered.clear()
            with self.store.read() as conn:
                self.remembered[digest] = read(fetch(conn, digest))
        return self.remembered[digest]


def _about_today(packet: _Packet, was: Mapping[str, Any], then: Ground, new: Ground) -> dict[str, Any]:
    proven = Ground(new.policy, kept.joined(then.context, new.context))
    now = _changes(was, packet.verdict(proven))
    if now["changed"]:
        now["because"] = _causes(packet, was, then, proven)
    today = _changes(was, packet.verdict(new))
    if today["changed"]:
        today["because"] = now.get("because", ["time"])
    return {"now": now, "today": today}


def _causes(packet: _Packet, was: Mapping[str, Any], then: Ground, now: Ground) -> list[str]:
    """What alone, in the place of what it was, changes the verdict; all of them where nothing does so alone."""
    base, new = replace(then.context, at=now.context.at, proven_time=now.context.proven_time), now.context
    tried = {
        "time": Ground(then.policy, base),
        "lists": Ground(then.policy, replace(base, intermediates=new.intermediates, crls=new.crls, ocsps=new.ocsps)),
        "trust": Ground(then.policy, replace(base, trust=new.trust, demand=new.demand)),
        "algorithms": Ground(then.policy, replace(base, algorithm_policy=new.algorithm_policy)),
        "policy": Ground(now.policy, base),
    }
    return [name for name in CAUSES if _changes(was, packet.verdict(tried[name]))["changed"]] or list(CAUSES)


def _policy(policies: Policies, known: Recorded, envelope: Envelope) -> SignaturePolicy:
    principal = Principal(known.values["principal"], (), SendFor.OWN, frozenset())
    try:
        return policies.of(principal, envelope.sender)
    except KeyError as fault:
        raise Refused("artefact-missing", got=f"policy of {principal.system}", expected="a policy") from fault


def _table(body: bytes) -> AlgorithmPolicy:
    try:
        return AlgorithmPolicy.parse(body.decode("utf-8"))
    except (ValueError, KeyError, TypeError) as fault:
        raise Refused("artefact-missing", got=f"algorithms: {type(fault).__name__}", expected="a table of algorithms") from fault


def _changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict of today beside that of then."""
    fields = {path: pair for path, pair in differences(was, now).items() if not path.endswith(_OF_THE_MOMENT)}
    return {"verdict": now["verdict"], "reasons": now["reasons"], "changed": bool(fields), **told_of(fields)}
