"""The source keeps the rules of `rules.py`, and every rule is shown able to fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.architecture.rules import (
    CATCH_ALL_PLACES,
    CLOCK_PLACES,
    INDEX_HOSTS,
    LONG_FUNCTIONS,
    MESSAGE_MAKERS,
    NAMED_ANYWAY,
    REASON,
    XML_PARSER,
    Rule,
    asserted,
    caught_blindly,
    classes_badly_named,
    clock_read_inside,
    dangerous_calls,
    drawn_at_random,
    functions_too_long,
    index_hosts_in,
    lock_breaks,
    long_test_modules,
    messages_made_elsewhere,
    modules_badly_named,
    too_long,
    without_docstring,
    xml_parsed_elsewhere,
)
from tests.architecture.source import ROOT, modules, modules_of_tests, snippet, stands_in, tracked_files

RULES: dict[str, Rule] = {
    "XML is parsed only in schemas/xml.py": xml_parsed_elsewhere,
    "the wall clock is read only at the edges": clock_read_inside,
    "the pure layers draw nothing at random": drawn_at_random,
    "only verification makes a Message": messages_made_elsewhere,
    "everything is caught only where a defect must not spread": caught_blindly,
    "nothing runs or builds whatever it is given": dangerous_calls,
    "no assert outside tests": asserted,
    "every module says what it is for": without_docstring,
    "no module is longer than 300 lines without a reason": too_long,
    "no function is longer than 40 lines": functions_too_long,
    "modules are named for the thing": modules_badly_named,
    "classes are named for the thing": classes_badly_named,
}
RULES_OF_TESTS: dict[str, Rule] = {
    "every test module says what it is for": without_docstring,
    "no test module is longer than 400 lines without a reason": long_test_modules,
    "test modules are named for the thing": modules_badly_named,
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_the_source_keeps_the_rule(rule: Rule) -> None:
    assert rule(modules()) == []


@pytest.mark.parametrize("rule", RULES_OF_TESTS.values(), ids=RULES_OF_TESTS.keys())
def test_the_tests_keep_the_rule(rule: Rule) -> None:
    assert rule(modules_of_tests()) == []


def test_the_lists_of_places_name_modules_that_exist() -> None:
    here = {module.name for module in modules()}
    wanted = [place for places in (CLOCK_PLACES, MESSAGE_MAKERS, CATCH_ALL_PLACES) for place in places] + [XML_PARSER]
    assert [place for place in wanted if not any(stands_in(name, (place,)) for name in here)] == []


def test_the_exceptions_are_still_needed() -> None:
    defined = {f"{module.name}.{name}" for module in modules() for name in module.definitions}
    assert [name for name in (*LONG_FUNCTIONS, *NAMED_ANYWAY) if name not in defined] == []


def test_no_tracked_file_names_a_package_index() -> None:
    found = {}
    for path in tracked_files():
        hosts = index_hosts_in(path.read_bytes().decode("utf-8", "replace"))
        if hosts:
            found[path.relative_to(ROOT).as_posix()] = hosts
    assert found == {}


def test_the_lock_pins_everything_with_hashes_and_names_no_place() -> None:
    assert lock_breaks((ROOT / "requirements.lock").read_text("utf-8"), (ROOT / "pyproject.toml").read_text("utf-8")) == []


# --- each rule can fail --------------------------------------------------------------------------------------------------------


def _bad() -> Iterator[tuple[str, Rule, str, str]]:
    yield "etree.fromstring", xml_parsed_elsewhere, "schemas.translate", "from lxml import etree\netree.fromstring(b'<a/>')"
    yield "renamed lxml.etree", xml_parsed_elsewhere, "hub.api.soap", "import lxml.etree as E\nE.parse('a.xml')"
    yield "a parser imported by name", xml_parsed_elsewhere, "hub.x", "from lxml.etree import XMLParser as P"
    yield "a parser by getattr", xml_parsed_elsewhere, "hub.x", "from lxml import etree\ngetattr(etree, 'XML')(b'')"
    yield "a parser passed on, not called", xml_parsed_elsewhere, "hub.x", "from lxml import etree\nread = etree.iterparse"
    yield "xml.etree of the standard library", xml_parsed_elsewhere, "adapters.rest", "import xml.etree.ElementTree as ET\nET.parse('a')"
    yield "minidom, late", xml_parsed_elsewhere, "hub.x", "def f() -> None:\n    from xml.dom import minidom"
    yield "a library that parses", xml_parsed_elsewhere, "hub.x", "import xmlschema"
    yield "XInclude, even in the parser", xml_parsed_elsewhere, "schemas.xml", "def f(tree):\n    tree.xinclude()"
    yield "datetime.now in pure code", clock_read_inside, "signing.verify", "from datetime import UTC, datetime\ndatetime.now(UTC)"
    yield "datetime.now through the module", clock_read_inside, "replay.journal", "import datetime\ndatetime.datetime.now()"
    yield "the clock as a default", clock_read_inside, "hub.mailbox", "from datetime import datetime\nclock = datetime.utcnow"
    yield "date.today renamed", clock_read_inside, "schemas.calendar", "from datetime import date as d\nd.today()"
    yield "time.time by name", clock_read_inside, "hub.deliver", "from time import time\ntime()"
    yield "uuid4 in a value", drawn_at_random, "schemas.message", "from uuid import uuid4\nuuid4()"
    yield "random in the verifier", drawn_at_random, "signing.path", "import random\nrandom.choice([1])"
    yield "a Message without verification", messages_made_elsewhere, "hub.accept", "from schemas.message import Message\nMessage(e, v)"
    yield "a Message, renamed", messages_made_elsewhere, "hub.status", "from schemas import message as m\nm.Message(e, v)"
    yield "except Exception", caught_blindly, "hub.accept", "try:\n    f()\nexcept Exception:\n    pass"
    yield "a bare except", caught_blindly, "adapters.rest", "try:\n    f()\nexcept:\n    pass"
    yield "BaseException in a tuple", caught_blindly, "hub.api.rest", "try:\n    f()\nexcept (OSError, BaseException):\n    pass"
    yield "eval", dangerous_calls, "hub.x", "eval('1')"
    yield "pickle", dangerous_calls, "replay.x", "from pickle import loads"
    yield "yaml.load", dangerous_calls, "hub.x", "import yaml\nyaml.load('')"
    yield "a shell", dangerous_calls, "hub.x", "import subprocess\nsubprocess.run('ls', shell=True)"
    yield "assert", asserted, "hub.x", "def f(x: int) -> None:\n    assert x"
    yield "no docstring", without_docstring, "hub.x", "import os"
    yield "301 lines", too_long, "hub.x", '"""Long."""\n' + "x = 1\n" * 300
    yield "401 lines of tests", long_test_modules, "tests.x", '"""Long."""\n' + "x = 1\n" * 400
    yield "a function of 41 lines", functions_too_long, "hub.x", "def f() -> None:\n" + "    x = 1\n" * 41
    yield "utils", modules_badly_named, "hub.utils", '"""Things."""'
    yield "helpers in a package's name", modules_badly_named, "schemas.helpers.dates", '"""Dates."""'
    yield "a Manager", classes_badly_named, "hub.x", "class DeliveryManager:\n    pass"
    yield "a Base", classes_badly_named, "adapters.x", "class BaseAdapter:\n    pass"


@pytest.mark.parametrize(("rule", "name", "text"), [row[1:] for row in _bad()], ids=[row[0] for row in _bad()])
def test_a_rule_fails_on(rule: Rule, name: str, text: str) -> None:
    assert rule([snippet(text, name)])


def test_every_rule_is_shown_able_to_fail() -> None:
    assert {*RULES.values(), *RULES_OF_TESTS.values()} <= {row[1] for row in _bad()}


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (xml_parsed_elsewhere, "schemas.edxml.writer", "from lxml import etree\netree.SubElement(root, 'a')\netree.tostring(root)"),
        (xml_parsed_elsewhere, "schemas.xml", "from lxml import etree\netree.XMLParser(no_network=True)"),
        (xml_parsed_elsewhere, "hub.api.shapes", "from urllib import parse\nparse.quote('a')"),
        (clock_read_inside, "hub.node", "from datetime import UTC, datetime\ndatetime.now(UTC)"),
        (clock_read_inside, "hub.worker", "import time\ntime.monotonic()"),
        (messages_made_elsewhere, "hub.api.trace", "from starlette.types import Message\nMessage()"),
        (messages_made_elsewhere, "signing.verify", "from schemas.message import Message\nMessage(e, v)"),
        (caught_blindly, "hub.deliver", "try:\n    f()\nexcept Exception:\n    pass"),
        (too_long, "hub.x", f'"""Long, and {REASON} because of its table."""\n' + "x = 1\n" * 300),
    ],
    ids=[
        "building and serialising XML",
        "the parser itself",
        "another library's parse",
        "the clock at the edge",
        "a stopwatch",
        "another Message",
        "verification",
        "the delivery loop",
        "a long module with its reason",
    ],
)
def test_a_rule_lets_through(rule: Rule, name: str, text: str) -> None:
    assert rule([snippet(text, name)]) == []


@pytest.mark.parametrize("host", INDEX_HOSTS)
def test_the_search_for_index_hosts_finds_one(host: str) -> None:
    assert index_hosts_in(f"see https://{host.upper()}/simple/")


@pytest.mark.parametrize(
    "line",
    [
        "kombu==5.7.0",
        "kombu>=5.7.0 --hash=sha256:" + "0" * 64,
        "--index-url https://example.invalid/simple",
        "kombu @ https://example.invalid/kombu.whl --hash=sha256:" + "0" * 64,
        "-e .",
    ],
    ids=["no hash", "not pinned", "an index", "a URL", "an editable"],
)
def test_the_lock_rule_fails_on(line: str) -> None:
    assert lock_breaks(line, '[project]\ndependencies = ["kombu>=5"]')


def test_the_lock_rule_fails_on_a_dependency_that_is_missing() -> None:
    assert lock_breaks("", '[project]\ndependencies = ["kombu>=5"]') == ["kombu is not in the lock"]
