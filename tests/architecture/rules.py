"""The rules on source: what may be done in few places or nowhere, and how modules have to look.

A rule takes modules and gives the places that break it. `test_forbidden_calls.py` holds the source to each, and shows each able to fail.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterable

from tests.architecture.source import Module, calls, names, stands_in

Rule = Callable[[Iterable[Module]], list[str]]

MAX_LINES = 300
MAX_TEST_LINES = 400  # named tables are long, and cutting one in two does not make it clearer
MAX_FUNCTION_LINES = 40
REASON = "longer than 300 lines"  # a module's docstring says these words, and why

# XML is parsed in one place. Builders, serialisers, compiled XPath and schemas over a tree are fine elsewhere.
XML_PARSER = "schemas.xml"
_PARSERS = ("XML", "HTML", "XMLID", "HTMLParser", "XMLParser", "XMLPullParser", "HTMLPullParser", "ETCompatXMLParser", "XMLDTDID", "DTD")
_READERS = ("fromstring", "fromstringlist", "parse", "parseid", "iterparse", "adopt_external_document")
XML_NAMES = frozenset(f"lxml.etree.{name}" for name in (*_PARSERS, *_READERS))
XML_MODULES = (
    "lxml.html",
    "lxml.objectify",
    "lxml.sax",
    "lxml.isoschematron",
    "lxml.ElementInclude",
    "xml.etree",
    "xml.dom",
    "xml.sax",
    "xml.parsers",
    "pyexpat",
    "defusedxml",
    "xmltodict",
    "xmlschema",
    "bs4",
    "html5lib",
)

XML_HARMLESS = frozenset({"xml.sax.saxutils", "xml.sax.saxutils.escape", "xml.sax.saxutils.quoteattr"})

# The wall clock is read at the edges, once per decision, and handed on as `at`. Stopwatches (monotonic, perf_counter) are free.
CLOCK_NAMES = frozenset(
    {
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
        "time.ctime",
        "time.asctime",
    }
)
CLOCK_PLACES = {
    "hub.node": "the clock that the whole process is handed",
    "hub.cli.*": "commands",
    "hub.demo.*": "the demo",
    "adapters.systems.*": "simulators and a client: they stand at the other side",
}

# Pure layers draw nothing at random: what they give must be the same at a replay. Keys and salts are drawn above them.
RANDOM_NAMES = (
    "random",
    "secrets",
    "os.urandom",
    "uuid.uuid1",
    "uuid.uuid4",
    "cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key",
)
PURE = ("schemas.*", "signing.*")

MESSAGE = "schemas.message.Message"
MESSAGE_MAKERS = {"signing.verify": "only verification makes a trusted value"}

# Who may catch everything, and why nothing narrower does.
CATCH_ALL_PLACES = {
    "hub.deliver": "a defect parks one delivery and stops no other",
    "hub.replay_runner": "a defect holds one replay and stops no other",
    "hub.worker": "a defect must not end all deliveries",
    "hub.commit": "senders wait for the committer's answer, whatever happened to it",
    "adapters.packets": "a defect is answered to one publisher and must not bring its message back for ever",
    "adapters.supervise": "a defect in one session must not end all collecting",
}

# Tests that are shipped, for integrators to run.
SHIPPED_TESTS = ("adapters.conformance.*",)

# Longer than 40 lines, and why it is not cut.
LONG_FUNCTIONS = {
    "hub.node.open_hub": "puts the whole process together, once; cut in pieces it would only be harder to follow",
}

FORBIDDEN_CALLS = {
    "eval": "runs what it is given",
    "exec": "runs what it is given",
    "compile": "runs what it is given",
    "os.system": "a shell",
    "os.popen": "a shell",
    "yaml.load": "builds any object",
    "yaml.unsafe_load": "builds any object",
    "breakpoint": "left behind",
}
FORBIDDEN_MODULES = ("pickle", "marshal", "shelve", "dill", "jsonpickle", "telnetlib")
FORBIDDEN_MODULE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "base"})
FORBIDDEN_CLASS_NAME = re.compile(r"(Manager|Handler|Processor|Service|Helper|Util|Utils|Impl)$|^(Base|Abstract)[A-Z]|Base$")

NAMED_ANYWAY = {"adapters.soap._LoadedService": "`service` is the word of WSDL for what it is"}

# Hosts of package indexes and of the places they serve files from; written in pieces, for this file is searched too.
INDEX_HOSTS = tuple(
    "".join(pieces)
    for pieces in (
        ("pypi", ".org"),
        ("pypi", ".python.org"),
        ("python", "hosted.org"),
        ("conda", ".anaconda.org"),
        ("repo.", "anaconda.com"),
        ("registry.npm", "js.org"),
        ("index.cr", "ates.io"),
        ("proxy.go", "lang.org"),
    )
)


# --- the rules ---------------------------------------------------------------------------------------------------------------


def xml_parsed_elsewhere(found: Iterable[Module]) -> list[str]:
    """XML parsed outside the one hardened parser, and XInclude anywhere."""
    breaks = []
    for module in found:
        for node, name in names(module):
            if name in XML_HARMLESS:
                continue
            if name in XML_NAMES or any((name + ".").startswith(prefix + ".") for prefix in XML_MODULES):
                breaks += [] if module.name == XML_PARSER else [f"{module.at(node)}: {name} parses XML; use {XML_PARSER}"]
            if name.endswith(".xinclude"):
                breaks.append(f"{module.at(node)}: XInclude reads other files")
    return breaks


def clock_read_inside(found: Iterable[Module]) -> list[str]:
    """The wall clock read where a time should have been handed in."""
    return _named(found, lambda name: name in CLOCK_NAMES, CLOCK_PLACES, "reads the clock; take `at: datetime`")


def drawn_at_random(found: Iterable[Module]) -> list[str]:
    """Randomness in the pure layers."""
    pure = (module for module in found if stands_in(module.name, PURE))
    return _named(pure, lambda name: any((name + ".").startswith(one + ".") for one in RANDOM_NAMES), {}, "is random; take what was drawn")


def messages_made_elsewhere(found: Iterable[Module]) -> list[str]:
    """A trusted value made without verification, whatever it is called there."""
    return [
        f"{module.at(node)}: makes a Message"
        for module in found
        for node, name in calls(module)
        if name == MESSAGE and module.name not in MESSAGE_MAKERS
    ]


def caught_blindly(found: Iterable[Module]) -> list[str]:
    """``except:``, ``except Exception`` and ``except BaseException`` outside the places that must survive a defect."""
    return [
        f"{module.at(node)}: catches everything"
        for module in found
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and module.name not in CATCH_ALL_PLACES and _catches_all(node.type)
    ]


def dangerous_calls(found: Iterable[Module]) -> list[str]:
    """Calls that run or build whatever they are given, and modules that exist for that."""
    breaks = [f"{m.at(node)}: {name} {FORBIDDEN_CALLS[name]}" for m in found for node, name in calls(m) if name in FORBIDDEN_CALLS]
    for module in found:
        breaks += [f"{module.at(node)}: {name}" for node, name in names(module) if name.partition(".")[0] in FORBIDDEN_MODULES]
        breaks += [f"{module.at(node)}: a shell" for node in ast.walk(module.tree) if isinstance(node, ast.Call) and _with_shell(node)]
    return breaks


def asserted(found: Iterable[Module]) -> list[str]:
    """`assert` outside tests: ``python -O`` takes it away."""
    ours = (m for m in found if not stands_in(m.name, SHIPPED_TESTS))
    return [f"{m.at(node)}: assert" for m in ours for node in ast.walk(m.tree) if isinstance(node, ast.Assert)]


def without_docstring(found: Iterable[Module]) -> list[str]:
    """Modules that do not say what they are for. An empty `__init__` says it by being empty."""
    return [m.path for m in found if not (ast.get_docstring(m.tree) or (m.is_package and not m.text.strip()))]


def too_long(found: Iterable[Module], limit: int = MAX_LINES) -> list[str]:
    """Modules over the limit whose docstring gives no reason."""
    return [f"{m.path}: {m.lines} lines" for m in found if m.lines > limit and REASON not in (ast.get_docstring(m.tree) or "")]


def long_test_modules(found: Iterable[Module]) -> list[str]:
    """The same of test modules, which may be somewhat longer."""
    return too_long(found, MAX_TEST_LINES)


def functions_too_long(found: Iterable[Module]) -> list[str]:
    """Functions whose body, docstring left out, has more lines than one can hold in mind."""
    return [
        f"{m.at(node)}: {node.name} has {length} lines"
        for m in found
        for node in ast.walk(m.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (length := _body_lines(node)) > MAX_FUNCTION_LINES
        and f"{m.name}.{node.name}" not in LONG_FUNCTIONS
    ]


def modules_badly_named(found: Iterable[Module]) -> list[str]:
    """Modules that collect: `utils` and the like."""
    return [f"{m.path}: name the thing" for m in found if FORBIDDEN_MODULE_NAMES & set(m.name.split("."))]


def classes_badly_named(found: Iterable[Module]) -> list[str]:
    """Classes that manage, or are there to be inherited from."""
    return [
        f"{m.at(node)}: class {node.name}: name the thing"
        for m in found
        for node in ast.walk(m.tree)
        if isinstance(node, ast.ClassDef) and FORBIDDEN_CLASS_NAME.search(node.name) and f"{m.name}.{node.name}" not in NAMED_ANYWAY
    ]


def index_hosts_in(text: str) -> list[str]:
    """Index hosts that `text` names."""
    return [host for host in INDEX_HOSTS if host in text.lower()]


def lock_breaks(lock: str, project: str) -> list[str]:
    """Requirements that are not pinned with a hash, options that name places, dependencies that are missing."""
    logical = [line.strip() for line in lock.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")]
    breaks = [line[:60] for line in logical if not re.match(r"[A-Za-z0-9._\[\]-]+==[^\s;]+\s.*--hash=sha256:[0-9a-f]{64}", line)]
    pinned = {_normal(re.split(r"[\[=]", line)[0]) for line in logical}
    table = tomllib.loads(project)["project"]
    wanted = [*table["dependencies"], *(one for extra in table.get("optional-dependencies", {}).values() for one in extra)]
    needed = {_normal(re.split(r"[\[<>=!~; ]", line)[0]) for line in wanted}
    return breaks + [f"{name} is not in the lock" for name in sorted(needed - pinned)]


# --- how they look -------------------------------------------------------------------------------------------------------------


def _named(found: Iterable[Module], is_meant: Callable[[str], bool], places: Iterable[str], why: str) -> list[str]:
    return [
        f"{module.at(node)}: {name} {why}"
        for module in found
        if not stands_in(module.name, places)
        for node, name in names(module)
        if is_meant(name)
    ]


def _catches_all(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_catches_all(one) for one in caught.elts)
    return caught is None or (isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException"))


def _with_shell(call: ast.Call) -> bool:
    return any(one.arg == "shell" and not (isinstance(one.value, ast.Constant) and one.value.value is False) for one in call.keywords)


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
