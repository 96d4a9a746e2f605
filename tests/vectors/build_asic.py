"""ASiC containers, honest ones and one for each defect; and ZIPs that are made to hurt or to be read two ways."""

from __future__ import annotations

import base64
import hashlib
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from tests.vectors import build_cms
from tests.vectors.case import Case, changed
from tests.vectors.forge_cms import Forger, token
from tests.vectors.identities import World

SIMPLE, EXTENDED = b"application/vnd.etsi.asic-s+zip", b"application/vnd.etsi.asic-e+zip"
LETTER = "Công văn số 15/UBND-VP\n".encode() * 50
ANNEX = b"PDF or whatever\n" * 50
MOMENT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
P7S, MANIFEST = "META-INF/signature001.p7s", "META-INF/ASiCManifest001.xml"

Builder = Callable[[World], Case]


def packed(files: Mapping[str, bytes], *, method: int = ZIP_DEFLATED, mimetype_method: int = ZIP_STORED, comment: bytes = b"") -> bytes:
    """A ZIP with the files in order."""
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(entry(name, mimetype_method if name == "mimetype" else method), content)
        archive.comment = comment
    return out.getvalue()


def undeclared(data: bytes) -> bytes:
    """The same, but nothing says that its names are UTF-8, as some tools leave it."""
    out = bytearray(data)
    with ZipFile(BytesIO(data)) as opened:
        places = [one.header_offset + 6 for one in opened.infolist()]
        at = opened.start_dir
    while out[at : at + 4] == b"PK\x01\x02":
        places.append(at + 8)
        at += 46 + sum(int.from_bytes(out[at + n : at + n + 2], "little") for n in (28, 30, 32))
    for place in places:
        out[place + 1] &= ~0x08
    return bytes(out)


def entry(name: str, method: int = ZIP_DEFLATED) -> ZipInfo:
    """A file's place in the ZIP, of a fixed time."""
    info = ZipInfo(name, (2026, 11, 20, 8, 0, 0))
    info.compress_type = method
    info.external_attr = 0o644 << 16
    return info


def simple(world: World, **changes: bytes) -> dict[str, bytes]:
    """ASiC-S with CAdES."""
    files = {
        "mimetype": SIMPLE,
        "công văn.txt": LETTER,
        "META-INF/signature.p7s": build_cms.openssl(world.person, "-cades", content=LETTER),
    }
    return files | changes


def manifest(files: Mapping[str, bytes], signature: str = P7S, *, digest: str = "sha256", more: str = "") -> bytes:
    """ASiCManifest over files."""
    uri = {"sha256": "http://www.w3.org/2001/04/xmlenc#sha256", "sha1": "http://www.w3.org/2000/09/xmldsig#sha1"}[digest]
    references = "".join(
        f'<asic:DataObjectReference URI="{quote(name)}" MimeType="text/plain"><ds:DigestMethod Algorithm="{uri}"/>'
        f"<ds:DigestValue>{base64.b64encode(hashlib.new(digest, content).digest()).decode()}</ds:DigestValue></asic:DataObjectReference>"
        for name, content in files.items()
    )
    head = 'xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
    kind = "application/vnd.etsi.timestamp-token" if signature.endswith(".tst") else "application/x-pkcs7-signature"
    text = f'<asic:ASiCManifest {head}><asic:SigReference URI="{signature}" MimeType="{kind}"/>{references}{more}</asic:ASiCManifest>'
    return text.encode()


def extended(world: World, *, over: bytes | None = None) -> dict[str, bytes]:
    """ASiC-E with CAdES over two files; `over` is another manifest than the right one."""
    objects = {"công văn.txt": LETTER, "phụ lục/1.pdf": ANNEX}
    octets = over if over is not None else manifest(objects)
    signature = build_cms.openssl(world.person, "-cades", content=octets)
    return {"mimetype": EXTENDED, **objects, MANIFEST: octets, P7S: signature}


def _stamped(world: World) -> dict[str, bytes]:
    files = extended(world)
    objects = {name: content for name, content in files.items() if name != "mimetype"}
    octets = manifest(objects, "META-INF/timestamp001.tst")
    stamp = token(world.authority, octets, MOMENT)
    return {**files, "META-INF/ASiCArchiveManifest001.xml": octets, "META-INF/timestamp001.tst": stamp}


def _two(world: World) -> dict[str, bytes]:
    files = extended(world)
    second = manifest({"công văn.txt": LETTER}, "META-INF/signature002.p7s")
    signature = build_cms.openssl(world.agency, content=second)
    return {**files, "META-INF/ASiCManifest002.xml": second, "META-INF/signature002.p7s": signature}


def _stamp_only(world: World) -> dict[str, bytes]:
    return {"mimetype": SIMPLE, "a.txt": LETTER, "META-INF/timestamp.tst": token(world.authority, LETTER, MOMENT)}


