"""Applying a table: every value of the source goes to its place, is named as lost, or refuses the message.

Procedure of `apply`, for each value that says something:

1. which row, constant or declared loss the mapping has for its place; none refuses it, or names an unknown member as lost if allowed to
2. a constant has to have its value
3. the first way that takes the value converts it; two ways with different results are an ambiguity, none is a refusal
4. if the way back would not write the same again, how it was written is a loss

All refusals are listed together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from schemas.converters.converter import Converter
from schemas.dictionary.entry import Entry, FieldType
from schemas.dictionary.values import fault_of
from schemas.errors import Refused, Text, Violation, error
from schemas.limits import DEFAULT_LIMITS, Limits
from schemas.translation.mapping import Condition, Constant, Field, Gone, Loss, LossKind, Mapping, Side
from schemas.translation.paths import EACH, Path, Tree, Trie, fill, is_blank, placed, pointer

Rule = Field | Constant | Gone
_REWRITTEN = Text("Giá trị được giữ, cách viết ban đầu thì không.", "The value is kept, how it was written is not.")
_NOT_OURS = Text("Định dạng không có trường này nên không chuyển sang.", "The format has no such field, so it is not carried.")


class _NoWay(Exception):
    """No way takes the value."""

    def __init__(self, code: str, expected: str) -> None:
        self.code, self.expected = code, expected


@dataclass(slots=True)
class _Walk:
    mapping: Mapping
    back: bool
    tree: Any
    open_names: bool  # members that the format does not have may go
    limits: Limits
    out: Tree = field(default_factory=Tree)
    losses: list[Loss] = field(default_factory=list)
    faults: list[Violation] = field(default_factory=list)

    def down(self, value: Any, node: Trie[Rule] | None, path: Path, rows: tuple[int, ...], gone: Gone | None) -> None:
        """`value` and all below it."""
        gone = next((one for one in node.said if isinstance(one, Gone)), gone) if node else gone
        if isinstance(value, dict):
            for name, one in value.items():
                self.down(one, node.child(name) if node else None, (*path, name), rows, gone)
        elif isinstance(value, list):
            for n, one in enumerate(value):
                each = node is not None and n not in node.below and EACH in node.below
                self.down(one, node.child(n) if node else None, (*path, n), (*rows, n) if each else rows, gone)
        elif not is_blank(value):
            self._leaf(value, node, path, rows, gone)

    def _leaf(self, value: Any, node: Trie[Rule] | None, path: Path, rows: tuple[int, ...], gone: Gone | None) -> None:
        for rule in node.said if node else ():
            if isinstance(rule, Constant):
                if value != rule.value:
                    self._fault("translation-unexpected-value", path, expected=str(rule.value))
                return
            if isinstance(rule, Field) and self._holds(rule.when):
                self._convert(value, rule, path, rows)
                return
        if gone is not None:
            self._lose(path, LossKind.DECLARED, gone.reason)
        elif self.open_names and node is None:
            self._lose(path, LossKind.UNKNOWN, _NOT_OURS)
        else:
            self._fault("translation-unmapped", path, expected=f"a field that {self.mapping.name} maps or names as lost")

    def _convert(self, value: Any, rule: Field, path: Path, rows: tuple[int, ...]) -> None:
        try:
            if self.back:
                made, target = _backward(rule, value), rule.source
            else:
                made, loss = _forward(rule, value)
                target = rule.target
                if loss is not None:
                    self._lose(path, LossKind.FORM, loss)
        except _NoWay as fault:
            self._fault(fault.code, path, expected=fault.expected)
            return
        self.out.put(placed(target, rows), made)

    def _holds(self, when: Condition | None) -> bool:
        if when is None:
            return True
        return value_at(self.tree, when.target if self.back else when.source) in when.values

    def _lose(self, path: Path, kind: LossKind, reason: Text) -> None:
        at = self.mapping.target if self.back else self.mapping.source
        self.losses.append(Loss(pointer(path), kind, reason, at, self.mapping.name))

    def _fault(self, code: str, path: Path, expected: str) -> None:
        if len(self.faults) < self.limits.max_violations:
            self.faults.append(error(code, path=pointer(path), expected=expected))


def apply(mapping: Mapping, tree: Any, *, back: bool, open_names: bool, limits: Limits = DEFAULT_LIMITS) -> tuple[Any, tuple[Loss, ...]]:
    """The target's tree and what was lost; `back` from the target to the source.

    Raises `Refused` with `translation-unmapped`, `translation-unexpected-value`, `value-not-convertible` or `value-ambiguous`, whichever
    comes first, with all violations.
    """
    walk = _Walk(mapping, back, tree, open_names, limits)
    walk.down(tree, _rules(mapping, back), (), (), None)
    if walk.faults:
        first = walk.faults[0]
        raise Refused(first.code, got=first.path, expected=first.expected, violations=tuple(walk.faults))
    built = walk.out.built()
    if back:
        for constant in mapping.constants:
            fill(built, constant.path, constant.value)
        for blank in mapping.blanks:
            fill(built, blank, "")
    return built, tuple(walk.losses)


def value_at(tree: Any, path: Path) -> Any:
    """What stands at a path without ``[]``, None where nothing does."""
    for name in path:
        if isinstance(tree, dict):
            tree = tree.get(name)
        elif isinstance(tree, list) and isinstance(name, int) and name < len(tree):
            tree = tree[name]
        else:
            return None
    return tree


@lru_cache(maxsize=512)
def _rules(mapping: Mapping, back: bool) -> Trie[Rule]:
    found: Trie[Rule] = Trie()
    for one in mapping.fields:
        found.add(one.target if back else one.source, one)
    for constant in () if back else mapping.constants:
        found.add(constant.path, constant)
    for gone in mapping.gone:
        if (gone.side is Side.TARGET) == back:
            found.add(gone.path, gone)
    return found


def _forward(rule: Field, value: Any) -> tuple[Any, Text | None]:
    """The converted value, and the loss if the way back writes something else."""
    made: list[tuple[Any, Converter]] = []
    ambiguous = False
    for way in rule.ways:
        try:
            found = way.forward(value)
        except Refused as fault:
            ambiguous = ambiguous or fault.code == "value-ambiguous"
            continue
        if not _fault_at(rule.target, rule.entry, found):
            made.append((found, way))
    if any(type(found) is not type(made[0][0]) or found != made[0][0] for found, _ in made):
        raise _NoWay("value-ambiguous", "a value that can be read in one way only")
    if not made:
        raise _NoWay("value-ambiguous" if ambiguous else "value-not-convertible", _wanted(rule))
    found, way = made[0]
    again = _first_back(rule, found)
    if again == value and type(again) is type(value):
        return found, None
    return found, way.loss or _REWRITTEN


def _backward(rule: Field, value: Any) -> Any:
    found = _first_back(rule, value)
    if found is None:
        raise _NoWay("value-not-convertible", _wanted(rule))
    return found


def _first_back(rule: Field, value: Any) -> Any:
    for way in rule.ways:
        if way.backward is None:
            continue
        try:
            return way.backward(value)
        except Refused:
            continue
    return None


def _wanted(rule: Field) -> str:
    domains = dict.fromkeys(way.domain for way in rule.ways)
    key = f" for {rule.entry.key}" if rule.entry else ""
    return "; or ".join(domains) + key


def _fault_at(path: Path, entry: Entry | None, value: Any) -> str:
    """What was expected of a canonical value, "" where it is one, or where the target is not canonical."""
    if entry is None:
        return ""
    if entry.type is FieldType.LIST and path[-1] == EACH:
        return item_fault(value)
    return fault_of(entry, value)


def item_fault(value: object) -> str:
    """The same of an item of a list that holds no objects: the dictionary does not say more of it than that it is a text."""
    return fault_of(_TEXT, value)


_TEXT = Entry(key="text", type=FieldType.TEXT, definition=Text("", ""), source="")
