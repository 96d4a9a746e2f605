"""Run in a process of its own by `test_hostile_costs.py`: judges hostile packets under a ceiling of memory, and prints what each cost.

``python -m tests.schemas.hostile_costs tree|stream`` prints one line of JSON per case: name, codes, CPU seconds. Packet and judging may
take 300 MB of address space together, beside the interpreter; whoever needs more fails with a `MemoryError`.
"""

from __future__ import annotations

import base64
import io
import json
import resource
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryFile

from schemas.edxml import reader
from schemas.edxml.packing import File
from schemas.edxml.stream import NeedsTree, read_stream
from schemas.errors import Refused
from tests import packets
from tests.schemas.judging import inbound, replaced

MEGABYTE = 1_000_000
CEILING = 300 * MEGABYTE
UUID = "6c1f5b1e-2a3d-4c77-9a0e-0f2d5b8f1a11"
Made = Callable[[], bytes]


def in_subject(text: str) -> bytes:
    """A packet whose Subject begins with `text`."""
    return replaced("<edXML:Subject>", f"<edXML:Subject>{text}")(packets.document())


def before_subject(text: str) -> bytes:
    """A packet with `text` before its Subject."""
    return replaced("<edXML:Subject>", f"{text}<edXML:Subject>")(packets.document())


def with_subset(subset: str, use: str) -> bytes:
    """A packet behind a DOCTYPE with `subset`, `use` in its Subject."""
    return in_subject(use).replace(b"<edXML xmlns", f"<!DOCTYPE edXML [{subset}]>\n<edXML xmlns".encode(), 1)


def declared(encoding: str, actual: str, mark: bytes = b"") -> bytes:
    """A packet that declares one encoding and is in another."""
    return mark + packets.document().decode().replace("UTF-8", encoding).encode(actual)


def overlapping(count: int) -> bytes:
    """A zip of `count` entries that all share the bytes of one: 1 MB of zeros each."""
    data = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = data.compress(bytes(MEGABYTE)) + data.flush()
    common = (20, 0, 8, 0, 0x21, zlib.crc32(bytes(MEGABYTE)), len(packed), MEGABYTE, 1)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *common, 0) + b"a" + packed
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *common, 0, 0, 0, 0, 0, 0) + b"a"
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, len(local), 0)
    return local + entry * count + end


def bomb(size: int = 8 * MEGABYTE) -> bytes:
    """A zip of one file of zeros."""
    return packets.zipped([(f"{UUID}.pdf", bytes(size))])


def stored(name: str, data: bytes) -> bytes:
    """A zip of one stored entry."""
    return packets.zipped([(name, data)], method=zipfile.ZIP_STORED)


