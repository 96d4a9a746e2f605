"""All converters by name. Mappings and aliases name them; nothing else makes one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from schemas.converters import codes, dates, identity, numbers, texts
from schemas.converters.converter import Converter
from schemas.errors import Refused


@cache
def converters() -> Mapping[str, Converter]:
    """Every converter; two of one name are a programmer's mistake."""
    found: dict[str, Converter] = {}
    for one in (*dates.CONVERTERS, *texts.CONVERTERS, *numbers.CONVERTERS, *identity.CONVERTERS, *codes.CONVERTERS):
        if one.name in found:
            raise RuntimeError(f"two converters named {one.name}")
        found[one.name] = one
    return MappingProxyType(found)


def converter(name: str) -> Converter:
    """The converter `name`. Raises `Refused` with `converter-unknown`."""
    found = converters().get(name)
    if found is None:
        raise Refused("converter-unknown", got=name, expected="a name listed in docs/dictionary.md")
    return found


def chain(names: tuple[str, ...]) -> Converter:
    """Several converters one after another as one; lossy where one of them is, one-way where one of them is.

    Raises `Refused` with `converter-unknown`.
    """
    steps = [converter(name) for name in names]

    def forward(value: object) -> object:
        for one in steps:
            value = one.forward(value)
        return value

    def backward(value: object) -> object:
        for one in reversed(steps):
            if one.backward is None:
                raise RuntimeError(f"{one.name} has no way back")
            value = one.backward(value)
        return value

    way_back = all(one.backward is not None for one in steps)
    loss = next((one.loss for one in steps if one.loss is not None), None)
    return Converter(" | ".join(names), forward, backward if way_back else None, steps[0].domain if steps else "anything", loss)
