"""One generator for everything that a verifier has to get right: ``python -m tests.vectors.build_vectors FOLDER`` makes a PKI and the
cases, writes them, and proves them by the library call of `lgsp verify`. Nothing of it is committed.

The cases come from one builder for each form (`build_xml.py`, `build_pdf.py`, …), where one function makes one defect with real tools:
openssl, libxmlsec, pyHanko, and forgers with real keys. Here they get what a verifier is given beside the file (a `Setting`), and the one
word that it owes: the verdict, and the deciding reason.

::

    FOLDER/
      vectors.json                 group, name, file, content, kind, setting, verdict, reason of each
      cases/<group>/NNN.<ext>      with NNN.content beside it, where a signature is detached
      settings/<name>/             trust/, trust/intermediates/, crl/, ocsp/ (DER), agencies.json: the folders that `lgsp verify` takes
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from schemas.errors import error
from schemas.message import rfc3339
from signing import reasons
from signing.certificate import load
from signing.container import Kind
from signing.context import ANY_POLICY, Context, Demand, PolicyDemand
from signing.policy import SignatureMode, SignaturePolicy
from signing.trust import TrustStore
from signing.verify import Judgement, verify_file
from tests.vectors import (
    build_asic,
    build_asic_xades,
    build_cms,
    build_ooxml,
    build_packets,
    build_pdf,
    build_pdf_updates,
    build_signers,
    build_tsr,
    build_xades,
    build_xades_stamps,
    build_xml,
    build_xml_canonical,
    build_xml_defects,
)
from tests.vectors.build_signers import Signed
from tests.vectors.case import Case
from tests.vectors.identities import World, build
from tests.vectors.statements import crl_of

AT = datetime.fromisoformat("2026-11-21T03:04:05+00:00")  # the moment judged for, unless a setting says otherwise
VALID, INVALID, INDETERMINATE = "valid", "invalid", "indeterminate"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a verifier is given beside the file. Certificates, lists and answers are DER."""

    name: str
    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    at: datetime = AT
    agencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # code → SHA-256 of certificates
    demand: Demand = Demand.ALL
    policies: PolicyDemand = ANY_POLICY

    def but(self, name: str, **changes: object) -> Setting:
        """The same with something else, under a name of its own."""
        return replace(self, name=name, **changes)  # type: ignore[arg-type]

    def context(self) -> Context:
        """For the library call."""
        anchors, others = (tuple(x509.load_der_x509_certificate(one) for one in some) for some in (self.anchors, self.intermediates))
        store = TrustStore(anchors, others)
        return Context(store, self.at, crls=self.crls, ocsps=self.ocsps, demand=self.demand, policies=self.policies)

    def policy(self) -> SignaturePolicy:
        """A signature is required, by the agencies' own certificates."""
        return SignaturePolicy(SignatureMode.REQUIRE, {code: frozenset(digests) for code, digests in self.agencies.items()})


@dataclass(frozen=True, slots=True)
class Vector:
    """One case: bytes, what they are judged with, and what has to be said. `reason` is "" for a valid one."""

    group: str
    name: str
    kind: Kind
    data: bytes = field(repr=False)
    setting: Setting
    verdict: str
    reason: str
    content: bytes | None = field(repr=False, default=None)

    def judge(self) -> Judgement:
        """What `lgsp verify` says."""
        return verify_file(self.data, self.setting.policy(), self.setting.context(), kind=self.kind, content=self.content)

    def fault(self, judged: Judgement) -> str:
        """How that differs from what it owes; "" where it does not."""
        said = judged.verdict
        if (str(said.status), (*said.reasons, "")[0]) == (self.verdict, self.reason):
            return ""
        return f"{self.group}: {self.name}: said {said.status} {', '.join(said.reasons)}, owed {self.verdict} {self.reason}".rstrip()


Group = Callable[[World], Iterator[Vector]]


# --- the builders of forms -------------------------------------------------------------------------------------------------------

# Where a whole verdict says something else than the file alone.
_NO_TIME_THEN = (INVALID, "not-yet-valid")  # the time-stamp moves the judgement to 2016, and the signer's certificate is of 2026
_OTHERWISE: dict[tuple[str, str], tuple[str, str]] = {
    ("xml", "a DTD"): (INVALID, "entity-expansion"),  # it declares one
    ("pdf", "SHA-1 of 2016 with its time-stamp"): _NO_TIME_THEN,
    ("pdf", "adbe.pkcs7.sha1 of 2016 with its time-stamp"): _NO_TIME_THEN,
    ("pdf", "nobody signed"): (INVALID, "no-signature"),
    ("pdf", build_pdf.STAMPED_ONLY): (INVALID, "no-signature"),
    ("cms", "SHA-1 with a time-stamp of then"): _NO_TIME_THEN,
    ("cms", "nobody has the certificate"): (INVALID, "key-confusion"),  # the CA's, which it names, is at hand
    ("cms", "detached, no content given"): (INDETERMINATE, "reference-missing"),
    ("asic", "SHA-1 digests, proven to be old"): _NO_TIME_THEN,
    ("tsr", "no content given"): (INDETERMINATE, "reference-missing"),
    ("path", "a signer who issued another"): (INVALID, "key-usage"),  # he may not, and is no CA: `path-constraint` is told too
}


