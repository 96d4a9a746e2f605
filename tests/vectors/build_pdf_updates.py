"""What attackers append to a signed PDF, and files that are made to hurt whoever reads them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from io import BytesIO

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, append_signature_field

from tests.vectors import paper
from tests.vectors.build_pdf import certified, encrypted, filled, one, seal
from tests.vectors.case import Case, changed
from tests.vectors.forge_cms import Forger
from tests.vectors.identities import World
from tests.vectors.paper import EVIL, OBJECTS, appended, latest, stream
from tests.vectors.sign_pdf import BASE, embedded, signed

Builder = Callable[[World], Case]
_MODIFIED = ("pdf-modified",)


def _update(name: str, data: bytes, objects: dict[int, bytes], reasons: tuple[str, ...] = _MODIFIED, *, findings: int = 1) -> Case:
    return Case(name, appended(data, objects), None, reasons, findings=findings)


def _next(data: bytes) -> int:
    return paper.size_of(data)


# --- incremental saving ----------------------------------------------------------------------------------------------------------


def page_content_replaced(world: World) -> Case:
    return _update("the page's content replaced", one(world), {4: stream(EVIL)})


def page_points_elsewhere(world: World) -> Case:
    data = one(world)
    page = re.sub(rb"/Contents \d+ 0 R", b"/Contents 8 0 R", latest(data, 3))
    return _update("the page shows content that lay hidden in what was signed", data, {3: page})


def object_moved_by_table(world: World) -> Case:
    """No new object at all: the table says that the page's content is the hidden one that was signed with it."""
    data = signed(world.person, paper.written({**OBJECTS, 8: OBJECTS[8]}, decoy=b"4 0 obj\n" + OBJECTS[8] + b"\nendobj\n"))
    hidden = data.index(b"4 0 obj\n" + OBJECTS[8])
    return Case("a table that names another place", data + paper.table(data, {4: hidden}, data=data), None, _MODIFIED)


def page_added(world: World) -> Case:
    data = one(world)
    number = _next(data)
    pages = b"<< /Type /Pages /Kids [3 0 R %d 0 R] /Count 2 >>" % number
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 8 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
    return _update("a page added", data, {2: pages, number: page})


def catalogue_replaced(world: World) -> Case:
    data = one(world)
    number = _next(data)
    pages, page = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 1), latest(data, 3).replace(b"4 0 R", b"8 0 R")
    root = re.sub(rb"/Pages 2 0 R", b"/Pages %d 0 R" % number, latest(data, 1))
    return _update("the catalogue leads to other pages", data, {1: root, number: pages, number + 1: page})


def font_replaced(world: World) -> Case:
    return _update(
        "a font replaced: the same codes show other signs", one(world), {5: b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] >>"}
    )


def annotation_over_text(world: World) -> Case:
    data = one(world)
    number = _next(data)
    note = b"<< /Type /Annot /Subtype /FreeText /Rect [70 690 400 720] /DA (/F1 18 Tf) /Contents (999 trieu dong) /F 4 >>"
    page = latest(data, 3).replace(b"/Annots [", b"/Annots [%d 0 R " % number)
    return _update("a note laid over the text", data, {3: page, number: note})


def script_added(world: World) -> Case:
    data = one(world)
    root = latest(data, 1)[:-2] + b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>"
    return _update("a script added after signing", data, {1: root}, ("pdf-modified", "active-content"))


def launch_added(world: World) -> Case:
    data = one(world)
    page = latest(data, 3)[:-2] + b"/AA << /O << /S /Launch /F (cmd.exe) >> >> >>"
    return _update("a program started by a page", data, {3: page}, ("pdf-modified", "active-content"))


def object_freed(world: World) -> Case:
    return Case("the page's content freed", paper.freed(one(world), 4, 1), None, _MODIFIED)


def object_freed_oddly(world: World) -> Case:
    """Some readers look at the generation, others do not."""
    return Case("the page's content freed for no generation", paper.freed(one(world), 4, 0), None, _MODIFIED)


def object_freed_for_good(world: World) -> Case:
    return Case("the page's content freed, never to be used again", paper.freed(one(world), 4, 65_535), None, _MODIFIED)


def page_shrinks(world: World) -> Case:
    """What a page inherits may be written out, nothing else."""
    page, times = re.subn(rb"/MediaBox \[ *0 0 ", b"/MediaBox [0 600 ", latest(one(world), 3))
    data = signed(world.agency, appended(one(world), {3: page * times}), field="Second")
    return Case("a page shows less of itself, signed again", data, None, _MODIFIED, findings=2)


