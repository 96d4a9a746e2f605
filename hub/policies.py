"""Which signature policy a packet is held to: that of the agency in From, on whatever route it comes.

Asked in this order: what the calling system's profile says of that agency by name (`signature.by_agency`: how a province lets the axis
bring re-serialised packets, whose signatures cannot survive); the profile of the system that serves the agency; the calling system's own;
the hub's default. So a packet in the name of an agency that signs is not let in unsigned because another system brought it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hub.access import Principal
from hub.systems import Profile, Systems
from schemas.agency import AgencyCode
from signing.policy import SignatureMode, SignaturePolicy


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies, made once from the profiles."""

    by_system: Mapping[str, SignaturePolicy]
    by_agency: Mapping[str, SignaturePolicy]  # agency key → policy of the system that serves it
    exceptions: Mapping[tuple[str, str], SignaturePolicy]  # (calling system, agency key)
    bindings: Mapping[str, frozenset[str]]  # agency key → certificates, of all profiles

    @classmethod
    def of_systems(cls, systems: Systems, default_mode: str, default_domain: str = "") -> Policies:
        """Certificates that any profile binds to an agency hold on every route."""
        bindings: dict[str, frozenset[str]] = {}
        for profile in systems.by_name.values():
            for code, digests in profile.signature.certificates.items():
                key = AgencyCode.of(code).key
                bindings[key] = bindings.get(key, frozenset()) | frozenset(digests)
        made = {
            name: SignaturePolicy(
                SignatureMode(profile.signature.mode or default_mode), bindings, domain=profile.signature.domain or default_domain
            )
            for name, profile in systems.by_name.items()
        }
        by_agency = {code.key: made[name] for name, profile in systems.by_name.items() for code in profile.codes}
        return cls(
            by_system=made,
            by_agency=by_agency,
            exceptions={
                (name, key): replace(by_agency.get(key, made[name]), mode=SignatureMode(mode))  # the signer's domain is the agency's
                for name, profile in systems.by_name.items()
                for key, mode in _exceptions(profile)
            },
            bindings=bindings,
        )

    def of(self, principal: Principal, sender: AgencyCode) -> SignaturePolicy:
        """The policy for a packet From `sender` that `principal` brought."""
        named = self.exceptions.get((principal.system, sender.key))
        return named or self.by_agency.get(sender.key) or self.by_system[principal.system]


def _exceptions(profile: Profile) -> tuple[tuple[str, str], ...]:
    return tuple((AgencyCode.of(code).key, mode) for code, mode in profile.signature.by_agency.items())
