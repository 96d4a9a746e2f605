"""Every vector, made afresh, written, read again, and judged by the library call of `lgsp verify`: honest ones valid, every defect refused
for the right reason (`tests/vectors/build_vectors.py`).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from hub.cli.verify_inputs import Folders, bindings
from signing import familiar, signer, standing
from signing.context import Demand
from signing.policy import SignatureMode, SignaturePolicy
from signing.remembered import Remembered
from signing.verify import verify_file
from tests.hub.test_cli import lgsp
from tests.signing.signers import folder
from tests.vectors import build_asic, build_cms, build_packets, build_pdf, build_pki, build_signers, build_tsr, build_vectors
from tests.vectors.build_vectors import COSTLY, GROUPS, VALID, Vector, read, write
from tests.vectors.identities import World


@cache
def world() -> World:
    return build_vectors.world_in(folder() / "vectors")


def made(group: str) -> list[Vector]:
    return [one for one in GROUPS[group](world()) if one.name not in COSTLY]


@pytest.mark.parametrize("group", GROUPS)
def test_every_vector_is_judged_as_it_ought_to_be(group: str, tmp_path: Path) -> None:
    write(made(group), tmp_path)
    vectors = list(read(tmp_path))
    judged = [(one, one.judge()) for one in vectors]
    assert [fault for one, said in judged if (fault := one.fault(said))] == []
    assert [one.name for one, said in judged if (one.verdict == VALID) != said.verdict.as_json()["accepted"]] == []
    assert len({(one.group, one.name) for one in vectors}) == len(vectors) > 0


@pytest.mark.parametrize("group", ["packets", "xml"])
def test_what_was_judged_before_changes_no_answer(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each vector twice in one context, among all the others, beside somebody who remembers nothing."""
    vectors = made(group)
    settings = {one.setting.name: (one.setting.policy(), one.setting.context()) for one in vectors}

    def told(one: Vector) -> object:
        judged = verify_file(one.data, *settings[one.setting.name], kind=one.kind, content=one.content)
        parts = [(part.report(), [(answer.faults, answer.judged) for answer in part.answers]) for part in judged.parts]
        return judged.verdict, judged.violations, dict(judged.artefacts), parts

    remembered = [[told(one) for one in vectors] for _ in range(2)]
    for module, name in ((familiar, "_passed"), (standing, "_standing"), (signer, "_good")):
        monkeypatch.setattr(module, name, Remembered(0))
    assert remembered == [[told(one) for one in vectors]] * 2


def test_the_written_folders_are_what_the_command_takes(tmp_path: Path) -> None:
    """The same verdict from the files alone, as `lgsp verify` reads them."""
    one = next(vector for vector in made("status") if vector.name == "revoked, by list")
    write([one], tmp_path)
    setting = tmp_path / "settings" / one.setting.name
    folders = Folders(setting / "trust", "", setting / "trust" / "intermediates", setting / "crl", setting / "ocsp")
    ctx, notes = folders.context(one.setting.at)
    policy = SignaturePolicy(SignatureMode.REQUIRE, bindings(setting / "agencies.json"))
    (row,) = json.loads((tmp_path / "vectors.json").read_text("utf-8"))
    data = (tmp_path / row["file"]).read_bytes()
    assert notes == ()
    assert ctx.demand is Demand.ALL
    assert verify_file(data, policy, ctx).verdict.reasons[:1] == (row["reason"],) == ("revoked",)
    options = ("--trust", setting / "trust", "--crl", setting / "crl", "--at", one.setting.at.isoformat(), "--json")
    said = json.loads(lgsp("verify", tmp_path / row["file"], *options, code=1))
    assert (said["verdict"], said["reason"]) == (one.verdict, one.reason)


def test_the_generator_makes_enough_of_each() -> None:
    """Counted in the tables of the builders, without building any."""
    forms = (build_cms, build_pdf, build_asic, build_tsr)
    honest = len(build_packets.HONEST) + len(build_asic.HONEST) + len(build_pdf.honest_builders()) + len(build_pki.HONEST)
    defects = len(build_packets.DEFECTS) + len(build_pki.DEFECTS) + len(build_signers.STATUSES) + sum(len(form.DEFECTS) for form in forms)
    assert honest >= 60
    assert defects >= 200
    wanted = (
        "tampered bad-signature-value no-signature alg-forbidden weak-key key-confusion no-key sender-mismatch coverage wrapping "
        "duplicate-id transform-forbidden external-reference reference-missing dtd-forbidden xxe entity-expansion resource-limit "
        "decompression-bomb malformed-xml encoding schema attachment-integrity path-traversal pdf-modified pdf-byterange on-behalf-of"
    )
    assert set(wanted.split()) - {reason for _, _, reason in build_packets.DEFECTS.values()} == set()