def of_many(count: int) -> bytes:
    """A zip of `count` empty entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(count):
            archive.writestr(zipfile.ZipInfo(str(n)), b"")
    return out.getvalue()


def lying_directory(claimed: int) -> bytes:
    """A zip whose end claims `claimed` entries and a directory as large as the file."""
    made = bytearray(stored(f"{UUID}.pdf", packets.PDF))
    struct.pack_into("<HHL", made, len(made) - 14, claimed, claimed, len(made))
    return bytes(made)


LAUGHS = '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))

CASES: dict[str, tuple[Made, set[str]]] = {
    "100,000 levels": (lambda: before_subject("<a>" * 100_000 + "</a>" * 100_000), {"resource-limit"}),
    "100,000 levels that are never closed": (lambda: before_subject("<a>" * 100_000), {"resource-limit", "malformed-xml"}),
    "an attribute of 40 MB": (lambda: before_subject(f'<a b="{"x" * 40_000_000}"/>'), {"resource-limit", "malformed-xml"}),
    "an attribute of 8 MB": (lambda: before_subject(f'<a b="{"x" * 8_000_000}"/>'), {"resource-limit"}),
    "an attribute of 2 MB of references": (lambda: before_subject(f'<a b="{"&#x1F600;" * 220_000}"/>'), {"unknown-element"}),
    "40,000 attributes": (lambda: before_subject("<a " + " ".join(f'a{n}="1"' for n in range(40_000)) + "/>"), {"resource-limit"}),
    "20,000 namespaces": (lambda: before_subject("<a " + " ".join(f'xmlns:a{n}="u"' for n in range(20_000)) + "/>"), {"resource-limit"}),
    "a name of 1 MB": (lambda: before_subject(f"<{'a' * MEGABYTE}/>"), {"resource-limit", "malformed-xml"}),
    "a comment of 40 MB": (lambda: before_subject(f"<!--{'x' * 40_000_000}-->"), {"resource-limit", "malformed-xml"}),
    "an instruction of 40 MB": (lambda: before_subject(f"<?a {'x' * 40_000_000}?>"), {"resource-limit", "malformed-xml"}),
    "40 MB of CDATA in a Subject": (lambda: in_subject(f"<![CDATA[{'x' * 40_000_000}]]>"), {"resource-limit"}),
    "40 MB of white space in a tag": (lambda: before_subject(f"<a{' ' * 40_000_000}/>"), {"resource-limit", "unknown-element"}),
    "40 MB of lines outside everything": (lambda: packets.document() + b"\n" * 40_000_000, set()),
    "2,000,000 elements": (lambda: before_subject("<a/>" * 2_000_000), {"resource-limit"}),
    "2,000,000 comments": (lambda: before_subject("<!---->" * 2_000_000), {"resource-limit"}),
    "quadratic blow-up": (lambda: with_subset(f'<!ENTITY a "{"x" * 100_000}">', "&a;" * 10_000), {"dtd-forbidden", "resource-limit"}),
    "a billion laughs": (lambda: with_subset(LAUGHS, "&a9;"), {"dtd-forbidden", "resource-limit"}),
    "an external entity": (lambda: with_subset('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"), {"dtd-forbidden"}),
    "a parameter entity": (lambda: with_subset('<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;', ""), {"dtd-forbidden", "malformed-xml"}),
    "UTF-8 declared as UTF-16": (lambda: declared("UTF-16", "utf-8"), {"encoding", "malformed-xml"}),
    "UTF-16 declared as UTF-8": (lambda: declared("UTF-8", "utf-16-le"), {"encoding", "malformed-xml"}),
    "UTF-16 behind a mark of UTF-8": (
        lambda: declared("UTF-8", "utf-16-le", b"\xef\xbb\xbf"),
        {"encoding", "malformed-xml"},
    ),
    "UTF-8 behind a mark of UTF-16": (lambda: declared("UTF-16", "utf-8", b"\xff\xfe"), {"bytes-before-declaration"}),
    "two marks": (lambda: b"\xef\xbb\xbf" * 2 + packets.document(), {"bytes-before-declaration"}),
    "UTF-32": (lambda: packets.document().decode().encode("utf-32"), {"encoding"}),
    "UTF-7": (lambda: declared("UTF-7", "utf-8"), {"encoding"}),
    "a null byte": (lambda: packets.document().replace(b"V/v", b"V\x00v"), {"encoding", "malformed-xml"}),
    "40 MB of null bytes": (lambda: bytes(40_000_000), {"encoding", "malformed-xml", "empty-body"}),
    "null bytes behind a packet": (lambda: packets.document() + bytes(1000), {"encoding", "malformed-xml"}),
    "40 MB that are no base64": (lambda: packets.with_content("@" * 40_000_000), {"attachment-encoding"}),
    "40 MB of white space for base64": (lambda: packets.with_content(" " * 40_000_000), {"attachment-empty"}),
    "40 MB of base64 cut off": (lambda: packets.with_content("QUJD" * 10_000_000 + "Q"), {"attachment-encoding"}),
    "a zip bomb": (lambda: packets.with_bytes(bomb()), {"attachment-too-large"}),
    "a bomb that stays a zip": (lambda: packets.with_bytes(bomb(), name="a.zip"), {"attachment-too-large"}),
    "a bomb in a zip": (lambda: packets.with_bytes(stored(f"{UUID}.zip", bomb())), {"attachment-too-large"}),
    "entries that share their bytes": (lambda: packets.with_bytes(overlapping(2), name="a.zip"), {"attachment-archive"}),
    "1,000 entries that share their bytes": (lambda: packets.with_bytes(overlapping(1000)), {"attachment-archive"}),
    "60,000 entries": (lambda: packets.with_bytes(of_many(60_000), name="a.zip"), {"attachment-archive"}),
    "a directory that lies": (lambda: packets.with_bytes(lying_directory(60_000)), {"attachment-archive"}),
    "../ in a name": (lambda: packets.with_bytes(packets.zipped([("../../etc/cron.d/x", packets.PDF)])), {"attachment-unsafe-name"}),
    "../ in a name inside": (
        lambda: packets.with_bytes(stored(f"{UUID}.zip", packets.zipped([("..\\x", packets.PDF)]))),
        {"attachment-unsafe-name"},
    ),
    "200 files of 1 MB at the ratio allowed": (
        lambda: packets.document(attachments=[File(f"{n}.zip", packets.zipped([(f"{n}", b"\x00" * 190_000)])) for n in range(200)]),
        set(),
    ),
    "40 MB of one letter": (lambda: b"a" * 40_000_000, {"malformed-xml"}),
    "40 MB of <": (lambda: b"<" * 40_000_000, {"resource-limit"}),
}


def codes_of(raw: bytes, path: str) -> set[str]:
    """The codes that `raw` is judged by, read by `path`."""
    try:
        if path == "tree":
            return {one.code for one in reader.examine(inbound(raw)).violations}
        result = read_stream((raw[at : at + 65_536] for at in range(0, len(raw), 65_536)), TemporaryFile)
    except Refused as refused:
        return {refused.code}
    if isinstance(result, NeedsTree):
        return set()
    result.close()
    return {one.code for one in result.violations}


def costs(path: str) -> Iterator[dict[str, object]]:
    """What each case cost."""
    for name, (make, _) in CASES.items():
        raw = make()
        limit_memory(CEILING - len(raw))
        start = time.process_time()
        found = codes_of(raw, path)
        seconds = time.process_time() - start
        limit_memory(None)
        yield {"name": name, "codes": sorted(found), "seconds": seconds}


def limit_memory(more_bytes: int | None) -> None:
    """From now on, `more_bytes` more of address space than there is now; `None`: as many as there are."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = resource.RLIM_INFINITY if more_bytes is None else pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


if __name__ == "__main__":
    codes_of(packets.with_content(base64.b64encode(packets.PDF).decode()), sys.argv[1])
    for cost in costs(sys.argv[1]):
        print(json.dumps(cost), flush=True)
