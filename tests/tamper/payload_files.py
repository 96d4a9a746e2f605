"""What somebody with the disk may do to the files of large payloads. No savepoint has files: `Base.put_files_back` undoes it.

A file is named by its digest, which its row has, and every chunk in it is bound to its message: see `replay.payloads`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from uuid import UUID

from replay.payloads import MAX_ROW_BYTES
from tests.tamper.store import Base


def payload_file(base: Base, draw: Random) -> str:
    """One file, or two: changed, cut, grown, emptied, gone, exchanged, or replaced by another message's."""
    one, two = draw.sample(sorted(base.files), 2)
    name = draw.choice(list(_CHANGES))
    _CHANGES[name](draw, one, two)
    return f"payload file {one.name[:8]} {name}"


def row_to_another_file(base: Base, draw: Random) -> str:
    """A row that names another message's file, with its size or without: the file is whole, and is not its own."""
    digests = [bytes.fromhex(path.name) for path in sorted(base.files)]
    mine, other = draw.sample(digests, 2)
    columns = draw.choice(("digest", "digest, size"))
    values = base.db.execute(f"SELECT {columns} FROM payloads WHERE digest = ?", (other,)).fetchone()
    base.db.execute(f"UPDATE payloads SET ({columns}) = ({', '.join('?' * len(values))}) WHERE digest = ?", (*values, mine))
    return f"a row has {columns} of another message's file"


def another_payload_file(base: Base, draw: Random) -> str:
    """Other bytes in a file, encrypted and wrapped as the hub itself would, the row made to fit."""
    digest = bytes.fromhex(draw.choice(sorted(base.files)).name)
    [message_id] = base.db.execute("SELECT message_id FROM payloads WHERE digest = ?", (digest,)).fetchone()
    assert base.keys.payloads is not None
    sealed = base.keys.payloads.seal(UUID(message_id), draw.randbytes(MAX_ROW_BYTES + 1))
    base.keys.payloads.stage(sealed)
    base.db.execute("UPDATE payloads SET digest = ?, size = ? WHERE message_id = ?", (sealed.digest, sealed.size, message_id))
    base.db.execute("UPDATE message_keys SET wrapped = ? WHERE message_id = ?", (sealed.wrapped, message_id))
    return "another payload in a file, well encrypted"


def _bit(draw: Random, one: Path, two: Path) -> None:
    data = bytearray(one.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    one.write_bytes(data)


def _cut(draw: Random, one: Path, two: Path) -> None:
    data = one.read_bytes()
    one.write_bytes(data[: draw.choice((len(data) - 1, draw.randrange(len(data)), len(data) // 2))])


def _grown(draw: Random, one: Path, two: Path) -> None:
    one.write_bytes(one.read_bytes() + draw.randbytes(draw.choice((1, 16, 300))))


def _exchanged(draw: Random, one: Path, two: Path) -> None:
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def _a_folder(draw: Random, one: Path, two: Path) -> None:
    one.unlink()
    one.mkdir()


_CHANGES: Mapping[str, Callable[[Random, Path, Path], object]] = {
    "with a bit flipped": _bit,
    "cut short": _cut,
    "grown": _grown,
    "emptied": lambda draw, one, two: one.write_bytes(b""),
    "deleted": lambda draw, one, two: one.unlink(),
    "exchanged with another": _exchanged,
    "replaced by another message's": lambda draw, one, two: one.write_bytes(two.read_bytes()),
    "a folder instead": _a_folder,
}
