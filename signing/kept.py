"""What a file's verdict was reached with, to be kept beside it: the same verdict again years later, offline, and today's for comparison.

A bundle is canonical JSON (RFC 8785) and addressed by its SHA-256. Certificates, lists and answers are named by their own SHA-256 and kept
once, however many verdicts rest on them. The file itself is not in it: whoever asks again has it (the payload store), and gets one of the
same digest judged, no other. `reverify` is one function for both questions: `as_of="then"` puts in what was known then, `as_of="now"` adds
what is known today and judges by today's trust.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from schemas.canonical import canonical_json
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.message import Envelope, Verdict, rfc3339
from signing.algorithms import CURRENT, AlgorithmPolicy
from signing.context import Context, Demand, PolicyDemand
from signing.limits import MAX_STORES_BYTES
from signing.policy import SignatureMode, SignaturePolicy
from signing.remembered import Remembered
from signing.trust import TrustStore
from signing.verify import PROCEDURE, Judgement, Keep, judge_envelope

FORM = "lgsp-verification-1"
_POLICIES: Mapping[str, AlgorithmPolicy] = {CURRENT.version: CURRENT}
_stores: Remembered[tuple[tuple[bytes, ...], tuple[bytes, ...], str], TrustStore] = Remembered(MAX_STORES_BYTES)
_LISTS = ("anchors", "trusted", "intermediates", "crls", "ocsps")


@dataclass(frozen=True, slots=True)
class Bundle:
    """`json` names what is in `blobs` (SHA-256 in lower hex → DER)."""

    json: bytes
    blobs: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """The bundle's address."""
        return sha256(self.json)

    def stored(self) -> tuple[str, Mapping[str, bytes]]:
        """Its address, and everything to be stored by SHA-256, the bundle included."""
        return self.digest, {self.digest: self.json, **self.blobs}


@cache  # it is read from a file
def software() -> str:
    """Name and version of what reaches verdicts here."""
    return f"lgsp-hub {version('lgsp-hub')}"


def keep(judged: Judgement, data_sha256: str, policy: SignaturePolicy, ctx: Context, sender: str = "") -> Bundle:
    """The bundle of a judgement that `ctx` and `policy` led to. Of lists and answers only those that were used, or all that were at hand
    where they did not suffice.
    """
    used = _used(judged)
    ders = {
        "anchors": tuple(c.public_bytes(Encoding.DER) for c in ctx.trust.anchors),
        "trusted": tuple(c.public_bytes(Encoding.DER) for c in ctx.trust.intermediates),
        "intermediates": ctx.intermediates,
        "crls": tuple(der for der in ctx.crls if used is None or sha256(der) in used),
        "ocsps": tuple(der for der in ctx.ocsps if used is None or sha256(der) in used),
    }
    demand = ctx.policies
    rows: dict[str, Any] = {
        "form": FORM,
        "software": software(),
        "procedure": PROCEDURE,
        "data_sha256": data_sha256,
        "sender": sender,
        "at": rfc3339(ctx.at),
        "proven_time": rfc3339(ctx.proven_time) if ctx.proven_time else None,
        "algorithms": ctx.algorithm_policy.version,
        "trust": ctx.trust.fingerprint,
        "domain": ctx.trust.domain,
        "demand": str(ctx.demand),
        "policies": [sorted(demand.accepted), demand.explicit, demand.inhibit_mapping, demand.inhibit_any],
        "policy": _policy(judged, policy, sender),
        "verdict": impersonal(judged.verdict),
    }
    rows |= {name: [sha256(der) for der in found] for name, found in ders.items()}
    return Bundle(canonical_json(rows), {sha256(der): der for found in ders.values() for der in found})


def keeper(envelope: Envelope, policy: SignaturePolicy, ctx: Context) -> Keep:
    """For `verify`: what to keep of a judgement on a packet."""
    digest = hashlib.sha256(envelope.inbound.raw).hexdigest()
    return lambda judged: keep(judged, digest, policy, ctx, envelope.sender.key).stored()