def _sha1_long_ago(world: World) -> bytes:
    objects = {"a.txt": LETTER}
    octets = manifest(objects, digest="sha1")
    signature = build_cms.stamped(Forger(world.person), octets, lambda value: token(world.authority, value, build_cms.LONG_AGO))
    return packed({"mimetype": EXTENDED, **objects, MANIFEST: octets, P7S: signature})


_HANDED_ON = {"mimetype": EXTENDED, "a.txt": LETTER, "META-INF/signatures0.xml": b"<x/>"}
HONEST: dict[str, Callable[[World], Case]] = {
    name: partial(lambda name, make, said, world: Case(name, make(world), None, **said), name, make, said)
    for name, make, said in (
        ("ASiC-S with CAdES", lambda w: packed(simple(w)), {}),
        ("ASiC-S without mimetype", lambda w: packed({n: c for n, c in simple(w).items() if n != "mimetype"}), {}),
        ("ASiC-S, its kind in the comment", lambda w: packed({**list_without(simple(w), "mimetype")}, comment=b"mimetype=" + SIMPLE), {}),
        ("ASiC-S with a time-stamp", lambda w: packed(_stamp_only(w)), {"stamped": True}),
        ("ASiC-E with CAdES", lambda w: packed(extended(w)), {}),
        ("ASiC-E, names in UTF-8 that is not declared", lambda w: undeclared(packed(extended(w))), {}),
        ("ASiC-E, nothing packed", lambda w: packed(extended(w), method=ZIP_STORED), {}),
        ("ASiC-E, two signatures", lambda w: packed(_two(w)), {"findings": 2}),
        ("ASiC-E with an archive time-stamp", lambda w: packed(_stamped(w)), {"findings": 2, "stamped": True}),
        ("SHA-1 digests, proven to be old", _sha1_long_ago, {"stamped": True}),
        (
            "ASiC-E with XAdES, handed on",
            lambda w: packed({"mimetype": EXTENDED, "a.txt": LETTER, "META-INF/signatures0.xml": b"<x/>"}),
            {},
        ),
    )
}


