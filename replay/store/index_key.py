"""Keys of indexes: ids that senders choose are of any length, an index row is not (PostgreSQL: some 2,700 bytes)."""

from __future__ import annotations

import json
from hashlib import sha256

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def index_key(*parts: str) -> str:
    """64 hexadecimal digits that stand for `parts` in their order: SHA-256 of their JSON list."""
    return sha256(_ENCODER.encode(parts).encode("utf-8", "surrogatepass")).hexdigest()