def reverify(
    bundle: bytes,
    blob: Callable[[str], bytes],
    envelope: Envelope,
    as_of: Literal["then", "now"],
    now: Context | None = None,
    *,
    policies: Mapping[str, AlgorithmPolicy] = _POLICIES,
    limits: Limits = DEFAULT_LIMITS,
) -> Judgement:
    """The judgement on `envelope` as of then, or as of `now`: a context of today, whose lists and answers are added to those of then.

    `blob` gives what the bundle names, by SHA-256. Raises `Refused` with `evidence-invalid` where the bundle is of another form, is about
    other bytes, names a table of algorithms that `policies` does not hold, or names something that `blob` gives differently.
    """
    rows = _read(bundle)
    digest = hashlib.sha256(envelope.inbound.raw).hexdigest()
    if digest != rows["data_sha256"]:
        raise Refused("evidence-invalid", got=f"bytes {digest}", expected=str(rows["data_sha256"]))
    try:
        then, policy = _context(rows, blob, policies), _policy_of(rows["policy"], rows["domain"])
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Refused("evidence-invalid", got=f"{type(fault).__name__}: {fault}", expected=FORM) from fault
    if as_of == "then":
        return judge_envelope(envelope, policy, then, limits)
    if now is None:
        raise RuntimeError('the question "now" needs a context of now')
    return judge_envelope(envelope, policy, joined(then, now), limits)


def today(bundle: bytes, blob: Callable[[str], bytes], now: Context, policies: Mapping[str, AlgorithmPolicy] = _POLICIES) -> Context:
    """The context that `reverify` judges "now" in. Raises as it does."""
    return joined(_context(_read(bundle), blob, policies), now)


def context_in(bundle: bytes, blob: Callable[[str], bytes], data: bytes, policies: Mapping[str, AlgorithmPolicy] = _POLICIES) -> Context:
    """The context of then, for a bundle about `data`. Raises as `reverify`."""
    rows = _read(bundle)
    if sha256(data) != rows["data_sha256"]:
        raise Refused("evidence-invalid", got=f"bytes {sha256(data)}", expected=str(rows["data_sha256"]))
    try:
        return _context(rows, blob, policies)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Refused("evidence-invalid", got=f"{type(fault).__name__}: {fault}", expected=FORM) from fault


def joined(then: Context, now: Context) -> Context:
    """The context of `now` for a question about `then`: what was at hand then is at hand still, and the journal proves the time."""
    return replace(
        now,
        proven_time=then.proven_time or then.at,  # by the journal, which has had the bytes since
        intermediates=_union(then.intermediates, now.intermediates),
        crls=_union(now.crls, then.crls),
        ocsps=_union(now.ocsps, then.ocsps),
    )


def named_in(bundle: bytes) -> tuple[str, ...]:
    """SHA-256 of all that the bundle names. Raises `Refused` with `evidence-invalid`."""
    rows = _read(bundle)
    return tuple(dict.fromkeys(str(digest) for name in _LISTS for digest in rows[name]))


def policy_in(bundle: bytes) -> SignaturePolicy:
    """The policy of then. Raises `Refused` with `evidence-invalid`."""
    rows = _read(bundle)
    try:
        return _policy_of(rows["policy"], rows["domain"])
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Refused("evidence-invalid", got=f"{type(fault).__name__}: {fault}", expected=FORM) from fault


def verdict_in(bundle: bytes) -> dict[str, Any]:
    """The verdict that the bundle was kept for, as `impersonal` has it. Raises `Refused` with `evidence-invalid`."""
    verdict: dict[str, Any] = _read(bundle)["verdict"]
    return verdict