def body_without_table(world: World) -> Case:
    """A reader that repairs finds the last object 4; one that follows the cross-references does not."""
    data = one(world) + b"4 0 obj\n" + stream(EVIL) + b"\nendobj\n%%EOF\n"
    return Case("objects appended without a cross-reference", data + _old_end(data), None, _MODIFIED)


def _old_end(data: bytes) -> bytes:
    return f"startxref\n{paper.startxref(data)}\n%%EOF\n".encode()


def object_that_nobody_lists(world: World) -> Case:
    data = certified(world)
    return Case(
        "an object that no table lists, in an update that is let",
        filled(data, extra=b"\n4 0 obj\n" + stream(EVIL) + b"\nendobj\n"),
        None,
        _MODIFIED,
    )


def garbage_after_end(world: World) -> Case:
    data = one(world)
    return Case("other bytes after the end", data + b"<script>alert(1)</script>\n" + _old_end(data), None, _MODIFIED)


def second_table_skipped(world: World) -> Case:
    """The last update's /Prev leaves out the one before it, which a repairing reader would find."""
    data = certified(world)
    skipped = appended(data, {4: stream(EVIL)})
    field = re.sub(rb"/V \(\)", b"/V (1)", latest(data, 7))
    at = len(skipped)
    body = b"7 0 obj\n" + field + b"\nendobj\n"
    table = paper.table(skipped + body, {7: at}, data=data)
    return Case("an update between that /Prev leaves out", skipped + body + table, None, _MODIFIED)


def hybrid_update(world: World) -> Case:
    """One reader follows the table, another the stream beside it."""
    data = certified(world)
    out = bytearray(data)
    evil_at = len(out)
    out += b"4 0 obj\n" + stream(EVIL) + b"\nendobj\n"
    number, stream_at = _next(data), len(out)
    entries = b"\x01" + evil_at.to_bytes(3, "big") + b"\0"
    head = f"/Type /XRef /Size {number + 1} /W [1 3 1] /Index [4 1] {paper.root_of(data)}"
    out += b"%d 0 obj\n" % number + stream(entries, head) + b"\nendobj\n"
    at = len(out)
    trailer = f"<< /Size {number + 1} {paper.root_of(data)} /Prev {paper.startxref(data)} /XRefStm {stream_at} >>"
    out += f"xref\n{number} 1\n{stream_at:010} 00000 n \ntrailer\n{trailer}\nstartxref\n{at}\n%%EOF\n".encode()
    return Case("an update with two kinds of cross-references", bytes(out), None, _MODIFIED)


def said_twice(world: World) -> Case:
    """One reader takes the first of two entries, another the last."""
    data = certified(world)
    field = latest(data, 7).replace(b"/V ()", b"/V (1) /V (2)")
    return _update("an update that says one thing twice", data, {7: field})


# --- forms -----------------------------------------------------------------------------------------------------------------------


def filled_and_nobody_answers(world: World) -> Case:
    return Case("a field filled after signing, and nobody answers for it", filled(one(world)), None, _MODIFIED)


def filled_though_certified_final(world: World) -> Case:
    return Case("a field filled though nothing was to change", filled(certified(world, MDPPerm.NO_CHANGES)), None, _MODIFIED)


def signed_though_certified_final(world: World) -> Case:
    data = embedded(Forger(world.agency).sign, certified(world, MDPPerm.NO_CHANGES), field="Second", box=(9, 9, 99, 99))
    return Case("signed again though nothing was to change", data, None, _MODIFIED, findings=2)


def locked_field_filled(world: World) -> Case:
    spec = SigFieldSpec("Signature1", field_mdp_spec=FieldMDPSpec(FieldMDPAction.ALL))
    writer = IncrementalPdfFileWriter(BytesIO(BASE))
    append_signature_field(writer, spec)
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    data = signed(world.agency, filled(signed(world.person, out.getvalue())), field="Second")
    return Case("a locked field filled", data, None, _MODIFIED, findings=2)


def appearance_of_empty_field(world: World) -> Case:
    """A new signature field that nobody signs, whose appearance is laid over the page."""
    data = one(world)
    number = _next(data)
    look = stream(EVIL, "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >>")
    field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (leer) /F 4 /P 3 0 R /Rect [0 0 595 842] /AP << /N %d 0 R >> >>" % (number + 1)
    page = latest(data, 3).replace(b"/Annots [", b"/Annots [%d 0 R " % number)
    form = latest(data, 6).replace(b"/Fields [", b"/Fields [%d 0 R " % number)
    return _update("the appearance of a new empty signature field", data, {3: page, 6: form, number: field, number + 1: look})


