"""The directory of agency codes that a hub works with: the shipped one, and the province's own files on top.

``home/directory/*.toml`` (``[[agency]]`` rows) and ``*.json`` (the answer of ``getAgenciesList…``, as it came), in order of their names.
"""

from __future__ import annotations

from pathlib import Path

from hub.settings import files_in
from schemas.directory import Directory, Overlay
from schemas.errors import Halted

_KINDS = (".toml", ".json")


def load_directory(folder: Path) -> Directory:
    """The directory with all files of `folder`. Raises `Halted("directory-data-invalid")`, with every wrong row of the file."""
    return Directory.load([read_overlay(path) for path in files_in(folder, "*") if path.suffix.lower() in _KINDS])


def read_overlay(path: Path) -> Overlay:
    """One overlay: JSON of getAgenciesList by its ending, TOML otherwise. Raises `Halted("directory-data-invalid")`."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise Halted("directory-data-invalid", got=f"{path.name}: {fault}", expected="a readable file in UTF-8") from fault
    return Overlay.of_listing(text, path.name) if path.suffix.lower() == ".json" else Overlay.of_toml(text, path.name)
