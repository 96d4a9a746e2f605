"""What this hub judges with, as artefacts that can be kept and read again: trust, signature policies, tables, schemas, mappings, settings,
profiles, keys (their public halves), software.

They are taken once, when the hub opens; a change made in the files is journalled when it takes effect, by the process in which it does.
Nothing secret is in them: passwords in URLs are left out, API keys are there as the digests that profiles have.
"""

from __future__ import annotations

import json
import platform
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.grounds import Grounds
from hub.policies import Policies
from replay.in_force import Artefact
from schemas.errors import Refused
from signing import algorithms
from signing.context import Context, Demand
from signing.policy import SignatureMode, SignaturePolicy
from signing.trust import Domains, TrustStore

if TYPE_CHECKING:
    from hub.keys import Keyring
    from hub.settings import Settings
    from hub.systems import Systems

PROJECT = Path(__file__).parents[1]
JUDGING = ("trust", "policies", "algorithms", "schemas", "mappings", "software")  # what an acceptance names
OWN = "home/"  # before the paths of a province's own mappings
_LIBRARIES = ("cryptography", "lxml", "pyhanko", "rfc8785", "asn1crypto", "SQLAlchemy")
_LOGIN_IN_URL = re.compile(r"(?<=://)[^/@\s]*@")


def of_hub(settings: Settings, systems: Systems, keyring: Keyring, grounds: Grounds, policies: Policies) -> Mapping[str, Artefact]:
    """All of them, by kind."""
    profiles = {name: profile.model_dump(mode="json") for name, profile in systems.by_name.items()}
    keys = [{"id": one.id, "purpose": one.purpose, "status": one.status, "public": one.public} for one in keyring.records]
    own = settings.model_dump(mode="json", exclude={"home", "listen"})
    return {
        "trust": trust_artefact(grounds),
        "policies": policies_artefact(policies),
        "algorithms": Artefact("algorithms", algorithms.TABLE.read_bytes()),
        "schemas": _files("schemas", _texts(PROJECT / "schemas" / "xsd", "*.xsd")),
        "mappings": _files("mappings", shipped_mappings() | own_mappings(settings.home / "mappings")),
        "software": _json("software", _software()),
        "settings": _json("settings", own),
        "registry": _json("registry", profiles),
        "keys": _json("keys", keys),
    }


def trust_artefact(grounds: Grounds) -> Artefact:
    """The certificates of every trust domain, and the lists and answers that lay beside them."""
    known = grounds.context(datetime.min.replace(tzinfo=UTC))
    domains = {
        name: {"anchors": _ders(one.anchors), "intermediates": _ders(one.intermediates)} for name, one in grounds.domains.stores.items()
    }
    lists = {"crls": [b64encode(one).decode() for one in known.crls], "ocsps": [b64encode(one).decode() for one in known.ocsps]}
    return _json("trust", {"domains": domains, "demand": str(grounds.demand), **lists})


@dataclass(frozen=True, slots=True)
class TrustOfThen:
    """What signatures were judged with, read from an artefact."""

    domains: Domains
    demand: Demand
    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]

    def context(self, at: datetime, domain: str = "") -> Context:
        """As `Grounds.context`."""
        return Context(self.domains.store(domain), at, crls=self.crls, ocsps=self.ocsps, demand=self.demand)


def trust_of(body: bytes) -> TrustOfThen:
    """The trust in an artefact. Raises `Refused("artefact-missing")` for one that cannot be read."""
    try:
        rows = json.loads(body)
        stores = {
            name: TrustStore(_certificates(one, "anchors"), _certificates(one, "intermediates"), name)
            for name, one in rows["domains"].items()
        }
        lists = (tuple(b64decode(one) for one in rows[name]) for name in ("crls", "ocsps"))
        return TrustOfThen(Domains(stores), Demand(rows["demand"]), *lists)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Refused("artefact-missing", got=f"trust: {type(fault).__name__}", expected="certificates in DER") from fault


def _certificates(row: Mapping[str, Any], name: str) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_der_x509_certificate(b64decode(one)) for one in row[name])


def policies_artefact(policies: Policies) -> Artefact:
    """Which signature policy holds for whom."""
    exceptions = [[system, agency, _policy(one)] for (system, agency), one in sorted(policies.exceptions.items())]
    rows = {
        "by_system": {name: _policy(one) for name, one in policies.by_system.items()},
        "by_agency": {name: _policy(one) for name, one in policies.by_agency.items()},
        "exceptions": exceptions,
        "bindings": {agency: sorted(digests) for agency, digests in policies.bindings.items()},
    }
    return _json("policies", rows)


def policies_of(body: bytes) -> Policies:
    """The policies in an artefact. Raises `Refused("artefact-missing")` for one that cannot be read."""
    try:
        rows = json.loads(body)
        return Policies(
            by_system={name: _policy_of(one) for name, one in rows["by_system"].items()},
            by_agency={name: _policy_of(one) for name, one in rows["by_agency"].items()},
            exceptions={(system, agency): _policy_of(one) for system, agency, one in rows["exceptions"]},
            bindings={agency: frozenset(digests) for agency, digests in rows["bindings"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Refused("artefact-missing", got=f"policies: {type(fault).__name__}", expected="signature policies") from fault


def _policy(one: SignaturePolicy) -> dict[str, Any]:
    bindings = {agency: sorted(digests) for agency, digests in one.bindings.items()}
    return {"mode": str(one.mode), "bindings": bindings, "require_binding": one.require_binding, "domain": one.domain}


def _policy_of(row: Mapping[str, Any]) -> SignaturePolicy:
    bindings = {agency: frozenset(digests) for agency, digests in row["bindings"].items()}
    return SignaturePolicy(SignatureMode(row["mode"]), bindings, row["require_binding"] is True, row["domain"])


def _software() -> dict[str, str]:
    return {"lgsp-hub": _version("lgsp-hub"), "python": platform.python_version(), **{name: _version(name) for name in _LIBRARIES}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def shipped_mappings() -> dict[str, str]:
    """Text by path."""
    return _texts(PROJECT / "schemas" / "translation" / "mappings", "*/*.[tx]*")


def own_mappings(folder: Path) -> dict[str, str]:
    """The province's own, as `hub.translating.load_mappings` finds them: text by path below ``mappings/``. No such folder: none."""
    return {f"{OWN}{name}": text for name, text in _texts(folder, "*/*").items() if name.endswith(("/mapping.toml", "/shape.xslt"))}


def _texts(folder: Path, pattern: str) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.glob(pattern)) if path.is_file()}


def _files(kind: str, files: Mapping[str, str]) -> Artefact:
    listing = {name: sha256(text.encode()).hexdigest() for name, text in files.items()}
    return _json(kind, {"files": dict(files), "sha256": listing})


def _json(kind: str, value: Any) -> Artefact:
    text = _LOGIN_IN_URL.sub("", json.dumps(value, ensure_ascii=False, default=str))
    return Artefact(kind, rfc8785.dumps(json.loads(text)))


def _ders(certificates: tuple[x509.Certificate, ...]) -> list[str]:
    return [b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates]
