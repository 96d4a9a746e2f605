"""PDFs and incremental updates written by hand, byte for byte: an author who keeps the rules, and attackers who do not."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

TEXT = "BT /F1 18 Tf 72 700 Td (Quyet dinh so 12/QD-UBND: chi 100 trieu dong) Tj ET"
EVIL = TEXT.replace("100", "999")


def stream(content: str | bytes, head: str = "") -> bytes:
    """The body of a stream object."""
    octets = content.encode() if isinstance(content, str) else content
    return b"<< /Length %d %s >>\nstream\n" % (len(octets), head.encode()) + octets + b"\nendstream"


OBJECTS: dict[int, bytes] = {
    1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R >>",
    2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [7 0 R] /Resources << /Font << /F1 5 0 R >> >> >>",
    4: stream(TEXT),
    5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    6: b"<< /Fields [7 0 R] /DA (/F1 12 Tf 0 g) /DR << /Font << /F1 5 0 R >> >> >>",
    7: b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (so_den) /V () /F 4 /P 3 0 R /Rect [300 40 500 60] /DA (/F1 12 Tf 0 g) >>",
    8: stream(EVIL),  # nothing leads to it
}


def written(
    objects: Mapping[int, bytes],
    *,
    head: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    trailer: str = "/Root 1 0 R",
    size: int = 0,
    decoy: bytes = b"",
) -> bytes:
    """A file with one cross-reference table. `decoy` stands before the objects, and the table does not list it."""
    return appended(head + decoy, objects, trailer=trailer, size=size or max(objects) + 1, first=True)


def appended(
    data: bytes, objects: Mapping[int, bytes], *, trailer: str = "", size: int = 0, first: bool = False, extra: bytes = b""
) -> bytes:
    """`data` with an incremental update that replaces or adds objects. `extra` stands before them, and no section lists it."""
    out, places = bytearray(data + extra), dict[int, int]()
    if not first and not data.endswith(b"\n"):
        out += b"\n"
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    return bytes(out) + table(bytes(out), places, trailer=trailer, size=size, first=first, data=data)


def table(out: bytes, places: Mapping[int, int], *, data: bytes, trailer: str = "", size: int = 0, first: bool = False) -> bytes:
    """A cross-reference table with trailer for objects that stand at `places`."""
    lines = [b"xref\n"]
    if first:
        lines.append(b"0 1\n0000000000 65535 f \n")
    for number, place in sorted(places.items()):
        lines.append(b"%d 1\n%010d 00000 n \n" % (number, place))
    members = trailer if first else f"{trailer or root_of(data)} /Prev {startxref(data)}"
    count = size or max(max(places, default=0) + 1, size_of(data))
    lines.append(f"trailer\n<< /Size {count} {members} >>\nstartxref\n{len(out)}\n%%EOF\n".encode())
    return b"".join(lines)


def freed(data: bytes, number: int, generation: int) -> bytes:
    """`data` with an update that calls object `number` free, and says nothing else."""
    trailer = f"<< /Size {max(number + 1, size_of(data))} {root_of(data)} /Prev {startxref(data)} >>"
    update = f"xref\n{number} 1\n0000000000 {generation:05} f \ntrailer\n{trailer}\nstartxref\n{len(data)}\n%%EOF\n"
    return data + update.encode()


def places(data: bytes, at: int) -> dict[int, int]:
    """Where objects stand by the table at `at`."""
    found = {}
    for first, _, lines in re.findall(rb"(\d+) (\d+)\s+((?:\d{10} \d{5} [nf]\s+)+)", data[at:]):
        for number, (place, kind) in enumerate(re.findall(rb"(\d{10}) \d{5} ([nf])", lines), int(first)):
            if kind == b"n":
                found[number] = int(place)
    return found


def startxref(data: bytes) -> int:
    """The last one."""
    return int(re.findall(rb"startxref\s+(\d+)", data)[-1])


def size_of(data: bytes) -> int:
    """How many objects the last trailer knows."""
    return max(int(one) for one in re.findall(rb"/Size (\d+)", data))


def root_of(data: bytes) -> str:
    """The last trailer's root, as it is written."""
    found: bytes = re.findall(rb"/Root \d+ \d+ R", data)[-1]
    return found.decode()


def latest(data: bytes, number: int) -> bytes:
    """The last body of an object that stands in the file uncompressed."""
    found: bytes = re.findall(rb"(?<!\d)%d 0 obj\s*(.*?)\s*endobj" % number, data, re.DOTALL)[-1]
    return found


def hybrid() -> bytes:
    """A file as word processors export it: a table for old readers, a cross-reference stream beside it for one compressed object."""
    body = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    inner = stream(zlib.compress(b"5 0 " + body), "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")
    out, places = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), dict[int, int]()
    for number, content in ({n: b for n, b in OBJECTS.items() if n != 5} | {9: inner}).items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    place = len(out)
    entries = b"\x02\x00\x09\x00" + b"\x01" + place.to_bytes(2, "big") + b"\x00"
    out += b"10 0 obj\n" + stream(entries, "/Type /XRef /Size 11 /W [1 2 1] /Index [5 1 10 1] /Root 1 0 R") + b"\nendobj\n"
    at = len(out)
    out += b"xref\n0 11\n0000000000 65535 f \n"
    for number in range(1, 11):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
    return bytes(out) + b"trailer\n<< /Size 11 /Root 1 0 R /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n" % (place, at)


def with_stream_references() -> bytes:
    """A file whose objects are compressed, and whose cross-references are a stream."""
    inner = {number: body for number, body in OBJECTS.items() if b"stream" not in body}
    heads, bodies = "", b""
    for number, body in inner.items():
        heads += f"{number} {len(bodies)} "
        bodies += body + b"\n"
    packed = stream(zlib.compress(heads.encode() + bodies), f"/Type /ObjStm /N {len(inner)} /First {len(heads)} /Filter /FlateDecode")
    out, places = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), dict[int, int]()
    for number, content in {4: OBJECTS[4], 8: OBJECTS[8], 9: packed}.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    at, order, entries = len(out), list(inner), b"\0\0\0\0"
    for number in range(1, 11):
        if number in order:
            entries += b"\x02\x00\x09" + bytes([order.index(number)])
        else:
            entries += b"\x01" + places.get(number, at).to_bytes(2, "big") + b"\x00"
    out += b"10 0 obj\n" + stream(entries, "/Type /XRef /Size 11 /W [1 2 1] /Root 1 0 R") + b"\nendobj\n"
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % at
