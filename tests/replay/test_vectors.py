"""`lgsp log vectors`: folders of the published shape, in every edition; what is wrong in one is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app, exit_code
from replay.merkle_check import verify_consistency
from replay.subtree_check import is_subtree, verify_in_subtree, verify_subtree
from replay.vectors import run_vectors
from schemas.errors import HubError, Refused
from tests.replay.merkle_vectors import EDITIONS, LEAVES, Edition, path_of, root_of, subtree_proof, write

FOLLOWED = {"2023": "always", "2024": "same", "2026-06": "never", "2026-09": "never"}


@pytest.mark.parametrize("name", EDITIONS)
def test_every_vector_of_an_edition_passes(tmp_path: Path, name: str) -> None:
    counts = write(tmp_path, EDITIONS[name])
    run = run_vectors(tmp_path)
    assert [(one.path, one.detail) for one in run.failed] == []
    assert {kind: sum(one.kind == kind for one in run.outcomes) for kind in counts} == counts
    assert run.editions["consistency"] == FOLLOWED[name]
    assert run.editions.get("subtree-consistency", "") == {"2026-06": "never", "2026-09": "empty-root"}.get(name, "")


def flip(path: Path) -> None:
    vector = json.loads(path.read_text())
    path.write_text(json.dumps({**vector, "wantErr": not vector["wantErr"]}))


@pytest.mark.parametrize("name", EDITIONS)
def test_vectors_that_want_the_opposite_fail(tmp_path: Path, name: str) -> None:
    write(tmp_path, EDITIONS[name])
    flipped = [path for path in tmp_path.rglob("*.json") if "consistency/additional" not in str(path)]
    for path in flipped:
        flip(path)
    assert {one.path for one in run_vectors(tmp_path).failed} == {str(path.relative_to(tmp_path)) for path in flipped}


# Where the folder has one vector alone that tells editions apart, another edition wants just the opposite of it.
UNTOLD = {
    "2023": ["zero-and-does-not-equal-size2"],
    "2024": ["zero-and-does-not-equal-size2", "zero-and-proof-is-empty"],
    "2026-06": ["zero-and-proof-is-empty"],
    "2026-09": ["zero-and-proof-is-empty"],
}


@pytest.mark.parametrize("name", EDITIONS)
def test_a_static_vector_that_wants_the_opposite_fails_alone(tmp_path: Path, name: str) -> None:
    write(tmp_path, EDITIONS[name])
    untold = []
    for folder in tmp_path.glob("*consistency/additional"):
        for path in sorted(folder.iterdir()):
            flip(path)
            failed = [one.path for one in run_vectors(folder).failed]
            assert len(failed) <= 1
            untold += [path.stem] if not failed else []
            flip(path)
    assert untold == UNTOLD[name]


def test_vectors_of_two_editions_in_one_folder_do_not_pass(tmp_path: Path) -> None:
    write(tmp_path / "older", EDITIONS["2023"])
    write(tmp_path / "newer", EDITIONS["2026-09"])
    failed = run_vectors(tmp_path).failed
    assert {one.path for one in failed} == {
        "older/consistency/additional/zero-and-proof-is-empty.json",
        "older/consistency/additional/zero-and-does-not-equal-size2.json",
    }


def test_hashes_may_be_null_and_of_any_length_but_base64(tmp_path: Path) -> None:
    good = {"size1": 1, "size2": 1, "root1": "AAAA", "root2": "AAAA", "proof": None, "desc": "same", "wantErr": False}
    cases: dict[str, tuple[dict[str, object], bool]] = {
        "null": ({"root1": None, "root2": None}, True),
        "null-against-some": ({"root1": None}, False),
        "null-in-the-proof": ({"proof": [None]}, False),
        "no-base64": ({"root1": "!", "root2": "!"}, False),
        "unpadded": ({"root1": "AA", "root2": "AA"}, False),
        "a-number": ({"root1": 1}, False),
        "below-zero": ({"size1": -1}, False),
        "a-boolean": ({"size1": True}, False),
        "65-bits": ({"size2": 1 << 64}, False),
        "wanting-text": ({"wantErr": "false"}, False),
        "proof-text": ({"proof": "AAAA"}, False),
    }
    for name, (change, _) in cases.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({**good, **change}))
    assert {one.path[:-5]: one.passed for one in run_vectors(tmp_path).outcomes} == {name: passes for name, (_, passes) in cases.items()}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"size1": 1}', "null", "[" * 100_000], ids=lambda text: text[:10])
def test_what_is_no_vector_has_not_passed(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    assert [one.passed for one in run_vectors(tmp_path).outcomes] == [False]
    with pytest.raises(Refused, match="invalid-request"):
        run_vectors(tmp_path / "nowhere")


def test_the_command_prints_counts_and_exits_by_them(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    counts = write(tmp_path / "good", EDITIONS["2026-09"])
    number = sum(counts.values())

    def lgsp(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["log", "vectors", *arguments])
        return exit_code(done.exception) if isinstance(done.exception, HubError) else done.exit_code, done.stdout

    code, told = lgsp(str(tmp_path / "good"))
    assert (code, told.splitlines()[-1]) == (0, f"{number} passed, 0 failed")
    code, told = lgsp(str(tmp_path / "good"), "--json")
    assert (code, json.loads(told)["passed"], json.loads(told)["subtree-inclusion"]) == (0, number, counts["subtree-inclusion"])
    bad = tmp_path / "good" / "inclusion" / "1" / "happy-path.json"
    bad.write_text(bad.read_text().replace('"wantErr": false', '"wantErr": true'))
    code, told = lgsp(str(tmp_path / "good"))
    assert (code, told.splitlines()[-1]) == (1, f"{number - 1} passed, 1 failed")
    assert "FAILED inclusion/1/happy-path.json" in told
    assert [lgsp(*wrong)[0] for wrong in ([], [str(tmp_path / "empty")], [str(tmp_path / "none")], [str(bad)])] == [2, 2, 2, 2]


def test_all_subtrees_of_small_trees() -> None:
    """Against the definition, and for no other subtree, size or root."""
    checked = 0
    for size in range(1, 14):
        leaves = LEAVES[:size]
        root = root_of(leaves)
        for start in range(size):
            for end in range(start + 1, size + 1):
                if not is_subtree((start, end)):
                    assert not verify_subtree((start, end), root_of(leaves[start:end]), size, root, ())
                    continue
                proof, inner = subtree_proof(start, end, leaves), root_of(leaves[start:end])
                assert verify_subtree((start, end), inner, size, root, proof)
                assert not verify_subtree((start, end), inner, size, LEAVES[19], proof)
                assert not verify_subtree((start, end), LEAVES[19], size, root, proof)
                assert start or verify_consistency(end, inner, size, root, proof)
                for index in range(start, end):
                    path = path_of(index - start, leaves[start:end])
                    assert verify_in_subtree(leaves[index], index, (start, end), path, inner)
                    assert not verify_in_subtree(leaves[index], index + 1, (start, end), path, inner) or size == 1
                checked += 1
    assert checked > 200


def test_editions_are_written_as_they_were() -> None:
    assert [edition.index_name for edition in EDITIONS.values()].count("leafIndex") == 1
    assert EDITIONS["2026-09"] == Edition()
