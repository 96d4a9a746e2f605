"""Codes of lists: from an endpoint's list to the canonical one and back (`schemas/dictionary/code_lists.toml`).

A code without a counterpart is refused; two codes with one counterpart have no way back.
"""

from __future__ import annotations

from schemas.converters.converter import Converter, outside, text
from schemas.dictionary.code_lists import CodeList, code_lists
from schemas.errors import Text

_LOST_CODE = Text("Nhiều mã của hệ thống gửi ứng với một mã chung.", "Several codes of the sender stand for one common code.")


def _mapped(one: CodeList) -> Converter:
    there = dict(one.to)
    back = {common: code for code, common in there.items()}
    wanted = f"a code of {one.name} that has a common counterpart: {', '.join(there) or 'none has'}"

    def forward(value: object) -> object:
        found = there.get(text(value, wanted))
        if found is None:
            raise outside(value, wanted)
        return found

    def backward(value: object) -> object:
        found = back.get(text(value, wanted))
        if found is None:
            raise outside(value, f"a common code that {one.name} has")
        return found

    exact = len(back) == len(there)
    return Converter(f"code:{one.name}", forward, backward if exact else None, wanted, None if exact else _LOST_CODE)


def _member(one: CodeList) -> Converter:
    wanted = f"a code of {one.name}" + ("" if one.open else f": {', '.join(one.codes)}")

    def check(value: object) -> object:
        written = text(value, wanted)
        if not one.open and written not in one.codes:
            raise outside(value, wanted)
        return written

    return Converter(f"code:{one.name}", check, check, wanted)


CONVERTERS = tuple(_member(one) if one.is_common else _mapped(one) for one in code_lists().values())
