"""Reading in a stream: the same values and violations as from a tree, files with their digests, and memory that does not grow with them."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.edxml import reader
from schemas.edxml.packet import DocumentPacket
from schemas.edxml.packing import File
from schemas.edxml.stream import NeedsTree, Streamed, read_stream
from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS, MIB, Limits
from schemas.validate import STREAM_FROM_BYTES, validate, validate_file
from tests import packets
from tests.schemas.judging import AT, FIXTURES, Change, inbound
from tests.schemas.test_attachments import BROKEN, KINDS
from tests.schemas.test_hostile import BOMS, HOSTILE
from tests.schemas.test_properties import FRAGMENTS, SPANS, spoiled
from tests.schemas.test_reader import VARIANTS
from tests.schemas.test_violations import DOCUMENTS, STATUSES

Outcome = tuple[object, ...]
ROOT = Path(__file__).parents[2]
SIGNATURE = b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature></edXML:edXMLHeader>'
NO_XML = {
    "encoding",
    "malformed-xml",
    "dtd-forbidden",
    "undeclared-prefix",
}  # one parser pulls, the other is fed: of several faults they name different ones
EARLY = {"dtd-forbidden", "resource-limit", "too-large"}  # said as soon as they are met, whatever else may be wrong further on


def changed(change: Change, raw: bytes) -> Callable[[], bytes]:
    """`raw` after `change`, made when it is asked for."""
    return lambda: change(raw)


CASES: dict[str, Callable[[], bytes]] = {
    **{f"document: {name}": changed(case[0], packets.document()) for name, case in DOCUMENTS.items()},
    **{f"status: {name}": changed(case[0], packets.status()) for name, case in STATUSES.items()},
    **{f"variant: {name}": changed(change, packets.document()) for name, change in VARIANTS.items()},
    **{f"encoding: {name}": changed(bytes, raw) for name, raw in BOMS.items()},
    **{f"attachment: {name}": case[0] for name, case in KINDS.items()},
    **{f"broken attachment: {name}": case[0] for name, case in BROKEN.items()},
    **{f"hostile: {name}": case[0] for name, case in HOSTILE.items()},
    "a recall": packets.recall,
    "an update": packets.update,
    "a replacement": packets.replacement,
    "a status": packets.status,
    "decomposed Vietnamese": changed(packets.decomposed, packets.document()),
}


def cut(raw: bytes, size: int) -> Iterable[bytes]:
    """`raw` in chunks of `size` bytes."""
    return (raw[at : at + size] for at in range(0, len(raw), size))


def from_tree(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Outcome:
    try:
        examined = reader.examine(inbound(raw), limits)
    except Refused as refused:
        return ("refused", refused.code)
    return ("examined", examined.packet, examined.violations)


def from_stream(raw: bytes, size: int, limits: Limits = DEFAULT_LIMITS) -> Outcome:
    opened: list[io.BytesIO] = []

    def sink() -> io.BytesIO:
        opened.append(io.BytesIO())
        return opened[-1]

    try:
        streamed = read_stream(cut(raw, size), sink, limits=limits)
    except Refused as refused:
        assert all(file.closed for file in opened)
        return ("refused", refused.code)
    if isinstance(streamed, NeedsTree):
        assert all(file.closed for file in opened)
        return ("needs its tree",)
    assert (streamed.size_bytes, streamed.sha256) == (len(raw), sha256(raw).hexdigest())
    assert {id(file) for file in opened if not file.closed} == {id(one.file) for one in streamed.files}
    streamed.close()
    assert all(file.closed for file in opened)
    return ("examined", streamed.packet, streamed.violations)


def agree(tree: Outcome, stream: Outcome) -> bool:
    """Whether both say the same; a stream may refuse early what a tree would have refused for something else."""
    if stream[0] == "refused":
        return tree == stream or stream[1] in EARLY or (tree[0] == "refused" and {tree[1], stream[1]} <= NO_XML)
    return stream in (tree, ("needs its tree",))


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_a_stream_finds_what_a_tree_finds_however_it_is_cut(make: Callable[[], bytes]) -> None:
    raw = make()
    tree = from_tree(raw)
    for size in (1, 7, 1000, 65_536) if len(raw) < 30_000 else (65_536,):
        stream = from_stream(raw, size)
        assert agree(tree, stream), size
        if stream[0] == "refused" and stream[1] in EARLY and len(raw) < 30_000:
            assert tree[0] == "refused"  # nothing so small is refused for its size alone


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/fixtures/edxml is not there")
@pytest.mark.fixtures
def test_the_official_samples_are_read_alike() -> None:
    for path in sorted(FIXTURES.glob("*.edxml")):
        assert agree(from_tree(path.read_bytes()), from_stream(path.read_bytes(), 100)), path.name


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([packets.document(), packets.status(), packets.update(), packets.with_bytes(packets.PDF)]),
    st.lists(SPANS, min_size=1, max_size=4),
    st.lists(FRAGMENTS | st.binary(max_size=8), min_size=1, max_size=4),
    st.integers(1, 3000),
)
def test_no_spoiled_packet_is_read_otherwise_in_a_stream(raw: bytes, spans: list[tuple[int, int]], pieces: list[bytes], size: int) -> None:
    raw = spoiled(raw, spans, pieces)
    tree, stream = from_tree(raw), from_stream(raw, size)
    assert agree(tree, stream), (tree, stream)
    if stream[0] == "refused":
        assert tree[0] == "refused"


def streamed(raw: bytes, size: int = 4096, limits: Limits = DEFAULT_LIMITS) -> Streamed:
    result = read_stream(cut(raw, size), io.BytesIO, limits=limits)
    assert isinstance(result, Streamed)
    return result


def test_files_come_out_with_their_names_types_and_digests() -> None:
    files = [File("Công văn.pdf", packets.PDF * 100), File("a.zip", packets.zipped([("x", b"y")])), File("trống.txt", b"\n")]
    found = streamed(packets.document(attachments=files)).files
    assert [(one.name, one.sha256) for one in found] == [(one.name, sha256(one.data).hexdigest()) for one in files]
    assert [one.media_type for one in found] == ["application/pdf", "application/zip", "application/octet-stream"]
    for one, file in zip(found, files, strict=True):
        one.file.seek(0)
        assert one.file.read() == file.data


def test_attachments_that_stand_before_the_manifest_are_unpacked_alike() -> None:
    (one,) = streamed(VARIANTS["attachments before the envelope"](packets.document())).files
    assert (one.name, one.media_type, str(one.packing)) == ("Công văn số 7816.pdf", "application/pdf", "zip")


def test_what_was_decoded_needs_no_text() -> None:
    packet = streamed(packets.document()).packet
    assert packet == packets.document_packet()
    assert isinstance(packet, DocumentPacket)
    assert [one.encoded for one in packet.attachments] == [""]


def test_a_real_signature_is_met_before_the_attachments() -> None:
    raw = packets.document(attachments=[File("a.pdf", packets.PDF * 20_000)]).replace(b"</edXML:edXMLHeader>", SIGNATURE)
    result = read_stream(cut(raw, 1024), io.BytesIO)
    assert isinstance(result, NeedsTree)
    assert result.size_bytes < 8 * 1024 < len(raw)


def test_a_decorative_signature_is_no_reason_for_a_tree() -> None:
    raw = packets.document().replace(b"</edXML:edXMLHeader>", b"<Signature><SignedInfo/></Signature></edXML:edXMLHeader>")
    assert streamed(raw).packet == packets.document_packet()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packet just too large to be read as a tree."""
    path = tmp_path_factory.mktemp("large") / "large.edxml"
    path.write_bytes(packets.document(attachments=[File("a.pdf", packets.PDF * (STREAM_FROM_BYTES // len(packets.PDF)))]))
    return path


def test_a_large_file_is_reported_on_like_a_small_one(large: Path) -> None:
    assert validate_file(large, at=AT) == validate(large.read_bytes(), at=AT)


def test_a_large_signed_file_is_reported_on_from_its_tree_up_to_a_limit(large: Path, tmp_path: Path) -> None:
    path = tmp_path / "signed.edxml"
    path.write_bytes(large.read_bytes().replace(b"</edXML:edXMLHeader>", SIGNATURE))
    assert validate_file(path, at=AT) == validate(path.read_bytes(), at=AT)
    refused = validate_file(path, at=AT, limits=replace(DEFAULT_LIMITS, max_signed_bytes=5 * MIB))
    assert [(one.code, refused.ok) for one in refused.violations] == [("too-large", False)]


def test_what_is_wrong_with_a_large_file_is_reported(large: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.edxml"
    path.write_bytes(large.read_bytes()[:-20])
    assert [one.code for one in validate_file(path, at=AT).violations] == ["malformed-xml"]
    limits = replace(DEFAULT_LIMITS, max_body_bytes=3 * MIB)
    assert [one.code for one in validate_file(large, at=AT, limits=limits).violations] == ["too-large"]


# Memory: measured in a process of its own, over what it held after one small packet --------------------------------------------------

MEASURE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from schemas.validate import validate_file

def peak_kib():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

at = datetime(2026, 11, 21, tzinfo=UTC)
assert validate_file(Path(sys.argv[1]), at=at).ok
before = peak_kib()
report = validate_file(Path(sys.argv[2]), at=at)
assert report.ok, report.violations
print(peak_kib() - before)
"""


def grown_by(raw: bytes, folder: Path) -> int:
    """Bytes by which a process grows that validates `raw`."""
    small, path = folder / "small.edxml", folder / "large.edxml"
    small.write_bytes(packets.document())
    path.write_bytes(raw)
    done = subprocess.run([sys.executable, "-c", MEASURE, small, path], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return int(done.stdout) * 1024


def incompressible(size: int) -> bytes:
    """The beginning of a PDF, and then bytes that look random and are always the same."""
    return b"%PDF-1.7\n" + Random(size).randbytes(size)


FIFTY: dict[str, Callable[[], bytes]] = {
    "three files, zipped, each on one line": lambda: packets.document(
        attachments=[File(f"{n}.pdf", incompressible(12_800_000) + bytes([n])) for n in range(3)]
    ),
    "one file in lines of 76": lambda: packets.with_content(base64.encodebytes(incompressible(36_500_000)).decode("ascii")),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc: the peak of a process cannot be read")
@pytest.mark.parametrize("make", FIFTY.values(), ids=FIFTY)
def test_fifty_megabytes_cost_less_than_twenty_over_the_start(make: Callable[[], bytes], tmp_path: Path) -> None:
    raw = make()
    assert 49_000_000 < len(raw) < 52 * MIB
    assert grown_by(raw, tmp_path) < 20_000_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc: the peak of a process cannot be read")
def test_a_signed_packet_costs_at_most_three_times_its_size(tmp_path: Path) -> None:
    raw = packets.document(attachments=[File("a.pdf", incompressible(38_000_000))]).replace(b"</edXML:edXMLHeader>", SIGNATURE)
    assert grown_by(raw, tmp_path) < 3 * len(raw)
