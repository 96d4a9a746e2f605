"""Two hierarchies whose CAs bear the same names, one for each agency: at acceptance, in `POST /api/v1/verify`, and in the command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hub.access import new_api_key
from hub.cli.verify import command
from hub.demo.pki import Pki, build_pki
from tests.api.face import Face, serving
from tests.packets import document

OFFICE, COMPANY = "H32.5", "H40.7"  # served by `mot-cua`, as all others in the default domain; by `doanh-nghiep`, in the other
SYSTEM = {OFFICE: "mot-cua", COMPANY: "doanh-nghiep"}
GOVERNMENT, NATIONAL = "government", "national"


@dataclass(frozen=True)
class Domains:
    """A hub that trusts both, and both hierarchies with a signer for either agency."""

    face: Face
    trust: Path
    pki: dict[str, Pki]

    def signed(self, domain: str, sender: str, number: int) -> bytes:
        return self.pki[domain].identities[sender].sign(document(sender, ("000.00.13.H53",), f"{sender},2026/03/02,{number}/{domain}"))


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domains]:
    folder = tmp_path_factory.mktemp("domains")
    now = datetime.now(UTC)
    made = {
        name: build_pki(folder / name, tuple(SYSTEM), now, elliptic=[OFFICE, COMPANY], root_bits=2048) for name in (GOVERNMENT, NATIONAL)
    }
    for name, pki in made.items():
        pki.publish(now)
        shutil.copytree(pki.trust, folder / "trust" / name)
    key, record = new_api_key()
    keys = f'[[access.keys]]\nid = "{record.id}"\nsha256 = "{record.sha256}"\n'
    profile = f'agencies = ["{COMPANY}"]\n{keys}[signature]\ndomain = "{NATIONAL}"\n'
    settings = f'[signature]\nmode = "require"\ndomain = "{GOVERNMENT}"\n'
    with serving(folder / "home", {SYSTEM[COMPANY]: profile}, folder / "trust", settings) as face:
        yield Domains(Face(face.port, {**face.keys, SYSTEM[COMPANY]: key}, face.hub, face.log), folder / "trust", made)


ROWS = [(OFFICE, GOVERNMENT, True), (OFFICE, NATIONAL, False), (COMPANY, NATIONAL, True), (COMPANY, GOVERNMENT, False)]


@pytest.mark.parametrize(("sender", "domain", "good"), ROWS, ids=[f"{sender} by {domain}" for sender, domain, _ in ROWS])
def test_a_packet_is_accepted_by_signers_of_its_agency_s_domain(domains: Domains, sender: str, domain: str, good: bool) -> None:
    answer = domains.face.send(domains.signed(domain, sender, 1), system=SYSTEM[sender])
    if good:
        assert (answer.status, answer.json()["verdict"]) == (201, "valid"), answer.json()
    else:
        assert (answer.status, answer.json()["code"]) == (422, "untrusted-chain"), answer.json()


def test_a_caller_for_another_agency_changes_nothing_about_its_domain(domains: Domains) -> None:
    """The domain is the sender's, not that of whoever hands the packet in."""
    policies = domains.face.hub.intake.policies
    assert {policies.by_agency[key].domain for key in policies.by_agency if key.endswith("H40.7")} <= {NATIONAL}
    assert {policy.domain for name, policy in policies.by_system.items() if name != SYSTEM[COMPANY]} == {GOVERNMENT}


ASKED = [
    ("", GOVERNMENT, "valid", []),
    (f"domain={GOVERNMENT}", GOVERNMENT, "valid", []),
    (f"domain={NATIONAL}", NATIONAL, "valid", []),
    ("", NATIONAL, "invalid", ["untrusted-chain"]),
    (f"domain={NATIONAL}", GOVERNMENT, "invalid", ["untrusted-chain"]),
    ("domain=elsewhere", GOVERNMENT, "invalid", ["untrusted-chain"]),
    ("domain=", GOVERNMENT, "invalid", ["untrusted-chain"]),
    ("domain=../government", GOVERNMENT, "invalid", ["untrusted-chain"]),
]


@pytest.mark.parametrize(("query", "domain", "verdict", "reasons"), ASKED, ids=[f"{query or 'default'} of {of}" for query, of, *_ in ASKED])
def test_a_verification_is_asked_in_one_domain(domains: Domains, query: str, domain: str, verdict: str, reasons: list[str]) -> None:
    body = domains.signed(domain, OFFICE, 2)
    told = domains.face.ask("POST", f"/api/v1/verify?{query}", system="mot-cua", body=body).json()
    assert (told["verdict"], told["reasons"]) == (verdict, reasons)


def by_command(domains: Domains, folder: Path, signed_in: str, *options: str) -> dict[str, Any]:
    (folder / "packet.edxml").write_bytes(domains.signed(signed_in, OFFICE, 3))
    app = typer.Typer()
    app.command()(command)
    told = CliRunner().invoke(app, [str(folder / "packet.edxml"), "--trust", str(domains.trust), "--json", *options])
    verdict: dict[str, Any] = json.loads(told.stdout)
    return verdict


@pytest.mark.parametrize("signed_in", [GOVERNMENT, NATIONAL])
@pytest.mark.parametrize("asked", [GOVERNMENT, NATIONAL, "elsewhere"])
def test_the_command_looks_in_the_domain_that_it_is_told(domains: Domains, tmp_path: Path, signed_in: str, asked: str) -> None:
    told = by_command(domains, tmp_path, signed_in, "--domain", asked)
    assert told["reasons"] == ([] if asked == signed_in else ["untrusted-chain"])


@pytest.mark.parametrize("signed_in", [GOVERNMENT, NATIONAL])
def test_the_command_looks_in_all_where_none_is_told(domains: Domains, tmp_path: Path, signed_in: str) -> None:
    assert by_command(domains, tmp_path, signed_in)["reasons"] == []
