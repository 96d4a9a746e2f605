"""Error codes: `docs/errors.md` is the catalogue, every code is raised somewhere, and everything that is raised has a code."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from functools import cache

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.cli.errors import chosen, document
from schemas.errors import Disposition, catalogue
from tests.architecture.documents import read
from tests.architecture.source import Module, calls, modules, snippet

RUNNER = CliRunner()
FAMILY = {f"schemas.errors.{name}": name for name in ("HubError", "Refused", "TryLater", "Parked", "Halted")}
OF_TYPE = {"Refused": Disposition.REFUSE, "TryLater": Disposition.RETRY, "Parked": Disposition.PARK, "Halted": Disposition.HALT}
VIOLATIONS = ("schemas.errors.error", "schemas.errors.warning", "schemas.errors.Violation", "schemas.errors.spec")


@cache
def family() -> dict[str, str]:
    """Every class below the four types, whoever defines it, with the type it is of."""
    found = dict(FAMILY)
    while True:
        more = {
            f"{module.name}.{node.name}": found[base]
            for module in modules()
            for node in module.tree.body
            if isinstance(node, ast.ClassDef)
            for base in _bases(module, node)
            if base in found and f"{module.name}.{node.name}" not in found
        }
        if not more:
            return found
        found |= more


def unknown_codes(found: Iterable[Module]) -> list[str]:
    """Codes written where an error or a violation is made, that the catalogue does not have."""
    makers = {*family(), *VIOLATIONS}
    return [
        f"{module.at(call)}: {code}"
        for module in found
        for call, name in calls(module)
        if name in makers and (code := _code(call)) is not None and code not in catalogue()
    ]


def wrong_types(found: Iterable[Module]) -> list[str]:
    """Errors made of a type whose disposition is not the code's."""
    return [
        f"{module.at(call)}: {family()[name]}({code})"
        for module in found
        for call, name in calls(module)
        if name in family() and (code := _code(call)) in catalogue() and catalogue()[str(code)].disposition != OF_TYPE[family()[name]]
    ]


def unused_codes(found: Iterable[Module]) -> list[str]:
    """Codes of the catalogue that no text constant in the source spells."""
    said = {node.value for m in found for node in ast.walk(m.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return sorted(code for code in catalogue() if code not in said)


def test_the_page_is_what_the_command_writes() -> None:
    assert read("docs/errors.md").text == document(chosen("")), "run: lgsp errors --markdown > docs/errors.md"


def test_every_code_is_used() -> None:
    assert unused_codes(modules()) == []


def test_every_code_in_the_source_is_in_the_catalogue() -> None:
    assert unknown_codes(modules()) == []


def test_every_error_is_of_the_type_that_its_code_says() -> None:
    assert wrong_types(modules()) == []


@pytest.mark.parametrize("code", catalogue())
def test_a_code_speaks_both_languages_and_says_what_to_do(code: str) -> None:
    spec = catalogue()[code]
    for text in (spec.title, spec.remedy):
        assert text.vi.strip() == text.vi != ""
        assert text.en.strip() == text.en != ""
        assert text.vi != text.en
        assert text.vi.endswith((".", "…"))
        assert text.en.endswith((".", "…"))
    assert set(code) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert 400 <= spec.http_status <= 599


def test_a_code_of_no_type_is_found() -> None:
    bad = "from schemas.errors import Refused, error\nRefused('no-such-code')\nerror('nor-this')"
    assert len(unknown_codes([snippet(bad)])) == 2


def test_a_code_of_a_type_that_another_module_defines_is_found() -> None:
    assert unknown_codes([snippet("from adapters import contract\ncontract.AgencyRefused('no-such-code')")])


def test_an_error_of_the_wrong_type_is_found() -> None:
    assert wrong_types([snippet("from schemas.errors import TryLater\nTryLater('not-found')")])


def test_a_code_that_nobody_uses_is_found() -> None:
    assert "not-found" in unused_codes([snippet("x = 'something-else'")])


def test_the_command_tells_of_one_code() -> None:
    result = RUNNER.invoke(app, ["errors", "id-conflict"])
    assert result.exit_code == 0
    assert "HTTP 409" in result.output
    assert "Mã này" in result.output


def test_the_command_speaks_json() -> None:
    rows = json.loads(RUNNER.invoke(app, ["errors", "--json"]).output)
    assert {row["code"] for row in rows} == set(catalogue())


def test_the_command_refuses_a_code_that_does_not_exist() -> None:
    result = RUNNER.invoke(app, ["errors", "no-such-code"])
    assert getattr(result.exception, "code", "") == "not-found"


def _code(call: ast.Call) -> str | None:
    named = [one.value for one in call.keywords if one.arg == "code"]
    first = named[0] if named else call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _bases(module: Module, node: ast.ClassDef) -> list[str]:
    """The base classes of `node`, written out, by asking what a call of each would be."""
    text = "\n".join(ast.unparse(one) for one in module.tree.body if isinstance(one, (ast.Import, ast.ImportFrom)))
    asked = "\n".join(f"{ast.unparse(base)}()" for base in node.bases)
    own = {one.name for one in module.tree.body if isinstance(one, ast.ClassDef)}
    written = [name for _, name in calls(snippet(f"{text}\n{asked}", module.name))]
    return [f"{module.name}.{name}" if name in own else name for name in written]