def drawn_anew(world: World) -> Case:
    form = latest(one(world), 6).replace(b"/Fields", b"/NeedAppearances true /Fields", 1)
    return _update("fields to be drawn anew, whatever their appearances showed", one(world), {6: form})


def _drawn_by_readers(world: World) -> bytes:
    """Signed with fields that readers draw. The library would take the mark away, so it is put in while nobody looks."""
    hidden, mark = b"/NeedAppearancez", b"/NeedAppearances"
    base = paper.written({**OBJECTS, 6: OBJECTS[6].replace(b"/Fields", hidden + b" true /Fields")})
    return embedded(lambda content: Forger(world.person).sign(content.replace(hidden, mark)), base).replace(hidden, mark)


def drawn_in_white(world: World) -> Case:
    data = _drawn_by_readers(world)
    form = re.sub(rb"/DA \(.*?\)", b"/DA (/F1 1 Tf 1 g)", latest(data, 6))
    return _update("fields drawn in another manner", data, {6: form})


def drawn_with_another_font(world: World) -> Case:
    data = _drawn_by_readers(world)
    number = _next(data)
    form = re.sub(rb"/F1 5 0 R", b"/F1 %d 0 R" % number, latest(data, 6))
    return _update("fields drawn with another font", data, {6: form, number: OBJECTS[5].replace(b"Helvetica", b"Courier")})


def signature_field_taken_over(world: World) -> Case:
    """The first signature's field gets another value: a signature of somebody else's over the whole."""
    data = embedded(Forger(world.agency).sign, one(world), field="Other")
    values = re.findall(rb"/V (\d+ 0 R)", data)
    number = next(int(n) for n in re.findall(rb"(\d+) 0 obj", data) if b"/T (Signature1)" in latest(data, int(n)))
    field = latest(data, number).replace(values[0], values[-1])
    return _update("a field that points at another's signature", data, {number: field}, findings=2)


# --- files that hurt -------------------------------------------------------------------------------------------------------------


def needs_password(world: World) -> Case:
    return Case("opens by password only", encrypted(world, "mật khẩu"), None, ("malformed-pdf",), findings=0)


def cut_short(world: World) -> Case:
    return Case("cut short", one(world)[:-600], None, ("malformed-pdf",), findings=0)


def not_a_pdf(_: World) -> Case:
    return Case("no PDF at all", b"PK\x03\x04" + b"\0" * 100, None, ("malformed-pdf",), findings=0)


def loop_of_sections(_: World) -> Case:
    data = changed(BASE, b"/Root 1 0 R >>", f"/Root 1 0 R /Prev {paper.startxref(BASE)} >>".encode())
    return Case("sections that lead to themselves", data, None, ("malformed-pdf",), findings=0)


def billions_of_entries(_: World) -> Case:
    return Case(
        "a cross-reference stream of billions of entries", _xref("/W [1 2 1] /Index [0 4000000000]"), None, ("resource-limit",), findings=0
    )


def entries_of_no_width(_: World) -> Case:
    return Case("cross-reference entries of no width", _xref("/W [0 0 0] /Index [0 900000]"), None, ("malformed-pdf",), findings=0)


def _xref(members: str) -> bytes:
    head = b"%PDF-1.5\n"
    return head + b"1 0 obj\n" + stream(b"\0" * 4, f"/Type /XRef /Size 9 /Root 1 0 R {members}") + b"\nendobj\nstartxref\n9\n%%EOF\n"


def brackets(_: World) -> Case:
    data = paper.written({**OBJECTS, 1: b"[" * 200_000})
    return Case("brackets, 200,000 deep", data, None, ("malformed-pdf",), findings=0)


def bomb(_: World) -> Case:
    """A cross-reference stream's worth of zeros, packed twice."""
    packed = zlib.compress(zlib.compress(b"\0" * 300_000_000, 9), 9)
    body = stream(packed, "/Type /ObjStm /N 1 /First 4 /Filter [/FlateDecode /FlateDecode]")
    data = paper.with_stream_references()
    start, end = data.index(b"9 0 obj"), data.index(b"10 0 obj")
    room = b"9 0 obj\n" + body + b"\nendobj\n"
    out = data[:start] + room + data[end:]
    shift = len(room) - (end - start)
    old = paper.startxref(data)
    entries = out[out.index(b"stream\n", out.index(b"10 0 obj")) + 7 :][:44]
    fixed = entries[:40] + b"\x01" + (old + shift).to_bytes(2, "big") + b"\0"
    out = out.replace(entries, fixed).replace(f"startxref\n{old}".encode(), f"startxref\n{old + shift}".encode())
    return Case("a stream that unpacks to hundreds of megabytes", out, None, ("decompression-bomb",), findings=0)


