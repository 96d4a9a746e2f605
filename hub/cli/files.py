"""Reading what a command is given, printing what a machine reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def bytes_of(path: Path) -> bytes:
    """The file's bytes, or standard input's for ``-``. Raises `Refused("invalid-request")`."""
    from schemas.errors import Refused

    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except (OSError, ValueError) as fault:
        raise Refused("invalid-request", got=f"{path.name}: {type(fault).__name__}", expected="a readable file") from fault


def print_json(document: Any) -> None:
    """Indented, Vietnamese unescaped."""
    print(json.dumps(document, ensure_ascii=False, indent=2))
