"""What the hub does with a verdict: the policy of one agency for the signature of its packets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.agency import AgencyCode
from schemas.errors import Refused
from schemas.message import Verdict, VerdictStatus

UNSIGNED = frozenset({"no-signature", "decorative-signature"})  # reasons that say no more than that nobody signed


class SignatureMode(StrEnum):
    """How much a packet's signature matters. The legal signature of a document is in its attachments (DESIGN §9)."""

    REQUIRE = "require"  # only a valid one passes
    CHECK = "check"  # none, or the SDK's placeholder, passes for information; a real one that is not valid refuses
    IGNORE = "ignore"  # everything passes; the verdict is recorded as it is


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """`mode`, and which certificates may sign for which agency.

    `bindings` maps an agency's key (`AgencyCode.key`) to SHA-256 digests (lower hex) of certificates in DER. An agency that is not in
    it has no certificate of its own: then any trusted one may sign for it, unless `require_binding`, or unless the certificate is
    bound to another agency that does not stand above it.
    """

    mode: SignatureMode
    bindings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    require_binding: bool = False
    domain: str = ""  # name of the trust domain in which its signers are looked for

    @property
    def name(self) -> str:
        """As verdicts name it."""
        return str(self.mode)

    def bound_to(self, certificate_sha256: str, sender: AgencyCode | None) -> str:
        """The key of the agency that the certificate is bound to, the sender's own if among several; "" for none.

        Raises `Refused` with `sender-mismatch` where it may not sign for `sender` (None: there is nothing to compare with).
        """
        if not self.bindings and not self.require_binding:
            return ""  # nobody is bound: anybody may
        own = sender.key if sender else ""
        if certificate_sha256 in self.bindings.get(own, ()):
            return own
        owners = [key for key, digests in self.bindings.items() if certificate_sha256 in digests]
        if sender is None:
            return owners[0] if owners else ""
        above = [key for key in owners if sender.is_within(AgencyCode.of(key))]
        if self.bindings.get(own) or (owners and not above) or (self.require_binding and not above):
            got = ", ".join(owners) if owners else f"certificate {certificate_sha256[:16]}… of no known agency"
            raise Refused("sender-mismatch", got=got, expected=f"a certificate of {sender.text}")
        return above[0] if above else ""

    def carries(self, verdict: Verdict) -> bool:
        """Whether a packet with this verdict goes on."""
        if self.mode is SignatureMode.IGNORE or verdict.status is VerdictStatus.VALID:
            return True
        if verdict.is_pending:  # only a revocation service was silent: the receiver's policy decides (DESIGN §2.4)
            return True
        return self.mode is SignatureMode.CHECK and set(verdict.reasons) <= UNSIGNED
