"""Reading rows that somebody may have edited by hand: a column's bytes and ids come as they are, whatever was put there.

SQLite keeps any value in any column. Read through the tables' own types, an id that is none, or text in a column of bytes, would be an
exception of the driver instead of a difference that fsck names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, String, Table, Uuid, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class _Hex(TypeDecorator[str]):
    """An id as 32 hexadecimal digits, or whatever text stands there."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else str(value).replace("-", "") if dialect.name != "sqlite" else str(value)


class _Bytes(TypeDecorator[bytes]):
    """Bytes, or the bytes of whatever text or number stands there."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return value if value is None or type(value) is bytes else str(value).encode("utf-8", "surrogatepass")


def loose(table: Table, *names: str) -> Sequence[ColumnElement[Any]]:
    """The columns of `table` (those of `names`, if any) for a `select`: ids as hexadecimal digits without dashes, bytes as bytes.

    A column ``index`` is named ``position``: rows have a method of that name.
    """
    return [_loose(table.c[name]).label("position" if name == "index" else name) for name in names or table.c.keys()]


def uuid_of(text: object) -> UUID | None:
    """The id in what `loose` read; None if it is none."""
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _loose(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Uuid):
        return type_coerce(column, _Hex)
    return type_coerce(column, _Bytes) if isinstance(column.type, LargeBinary) else column