def impersonal(verdict: Verdict) -> dict[str, Any]:
    """A verdict's JSON without the names in it: a bundle outlives the erasure of what it is about."""
    told = verdict.as_json()
    signatures = [{name: value for name, value in one.items() if name not in ("signer", "name")} for one in told["signatures"]]
    attachments = [{name: value for name, value in one.items() if name != "name"} for one in told["attachments"]]
    return {**told, "signatures": signatures, "attachments": attachments}


def _read(bundle: bytes) -> dict[str, Any]:
    try:
        rows = json.loads(bundle)
        if not isinstance(rows, dict) or rows.get("form") != FORM:
            raise ValueError("another form")
        missing = {"data_sha256", "verdict", "policy", "domain", *_LISTS} - rows.keys()
        if missing:
            raise ValueError(f"without {', '.join(sorted(missing))}")
    except (ValueError, RecursionError) as fault:
        raise Refused("evidence-invalid", got=str(fault), expected=FORM) from fault
    return rows


def _context(rows: Mapping[str, Any], blob: Callable[[str], bytes], policies: Mapping[str, AlgorithmPolicy]) -> Context:
    table = policies.get(rows["algorithms"])
    if table is None:
        raise Refused("evidence-invalid", got=f"table of algorithms {rows['algorithms']}", expected=", ".join(policies))
    anchors, trusted, intermediates, crls, ocsps = (tuple(_checked(digest, blob) for digest in rows[name]) for name in _LISTS)
    store = _store(anchors, trusted, rows["domain"])
    if store.fingerprint != rows["trust"]:
        raise Refused("evidence-invalid", got=f"trust {store.fingerprint}", expected=str(rows["trust"]))
    accepted, *flags = rows["policies"]
    return Context(
        store,
        datetime.fromisoformat(rows["at"]),
        intermediates,
        crls,
        ocsps,
        table,
        proven_time=datetime.fromisoformat(rows["proven_time"]) if rows["proven_time"] else None,
        policies=PolicyDemand(frozenset(accepted), *(flag is True for flag in flags)),
        demand=Demand(rows["demand"]),
    )


def _store(anchors: tuple[bytes, ...], trusted: tuple[bytes, ...], domain: str) -> TrustStore:
    """One store for the same certificates in the same domain, so that what is remembered by the store is found again."""
    return _stores.of(
        (anchors, trusted, domain),
        lambda: TrustStore(
            tuple(map(x509.load_der_x509_certificate, anchors)), tuple(map(x509.load_der_x509_certificate, trusted)), domain
        ),
        1024 + sum(map(len, (*anchors, *trusted))),
    )


def _checked(digest: str, blob: Callable[[str], bytes]) -> bytes:
    der = blob(digest)
    if sha256(der) != digest:
        raise Refused("evidence-invalid", got=sha256(der), expected=digest)
    return der


def _policy(judged: Judgement, policy: SignaturePolicy, sender: str) -> dict[str, Any]:
    """The policy, and of its bindings those that the answer depended on: the sender's, and the owners' of the signers' certificates."""
    signers = {report.certificate_sha256 for report in judged.verdict.signatures} - {""}
    meant = {key: sorted(digests) for key, digests in policy.bindings.items() if key == sender or digests & signers}
    return {"mode": str(policy.mode), "require_binding": policy.require_binding, "bindings": meant}


def _policy_of(row: Mapping[str, Any], domain: str) -> SignaturePolicy:
    bindings = {key: frozenset(digests) for key, digests in row["bindings"].items()}
    return SignaturePolicy(SignatureMode(row["mode"]), bindings, row["require_binding"] is True, domain)


def _used(judged: Judgement) -> frozenset[str] | None:
    found: set[str] = set()
    for one in (basis.judged.revocation for part in judged.parts for answer in part.answers for basis in answer.bases):
        if one is None or one.faults:
            return None
        found.update(one.used)
    return frozenset(found)


def _union(first: Iterable[bytes], second: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def sha256(data: bytes) -> str:
    """In lower hex."""
    return hashlib.sha256(data).hexdigest()
