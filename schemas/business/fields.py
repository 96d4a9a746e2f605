"""How the fields of these messages are annotated: their kind and need; their meaning is the dictionary's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, TypeVar

from schemas.dictionary.aliases import alias
from schemas.dictionary.entry import Privacy
from schemas.dictionary.store import dictionary
from schemas.dvcqg.shape import About, Need, Shape, WireFlag, WireNumber

_UNSAID = About("", "")
Text = Annotated[str, _UNSAID]
Key = Annotated[str, About("", "", Need.KEY)]  # the message is about nothing without it
Due = Annotated[str, About("", "", Need.VALUE)]  # a warning where it is blank
Number = Annotated[WireNumber, _UNSAID]
Flag = Annotated[WireFlag, _UNSAID]
NESTED = _UNSAID  # of objects and lists

_PLACES: dict[type[Shape], tuple[str, str]] = {}
S = TypeVar("S", bound=Shape)


def explained(system: str, message: str) -> Callable[[type[S]], type[S]]:
    """Gives the fields of a model the definitions that the dictionary has for `message` of `system`. Decorates the class, once."""

    def explain(shape: type[S]) -> type[S]:
        for name, info in shape.model_fields.items():
            about = next(one for one in info.metadata if isinstance(one, About))
            info.metadata = [_explained(about, system, message, name), *(one for one in info.metadata if one is not about)]
        _PLACES[shape] = (system, message)
        return shape

    return explain


def place_of(shape: type[Shape]) -> tuple[str, str]:
    """(system, message) by whose aliases `shape` is explained; ("", "") where it is not."""
    return _PLACES.get(shape, ("", ""))


def _explained(about: About, system: str, message: str, name: str) -> About:
    found = alias(system, message, name)
    if found is None:
        return replace(about, vi=name, en=name)
    entry = dictionary().entry(found.key)
    hidden = entry.privacy is not Privacy.PLAIN
    return replace(about, vi=entry.definition.vi, en=entry.definition.en, secret=hidden)
