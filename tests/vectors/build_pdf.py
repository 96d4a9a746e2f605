"""Signed PDFs, honest ones and one for each known way to change what somebody signed: pyHanko signs, attackers write by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from asn1crypto.cms import CMSAttributeType
from pyhanko.sign.fields import MDPPerm

from tests.vectors import build_cms, paper, sign_pdf
from tests.vectors.case import Case, changed
from tests.vectors.forge_cms import Forger, token
from tests.vectors.identities import World
from tests.vectors.paper import EVIL, OBJECTS, appended, latest, stream
from tests.vectors.sign_pdf import BASE, PADES, embedded, signed

MOMENT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
LONG_AGO = build_cms.LONG_AGO

STAMPED_ONLY = "nothing but a document time-stamp"  # which holds, and says nothing of who signed

Builder = Callable[[World], Case]


@cache
def one(world: World) -> bytes:
    """The document most attacks begin with."""
    return signed(world.person)


def filled(data: bytes, text: str = "01/12/2026", *, extra: bytes = b"") -> bytes:
    """`data` with its text field filled in, in an update of its own."""
    field = latest(data, 7)
    body = re.sub(rb"/V \(.*?\)", f"/V ({text})".encode(), field)
    return appended(data, {7: body}, extra=extra)


# --- honest ----------------------------------------------------------------------------------------------------------------------


def _honest() -> Iterator[tuple[str, Callable[[World], bytes], dict[str, Any]]]:
    """Everything that real signers and their software write."""
    yield "adbe.pkcs7.detached", one, {}
    yield "PAdES B-B", lambda w: signed(w.person, subfilter=PADES), {}
    yield "PAdES B-T", lambda w: signed(w.person, subfilter=PADES, authority=w.authority, at=MOMENT), {"stamped": True}
    yield "PAdES B-LTA", lambda w: sign_pdf.archived(w, MOMENT), {"findings": 2, "stamped": True}
    yield "P-256", lambda w: signed(w.elliptic, subfilter=PADES), {}
    yield "person, then the agency's visible seal", seal, {"findings": 2}
    yield "three signatures", lambda w: signed(w.elliptic, seal(w), field="Third"), {"findings": 3}
    yield (
        "a document time-stamp proves what it is over",
        lambda w: sign_pdf.stamped(one(w), w.authority, MOMENT),
        {"findings": 2, "stamped": True},
    )
    yield "certified, then signed", lambda w: signed(w.agency, certified(w), field="Second"), {"findings": 2}
    yield "certified for filling, then filled", lambda w: filled(certified(w)), {}
    yield "filled, and the agency answers for it", lambda w: signed(w.agency, filled(one(w)), field="Second"), {"findings": 2}
    yield "line feeds and zeros after the end", lambda w: one(w) + b"\r\n\0\0", {}
    yield "BER of indefinite length in /Contents", lambda w: embedded(lambda content: _ber(w, content)), {}
    yield "SHA-1 of 2016 with its time-stamp", lambda w: _sha1(w, "/adbe.pkcs7.detached", LONG_AGO), {"stamped": True}
    yield "adbe.pkcs7.sha1 of 2016 with its time-stamp", lambda w: _pkcs7_sha1(w, LONG_AGO), {"stamped": True}
    yield "a decomposed field name", lambda w: signed(w.person, field="Chu\u031b\u0303 ky\u0301"), {}
    yield "hybrid cross-references, as word processors export", lambda w: embedded(Forger(w.person).sign, paper.hybrid(), strict=False), {}
    yield "hybrid cross-references, signed twice", _hybrid_twice, {"findings": 2}
    yield "cross-reference streams", lambda w: signed(w.person, paper.with_stream_references()), {}
    yield "the same, signed twice and time-stamped", _streams_twice, {"findings": 3, "stamped": True}
    yield (
        "signed again, with a free number behind the last",
        lambda w: signed(w.agency, paper.freed(one(w), 90, 65_535), field="Second"),
        {"findings": 2},
    )
    yield "signed again, what a page inherits written out", _inherited, {"findings": 2}
    yield "a file inside that was signed is only told", lambda w: signed(w.person, carrying()), {"notes": ("active-content",)}
    yield "a sloppy file, signed", lambda w: embedded(Forger(w.person).sign, sloppy(), strict=False), {}
    yield "encrypted without a password", lambda w: encrypted(w, ""), {}
    yield STAMPED_ONLY, lambda w: sign_pdf.stamped(BASE, w.authority, MOMENT), {"stamped": True}
    yield "nobody signed", lambda w: BASE, {"findings": 0}


def honest_builders() -> dict[str, Builder]:
    """The honest ones by name, to be built one by one."""
    return {name: partial(_built, name, make, said) for name, make, said in _honest()}


def _built(name: str, make: Callable[[World], bytes], said: dict[str, Any], world: World) -> Case:
    return Case(name, make(world), None, **said)


def script_signed(world: World) -> Case:
    return Case(
        "a script that was signed", signed(world.person, active(b"/S /JavaScript /JS (app.alert\\(1\\))")), None, ("active-content",)
    )


def launch_signed(world: World) -> Case:
    return Case(
        "a program started, and that was signed", signed(world.person, active(b"/S /Launch /F (cmd.exe)")), None, ("active-content",)
    )


@cache
def seal(world: World) -> bytes:
    return signed(world.agency, one(world), field="Seal", box=(350, 100, 500, 200))


@cache
def certified(world: World, level: MDPPerm = MDPPerm.FILL_FORMS) -> bytes:
    return signed(world.person, certify=True, docmdp_permissions=level)


def carrying() -> bytes:
    return paper.written({**OBJECTS, 1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /Names << /EmbeddedFiles << /Names [] >> >> >>"})


def active(action: bytes) -> bytes:
    return paper.written({**OBJECTS, 1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /OpenAction << %b >> >>" % action})


def sloppy() -> bytes:
    """Says one thing twice, which some writers do."""
    return paper.written({**OBJECTS, 1: b"<< /Type /Catalog /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R >>"})


def encrypted(world: World, password: str) -> bytes:
    from io import BytesIO

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(BytesIO(BASE)))
    names = CMSAttributeType._map.items()  # pyHanko adds its own; the way back was made at the first use, perhaps before
    CMSAttributeType._reverse_map = {name: oid for oid, name in names}
    writer.encrypt(owner_pass="chủ", user_pass=password)  # type: ignore[no-untyped-call]
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return signed(world.person, out.getvalue()) if not password else out.getvalue()


def _ber(world: World, content: bytes) -> bytes:
    attached = build_cms.openssl(world.person, "-nodetach", "-stream", content=content)
    inner = attached[attached.index(b"\xa0\x80\x24\x80") : attached.index(b"\0\0\0\0\0\0") + 6]
    return attached.replace(inner, b"\0\0", 1)


def _sha1(world: World, subfilter: str, at: datetime) -> bytes:
    forger = Forger(world.person, digest="sha1")
    return embedded(
        lambda content: build_cms.stamped(forger, content, lambda value: token(world.authority, value, at)), subfilter=subfilter
    )


def _pkcs7_sha1(world: World, at: datetime | None, wrong: bool = False) -> bytes:
    from hashlib import sha1

    forger = Forger(world.person, digest="sha1", attached=True)

    def make(content: bytes) -> bytes:
        inner = sha1(content + b"?" * wrong).digest()
        if at is None:
            return forger.sign(inner)
        return build_cms.stamped(forger, inner, lambda value: token(world.authority, value, at))

    return embedded(make, subfilter="/adbe.pkcs7.sha1")


def _hybrid_twice(world: World) -> bytes:
    first = embedded(Forger(world.person).sign, paper.hybrid(), strict=False)
    return embedded(Forger(world.agency).sign, first, field="Second", strict=False)


def _streams_twice(world: World) -> bytes:
    first = signed(world.person, paper.with_stream_references())
    return sign_pdf.stamped(signed(world.agency, first, field="Second", box=(10, 10, 90, 90)), world.authority, MOMENT)


def _inherited(world: World) -> bytes:
    """As iText writes the page that the second signature stands on."""
    box, pages = b"/MediaBox [0 0 595 842] ", OBJECTS[2].replace(b"/Count 1", b"/Count 1 /MediaBox [0 0 595 842]")
    first = signed(world.person, paper.written({**OBJECTS, 2: pages, 3: OBJECTS[3].replace(box, b"")}))
    page = latest(first, 3).replace(b"/Type /Page", box + b"/Type /Page", 1)
    return signed(world.agency, appended(first, {3: page}), field="Second", box=(10, 10, 90, 90))


# --- what is signed, and what signs ----------------------------------------------------------------------------------------------


def text_changed(world: World) -> Case:
    return Case(
        "a digit of the signed page changed", changed(one(world), b"chi 100 trieu", b"chi 900 trieu"), None, ("tampered",), "failed"
    )


def first_of_two_changed(world: World) -> Case:
    data = changed(seal(world), b"chi 100 trieu", b"chi 900 trieu")
    return Case("the page changed under two signatures", data, None, ("tampered",), "failed", findings=2)


def value_changed(world: World) -> Case:
    data = one(world)
    end = re.search(rb"/Contents <([0-9A-F]*?)0*>", data)
    assert end
    value = bytes.fromhex(end[1].decode() + "0" * (len(end[1]) % 2))
    at = end.start(1) + 2 * (len(value) - 9)
    other = b"1" if data[at : at + 1] != b"1" else b"2"
    return Case("the signature value changed", data[:at] + other + data[at + 1 :], None, ("bad-signature-value",), "failed")


def signature_of_another_file(world: World) -> Case:
    other = Forger(world.person).sign(b"another file")
    return Case("the signature of another file", embedded(lambda _: other), None, ("tampered",), "failed")


def content_inside(world: World) -> Case:
    data = embedded(lambda content: Forger(world.person, attached=True).sign(b"something else"))
    return Case("a detached form that carries content of its own", data, None, ("cms-malformed",), "failed")


def contents_empty(world: World) -> Case:
    return Case("zeros for a signature", embedded(lambda _: b"\0" * 4), None, ("cms-malformed",), "failed")


def sha1_digest_of_another_file(world: World) -> Case:
    data = _pkcs7_sha1(world, LONG_AGO, wrong=True)
    return Case("adbe.pkcs7.sha1 over another file", data, None, ("tampered",), "failed", stamped=True)


def sha1_today(world: World) -> Case:
    return Case("adbe.pkcs7.sha1 today", _pkcs7_sha1(world, None), None, ("alg-forbidden",))


def unknown_form(world: World) -> Case:
    data = embedded(Forger(world.person).sign, subfilter="/acme.signature")
    return Case("a SubFilter that nobody knows", data, None, ("malformed-signature",), "failed")


def stamp_by_pretender(world: World) -> Case:
    data = signed(world.person, subfilter=PADES)
    spoilt = embedded(lambda content: token(world.pretender, content, MOMENT), data, subfilter="/ETSI.RFC3161", field="Stamp1")
    return Case("a document time-stamp by no authority", spoilt, None, ("timestamp-invalid",), "failed", findings=2)


def stamp_of_another_file(world: World) -> Case:
    data = embedded(lambda _: token(world.authority, b"another", MOMENT), one(world), subfilter="/ETSI.RFC3161", field="Stamp1")
    return Case("a document time-stamp of another file", data, None, ("timestamp-invalid",), "failed", findings=2)


# --- ByteRange -------------------------------------------------------------------------------------------------------------------


def _range(data: bytes) -> tuple[list[int], int, int]:
    found = re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\s*\]", data)
    assert found
    return [int(number) for number in found.groups()], found.start(), found.end()


def _with_range(data: bytes, numbers: list[int] | str) -> bytes:
    """The same file with other numbers, padded to the same length."""
    _, start, end = _range(data)
    text = numbers if isinstance(numbers, str) else " ".join(map(str, numbers))
    return data[:start] + f"/ByteRange [{text}]".encode().ljust(end - start) + data[end:]


def ranges(world: World) -> Iterator[Case]:
    """Numbers that are not what they must be. They are read before anything is digested."""
    data = one(world)
    (zero, first, start, length), _, _ = _range(data)
    wrong: dict[str, list[int] | str] = {
        "begins at 1": [1, first - 1, start, length],
        "ends before the end": [zero, first, start, length - 8],
        "ends after the end": [zero, first, start, length + 1],
        "a gap wider than the string": [zero, first - 1, start, length],
        "a gap that ends late": [zero, first, start + 1, length - 1],
        "overlap": [zero, start, first, len(data) - first],
        "negative": [zero, first, -start, length],
        "two numbers": [zero, len(data)],
        "six numbers": "0 9 9 9 9 9",
        "fractions": f"0 {first}.0 {start} {length}",
        "nothing": "",
    }
    for name, numbers in wrong.items():
        yield Case(f"ByteRange: {name}", _with_range(data, numbers), None, ("pdf-byterange",), "failed")
    yield Case("ByteRange: missing", changed(data, b"/ByteRange", b"/ByteFange"), None, ("pdf-byterange",), "failed")
    yield Case("Contents: missing", changed(data, b"/Contents <", b"/Kontents <"), None, ("pdf-byterange",), "failed")


def wrapped(world: World) -> Case:
    """Signature wrapping: what was signed behind the gap is moved back, and where its cross-references were, others take their place."""
    data = one(world)
    (zero, first, start, length), _, _ = _range(data)
    at = paper.startxref(data)
    end = b" >>\nendobj\n"
    evil = end + b"4 0 obj\n" + stream(EVIL) + b"\nendobj\n"
    head = data[:start] + evil
    head += b" " * (at - len(head)) if len(head) < at else b""
    shift = 4096
    places = paper.places(data, at)
    moved = {number: place + shift if place >= start else place for number, place in places.items()} | {4: start + len(end)}
    forged = paper.table(head, moved, data=data[:at])
    room = (evil + b" " * (at - start - len(evil)) + forged).ljust(shift)
    return Case(
        "signature wrapping", _with_range(data[:start] + room + data[start:], [zero, first, start + shift, length]), None, _RANGE, "failed"
    )


_RANGE = ("pdf-byterange",)


def gap_elsewhere(world: World) -> Case:
    """The gap is another string; the /Contents that readers see is covered, and is not what it seems."""
    data = changed(one(world), b"/Contents <", b"/Kontents <")
    _, _, end = _range(data)
    decoy = b" /Contents <00>"
    return Case("a gap that is another string than /Contents", data[:end] + decoy + data[end + len(decoy) :], None, _RANGE, "failed")


DEFECTS: tuple[Builder, ...] = (
    text_changed,
    first_of_two_changed,
    value_changed,
    signature_of_another_file,
    content_inside,
    contents_empty,
    sha1_digest_of_another_file,
    sha1_today,
    unknown_form,
    stamp_by_pretender,
    stamp_of_another_file,
    script_signed,
    launch_signed,
    wrapped,
    gap_elsewhere,
)


def cases(world: World) -> list[Case]:
    """All of them; what comes after signing stands in `build_pdf_updates`."""
    return [*(build(world) for build in honest_builders().values()), *ranges(world), *(build(world) for build in DEFECTS)]


def write(world: World, folder: Path) -> None:
    """The vectors as files."""
    for number, case in enumerate(cases(world)):
        (folder / f"{number:03}.pdf").write_bytes(case.data)
