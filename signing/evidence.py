"""What a verdict on a signer was reached with, so that anyone can reach it again years later and offline.

Evidence is one frozen value, content-addressed: `digest` is the SHA-256 of its canonical JSON (RFC 8785). `judge_again` is the same
function for both questions. `as_of="then"` puts in what was known then; `as_of="now"` keeps the signature's own facts (certificates, lists,
answers, proven time) and takes trust, table of algorithms, moment and newer lists from today.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from schemas.errors import Refused
from schemas.message import rfc3339
from signing.algorithms import CURRENT, AlgorithmPolicy
from signing.context import Context, Demand, PolicyDemand, Purpose
from signing.signer import Judged, judge_signer
from signing.trust import TrustStore

FORM = "lgsp-evidence-1"
_LISTS = ("others", "anchors", "trusted", "intermediates", "crls", "ocsps", "tokens")
_TEXTS = ("software", "algorithms", "trust", "domain", "purpose", "demand")
_TIMES = ("at", "proven_time", "claimed_time")
_POLICIES = {CURRENT.version: CURRENT}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Certificates, lists, answers and tokens are DER; times are aware; digests lower hex."""

    signer: bytes
    others: tuple[bytes, ...]  # certificates sent along
    anchors: tuple[bytes, ...]  # of the trust store
    trusted: tuple[bytes, ...]  # its intermediates
    intermediates: tuple[bytes, ...]  # of the context
    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    tokens: tuple[bytes, ...]  # RFC 3161, that prove `proven_time`
    at: datetime
    proven_time: datetime | None
    claimed_time: datetime | None
    algorithms: str  # version of the table
    trust: str  # fingerprint of the store
    domain: str
    purpose: Purpose
    demand: Demand
    policies: PolicyDemand
    software: str  # name and version of what reached the verdict

    def to_json(self) -> bytes:
        """Canonical JSON (RFC 8785): DER in base64, times in RFC 3339."""
        rows: dict[str, Any] = {"form": FORM, "signer": _text(self.signer)}
        rows |= {name: [_text(der) for der in getattr(self, name)] for name in _LISTS}
        rows |= {name: str(getattr(self, name)) for name in _TEXTS}
        rows |= {name: rfc3339(moment) if (moment := getattr(self, name)) else None for name in _TIMES}
        demand = self.policies
        rows["policies"] = [sorted(demand.accepted), demand.explicit, demand.inhibit_mapping, demand.inhibit_any]
        return rfc8785.dumps(rows)

    @property
    def digest(self) -> str:
        """SHA-256 of `to_json`: its address."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @classmethod
    def from_json(cls, raw: bytes) -> Evidence:
        """The evidence in `raw`. Raises `Refused` with `evidence-invalid`."""
        try:
            rows = json.loads(raw)
            if rows.pop("form") != FORM:
                raise ValueError("another form")
            return _of(rows)
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise Refused("evidence-invalid", got=f"{type(fault).__name__}: {fault}", expected=FORM) from fault


def gather(
    signer: bytes,
    others: tuple[bytes, ...],
    ctx: Context,
    judged: Judged,
    *,
    software: str,
    tokens: tuple[bytes, ...] = (),
    purpose: Purpose = Purpose.DOCUMENT,
) -> Evidence:
    """What `judged` rests on: of the lists and answers in `ctx` only those that were used, or all where they did not suffice."""
    used = judged.revocation.used if judged.revocation and not judged.revocation.faults else None
    crls, ocsps = (tuple(d for d in ders if used is None or hashlib.sha256(d).hexdigest() in used) for ders in (ctx.crls, ctx.ocsps))
    return Evidence(
        signer=signer,
        others=others,
        anchors=tuple(_der(c) for c in ctx.trust.anchors),
        trusted=tuple(_der(c) for c in ctx.trust.intermediates),
        intermediates=ctx.intermediates,
        crls=crls,
        ocsps=ocsps,
        tokens=tokens,
        at=ctx.at,
        proven_time=ctx.proven_time,
        claimed_time=ctx.claimed_time,
        algorithms=ctx.algorithm_policy.version,
        trust=ctx.trust.fingerprint,
        domain=ctx.trust.domain,
        purpose=purpose,
        demand=ctx.demand,
        policies=ctx.policies,
        software=software,
    )


def judge_again(
    evidence: Evidence,
    as_of: Literal["then", "now"],
    now: Context | None = None,
    policies: Mapping[str, AlgorithmPolicy] = _POLICIES,
) -> Judged:
    """The answer of then, or of `now`: a context of today, whose lists and answers are added to those of the evidence.

    Raises `Refused` with `evidence-invalid` where the evidence names a table of algorithms that `policies` does not hold, or does not
    hold the trust that it names.
    """
    ctx = context_of(evidence, policies)
    if as_of == "now":
        if now is None:
            raise RuntimeError('the question "now" needs a context of now')
        ctx = replace(
            now,
            proven_time=evidence.proven_time,
            claimed_time=evidence.claimed_time,
            intermediates=(*evidence.intermediates, *now.intermediates),
            crls=tuple(dict.fromkeys((*evidence.crls, *now.crls))),
            ocsps=tuple(dict.fromkeys((*evidence.ocsps, *now.ocsps))),
        )
    return judge_signer(evidence.signer, evidence.others, ctx, evidence.purpose)


def context_of(evidence: Evidence, policies: Mapping[str, AlgorithmPolicy] = _POLICIES) -> Context:
    """The context of then. Raises as `judge_again`."""
    policy = policies.get(evidence.algorithms)
    if policy is None:
        raise Refused("evidence-invalid", got=f"table of algorithms {evidence.algorithms}", expected=", ".join(policies))
    try:
        anchors, trusted = (tuple(map(x509.load_der_x509_certificate, ders)) for ders in (evidence.anchors, evidence.trusted))
    except ValueError as fault:
        raise Refused("evidence-invalid", got=str(fault), expected="certificates in DER") from fault
    store = TrustStore(anchors, trusted, evidence.domain)
    if store.fingerprint != evidence.trust:
        raise Refused("evidence-invalid", got=f"trust {store.fingerprint}", expected=evidence.trust)
    return Context(
        trust=store,
        at=evidence.at,
        intermediates=evidence.intermediates,
        crls=evidence.crls,
        ocsps=evidence.ocsps,
        algorithm_policy=policy,
        proven_time=evidence.proven_time,
        claimed_time=evidence.claimed_time,
        policies=evidence.policies,
        demand=evidence.demand,
    )


def _of(rows: dict[str, Any]) -> Evidence:
    accepted, explicit, mapping, any_policy = rows.pop("policies")
    values: dict[str, Any] = {"signer": _bytes(rows.pop("signer"))}
    values |= {name: tuple(_bytes(text) for text in rows.pop(name)) for name in _LISTS}
    values |= {name: _time(rows.pop(name)) for name in _TIMES}
    values |= {"purpose": Purpose(rows.pop("purpose")), "demand": Demand(rows.pop("demand"))}
    values["policies"] = PolicyDemand(frozenset(accepted), explicit is True, mapping is True, any_policy is True)
    if values["at"] is None:
        raise ValueError("at is missing")
    return Evidence(**values, **rows)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _der(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.DER)