def signed_files(world: World) -> Setting:
    """The CA of `world` is trusted, its list is at hand, and those signers of XML vectors who stand for themselves are anchors."""
    alone = [build_xml.signer_of(kind).public_bytes(Encoding.DER) for kind in ("p384", "p521", "ed25519")]
    return Setting("files", (world.ca.der, *alone), (world.elliptic.der, world.authority.der), (crl_of(world),))


def of_form(group: str, kind: Kind, cases: Iterator[Case] | Sequence[Case], setting: Setting) -> Iterator[Vector]:
    """Cases of one form: those that nothing speaks against are valid, the others owe their first reason."""
    for case in cases:
        said = reasons.codes(error(code) for code in case.reasons)
        verdict, reason = (INVALID, said[0]) if said else (VALID, "")
        verdict, reason = _OTHERWISE.get((group, case.name), (verdict, reason))
        yield Vector(group, case.name, kind, case.data, setting, verdict, reason, case.content)


def xml(world: World) -> Iterator[Vector]:
    """XMLDSig of every form."""
    canonical = [*build_xml_canonical.honest(world), *build_xml_canonical.defects(world)]
    yield from of_form("xml", Kind.XML, [*build_xml.honest(world), *build_xml_defects.defects(world), *canonical], signed_files(world))


def xades(world: World) -> Iterator[Vector]:
    """XAdES of every level."""
    honest = [case for form in (build_xades, build_xades_stamps) for _, case in form.honest(world)]
    defects = [case for form in (build_xades, build_xades_stamps) for case in form.defects(world)]
    yield from of_form("xades", Kind.XML, [*honest, *defects], signed_files(world))


def pdf(world: World) -> Iterator[Vector]:
    """PDF: PAdES and the legacy forms, and what came after signing."""
    yield from of_form("pdf", Kind.PDF, [*build_pdf.cases(world), *build_pdf_updates.cases(world)], signed_files(world))


def cms(world: World) -> Iterator[Vector]:
    """CMS and CAdES."""
    yield from of_form("cms", Kind.CMS, build_cms.cases(world), signed_files(world))


def asic(world: World) -> Iterator[Vector]:
    """ASiC-S and ASiC-E."""
    cases = [case for case in build_asic.cases(world) if "handed on" not in case.name]
    yield from of_form("asic", Kind.ASIC, cases, signed_files(world))


def asic_xades(world: World) -> Iterator[Vector]:
    """ASiC with XAdES."""
    cases = [*build_asic_xades.honest(world), *build_asic_xades.defects(world)]
    yield from of_form("asic-xades", Kind.ASIC, cases, signed_files(world))


def ooxml(world: World) -> Iterator[Vector]:
    """Signed Office documents."""
    yield from of_form("ooxml", Kind.OOXML, [*build_ooxml.honest(world), *build_ooxml.defects(world)], signed_files(world))


def tsr(world: World) -> Iterator[Vector]:
    """Time-stamps by themselves."""
    yield from of_form("tsr", Kind.TSR, build_tsr.cases(world), signed_files(world))


def path(_: World) -> Iterator[Vector]:
    """Paths, by CMS of their signers; whether a certificate was revoked is not asked."""
    yield from _by_signers("path", build_signers.paths())


def status(_: World) -> Iterator[Vector]:
    """Revocation, before and after the time of signing."""
    yield from _by_signers("status", build_signers.STATUSES)


def _by_signers(group: str, builders: Mapping[str, Callable[[], Signed]]) -> Iterator[Vector]:
    for number, (name, make) in enumerate(builders.items()):
        one = make()
        setting = Setting(
            name=f"{group}-{number:03}",
            anchors=one.anchors,
            crls=one.crls,
            ocsps=one.ocsps,
            at=one.at,
            demand=Demand.ALL if one.asked_status else Demand.NONE,
            policies=PolicyDemand(one.policies, one.explicit),
        )
        verdict, reason = _OTHERWISE.get((group, name), (one.verdict, one.reason))
        yield Vector(group, name, Kind.CMS, one.data, setting, verdict, reason)


