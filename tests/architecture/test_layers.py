"""Who may import whom (DESIGN: layers). Checked on the syntax tree of every module, late imports and ``TYPE_CHECKING`` ones included."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable

import pytest

from tests.architecture.rules import SHIPPED_TESTS
from tests.architecture.source import LAYERS, ROOT, Module, imports, modules, snippet, stands_in

# The table. A layer not named beside another may not be imported by it, for types neither.
MAY_IMPORT = {
    "schemas": {"schemas"},
    "signing": {"signing", "schemas"},
    "replay": {"replay", "signing", "schemas"},
    "adapters": {"adapters", "schemas"},
    "hub": {"hub", "adapters", "replay", "signing", "schemas"},
}

# A library of consequence and the only places that may know it. "a.b" is that module, "a.b.*" all below it too.
KNOWN_TO = {
    "kombu": ("hub.queue", "adapters.amqp"),
    "amqp": (
        "adapters.amqp",
        "adapters.link",
        "adapters.systems.*",
        "hub.demo.*",
    ),  # kombu's own library, for confirms and returns one by one
    "vine": (),
    "zeep": ("adapters.soap",),
    "requests": ("adapters.soap", "hub.demo.*"),
    "urllib3": ("adapters.*", "hub.cli.*", "hub.demo.*"),
    "sqlalchemy": ("replay.*", "hub.*"),
    "fastapi": ("hub.api.*",),
    "starlette": ("hub.api.*", "hub.demo.*"),
    "uvicorn": ("hub.cli.*", "hub.demo.*", "hub.api.*"),
    "typer": ("hub.cli.*",),
    "pydantic": (
        *("hub.settings", "hub.systems", "hub.witness_home", "hub.api.*", "adapters.registry"),
        *("schemas.dvcqg.shape", "schemas.dvcqg.objects"),  # dossier messages: models that documentation and schemas are made from
    ),
    "psycopg": (),  # SQLAlchemy loads it by the URL
    "pyhanko": (
        "signing.pdf_reader",
        "signing.pdf_range",
        "signing.pdf_changes",
        "signing.pdf_content",
        "signing.pdf",
        "signing.sign_files",
    ),
    "pkcs11": ("signing.sign_token",),
    "pyhanko_certvalidator": ("signing.*",),
    "asn1crypto": ("signing.*",),
    "xmlsec": (),  # oracles of the tests
    "signxml": (),
    "httpx": (),
    "pickle": (),
    "tests": (),
}

# Imported name → name of the distribution, where they differ.
DISTRIBUTIONS = {
    "argon2": "argon2-cffi",
    "pkcs11": "python-pkcs11",
    "pyhanko_certvalidator": "pyhanko-certvalidator",
    "yaml": "pyyaml",
    "dateutil": "python-dateutil",
}


def layer_breaks(found: Iterable[Module]) -> list[str]:
    """Imports of ours that the table does not allow."""
    return [
        f"{module.at(node)}: {module.top} may not import {name}"
        for module in found
        for node, name in imports(module)
        if (target := name.partition(".")[0]) in LAYERS and target not in MAY_IMPORT[module.top]
    ]


def library_breaks(found: Iterable[Module]) -> list[str]:
    """Imports of a library outside the places that may know it."""
    return [
        f"{module.at(node)}: only {', '.join(KNOWN_TO[library]) or 'nobody'} may import {library}"
        for module in found
        for node, name in imports(module)
        if (library := name.partition(".")[0]) in KNOWN_TO and not stands_in(module.name, KNOWN_TO[library])
    ]


def computed_imports(found: Iterable[Module]) -> list[str]:
    """Imports by a name that is computed: configuration can never name code to load, except installed entry points."""
    return [f"{module.at(node)}: imports a computed name" for module in found for node, name in imports(module) if name == "?"]


def undeclared_imports(found: Iterable[Module], declared: frozenset[str]) -> list[str]:
    """Third-party imports that pyproject.toml does not declare: they work only as long as somebody else needs them."""
    known = {*sys.stdlib_module_names, *LAYERS, "__future__", "?"}
    return [
        f"{module.at(node)}: {name} comes from no declared dependency"
        for module in found
        for node, name in imports(module)
        if (top := name.partition(".")[0]) not in known
        and not (top == "pytest" and stands_in(module.name, SHIPPED_TESTS))
        and DISTRIBUTIONS.get(top, top).lower() not in declared
    ]


def declared_dependencies() -> frozenset[str]:
    """Names in `[project] dependencies` and the `postgres` extra, lower case. What only tests may use is not among them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    return frozenset(line.partition("[")[0].partition(">")[0].partition("=")[0].strip().lower() for line in lines)


def test_layers_import_only_downwards() -> None:
    assert layer_breaks(modules()) == []


def test_libraries_are_known_only_where_the_table_says() -> None:
    assert library_breaks(modules()) == []


def test_no_import_is_computed() -> None:
    assert computed_imports(modules()) == []


def test_every_third_party_import_is_a_declared_dependency() -> None:
    assert undeclared_imports(modules(), declared_dependencies()) == []


def test_every_layer_is_there_and_in_the_table() -> None:
    assert {module.top for module in modules()} == set(LAYERS) == set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("schemas", "import hub.accept"),
        ("schemas", "from signing import verify"),
        ("schemas", "def f() -> None:\n    from replay import journal"),
        ("signing", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hub.node import Hub"),
        ("signing", "from replay.journal import Journal"),
        ("replay", "from adapters import contract"),
        ("replay", "import importlib\nimportlib.import_module('hub.accept')"),
        ("adapters", "from signing.verify import verify"),
        ("adapters", "try:\n    import hub\nexcept ImportError:\n    pass"),
        ("adapters", "from ..hub import accept"),
        ("adapters", "__import__('replay')"),
    ],
    ids=[
        "a plain import of the top from the bottom",
        "one layer up",
        "inside a function",
        "for types only",
        "replay stands above signing",
        "replay and adapters do not know each other",
        "by import_module",
        "adapters know schemas only",
        "inside a try",
        "by a relative import",
        "by __import__",
    ],
)
def test_the_layer_rule_fails_on(layer: str, text: str) -> None:
    assert layer_breaks([snippet(text, f"{layer}.snippet")])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hub.deliver", "import kombu"),
        ("hub.queue_of_another_kind", "from kombu import Connection"),
        ("adapters.rest", "def f() -> None:\n    from zeep import Client"),
        ("schemas.message", "from pydantic import BaseModel"),
        ("signing.verify", "import signxml"),
        ("hub.accept", "from tests.architecture import source"),
    ],
    ids=[
        "kombu in the courier",
        "a module whose name begins like an allowed one",
        "zeep in another adapter, late",
        "pydantic in the values",
        "an oracle in the product",
        "the product importing its tests",
    ],
)
def test_the_library_rule_fails_on(name: str, text: str) -> None:
    assert library_breaks([snippet(text, name)])


def test_the_library_rule_lets_the_named_places_through() -> None:
    assert library_breaks([snippet("import kombu", "hub.queue"), snippet("import zeep", "adapters.soap")]) == []


def test_the_rule_on_computed_imports_fails_on_one() -> None:
    assert computed_imports([snippet("from importlib import import_module\nimport_module(name)")])


@pytest.mark.parametrize("text", ["import aiohttp", "from celery import Celery", "import yaml"])
def test_the_rule_on_declared_dependencies_fails_on(text: str) -> None:
    assert undeclared_imports([snippet(text)], declared_dependencies())