def list_without(files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """The files without one."""
    return {one: content for one, content in files.items() if one != name}


# --- one function for each defect ------------------------------------------------------------------------------------------------


def _refused(name: str, data: bytes, code: str) -> Case:
    return Case(name, data, None, (code,), findings=0)


def file_changed(world: World) -> Case:
    files = simple(world) | {"công văn.txt": LETTER + b"!"}
    return Case("the file changed", packed(files), None, ("tampered",), "failed")


def file_under_manifest_changed(world: World) -> Case:
    files = extended(world) | {"phụ lục/1.pdf": ANNEX + b"!"}
    return Case("a file under a manifest changed", packed(files), None, ("attachment-integrity",), "failed")


def manifest_changed(world: World) -> Case:
    files = extended(world)
    objects = {"công văn.txt": LETTER, "phụ lục/1.pdf": ANNEX + b"!"}
    return Case("file and manifest changed", packed(files | objects | {MANIFEST: manifest(objects)}), None, ("tampered",), "failed")


def file_missing(world: World) -> Case:
    return Case("a file is missing", packed(list_without(extended(world), "phụ lục/1.pdf")), None, ("reference-missing",), "failed")


def file_added(world: World) -> Case:
    return Case("a file that nobody signed", packed(extended(world) | {"evil.pdf": b"x"}), None, ("coverage",))


def second_file_in_simple(world: World) -> Case:
    return _refused("two files in ASiC-S", packed(simple(world) | {"evil.txt": b"x"}), "malformed-container")


def signature_without_manifest(world: World) -> Case:
    files = list_without(extended(world), MANIFEST)
    return Case("a signature that no manifest names", packed(files), None, ("malformed-container",), "failed")


def manifest_leads_out(world: World) -> Case:
    data = packed(extended(world, over=manifest({"../../etc/passwd": LETTER})))
    return _refused("a manifest that leads out", data, "path-traversal")


def manifest_asks_network(world: World) -> Case:
    octets = manifest({"a.txt": LETTER}).replace(b'URI="a.txt"', b'URI="http://example.invalid/a.txt"')
    return _refused("a manifest that asks the network", packed(extended(world, over=octets)), "external-reference")


def manifest_with_dtd(world: World) -> Case:
    octets = b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + manifest({"a.txt": LETTER})
    return _refused("a manifest with a DTD", packed(extended(world, over=octets)), "dtd-forbidden")


def digests_by_sha1(world: World) -> Case:
    objects = {"công văn.txt": LETTER, "phụ lục/1.pdf": ANNEX}
    data = packed(extended(world, over=manifest(objects, digest="sha1")))
    return Case("SHA-1 digests today", data, None, ("alg-forbidden",))


def content_inside(world: World) -> Case:
    files = simple(world) | {"META-INF/signature.p7s": build_cms.openssl(world.person, "-nodetach", content=b"another")}
    return Case("a signature over content of its own", packed(files), None, ("cms-malformed",), "failed")


def stamp_of_another(world: World) -> Case:
    files = _stamp_only(world) | {"a.txt": ANNEX}
    return Case("a time-stamp of another file", packed(files), None, ("timestamp-invalid",), "failed")


def nobody_signed(_: World) -> Case:
    return _refused("nobody signed", packed({"mimetype": EXTENDED, "a.txt": LETTER}), "no-signature")


def mimetype_unknown(world: World) -> Case:
    return _refused("a mimetype that nobody knows", packed(simple(world) | {"mimetype": b"text/plain"}), "malformed-container")


def mimetype_late(world: World) -> Case:
    files = list_without(simple(world), "mimetype") | {"mimetype": SIMPLE}
    return _refused("mimetype not first", packed(files), "malformed-container")


def mimetype_packed(world: World) -> Case:
    return _refused("mimetype packed", packed(simple(world), mimetype_method=ZIP_DEFLATED), "malformed-container")


def leads_out(world: World) -> Case:
    return _refused("a name that leads out", packed(extended(world) | {"../evil.sh": b"x"}), "path-traversal")


def absolute(world: World) -> Case:
    return _refused("an absolute name", packed(extended(world) | {"/etc/evil": b"x"}), "path-traversal")


def backslash(world: World) -> Case:
    return _refused("a name with backslashes", packed(extended(world) | {"..\\evil.exe": b"x"}), "path-traversal")


def link(world: World) -> Case:
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name, content in extended(world).items():
            archive.writestr(entry(name, ZIP_STORED), content)
        info = entry("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, b"/etc/passwd")
    return _refused("a link", out.getvalue(), "path-traversal")


def twice(world: World) -> Case:
    data = packed(extended(world) | {"công văn.tx_": b"evil"}, method=ZIP_STORED)
    name = "công văn.tx_".encode()
    return _refused("a name twice", data.replace(name, name[:-1] + b"t"), "malformed-container")


def twice_but_for_case(world: World) -> Case:
    return _refused("a name twice but for its case", packed(extended(world) | {"CÔNG VĂN.TXT": b"evil"}), "malformed-container")


def two_names(world: World) -> Case:
    """The local header says one name, the directory another."""
    data = packed(extended(world) | {"evil.txt": b"x"})
    at = data.index(b"evil.txt")
    return _refused("two names for one file", data[:at] + b"good.txt" + data[at + 8 :], "malformed-container")


def hidden_entry(world: World) -> Case:
    """An entry between others that the directory does not list; a reader in a stream sees it."""
    data = packed(extended(world), method=ZIP_STORED)
    other = packed({"evil.txt": b"evil"}, method=ZIP_STORED)
    hidden = other[: other.index(b"PK\x01\x02")]
    return _refused("bytes before the first entry", hidden + data, "malformed-container")


def bytes_after(world: World) -> Case:
    return _refused("bytes after the end", packed(extended(world)) + b"evil", "malformed-container")


def bomb(world: World) -> Case:
    return _refused("a file of 150 MB from some KB", packed(extended(world) | {"bomb": b"\0" * 150_000_000}), "decompression-bomb")


def lying_size(world: World) -> Case:
    """Says that it unpacks to ten bytes."""
    data = packed(extended(world) | {"bomb": b"\0" * 900_000})
    return _refused(
        "a file larger than it says", data.replace((900_000).to_bytes(4, "little"), (10).to_bytes(4, "little")), "malformed-container"
    )


def damaged(world: World) -> Case:
    data = packed(simple(world), method=ZIP_STORED)
    return _refused("a damaged file", changed(data, LETTER[:40] + LETTER[40:], b"\1" + LETTER[1:]), "malformed-container")


def cut_short(world: World) -> Case:
    return _refused("cut short", packed(simple(world))[:-30], "malformed-container")


DEFECTS: tuple[Builder, ...] = (
    file_changed,
    file_under_manifest_changed,
    manifest_changed,
    file_missing,
    file_added,
    second_file_in_simple,
    signature_without_manifest,
    manifest_leads_out,
    manifest_asks_network,
    manifest_with_dtd,
    digests_by_sha1,
    content_inside,
    stamp_of_another,
    nobody_signed,
    mimetype_unknown,
    mimetype_late,
    mimetype_packed,
    leads_out,
    absolute,
    backslash,
    link,
    twice,
    twice_but_for_case,
    two_names,
    hidden_entry,
    bytes_after,
    bomb,
    lying_size,
    damaged,
    cut_short,
)


def cases(world: World) -> list[Case]:
    """All of them."""
    return [build(world) for build in (*HONEST.values(), *DEFECTS)]
