"""The project's documents as the tests read them: code fences, tables, links, names in backticks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.architecture.source import ROOT, modules

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TICKED = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(\.?[\w-]+/)+([\w.-]+\.(py|toml|md|xsd|wsdl|lock))?|[\w-]+\.(toml|lock|md)")
_MARKED_TABLE = re.compile(r"<!-- (model|adapter): ([\w.]+) -->\n\n((?:\|.*\n)+)")


@dataclass(frozen=True)
class Document:
    """One Markdown file; `path` is relative to the project's root."""

    path: str
    text: str

    @property
    def prose(self) -> str:
        """The text without its code fences."""
        return _FENCE.sub("", self.text)

    def fences(self, language: str) -> list[str]:
        """The contents of the code fences in `language`."""
        return [body for name, body in _FENCE.findall(self.text) if name == language]

    def links(self) -> list[str]:
        """Targets of the links to other files of the project, without the anchors."""
        found = (target.partition("#")[0] for target in _LINK.findall(self.prose))
        return [target for target in found if target and "://" not in target and not target.startswith("mailto:")]

    def ticked(self) -> list[str]:
        """What stands in backticks in the prose."""
        return _TICKED.findall(self.prose)

    def named_places(self) -> Iterator[tuple[str, str]]:
        """(name, path) where the text says ```name` in `path``` or ```name` (`path`)``."""
        yield from re.findall(r"`([A-Za-z_][\w.]*)`\s+in\s+`([\w/.-]+\.py)`", self.prose)
        yield from re.findall(r"`([A-Za-z_]\w*[A-Z_.]\w*)`\s+\(`([\w/.-]+\.py)`", self.prose)


def documents() -> list[Document]:
    """README, CONTRIBUTING, CHANGELOG and everything below `docs/`."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [read(path.relative_to(ROOT).as_posix()) for path in sorted(paths)]


def read(path: str) -> Document:
    """The document at `path`."""
    return Document(path, (ROOT / path).read_text("utf-8"))


def missing_links(document: Document) -> list[str]:
    """Links of `document` that lead nowhere."""
    folder = (ROOT / document.path).parent
    return [target for target in document.links() if not (folder / target).exists()]


def missing_paths(document: Document) -> list[str]:
    """Paths in backticks that do not exist. Paths of the operator's folders and of URLs are not of the project."""
    tops = {path.name for path in ROOT.iterdir()}
    found = (text for text in document.ticked() if _PATH.fullmatch(text) and "/" in text)
    return [text for text in found if text.split("/")[0] in tops and not (ROOT / text).exists() and not text.startswith("trust/")]


def missing_names(document: Document) -> list[str]:
    """``name` in `path``` where the module at `path` defines no such name."""
    return [f"{name} in {path}" for name, path in document.named_places() if name not in definitions(path)]


def unknown_names(document: Document) -> list[str]:
    """Dotted and CamelCase names in backticks that nothing in the source is called or says."""
    looks_like_code = re.compile(r"[A-Z][a-z]\w*[A-Z]\w*|[A-Z][A-Za-z]+\.\w+|[a-z]+_\w+(\.\w+)?|[a-z]+\.[a-z]+_\w+")
    everything = all_names()
    return sorted({text for text in document.ticked() if looks_like_code.fullmatch(text) and text.rpartition(".")[2] not in everything})


@cache
def definitions(path: str) -> frozenset[str]:
    """What the module at `path` defines: classes, functions, constants, and `Class.member`."""
    if not (ROOT / path).is_file():
        return frozenset()
    return frozenset(_defined(ast.parse((ROOT / path).read_text("utf-8"))))


@cache
def all_names() -> frozenset[str]:
    """Every name and every text constant of one word in the source."""
    found: set[str] = set()
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(re.findall(r"\w+", node.value) if len(node.value) < 4_000 else ())
            elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                found.add(node.name)
            elif isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
    return frozenset(found)


def marked_tables(document: Document) -> Iterator[tuple[str, str, list[dict[str, str]]]]:
    """(kind, name, rows by heading) of the tables under a mark like ``<!-- model: hub.settings.Settings -->``.

    The first column is headed ``Name``, whatever stands there, and loses its backticks.
    """
    for kind, name, table in _MARKED_TABLE.findall(document.text):
        lines = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in table.splitlines()]
        heads = ["Name", *lines[0][1:]]
        yield kind, name, [dict(zip(heads, [row[0].strip("`"), *row[1:]], strict=False)) for row in lines[2:]]


def commands(document: Document) -> Iterator[list[str]]:
    """The commands in the fenced blocks of a shell: lines of ``sh`` blocks, and those after ``$`` in ``console`` blocks."""
    for block in document.fences("sh"):
        yield from (line.split() for line in _joined(block) if line and not line.startswith("#"))
    for block in document.fences("console"):
        yield from (line[2:].split() for line in _joined(block) if line.startswith("$ "))


def _joined(block: str) -> list[str]:
    return [re.sub(r"\s+#.*$", "", line.strip()) for line in block.replace("\\\n", " ").splitlines()]


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield f"{node.name}.{member.name}"
                else:
                    yield from (f"{node.name}.{name}" for name in _targets(member))
        else:
            yield from _targets(node)


def _targets(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
