"""The mappings of this release: package data, read once. A province's own come from its settings, by `load.load`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from schemas.translation.engine import Mappings
from schemas.translation.load import load

FOLDER = Path(__file__).with_name("mappings")


@cache
def shipped() -> Mappings:
    """All of them. Raises `Refused` with `mapping-invalid` where one is not in order, which a test keeps from happening."""
    return Mappings.of(load(path.read_bytes(), _sheet(path)) for path in sorted(FOLDER.glob("*/mapping.toml")))


def _sheet(path: Path) -> bytes:
    sheet = path.with_name("shape.xslt")
    return sheet.read_bytes() if sheet.exists() else b""
