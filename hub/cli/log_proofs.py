"""`lgsp log consistency|verify|vectors|adopt|mend`: what an auditor checks without a hub, and what an operator does after a loss."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.files import bytes_of, print_json
from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.opened import opened

if TYPE_CHECKING:
    from signing.cosignature import CosignatureVerifier
    from signing.note import NoteVerifier

Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
LogKeys = Annotated[list[str], typer.Option("--log-key", help="khóa công khai của nhật ký: tên+mã+khóa / name+hash+key")]


def consistency(
    old: Annotated[str, typer.Argument(metavar="SIZE_OR_FILE", help="kích thước cũ, hoặc tệp điểm kiểm cũ / an older size, or checkpoint")],
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Chứng minh nhật ký nay chỉ nối thêm vào trạng thái cũ. / Prove that the log of now only adds to an older one."""
    from hub.log_opening import publisher_of
    from replay.checkpoint import Checkpoint
    from replay.consistency import ConsistencyProof, check_consistency
    from replay.journal import Journal
    from replay.tiles import Tiles
    from schemas.errors import Refused

    with opened(home) as (settings, ring, store):
        publisher = publisher_of(settings, ring, store, Journal(ring.journal_keys(), settings.origin))
        is_size = old.isascii() and old.isdigit() and len(old) < 19
        note = None if is_size else bytes_of(Path(old))
        old_size = int(old) if note is None else Checkpoint.opened(note, publisher.log_keys).size
        now = publisher.publish()
        if old_size > now.checkpoint.size:
            raise Refused("inconsistent", got=f"size {now.checkpoint.size}", expected=f"a log that continues its size {old_size}")
        with store.read() as conn:
            path = Tiles(conn, now.checkpoint.size).consistency(old_size)
        proof = ConsistencyProof(old_size, now.checkpoint.size, path, now.note)
        if note is not None:
            check_consistency(proof, note, publisher.log_keys)
    if as_json:
        print_json(proof.as_json())
        return
    print(f"size {proof.old_size} to {proof.size}")
    for each in proof.proof:
        print(f"    proof {each.hex()}")
    print(f"\n{proof.checkpoint.decode()}", end="")


def verify(
    file: Annotated[Path, typer.Argument(help="bằng chứng (JSON, tlog-proof) hoặc điểm kiểm; - là đầu vào chuẩn / - is standard input")],
    *,
    log_key: LogKeys,
    older: Annotated[Path | None, typer.Option("--checkpoint", help="điểm kiểm cũ đã giữ, cho bằng chứng nối tiếp / the older one")] = None,
    witness: Annotated[list[str] | None, typer.Option("--witness", help="khóa bên làm chứng / a witness's name+hash+key")] = None,
    quorum: Annotated[int, typer.Option(min=0, help="số bên làm chứng cần có; 0 = tất cả / how many; 0 = all given")] = 0,
    as_json: Json = False,
) -> None:
    """Kiểm tra bằng chứng hoặc điểm kiểm, không cần hub; 0 = đúng, 1 = sai. / Check a proof or checkpoint without a hub."""
    from schemas.errors import Refused

    known_keys, witnesses = log_keys(log_key), witness_keys(witness or [])
    if quorum > len(witnesses):
        raise Refused("invalid-request", got=f"--quorum {quorum}", expected=f"at most the {len(witnesses)} witnesses given")
    shown, note = _checked(bytes_of(file), older, known_keys)
    cosigned = _cosigned(note, witnesses, quorum or len(witnesses))
    if witnesses:
        shown["witnesses"] = cosigned
    if as_json:
        print_json({"valid": True, **shown})
        return
    print(f"ĐÚNG / VALID: {shown['origin']}, {shown['says']}")
    for name, at in cosigned.items():
        print(f"  đồng ký / cosigned: {name} {at}")
    if shown.get("values") is not None:
        print(json.dumps(shown["values"], ensure_ascii=False, indent=2))


def _checked(data: bytes, older: Path | None, log_keys: tuple[NoteVerifier, ...]) -> tuple[dict[str, Any], bytes]:
    """What the document shows, and the checkpoint in it."""
    from replay.checkpoint import Checkpoint
    from replay.consistency import FORMAT, ConsistencyProof, check_consistency
    from replay.proof import InclusionProof, check_proof
    from replay.tlog_proof import from_text, is_tlog_proof
    from schemas.errors import Refused

    if not data.lstrip().startswith(b"{") and not is_tlog_proof(data):
        opened_one = Checkpoint.opened(data, log_keys)
        root = b64encode(opened_one.root).decode("ascii")
        says = f"checkpoint of {opened_one.size} entries, root {root}"
        return {"kind": "checkpoint", "origin": opened_one.origin, "size": opened_one.size, "root": root, "says": says}, data
    document = None if is_tlog_proof(data) else _document(data)
    if isinstance(document, dict) and document.get("format") == FORMAT:
        if older is None:
            raise Refused("invalid-request", got="a consistency proof alone", expected="--checkpoint with the older checkpoint you kept")
        proof = ConsistencyProof.from_json(document)
        old, new = check_consistency(proof, bytes_of(older), log_keys)
        root, says = b64encode(new.root).decode("ascii"), f"size {new.size} continues size {old.size}"
        figures = {"origin": new.origin, "old_size": old.size, "size": new.size, "root": root}
        return {"kind": "consistency", **figures, "says": says}, proof.checkpoint
    inclusion = from_text(data) if document is None else InclusionProof.from_json(document)
    proven = check_proof(inclusion, log_keys)
    says = f"entry {proven.index} of {proven.checkpoint.size}: {proven.entry.event} {proven.entry.at}"
    return {"kind": "inclusion", **proven.as_json(), "says": says}, inclusion.checkpoint