def packets(world: World) -> Iterator[Vector]:
    """Packets with and without signatures of their own, and their attachments."""
    ours = (world.person, world.agency, world.small, world.twin)
    agencies = {
        code: tuple(load(one.der).sha256 for one in signers)
        for code, signers in ((build_packets.SENDER, ours), (build_packets.OTHER, (world.elliptic,)))
    }
    setting = signed_files(world).but("packets", agencies=agencies)
    for name, make in build_packets.HONEST.items():
        yield Vector("packets", name, Kind.EDXML, make(world), setting, VALID, "")
    for name, (make, verdict, reason) in build_packets.DEFECTS.items():
        yield Vector("packets", name, Kind.EDXML, make(world), setting, verdict, reason)


GROUPS: dict[str, Group] = {
    "xml": xml,
    "xades": xades,
    "pdf": pdf,
    "cms": cms,
    "asic": asic,
    "asic-xades": asic_xades,
    "ooxml": ooxml,
    "tsr": tsr,
    "path": path,
    "status": status,
    "packets": packets,
}
COSTLY = frozenset({"more ways to an object than can be walked"})  # seconds each; proven by the tests of their form


# --- as files ----------------------------------------------------------------------------------------------------------------------

_EXTENSION = {
    Kind.XML: "xml",
    Kind.EDXML: "edxml",
    Kind.PDF: "pdf",
    Kind.CMS: "p7m",
    Kind.ASIC: "asice",
    Kind.OOXML: "docx",
    Kind.TSR: "tsr",
}
_FOLDERS = {"anchors": "trust", "intermediates": "trust/intermediates", "crls": "crl", "ocsps": "ocsp"}


def world_in(folder: Path) -> World:
    """The PKI that most groups share, in force for years around `AT`."""
    folder.mkdir(parents=True, exist_ok=True)
    return build(folder, AT - timedelta(days=30))


def write(vectors: Sequence[Vector], folder: Path) -> None:
    """The vectors as files, with `vectors.json`."""
    rows, written = [], set()
    for number, one in enumerate(vectors):
        file = folder / "cases" / one.group / f"{number:03}.{_EXTENSION[one.kind]}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(one.data)
        if one.content is not None:
            file.with_suffix(".content").write_bytes(one.content)
        if one.setting.name not in written:
            _write_setting(one.setting, folder / "settings" / one.setting.name)
            written.add(one.setting.name)
        rows.append(
            {
                "group": one.group,
                "name": one.name,
                "file": str(file.relative_to(folder)),
                "content": one.content is not None,
                "kind": str(one.kind),
                "setting": one.setting.name,
                "verdict": one.verdict,
                "reason": one.reason,
            }
        )
    (folder / "vectors.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")


def _write_setting(setting: Setting, folder: Path) -> None:
    for name, place in _FOLDERS.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        for number, octets in enumerate(getattr(setting, name)):
            (folder / place / f"{number:03}.der").write_bytes(octets)
    (folder / "agencies.json").write_text(json.dumps(setting.agencies), "utf-8")
    policies = setting.policies
    asked = {"at": rfc3339(setting.at), "demand": str(setting.demand), "policies": sorted(policies.accepted), "explicit": policies.explicit}
    (folder / "asked.json").write_text(json.dumps(asked), "utf-8")


def read(folder: Path) -> Iterator[Vector]:
    """What `write` wrote."""
    settings: dict[str, Setting] = {}
    for row in json.loads((folder / "vectors.json").read_text("utf-8")):
        name, file = row["setting"], folder / row["file"]
        if name not in settings:
            settings[name] = _read_setting(name, folder / "settings" / name)
        content = file.with_suffix(".content").read_bytes() if row["content"] else None
        kind = Kind(row["kind"])
        yield Vector(row["group"], row["name"], kind, file.read_bytes(), settings[name], row["verdict"], row["reason"], content)


def _read_setting(name: str, folder: Path) -> Setting:
    ders = {one: tuple(path.read_bytes() for path in sorted((folder / place).glob("*.der"))) for one, place in _FOLDERS.items()}
    asked = json.loads((folder / "asked.json").read_text("utf-8"))
    return Setting(
        name=name,
        **ders,
        at=datetime.fromisoformat(asked["at"]),
        agencies={code: tuple(digests) for code, digests in json.loads((folder / "agencies.json").read_text("utf-8")).items()},
        demand=Demand(asked["demand"]),
        policies=PolicyDemand(frozenset(asked["policies"]), asked["explicit"]),
    )


def main() -> int:
    """Makes, writes and proves them all; 1 if a verdict is not the one that is owed."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="vectors-"))
    world = world_in(folder / "keys")
    write([one for group in GROUPS.values() for one in group(world)], folder)
    faults, total = [], 0
    for one in read(folder):
        total += 1
        faults += [fault] if (fault := one.fault(one.judge())) else []
    print("\n".join([*faults, f"{folder}: {total} vectors, {len(faults)} judged otherwise than owed"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
