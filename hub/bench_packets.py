"""Packets for measurements: each with values, sizes, numbers and order of elements of its own. Same seed, same packets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from schemas.edxml.packet import (
    Bussiness,
    Code,
    DocumentPacket,
    DocumentType,
    Organization,
    OtherInfo,
    PromulgationInfo,
    ResponseFor,
    SignerInfo,
    StaffInfo,
    StatusPacket,
    TraceHeader,
)
from schemas.edxml.packing import File, with_files
from schemas.edxml.writer import write_document, write_status

Make = Callable[[Random], bytes]

_CHILD = re.compile(rb"(?=\r\n {8}<edXML:)")  # of MessageHeader, as our writer indents it
ATTACHED_BYTES = 11_600  # makes packets of about 20 KB
_WORDS = [
    "báo",
    "cáo",
    "kết",
    "quả",
    "thực",
    "hiện",
    "nhiệm",
    "vụ",
    "chuyển",
    "đổi",
    "số",
    "liên",
    "thông",
    "văn",
    "bản",
    "điện",
    "tử",
    "giữa",
    "các",
    "cơ",
    "quan",
    "đơn",
    "vị",
    "trên",
    "địa",
    "bàn",
    "tỉnh",
]
_AGENCIES = ("Văn phòng UBND tỉnh", "Sở Nội vụ", "Sở Tài chính", "UBND thành phố Nha Trang", "Sở Khoa học và Công nghệ")


def ordinary(at: Random) -> bytes:
    """A document of about 20 KB, in the official order of elements or another."""
    return _in_some_order(write_document(document(at)), at)


def with_warnings(at: Random) -> bytes:
    """The same with what real ones have: an element of the sender's own, a filler, no trace."""
    packet = document(at)
    odd = replace(packet, signer=replace(packet.signer, full_name="N/A"), trace=())
    own = f"<Own>{at.randrange(10**9)}</Own>".encode()
    return write_document(odd).replace(b"</edXML:MessageHeader>", own + b"</edXML:MessageHeader>")


def status(at: Random) -> bytes:
    """A status."""
    sender, receiver = organization(at), organization(at)
    about = ResponseFor(
        receiver.organ_id, f"{at.randrange(9999)}/VP-TH", _day(at), f"{receiver.organ_id},{_day(at)},{at.randrange(9999)}/VP-TH"
    )
    staff = StaffInfo("Phòng Văn thư", "P01", _text(at, 3), f"NV{at.randrange(99)}") if at.random() < 0.7 else None
    return write_status(StatusPacket(sender, about, at.choice(["01", "03", "04", "05", "06"]), _moment(at), _text(at, 8), staff))


def signed_by(sign: Callable[[bytes], bytes]) -> Make:
    """Ordinary ones that carry an enveloped XML signature of `sign`."""
    return lambda at: sign(ordinary(at))


def document(at: Random, attached_bytes: int = ATTACHED_BYTES) -> DocumentPacket:
    """One document; one to four receivers, one or two files, some elements absent."""
    sender = organization(at)
    number, day = at.randrange(1, 20_000), _day(at)
    packet = DocumentPacket(
        sender=sender,
        to=tuple(organization(at) for _ in range(at.choice([1, 1, 1, 2, 4]))),
        document_id=f"{sender.organ_id},{day},{number}/VPUB-TTĐT",
        code=Code(str(number), "VPUB-TTĐT"),
        promulgation=PromulgationInfo("Nha Trang", day),
        subject=_text(at, 12),
        document_type=DocumentType("1", "0", at.choice(["Công văn", "Quyết định", "Báo cáo"])),
        content=_text(at, 20),
        signer=SignerInfo("KT. CHÁNH VĂN PHÒNG", "Phó Chánh Văn phòng", _text(at, 3)),
        due_date=_day(at) if at.random() < 0.5 else "",
        other_info=OtherInfo(str(at.randrange(4)), "Công nghệ thông tin", "TVC", "2", str(at.randrange(1, 40))),
        response_for=tuple(ResponseFor(sender.organ_id, f"{at.randrange(999)}/SNV-VP", _day(at)) for _ in range(at.randrange(2))),
        steering_type="1",
        to_places=tuple(_text(at, 2) for _ in range(at.randrange(4))),
        trace=tuple(TraceHeader(organization(at).organ_id, _moment(at)) for _ in range(at.randrange(1, 3))),
        bussiness=Bussiness("", "0", _text(at, 4), "0", staff=(StaffInfo("Phòng Văn thư", "P01", _text(at, 3), f"NV{at.randrange(99)}"),)),
    )
    first = at.randrange(attached_bytes // 2, attached_bytes) if at.random() < 0.3 else attached_bytes
    sizes = (
        (first, attached_bytes - first) if first < attached_bytes else (at.randrange(attached_bytes * 9 // 10, attached_bytes * 11 // 10),)
    )
    files = [File(f"{_text(at, 2)} {n}.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + at.randbytes(size)) for n, size in enumerate(sizes)]
    return with_files(packet, files)


def organization(at: Random) -> Organization:
    """An agency."""
    code = (
        f"H{at.randrange(1, 64):02}.{at.randrange(1, 99):02}"
        if at.random() < 0.7
        else f"000.{at.randrange(1, 99):02}.{at.randrange(1, 99):02}.H32"
    )
    return Organization(code, "UBND tỉnh Khánh Hòa", at.choice(_AGENCIES), f"Số {at.randrange(1, 200)} Trần Phú", "vp@example.gov.vn")


def _text(at: Random, words: int) -> str:
    return " ".join(at.choices(_WORDS, k=words)).capitalize()


def _day(at: Random) -> str:
    return f"2026/{at.randrange(1, 13):02}/{at.randrange(1, 29):02}"


def _moment(at: Random) -> str:
    return f"{_day(at)} {at.randrange(24):02}:{at.randrange(60):02}:{at.randrange(60):02}"


def _in_some_order(raw: bytes, at: Random) -> bytes:
    """Half of them with the message's elements in an order of their own."""
    if at.random() < 0.5:
        return raw
    head, begin, rest = raw.partition(b"<edXML:MessageHeader>")
    inside, end, tail = rest.partition(b"</edXML:MessageHeader>")
    elements = _CHILD.split(inside.rstrip())[1:]
    at.shuffle(elements)
    return b"".join([head, begin, *elements, b"\r\n      ", end, tail])
