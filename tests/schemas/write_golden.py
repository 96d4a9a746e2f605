"""Writes the golden packets: `python -m tests.schemas.write_golden`. A test writes them again and compares byte by byte.

Look at the difference before committing a new version: receivers depend on these bytes.
"""

from __future__ import annotations

from pathlib import Path

from tests import packets

FOLDER = Path(__file__).with_name("golden")


def golden() -> dict[str, bytes]:
    """File name → bytes."""
    return {
        "document_new.edxml": packets.document(),
        "document_recall.edxml": packets.recall(),
        "document_update.edxml": packets.update(),
        "document_replace.edxml": packets.replacement(),
        "status_03.edxml": packets.status(),
    }


if __name__ == "__main__":
    for name, raw in golden().items():
        (FOLDER / name).write_bytes(raw)