def paths_without_number(world: World) -> Case:
    """Forty objects, each of which names the next one twice: a million million ways to the last."""
    first = 20
    lattice = {n: b"<< /A %d 0 R /B %d 0 R >>" % (n + 1, n + 1) for n in range(first, first + 40)} | {first + 40: b"null"}
    root = b"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /Lattice 20 0 R >>"
    data = signed(world.person, paper.written({**OBJECTS, 1: root, **lattice}), certify=True)
    return Case("more ways to an object than can be walked", filled(data), None, ("resource-limit",))


def fields_without_number(_: World) -> Case:
    """The same with fields of the form, of which the last is a signature's."""
    fields = {n: b"<< /T (a) /Kids [%d 0 R %d 0 R] >>" % (n + 1, n + 1) for n in range(20, 60)} | {60: b"<< /FT /Sig /T (x) >>"}
    form = OBJECTS[6].replace(b"[7 0 R]", b"[20 0 R]")
    return Case(
        "more ways to a field than can be gone", paper.written({**OBJECTS, 6: form, **fields}), None, ("resource-limit",), findings=0
    )


def signature_without_end(_: World) -> Case:
    field = b"<< /FT /Sig /T (x) /V << /Type /Sig /Contents <" + b"0" * 6_000_001 + b"> >> >>"
    form = OBJECTS[6].replace(b"[7 0 R]", b"[20 0 R]")
    return Case("millions of digits to read", paper.written({**OBJECTS, 6: form, 20: field}), None, ("resource-limit",), findings=0)


def fields_in_a_circle(_: World) -> Case:
    form, fields = OBJECTS[6].replace(b"[7 0 R]", b"[20 0 R]"), {20: b"<< /T (a) /Kids [21 0 R] >>", 21: b"<< /T (b) /Kids [20 0 R] >>"}
    return Case("fields that contain themselves", paper.written({**OBJECTS, 6: form, **fields}), None, ("malformed-pdf",), findings=0)


def circular_pages(world: World) -> Case:
    base = paper.written({**OBJECTS, 2: b"<< /Type /Pages /Kids [3 0 R 2 0 R] /Count 2 >>"})
    return Case("pages that contain themselves", filled(embedded(Forger(world.person).sign, base)), None, _MODIFIED)


DEFECTS: tuple[Builder, ...] = (
    page_content_replaced,
    page_points_elsewhere,
    object_moved_by_table,
    page_added,
    catalogue_replaced,
    font_replaced,
    annotation_over_text,
    script_added,
    launch_added,
    object_freed,
    object_freed_oddly,
    object_freed_for_good,
    page_shrinks,
    body_without_table,
    object_that_nobody_lists,
    garbage_after_end,
    second_table_skipped,
    hybrid_update,
    said_twice,
    filled_and_nobody_answers,
    filled_though_certified_final,
    signed_though_certified_final,
    locked_field_filled,
    appearance_of_empty_field,
    drawn_anew,
    drawn_in_white,
    drawn_with_another_font,
    signature_field_taken_over,
    needs_password,
    cut_short,
    not_a_pdf,
    loop_of_sections,
    billions_of_entries,
    entries_of_no_width,
    brackets,
    bomb,
    paths_without_number,
    circular_pages,
    fields_without_number,
    signature_without_end,
    fields_in_a_circle,
)


def sealed_page_replaced(world: World) -> Case:
    return _update("the page replaced under two signatures", seal(world), {4: stream(EVIL)}, findings=2)


def replaced_between(world: World) -> Case:
    """The page is replaced, then signed by somebody else: the first signer did not see it."""
    data = signed(world.agency, appended(one(world), {4: stream(EVIL)}), field="Second")
    return Case("the page replaced between two signatures", data, None, _MODIFIED, findings=2)


DEFECTS = (*DEFECTS, sealed_page_replaced, replaced_between)


def cases(world: World) -> list[Case]:
    """All of them."""
    return [build(world) for build in DEFECTS]
