"""The documents tell the truth: names, paths, settings, examples and commands are compared with the code."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from adapters import registry
from hub.demo.scenario import SCENARIO
from hub.settings import ENVIRONMENT, checked
from hub.systems import MAILBOX, Profile, Systems
from tests.architecture.documents import (
    Document,
    commands,
    documents,
    marked_tables,
    missing_links,
    missing_names,
    missing_paths,
    read,
    unknown_names,
)
from tests.architecture.source import ROOT, modules

SETTINGS = "docs/settings.md"
NOT_OURS = {"pg_dump", "tmp_path"}  # names of other people's things that pages mention
READMES = ("README.md", "README.vi.md")
_PROFILE = re.compile(r"# profile: ([a-z-]+)\n")


# --- names and links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.path)
def test_links_lead_somewhere(page: Document) -> None:
    assert missing_links(page) == []


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.path)
def test_paths_in_backticks_exist(page: Document) -> None:
    assert missing_paths(page) == []


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.path)
def test_names_are_defined_where_the_page_says(page: Document) -> None:
    assert missing_names(page) == []


@pytest.mark.parametrize("path", ["docs/life-of-a-message.md", "docs/operations.md", "docs/settings.md", "CONTRIBUTING.md"])
def test_code_names_in_backticks_are_known(path: str) -> None:
    assert set(unknown_names(read(path))) - NOT_OURS == set()


def test_the_life_of_a_message_names_every_state_and_the_modules_on_the_way() -> None:
    text = read("docs/life-of-a-message.md").text
    states = importlib.import_module("schemas.message").DeliveryState
    way = ("hub/accept.py", "hub/acceptance.py", "hub/commit.py", "hub/record.py", "hub/outbox.py", "hub/deliver.py", "hub/worker.py")
    assert [state for state in states if f"`{state}`" not in text] == []
    assert [path for path in (*way, "signing/verify.py", "schemas/xml.py") if f"`{path}`" not in text] == []


def test_sections_of_the_design_that_the_source_cites_exist() -> None:
    sections = set(re.findall(r"^## (\d+)\.", read("docs/design.md").text, re.MULTILINE))
    cited = {number for module in modules() for number in re.findall(r"DESIGN §(\d+)", module.text)}
    assert cited - sections == set()
    assert cited


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (missing_links, "see [that](docs/no-such-page.md)"),
        (missing_paths, "as `hub/no_such_module.py` does"),
        (missing_names, "`Intake.swallow` in `hub/accept.py`"),
        (missing_names, "`look_down` (`hub/ledger.py`)"),
        (missing_names, "`accept` in `hub/no_such_module.py`"),
        (unknown_names, "the `NoSuchCourier` takes it"),
        (unknown_names, "see `Courier.no_such_method`"),
    ],
    ids=["a dead link", "no such file", "no such method", "no such function", "a name in no file", "no such class", "a method nobody has"],
)
def test_a_check_of_documents_fails_on(check: Any, text: str) -> None:
    assert check(Document("README.md", text))


# --- settings ------------------------------------------------------------------------------------------------------------------


def _tables(kind: str) -> dict[str, list[dict[str, str]]]:
    return {name: rows for found, name, rows in marked_tables(read(SETTINGS)) if found == kind}


def test_every_settings_model_has_its_table() -> None:
    ours = {f"{m}.{name}" for m in ("hub.settings", "hub.systems") for name, model in _models(m)}
    assert set(_tables("model")) == ours | {"schemas.limits.Limits"}


@pytest.mark.parametrize(("name", "rows"), _tables("model").items(), ids=_tables("model").keys())
def test_a_settings_table_says_what_the_model_says(name: str, rows: list[dict[str, str]]) -> None:
    assert _documented(rows) == _declared(name)


def test_the_environment_variables_are_those_of_the_code() -> None:
    text = read(SETTINGS).text
    assert dict(re.findall(r"^\| `(LGSP_[A-Z_]+)` \| `(\w+)` \|$", text, re.MULTILINE)) == ENVIRONMENT


@pytest.mark.parametrize("kind", registry.KINDS)
def test_an_adapters_table_names_the_fields_that_it_reads(kind: str) -> None:
    assert {row["Name"] for row in _tables("adapter")[kind]} == _fields_read(kind)


def _models(module: str) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, value in vars(importlib.import_module(module)).items():
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module and name != "Table":
            yield name, value


def _documented(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["Name"]: row["Default"].strip("`") for row in rows}


def _declared(name: str) -> dict[str, str]:
    module, _, attribute = name.rpartition(".")
    model = getattr(importlib.import_module(module), attribute)
    if dataclasses.is_dataclass(model):
        return {field.name: _as_toml(field.default) for field in dataclasses.fields(model)}
    defaults = {field: _default(about) for field, about in model.model_fields.items() if field != "home"}
    if name == "hub.systems.Profile":
        defaults["name"] = "the file's name"
    if name == "hub.settings.Settings":
        defaults["limits"] = ""  # a table of its own
    return defaults


def _default(about: Any) -> str:
    if about.is_required():
        return "required"
    return _as_toml(about.get_default(call_default_factory=True))


def _as_toml(value: Any) -> str:
    if isinstance(value, BaseModel):
        return ""  # a table of its own
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_as_toml(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{}"
    return f"{value}" if isinstance(value, (int, float)) else f'"{value}"'


def _fields_read(kind: str) -> set[str]:
    """What the registry reads for `kind`: the first argument of every ``fields.…("…")``, and `auth`, `success` and the like by method."""
    tree = ast.parse((ROOT / "adapters/registry.py").read_text("utf-8"))
    maker = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == f"_{kind}")
    reads = [node for node in ast.walk(maker) if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("fields.")]
    return {_field_of(call) for call in reads}


def _field_of(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    method = ast.unparse(call.func).rpartition(".")[2]
    return str(first.value) if isinstance(first, ast.Constant) else {"condition": "success"}.get(method, method)


# --- examples ------------------------------------------------------------------------------------------------------------------


def _profiles() -> dict[str, dict[str, Any]]:
    texts = [text for text in read("docs/integrators.md").fences("toml") if _PROFILE.match(text)]
    return {_PROFILE.findall(text)[0]: tomllib.loads(text.replace("0f5a…", "0" * 64)) for text in texts}


def test_the_profiles_in_the_guide_are_valid_together() -> None:
    found = _profiles()
    profiles = tuple(checked(Profile, {"name": name, **table}, Path(f"{name}.toml")) for name, table in found.items())
    assert set(Systems.of(profiles).by_name) == set(found)
    assert {profile.delivery.kind for profile in profiles} == {MAILBOX, *registry.KINDS}


@pytest.mark.parametrize("name", [name for name, table in _profiles().items() if table["delivery"]["kind"] != MAILBOX])
def test_an_adapter_can_be_made_of_the_guides_profile(name: str) -> None:
    delivery = _profiles()[name]["delivery"]
    registry.build(delivery["kind"], delivery["settings"], lambda reference: "secret").close()


def test_the_guide_has_an_example_of_every_kind() -> None:
    assert {table["delivery"]["kind"] for table in _profiles().values()} == {MAILBOX, *registry.KINDS}


# --- commands ------------------------------------------------------------------------------------------------------------------


def command_faults(page: Document) -> list[str]:
    """Commands of `page` whose target, subcommand or option does not exist."""
    faults = []
    for words in commands(page):
        if words[0] == "make":
            faults += [f"make {word}" for word in words[1:] if "=" not in word and word not in _targets()]
        elif words[0].endswith("lgsp"):
            faults += _lgsp_faults(words[1:])
        elif words[0] not in ("git", "cd", "curl", "sudo", "apt-get", "export", "ls", "cat", "mkdir", "rabbitmqctl", "cp"):
            faults.append(f"unknown command {words[0]}")
    return faults


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.path)
def test_commands_exist(page: Document) -> None:
    assert command_faults(page) == []


@pytest.mark.parametrize(
    "line",
    ["make dmeo", "lgsp dmeo", "lgsp log fcsk", "lgsp demo --kep", "lgsp agency add x --agnecy H32", "lgpsx demo", ".venv/bin/lgsp sevre"],
)
def test_the_check_of_commands_fails_on(line: str) -> None:
    assert command_faults(Document("README.md", f"```console\n$ {line}\n```\n"))


@pytest.mark.parametrize("path", READMES)
def test_a_readme_shows_the_demo_as_it_is(path: str) -> None:
    text = read(path).text
    shown = re.findall(r"^ *(\d+)/(\d+) ✓ (.+?)  +(.+?)  +[0-9.]+ s$", text, re.MULTILINE)
    assert shown
    for number, total, vi, en in shown:
        step = SCENARIO[int(number) - 1]
        assert (int(total), vi, en) in {(len(SCENARIO), step.vi.format(bus=bus), step.en.format(bus=bus)) for bus in ("AMQP", "REST")}
    assert f"{len(SCENARIO)} steps, all as expected" in text


@pytest.mark.parametrize("path", READMES)
def test_a_readme_opens_with_the_two_commands(path: str) -> None:
    found = [words for words in commands(read(path)) if words[0] == "make"]
    assert found[:2] == [["make", "demo"], ["make", "test"]]


def test_both_readmes_show_the_same_commands() -> None:
    english, vietnamese = (list(commands(read(path))) for path in READMES)
    assert english == vietnamese


def test_ci_runs_the_readmes_test_command_and_the_linters() -> None:
    script = ROOT / ".ci/run"
    text = script.read_text("utf-8")
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in text
    assert re.search(r"^make test\b", text, re.MULTILINE)
    assert re.search(r"^make lint\b", text, re.MULTILINE)


def test_the_changelog_has_the_version_of_the_project_and_a_place_for_what_comes() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    heads = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md").text, re.MULTILINE)
    assert heads[:2] == ["Unreleased", version]


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def _lgsp_faults(words: list[str]) -> list[str]:
    """Walks the command tree as the command line does, then looks the options up."""
    here: Any = typer.main.get_command(importlib.import_module("hub.cli").app)
    done: list[str] = ["lgsp"]
    rest = list(words)
    while hasattr(here, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        done.append(name)
        if name not in here.commands:
            return [" ".join(done)]
        here = here.commands[name]
    options = {option for parameter in here.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    return [f"{' '.join(done)} {word}" for word in rest if word.startswith("--") and word.partition("=")[0] not in options]