def _cosigned(note: bytes, witnesses: tuple[CosignatureVerifier, ...], quorum: int) -> dict[str, str]:
    """The witnesses that cosigned, with their times. Raises `Refused("quorum-missing")`."""
    from datetime import UTC, datetime

    from schemas.errors import Refused
    from signing.cosignature import cosigned_at

    found = cosigned_at(note, witnesses) if witnesses else {}
    if len(found) < quorum:
        raise Refused("quorum-missing", got=", ".join(found) or "no cosignature", expected=f"{quorum} of {len(witnesses)} witnesses")
    try:
        return {name: datetime.fromtimestamp(at_s, UTC).isoformat() for name, at_s in found.items()}
    except (ValueError, OverflowError, OSError) as fault:
        raise Refused("quorum-missing", got=f"a cosignature with a time out of this world: {fault}", expected="a POSIX time") from fault


def vectors(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="thư mục tệp JSON / a folder of JSON files, searched with its subfolders")],
    as_json: Json = False,
) -> None:
    """Chạy bộ vectơ kiểm thử Merkle (transparency-dev/merkle); 1 nếu có cái sai. / Run Merkle test vectors; 1 on any failure."""
    from replay.vectors import run_vectors

    run = run_vectors(folder)
    if as_json:
        print_json(run.as_json())
    else:
        for one in run.failed:
            print(f"FAILED {one.path}: {one.detail}")
        for kind, edition in run.editions.items():
            print(f"{kind}: of an empty old tree RFC 6962 says nothing; judged by the edition that these vectors follow: {edition}")
        print(f"{len(run.outcomes) - len(run.failed)} passed, {len(run.failed)} failed")
    raise typer.Exit(1 if run.failed else 0)


def adopt(
    home: Home = DEFAULT_HOME,
    checkpoint: Annotated[Path | None, typer.Option(help="điểm kiểm mới nhất bên khác còn giữ / the newest that somebody holds")] = None,
    as_it_is: Annotated[bool, typer.Option("--as-it-is", help="không có điểm kiểm nào để so / there is none to compare with")] = False,
    as_json: Json = False,
) -> None:
    """Sau khi mất tệp điểm kiểm: kiểm tra kho rồi công bố lại. / After the checkpoint file was lost: examine the store, publish anew."""
    from hub.log_opening import publisher_of
    from replay.journal import Journal
    from schemas.errors import Refused

    if (checkpoint is None) == (not as_it_is):
        raise Refused("invalid-request", got="neither or both", expected="--checkpoint FILE, or --as-it-is where nobody holds one")
    note = None if checkpoint is None else bytes_of(checkpoint)
    with opened(home) as (settings, ring, store):
        made = publisher_of(settings, ring, store, Journal(ring.journal_keys(), settings.origin)).adopt(note)
    _show_published(made.note, made.checkpoint.size, as_json)


def mend(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Băm lại mọi mục và sửa các nút cây suy ra từ chúng. / Hash every entry again and mend the tree nodes derived from them."""
    from hub.log_opening import publisher_of
    from replay.journal import Journal

    with opened(home) as (settings, ring, store):
        made = publisher_of(settings, ring, store, Journal(ring.journal_keys(), settings.origin)).mend()
    _show_published(made.note, made.checkpoint.size, as_json)


def _show_published(note: bytes, size: int, as_json: bool) -> None:
    if as_json:
        print_json({"size": size, "note": note.decode()})
    else:
        print(note.decode(), end="")


def _document(data: bytes) -> Any:
    from schemas.errors import Refused

    try:
        return json.loads(data)
    except (ValueError, RecursionError) as fault:
        raise Refused("proof-malformed", got="not JSON", expected="a file of `lgsp log prove` or `lgsp log consistency`") from fault


def log_keys(texts: list[str]) -> tuple[NoteVerifier, ...]:
    """The log's keys as given. Raises `Refused("invalid-request")`."""
    from schemas.errors import Refused
    from signing.note import NoteVerifier

    try:
        return tuple(NoteVerifier.of(text) for text in texts)
    except Refused as fault:
        raise Refused("invalid-request", got=fault.got, expected=f"--log-key {fault.expected}") from fault


def witness_keys(texts: list[str]) -> tuple[CosignatureVerifier, ...]:
    """Each witness's key once. Raises `Refused("invalid-request")`."""
    from schemas.errors import Refused
    from signing.cosignature import CosignatureVerifier

    try:
        return tuple({each.name: each for each in map(CosignatureVerifier.of, texts)}.values())
    except Refused as fault:
        raise Refused("invalid-request", got=fault.got, expected=f"--witness {fault.expected}") from fault
