"""The project's own source as the rules read it: every module parsed once, every name traced back to what it was imported as."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYERS = ("schemas", "signing", "replay", "adapters", "hub")
_NOT_OURS = frozenset({"__pycache__", "build"})


@dataclass(frozen=True)
class Module:
    """One module. `name` is dotted (``hub.api.rest``; of a package without ``__init__``), `path` relative to the project's root."""

    name: str
    path: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text, self.path)

    @property
    def top(self) -> str:
        """The top-level folder."""
        return self.name.partition(".")[0]

    @property
    def lines(self) -> int:
        """Physical lines."""
        return self.text.count("\n")

    @property
    def definitions(self) -> frozenset[str]:
        """Names of the classes and functions that stand at the top of it."""
        return frozenset(node.name for node in self.tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)))

    def at(self, node: ast.AST) -> str:
        """Where `node` stands, as an editor opens it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def stands_in(name: str, places: Iterable[str]) -> bool:
    """Whether module `name` is one of `places`, or below one that ends in ``.*``."""
    return any(name == place or (place.endswith(".*") and (name + ".").startswith(place[:-1])) for place in places)


def snippet(text: str, name: str = "hub.snippet") -> Module:
    """A module that exists in a test only."""
    return Module(name, name.replace(".", "/") + ".py", text)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the layers (not the tests)."""
    return tuple(module for layer in LAYERS for module in _below(layer))


@cache
def modules_of_tests() -> tuple[Module, ...]:
    """Every module of the tests."""
    return tuple(_below("tests"))


def _below(folder: str) -> Iterator[Module]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        relative = path.relative_to(ROOT)
        if not _NOT_OURS.intersection(relative.parts):
            is_package = path.stem == "__init__"
            parts = relative.with_suffix("").parts[: -1 if is_package else None]
            yield Module(".".join(parts), relative.as_posix(), path.read_text("utf-8"), is_package)


@cache
def tracked_files() -> tuple[Path, ...]:
    """What is or will be handed over: files git tracks or would (ignored ones left out); all text files where there is no git."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    names = [name for name in listing.stdout.decode("utf-8").split("\0") if name]
    if listing.returncode or not names:
        hidden = (".venv", ".git", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis", "build")
        found = (path for path in ROOT.rglob("*") if not any(part in hidden for part in path.relative_to(ROOT).parts))
        return tuple(sorted(path for path in found if path.is_file()))
    return tuple(sorted(path for name in names if (path := ROOT / name).is_file()))


def imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Every module that `module` imports: at the top, late, under ``TYPE_CHECKING``, by ``__import__`` and ``import_module``.

    ``from a import b`` gives ``a.b``: whether `b` is a module or a name in one does not matter to a rule that asks for a prefix.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            yield from ((node, f"{origin}.{alias.name}".strip(".")) for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("__import__", "import_module") and node.args:
            name = node.args[0]
            yield node, name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else "?"


def names(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Every use of an imported or built-in name, written out: ``etree.parse`` after ``from lxml import etree`` is ``lxml.etree.parse``.

    An import of a name counts as a use, so renaming hides nothing; ``getattr(etree, "parse")`` is read as ``etree.parse``.
    """
    known = dict(_aliases(module))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            yield from ((node, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
            dotted = _dotted(node)
            if dotted:
                head, _, rest = dotted.partition(".")
                yield node, f"{known.get(head, head)}.{rest}".rstrip(".")


def calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """Every call with what is called, written out as in `names`; a class or function of the module itself as ``module.name``."""
    known = dict(_aliases(module))
    own = {node.name for node in module.tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and (dotted := _dotted(node.func)):
            head, _, rest = dotted.partition(".")
            start = f"{module.name}.{head}" if head in own else known.get(head, head)
            yield node, f"{start}.{rest}".rstrip(".")


def _aliases(module: Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (head, head)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            yield from ((alias.asname or alias.name, f"{origin}.{alias.name}") for alias in node.names)


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    base = package[: len(package) - (node.level - 1)]
    return ".".join([*base, *([node.module] if node.module else [])])


def _called(node: ast.Call) -> str:
    return _dotted(node.func).rpartition(".")[2]


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
        inner, name = _dotted(node.args[0]), node.args[1]
        return f"{inner}.{name.value}" if inner and isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
    return ""
