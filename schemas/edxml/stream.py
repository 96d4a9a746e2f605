"""Reading a large packet in a stream: in a few megabytes of memory, whatever its attachments weigh.

Procedure of `read_stream`, beside that of `reader`:

1. size, encoding and counts, as `schemas.octets` has them, while the bytes come in
2. the parser is fed line by line, so that elements know their lines; inside contents, in whole pieces
3. `skeleton` builds the tree without contents; those are decoded into files of the caller's
4. the skeleton is judged by the same functions that judge a whole tree (`examination.judge`): same schema, same rules, same violations
5. attachments are opened from their files, once: unpacked into files again, with a digest each

A packet with a real XML signature is not read in a stream, because no verifier could work on what is left of it: `NeedsTree` says so as
soon as the signature begins.

The hub's way in (`hub.accept`) hands whole bodies to `reader`; when bodies are to be stored while they arrive, this is where it joins:
`Streamed` has the values, the violations and the digest of the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from lxml import etree

from schemas import octets, xml, xml_faults
from schemas.edxml import examination
from schemas.edxml.attachments import Packing, base_name, media_type_in
from schemas.edxml.contents import Opened
from schemas.edxml.packet import Packet, Spool
from schemas.edxml.parts import Walk
from schemas.edxml.skeleton import SignatureMet, Sink, Skeleton
from schemas.edxml.strangers import HEAD_BYTES, named
from schemas.errors import Refused, Violation
from schemas.limits import DEFAULT_LIMITS, MIB, Limits

__all__ = ["NeedsTree", "Sink", "Streamed", "StreamedFile", "read_stream"]

_PIECE_BYTES = 64 * 1024  # fed at once, at the most
_MOST_LINES = 50_000  # outside contents; after them lines are not counted any more, for each costs a call


@dataclass(frozen=True, slots=True)
class StreamedFile:
    """One file of the packet, on its own in `file`."""

    content_id: str
    name: str  # as declared, without folders; for people, never for a path
    media_type: str  # told from the bytes
    packing: Packing
    size_bytes: int
    sha256: str  # lower hex
    file: BinaryIO  # positioned anywhere


@dataclass(frozen=True, slots=True)
class Streamed:
    """What `examination.Examined` is, without a tree."""

    packet: Packet  # its attachments' sources are `Spool`s
    violations: tuple[Violation, ...]  # errors first
    files: tuple[StreamedFile, ...]  # those that opened, in order
    encoding: str
    size_bytes: int
    sha256: str  # of the whole packet, lower hex

    def close(self) -> None:
        """Closes all files."""
        for one in self.files:
            one.file.close()


@dataclass(frozen=True, slots=True)
class NeedsTree:
    """The packet carries a real XML signature, met within the first `size_bytes`: read it by `reader`."""

    size_bytes: int


def read_stream(chunks: Iterable[bytes], sink: Sink, *, charset: str = "", limits: Limits = DEFAULT_LIMITS) -> Streamed | NeedsTree:
    """What `examination.examine` finds in the same bytes, or that they need their tree.

    The files of the result are the caller's to close; otherwise none is left open. Raises as `examination.examine`.
    """
    taken: list[BinaryIO] = []
    with ExitStack() as files:

        def own() -> BinaryIO:
            file = sink()
            files.callback(file.close)
            taken.append(file)
            return file

        skeleton, kept = Skeleton(limits, own), list[StreamedFile]()
        feeding = _Feeding(skeleton, charset, limits)
        try:
            for chunk in chunks:
                feeding.feed(chunk)
            tree = feeding.close()
        except SignatureMet:
            return NeedsTree(feeding.size_bytes)
        examined = examination.judge(tree, Walk(limits, skeleton.contents), lambda one: kept.append(_unpacked(one, own, limits)))
        handed_on = {id(one.file) for one in kept}
        for file in taken:
            if id(file) not in handed_on:
                file.close()
        files.pop_all()
    return Streamed(examined.packet, examined.violations, tuple(kept), tree.encoding, feeding.size_bytes, feeding.digest.hexdigest())


def _unpacked(one: Opened, sink: Sink, limits: Limits) -> StreamedFile:
    source = one.attachment.source
    if not isinstance(source, Spool):
        raise RuntimeError("an attachment of a stream has no file")
    own = one.packing is Packing.ZIP
    file = sink() if own else source.file
    digest, size = sha256(), 0
    for piece in one.pieces:
        digest.update(piece)
        size += len(piece)
        if own:
            file.write(piece)
    kind = media_type_in(file, limits)
    return StreamedFile(one.attachment.content_id, base_name(one.name), kind, one.packing, size, digest.hexdigest(), file)


class _Feeding:
    """Steps 1 to 3: bytes into the parser."""

    def __init__(self, skeleton: Skeleton, charset: str, limits: Limits) -> None:
        self.digest = sha256()
        self.size_bytes = 0
        self._skeleton, self._charset, self._limits = skeleton, charset, limits
        self._head = b""  # held back until the encoding is clear; afterwards, the beginning
        self._parser: xml.PushParser | None = None
        self._encoding = self._origin = ""
        self._count: octets.Count | None = None
        self._line = 1
        self._idle_bytes = 0  # fed since the parser last told of anything

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes, of any number."""
        self.digest.update(chunk)
        self.size_bytes += len(chunk)
        most = self._limits.max_body_bytes
        if self.size_bytes > most:
            raise Refused("too-large", got=f"> {most} bytes", expected=f"at most {most} bytes")
        if self._parser is None:
            self._head += chunk
            if len(self._head) < octets.HEAD_BYTES:
                return
            chunk = self._start()
        self._take(chunk)

    def close(self) -> xml.ParsedXml:
        """The skeleton's tree, all bytes having been fed."""
        if self._parser is None:
            self._take(self._start())
        parser = self._parser
        if parser is None:
            raise RuntimeError("the parser was not made")
        try:
            parser.close()
        except etree.XMLSyntaxError as fault:
            raise self._refusal(fault) from fault
        entries = list(parser.feed_error_log)
        if any(entry.level >= etree.ErrorLevels.ERROR for entry in entries):  # of namespaces: the parser itself goes on
            raise self._skeleton.fault or named(xml_faults.syntax_error(None, entries, self._encoding), self._head)
        if self._skeleton.foreign is not None:
            raise self._skeleton.foreign
        root = self._skeleton.root
        if root is None:
            raise Refused("malformed-xml", expected="a root element")
        return xml.ParsedXml(root, b"", self._encoding, self._origin, attributes=-1)

    def _start(self) -> bytes:
        octets.check_size(self._head, self._limits.max_body_bytes)
        try:
            self._encoding, self._origin = octets.encoding_of(self._head, self._charset)
        except Refused as fault:
            raise named(fault, self._head[:HEAD_BYTES]) from fault
        self._count = octets.Count(self._encoding, self._limits)
        self._parser = xml.push_parser(self._skeleton, self._encoding)
        if self._encoding.startswith("UTF-16"):
            self._line = 0  # a byte 10 is not a line there
        head, self._head = self._head, self._head[:HEAD_BYTES]
        return head

    def _take(self, chunk: bytes) -> None:
        if self._count is not None:
            self._count.take(chunk)
        for piece in self._pieces(chunk):
            self._give(piece)

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(chunk):
            if self._skeleton.in_content or not self._line:
                end = chunk.find(b"<", at) if self._line else -1
            else:
                end = chunk.find(b"\n", at) + 1 or -1
            end = min(end if end > at else len(chunk), at + _PIECE_BYTES)
            if end == at:
                end = at + 1
            yield chunk[at:end]
            at = end

    def _give(self, piece: bytes) -> None:
        parser, skeleton = self._parser, self._skeleton
        skeleton.line = self._line
        events = skeleton.events
        try:
            if parser is not None:
                parser.feed(piece)
        except (etree.XMLSyntaxError, LookupError, ValueError) as fault:
            raise self._refusal(fault) from fault
        if self._line:
            self._line += piece.count(b"\n")
            if self._line > _MOST_LINES and not skeleton.in_content:
                self._line = 0
        if skeleton.events > events or (skeleton.is_over and not piece.strip()):
            self._idle_bytes = 0
        else:
            self._idle_bytes += len(piece)
        if self._idle_bytes > 4 * self._limits.max_text_chars + MIB:  # one tag, comment or instruction
            raise Refused("resource-limit", got=f"{self._idle_bytes} bytes of markup", expected="less")

    def _refusal(self, fault: Exception) -> Refused | SignatureMet:
        if self._skeleton.fault is not None:
            return self._skeleton.fault
        if isinstance(fault, etree.XMLSyntaxError):
            entries = list(self._parser.feed_error_log) if self._parser is not None else []
            return named(xml_faults.syntax_error(fault, entries, self._encoding), self._head)
        return named(Refused("encoding", got=str(fault), expected=f"text in {self._encoding}"), self._head)
