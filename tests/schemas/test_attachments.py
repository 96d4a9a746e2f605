"""Attachments: told apart by content, decoded strictly, bounded."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest

from schemas.edxml.attachments import Content, Packing, attachments_of, base_name, media_type_of
from schemas.edxml.packing import File, one_entry_zip
from schemas.edxml.writer import write_document
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS, MIB
from tests import packets
from tests.packets import PDF, with_bytes, with_content, zipped
from tests.schemas.judging import read, refusal

UUID_NAME = "6c1f5b1e-2a3d-4c77-9a0e-0f2d5b8f1a11.pdf"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = zipped([("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")])
XLSX = zipped([("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<w/>")])
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(32))
XML = '<?xml version="1.0"?><hoSo><ten>Nguyễn Thị Ánh</ten></hoSo>'

Made = tuple[Callable[[], bytes], Packing, str, bytes]

KINDS: dict[str, Made] = {
    "the SDK's zip of one entry <uuid>.pdf": (lambda: with_bytes(zipped([(UUID_NAME, PDF)])), Packing.ZIP, "application/pdf", PDF),
    "the same, stored": (lambda: with_bytes(zipped([(UUID_NAME, PDF)], method=zipfile.ZIP_STORED)), Packing.ZIP, "application/pdf", PDF),
    "the same, for a docx": (
        lambda: with_bytes(zipped([(UUID_NAME.replace("pdf", "docx"), DOCX)]), name="Tờ trình.docx"),
        Packing.ZIP,
        WORD,
        DOCX,
    ),
    "a zip of one entry with the real name": (lambda: with_bytes(zipped([("Công văn.pdf", PDF)])), Packing.ZIP, "application/pdf", PDF),
    "a zip of one entry in a folder": (
        lambda: with_bytes(zipped([("van ban/", b""), ("van ban/a.pdf", PDF)])),
        Packing.ZIP,
        "application/pdf",
        PDF,
    ),
    "a PDF without zip": (lambda: with_bytes(PDF), Packing.BASE64, "application/pdf", PDF),
    "a PDF without zip that is declared as zip": (
        lambda: with_bytes(PDF, content_type="application/zip"),
        Packing.BASE64,
        "application/pdf",
        PDF,
    ),
    "a docx without zip": (lambda: with_bytes(DOCX, name="Tờ trình.DOCX"), Packing.BASE64, WORD, DOCX),
    "an xlsx without zip": (lambda: with_bytes(XLSX, name="Biểu mẫu.xlsx"), Packing.BASE64, EXCEL, XLSX),
    "a zip that is meant": (
        lambda: with_bytes(zipped([("a.pdf", PDF)]), name="hồ sơ.zip"),
        Packing.BASE64,
        "application/zip",
        zipped([("a.pdf", PDF)]),
    ),
    "an archive of two under a pdf's name": (
        lambda: with_bytes(zipped([("a.pdf", PDF), ("b.pdf", PDF)])),
        Packing.BASE64,
        "application/zip",
        zipped([("a.pdf", PDF), ("b.pdf", PDF)]),
    ),
    "a picture": (lambda: with_bytes(PNG, name="a.png"), Packing.BASE64, "image/png", PNG),
    "a JPEG": (lambda: with_bytes(b"\xff\xd8\xff\xe0", name="a.jpg"), Packing.BASE64, "image/jpeg", b"\xff\xd8\xff\xe0"),
    "bytes nobody knows": (lambda: with_bytes(b"\x00\x01\x02", name="a.dat"), Packing.BASE64, "application/octet-stream", b"\x00\x01\x02"),
    "XML as it stands": (lambda: with_content(XML, name="a.xml"), Packing.RAW, "application/xml", XML.encode("utf-8")),
    "XML in base64": (lambda: with_bytes(XML.encode("utf-8"), name="a.xml"), Packing.BASE64, "application/xml", XML.encode("utf-8")),
    "a plain PDF as it stands": (lambda: with_content(PDF.decode("ascii")), Packing.RAW, "application/pdf", PDF),
    "base64 in lines of 76": (
        lambda: with_content(base64.encodebytes(PDF * 9).decode("ascii")),
        Packing.BASE64,
        "application/pdf",
        PDF * 9,
    ),
    "base64 with tabs and spaces": (
        lambda: with_content(" \t" + base64.b64encode(PDF).decode("ascii") + "\n  "),
        Packing.BASE64,
        "application/pdf",
        PDF,
    ),
}


def contents(raw: bytes) -> tuple[Content, ...]:
    return attachments_of(read(raw).packet)


@pytest.mark.parametrize(("make", "packing", "media_type", "data"), KINDS.values(), ids=KINDS)
def test_the_file_comes_out_however_it_was_packed(make: Callable[[], bytes], packing: Packing, media_type: str, data: bytes) -> None:
    (content,) = contents(make())
    assert (content.packing, content.media_type, content.data) == (packing, media_type, data)


def test_what_our_writer_packs_comes_out_in_order() -> None:
    files = [
        File("Công văn.pdf", PDF),
        File("Phụ lục.docx", DOCX),
        File("Công văn.pdf", PDF),
        File("không đuôi", b"1"),
        File("trống.txt", b"\n"),
    ]
    found = contents(packets.document(attachments=files))
    assert [(one.name, one.data, one.packing) for one in found] == [(one.name, one.data, Packing.ZIP) for one in files]
    assert len({one.content_id for one in found}) == 5


def test_a_status_has_none() -> None:
    assert contents(packets.status()) == ()


def test_a_comment_inside_the_content_does_not_cut_it() -> None:
    encoded = base64.b64encode(PDF).decode("ascii")
    raw = with_content(encoded).replace(encoded.encode(), f"{encoded[:8]}<!-- x -->{encoded[8:]}".encode())
    assert contents(raw)[0].data == PDF


def _damaged(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :]


def _encrypted() -> bytes:
    made = bytearray(zipped([(UUID_NAME, PDF)]))
    made[6] |= 1  # general purpose flag of the local header
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def _lying_size() -> bytes:
    """A deflated entry whose directory admits to fewer bytes than it holds."""
    made = bytearray(zipped([(UUID_NAME, bytes(100_000))]))
    at = made.index(b"PK\x01\x02") + 24
    made[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(made)


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "cut off": (lambda: with_content(base64.b64encode(PDF).decode("ascii")[:-3]), "attachment-encoding"),
    "garbage that libxml2 takes for base64": (lambda: with_content("@@@@"), "attachment-encoding"),
    "garbage in the middle": (lambda: with_content("QUJD" + "@" + "QUJD"), "attachment-encoding"),
    "URL-safe base64": (lambda: with_content("-_-_"), "attachment-encoding"),
    "padding in the middle": (lambda: with_content("QQ==QUJD"), "attachment-encoding"),
    "letters of another script": (lambda: with_content("ＱＵＪＤ"), "attachment-encoding"),
    "a template that nobody filled in": (lambda: with_content("${__StringFromFile(test.txt,,,)}"), "attachment-placeholder"),
    "nothing": (lambda: with_content(""), "attachment-empty"),
    "white space": (lambda: with_content(" \r\n "), "attachment-empty"),
    "a zip cut off": (lambda: with_bytes(zipped([(UUID_NAME, PDF * 100)])[:-10]), "attachment-archive"),
    "the first bytes of a zip": (lambda: with_bytes(b"PK\x03\x04"), "attachment-archive"),
    "a zip with a wrong byte inside": (lambda: with_bytes(_damaged(zipped([(UUID_NAME, PDF)]), 80)), "attachment-archive"),
    "an encrypted entry": (lambda: with_bytes(_encrypted()), "attachment-archive"),
    "an entry larger than it says": (lambda: with_bytes(_lying_size()), "attachment-archive"),
    "an entry compressed by another method": (
        lambda: with_bytes(zipped([(UUID_NAME, PDF)], method=zipfile.ZIP_BZIP2)),
        "attachment-archive",
    ),
    "../ in a name": (lambda: with_bytes(zipped([("../../etc/cron.d/x", PDF)])), "attachment-unsafe-name"),
    "..\\ in a name": (lambda: with_bytes(zipped([("a\\..\\..\\x", PDF)])), "attachment-unsafe-name"),
    "an absolute name": (lambda: with_bytes(zipped([("/etc/passwd", PDF)])), "attachment-unsafe-name"),
    "a drive": (lambda: with_bytes(zipped([("C:\\x", PDF)])), "attachment-unsafe-name"),
    "../ in a zip that stays a zip": (lambda: with_bytes(zipped([("../a", PDF), ("b", PDF)]), name="a.zip"), "attachment-unsafe-name"),
    "a bomb": (lambda: with_bytes(zipped([(UUID_NAME, bytes(8 * MIB))])), "attachment-too-large"),
    "a bomb that stays a zip": (
        lambda: with_bytes(zipped([("a", bytes(4 * MIB)), ("b", bytes(4 * MIB))]), name="a.zip"),
        "attachment-too-large",
    ),
    "an archive of very many": (lambda: with_bytes(zipped([(str(n), b"") for n in range(10_001)]), name="a.zip"), "attachment-archive"),
}


@pytest.mark.parametrize(("make", "code"), BROKEN.values(), ids=BROKEN)
def test_a_broken_or_hostile_attachment_is_refused(make: Callable[[], bytes], code: str) -> None:
    raw = make()
    refused = refusal(raw)
    assert refused.code == code
    assert refused.violations[0].path == "/edXML/AttachmentEncoded/Attachment/ContentTransferEncoded"


def test_attachments_are_bounded_together() -> None:
    limits = replace(DEFAULT_LIMITS, max_attachment_bytes=2 * len(PDF))
    two, three = ([File(f"{n}.pdf", PDF) for n in range(count)] for count in (2, 3))
    assert len(attachments_of(read(packets.document(attachments=two), limits=limits).packet, limits)) == 2
    assert refusal(packets.document(attachments=three), limits=limits).code == "attachment-too-large"
    with pytest.raises(Refused, match="attachment-too-large"):
        attachments_of(read(packets.document(attachments=three)).packet, limits)


def test_too_many_attachments_are_refused() -> None:
    limits = replace(DEFAULT_LIMITS, max_attachments=2)
    files = [File(f"{n}.pdf", PDF) for n in range(3)]
    assert refusal(packets.document(attachments=files), limits=limits).code == "too-many-attachments"


def test_two_attachments_of_one_content_id_are_ambiguous() -> None:
    packet = packets.document_packet()
    raw = write_document(replace(packet, attachments=packet.attachments * 2))
    assert "doubled-content-id" in {one.code for one in refusal(raw).violations}


def test_one_broken_attachment_among_good_ones_is_the_one_that_is_named() -> None:
    packet = packets.document_packet(attachments=[File(f"{n}.pdf", PDF) for n in range(3)])
    first, second, third = packet.attachments
    raw = write_document(replace(packet, attachments=(first, replace(second, source="@"), third)))
    assert [one.path for one in refusal(raw).violations] == ["/edXML/AttachmentEncoded/Attachment[2]/ContentTransferEncoded"]


@pytest.mark.parametrize(
    ("written", "shown"), [("C:\\Users\\a\\Công văn.pdf", "Công văn.pdf"), ("../../x.pdf", "x.pdf"), ("a\nb.pdf", "a b.pdf"), ("", "")]
)
def test_names_are_for_people_and_hold_no_path(written: str, shown: str) -> None:
    assert base_name(written) == shown


def test_a_blank_form_may_be_compressed_well() -> None:
    raw = with_bytes(zipped([(UUID_NAME, bytes(MIB))]))
    assert len(contents(raw)[0].data) == MIB


def test_the_zip_of_a_file_is_always_the_same_bytes() -> None:
    assert one_entry_zip(File("a.pdf", PDF)) == one_entry_zip(File("b.pdf", PDF))
    assert one_entry_zip(File("a.pdf", PDF)) != one_entry_zip(File("a.pdf", PDF + b"1"))


def test_a_damaged_zip_is_still_called_a_zip() -> None:
    assert media_type_of(b"PK\x03\x04damaged") == "application/zip"
