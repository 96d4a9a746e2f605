"""Documentation, JSON Schema and XML Schema are made from the models, and the committed files are what is made."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from schemas.business.every_kind import every_kind
from schemas.dvcqg.examples import example_of
from schemas.dvcqg.json_schema import json_schema
from schemas.dvcqg.kinds import MessageKind, kinds, named
from schemas.dvcqg.pages import files, markdown
from schemas.dvcqg.reader import read_json
from schemas.dvcqg.shape import fields_of
from tests.schemas.dvcqg.messages import dossier, raw, sync

FOLDER = Path(__file__).parents[3] / "docs" / "formats"
RUNNER = CliRunner()
JSON_KINDS = [kind for kind in kinds().values() if kind.encoding == "json"]


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether `value` is valid by the part of JSON Schema that we write."""
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    types = {"string": str, "array": list, "object": dict, "integer": int, "boolean": bool}
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(value, types[one]) for one in wanted):
        return False
    if isinstance(value, dict):
        known = schema.get("properties", {})
        if not set(schema["required"]) <= set(value) or (schema.get("additionalProperties") is False and not set(value) <= set(known)):
            return False
        return all(fits(value[name], told, root) for name, told in known.items() if name in value)
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(fits(one, schema["items"], root) for one in value)
    return not isinstance(value, str) or _text_fits(value, schema)


def _text_fits(value: str, schema: dict[str, Any]) -> bool:
    long_enough = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    told = value in schema.get("enum", [value])
    return long_enough and told and re.search(schema.get("pattern", ""), value) is not None


def test_the_committed_files_are_what_is_made() -> None:
    made = files()
    there = {path.relative_to(FOLDER).as_posix(): path.read_text("utf-8") for path in FOLDER.rglob("*") if path.is_file()}
    assert set(there) == set(made)
    assert [path for path in made if made[path] != there[path]] == [], "run: lgsp formats write docs/formats"


@pytest.mark.parametrize("kind", JSON_KINDS, ids=lambda kind: kind.name)
def test_the_example_is_read_without_a_word_and_fits_the_schema(kind: MessageKind) -> None:
    model = example_of(kind)
    reading = read_json(raw(model.as_json()))
    assert (reading.kind, reading.violations, reading.model) == (kind, (), model)
    schema = json_schema(kind)
    assert fits(model.as_json(), schema, schema)


@pytest.mark.parametrize(
    "bad",
    [
        sync(dossier(MaHoSo="")),
        sync(dossier(NgayHenTra="16/03/2026")),
        sync(dossier(TrangThaiHoSo="11")),
        sync(dossier(la="x")),
        sync(dossier(HinhThuc=0)),
        sync() | {"service": "Khac"},
        sync() | {"data": []},
    ],
    ids=["a blank code", "another date format", "a state 11", "an unknown field", "a number", "another service", "no dossier"],
)
def test_the_schema_is_strict(bad: dict[str, Any]) -> None:
    schema = json_schema(kinds()["dvcqg.DongBoHoSoMC"])
    assert fits(sync(), schema, schema)
    assert not fits(bad, schema, schema)


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.name)
def test_the_page_names_every_field(kind: MessageKind) -> None:
    text = markdown(kind)
    assert all(f"`{spec.name}`" in text for spec in fields_of(kind.shape))
    assert kind.vi in text


def test_names_are_found_with_and_without_their_endpoint() -> None:
    assert named("dongbohosomc") is named("dvcqg.DongBoHoSoMC") is kinds()["dvcqg.DongBoHoSoMC"]
    assert named("KhongCo") is None


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["list"], "lgsp.MSyncDocument"),
        (["show", "DongBoHoSoMC"], "`MaHoSo`"),
        (["show", "MSyncDocument", "--xsd"], 'name="Attachmentld"'),
        (["show", "dvcqg.TraLoi", "--json-schema"], '"error_code"'),
        (["show", "hub.UyQuyenXuLy", "--markdown"], "`LyDo`"),
    ],
)
def test_the_command_shows(arguments: list[str], shown: str) -> None:
    answer = RUNNER.invoke(app, ["formats", *arguments])
    assert answer.exit_code == 0
    assert shown in answer.output


def test_the_command_lists_for_machines() -> None:
    rows = json.loads(RUNNER.invoke(app, ["formats", "list", "--json"]).output)
    assert [row["name"] for row in rows] == list(every_kind())


def test_the_command_refuses_what_does_not_exist() -> None:
    assert getattr(RUNNER.invoke(app, ["formats", "show", "KhongCo"]).exception, "code", "") == "not-found"
    assert RUNNER.invoke(app, ["formats", "show", "TraLoi", "--xsd", "--markdown"]).exit_code == 2


def test_the_command_writes_everything(tmp_path: Path) -> None:
    assert RUNNER.invoke(app, ["formats", "write", str(tmp_path)]).exit_code == 0
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(files())
