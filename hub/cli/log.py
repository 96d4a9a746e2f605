"""`lgsp log`: checking the journal, proving from it, and checking a proof without a hub."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from hub.cli import log_proofs
from hub.cli.files import bytes_of, print_json
from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.opened import opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hub.settings import Settings
    from replay.cosigned import Cosigned
    from replay.findings import FsckReport
    from replay.published import Publisher

Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
_INDEX = re.compile(r"[0-9]{1,18}")
app = typer.Typer(no_args_is_help=True, help="Nhật ký: kiểm tra, chứng minh. / The journal: check it, prove from it.")
app.command()(log_proofs.consistency)
app.command()(log_proofs.verify)
app.command()(log_proofs.vectors)
app.command()(log_proofs.adopt)
app.command()(log_proofs.mend)


@app.command()
def fsck(
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    checkpoint: Annotated[
        Path | None, typer.Option(help="điểm kiểm cũ đã giữ ở nơi khác / an older checkpoint that was kept elsewhere", dir_okay=False)
    ] = None,
    payloads: Annotated[bool, typer.Option(help="giải mã và đối chiếu từng gói tin / decrypt and compare every packet")] = True,
) -> None:
    """Suy lại toàn bộ nhật ký và nêu khác biệt đầu tiên; 0 = nguyên vẹn, 1 = không. / Re-derive everything; 0 intact, 1 not."""
    from hub.cli.progress import bar
    from hub.log_opening import witnesses_of
    from replay.fsck import FsckKeys
    from replay.fsck import fsck as run
    from replay.payloads import PayloadStore
    from replay.published import CheckpointFile

    given = None if checkpoint is None else bytes_of(checkpoint)
    with opened(home) as (settings, ring, store):
        expected = CheckpointFile(settings.checkpoint_path).read() if given is None else given
        kept = PayloadStore(ring.master(), settings.data_folder / "payloads", ring.older_masters()) if payloads else None
        witnesses = tuple(key for _, key in witnesses_of(settings))
        keys = FsckKeys(ring.log_verifiers(settings.origin), ring.public("receipt"), kept, witnesses)
        with bar("kiểm tra nhật ký / checking the journal") as progress:
            report = run(store, keys, expected, progress=progress)
    if as_json:
        print_json(report.as_json())
    else:
        _print_report(report)
    raise typer.Exit(0 if report.is_intact else 1)


@app.command()
def status(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Bên làm chứng và dấu thời gian: đã đến đâu, còn nợ gì. / How far witnesses and time stamps are, and what they owe."""
    from hub.log_opening import standing_of
    from hub.node import utc_now

    with opened(home) as (settings, _, store):
        found = standing_of(settings, store, utc_now())
    if as_json:
        print_json(found.as_json())
        return
    print(f"{found.entries} mục / entries, {found.published} đã công bố / published, {found.cosigned} đủ chữ ký / cosigned by the quorum")
    print(f"cần / quorum: {found.quorum} of {len(found.witnesses)}")
    for one in found.witnesses:
        age = "chưa bao giờ / never" if one.age_s is None else f"{one.age_s} s trước / ago"
        print(f"  {one.name}: {one.size}, {age}; còn nợ / behind: {one.behind}")
    if found.stamps is not None:
        stamps = found.stamps
        print(f"dấu thời gian / time stamps: {stamps.size}; còn nợ / owed: {stamps.owed}, lâu nhất / oldest {stamps.owed_s} s")


@app.command()
def prove(
    what: Annotated[str, typer.Argument(metavar="MESSAGE_OR_INDEX", help="mã thông điệp (UUID) hoặc số thứ tự / message id or index")],
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
    disclose: Annotated[bool, typer.Option("--open", help="kèm các giá trị đã cam kết / with the values behind the commitments")] = False,
    tlog: Annotated[bool, typer.Option("--tlog-proof", help="theo khuôn dạng C2SP tlog-proof / as C2SP tlog-proof has it")] = False,
) -> None:
    """Chứng minh một mục nằm trong nhật ký. / Prove that an entry is in the journal."""
    from hub.log_opening import publisher_of
    from replay.journal import Journal, acceptance_of
    from replay.proof import check_proof
    from replay.tlog_proof import to_text

    with opened(home) as (settings, ring, store):
        journal = Journal(ring.journal_keys(), settings.origin)
        publisher = publisher_of(settings, ring, store, journal)
        publisher.publish()
        with store.read() as conn:
            index = int(what) if _INDEX.fullmatch(what) else acceptance_of(conn, _message_id(what))
            note = _shown(conn, settings, publisher, index + 1).note
            proof = journal.prove(conn, index, disclose=disclose, note=note)
        proven = check_proof(proof, publisher.log_keys)
    if tlog:
        print(to_text(proof), end="")
        return
    if as_json:
        print_json(proof.as_json())
        return
    print(f"entry {proof.index} of {proof.size}: {proven.entry.event} {proven.entry.at}")
    print(f"leaf hash {proof.leaf_hash.hex()}")
    for each in proof.path:
        print(f"     path {each.hex()}")
    print(f"     root {proven.checkpoint.root.hex()}")
    if proven.values is not None:
        print(json.dumps(proven.values, ensure_ascii=False, indent=2))
    print(f"\n{proof.checkpoint.decode()}", end="")


@app.command()
def checkpoint(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """In điểm kiểm đã ký (C2SP tlog-checkpoint); hãy giữ một bản ở nơi khác. / Print the signed checkpoint; keep a copy elsewhere."""
    from hub.log_opening import publisher_of
    from replay.checkpoint import Checkpoint
    from replay.journal import Journal

    with opened(home) as (settings, ring, store):
        publisher = publisher_of(settings, ring, store, Journal(ring.journal_keys(), settings.origin))
        now = publisher.publish()
        with store.read() as conn:
            shown = _shown(conn, settings, publisher, now.checkpoint.size)
    if as_json:
        opened_one = Checkpoint.opened(shown.note, publisher.log_keys)
        figures = {"origin": opened_one.origin, "size": opened_one.size, "root": opened_one.root.hex(), "note": shown.note.decode()}
        print_json({**figures, "log_keys": [each.text for each in publisher.log_keys], "witnesses": list(shown.witnesses)})
    else:
        print(shown.note.decode(), end="")


def _shown(conn: Connection, settings: Settings, publisher: Publisher, least: int) -> Cosigned:
    """The newest checkpoint that the quorum cosigned, if it covers `least` entries; else the newest."""
    from hub.log_opening import witnesses_of
    from replay.cosigned import newest_cosigned, with_cosignatures

    names = [verifier.name for _, verifier in witnesses_of(settings)]
    found = newest_cosigned(conn, names, max(settings.log.quorum, 1)) if names else None
    if found is not None and found.size >= least:
        return found
    return with_cosignatures(conn, publisher.publish(), names)


@app.command("verify-proof")
def verify_proof(
    file: Annotated[Path, typer.Argument(help="tệp của `lgsp log prove --json`, - là đầu vào chuẩn / - is standard input")],
    log_key: Annotated[list[str], typer.Option("--log-key", help="khóa công khai của nhật ký: tên+mã+khóa / name+hash+key")],
    as_json: Json = False,
) -> None:
    """Kiểm tra bằng chứng, không cần hub; 0 = đúng, 1 = sai. / Check a proof without a hub; 0 holds, 1 does not."""
    from replay.proof import InclusionProof, check_proof
    from schemas.errors import Refused
    from signing.note import NoteVerifier

    try:
        keys = tuple(NoteVerifier.of(text) for text in log_key)
    except Refused as fault:
        raise Refused("invalid-request", got=fault.got, expected=f"--log-key {fault.expected}") from fault
    try:
        document = json.loads(bytes_of(file))
    except (ValueError, RecursionError) as fault:
        raise Refused("proof-malformed", got="not JSON", expected="a file of `lgsp log prove --json`") from fault
    proven = check_proof(InclusionProof.from_json(document), keys)
    if as_json:
        print_json({"valid": True, **proven.as_json()})
        return
    entry, at = proven.entry, f"entry {proven.index} of {proven.checkpoint.size}"
    print(f"ĐÚNG / VALID: {proven.checkpoint.origin}, {at}: {entry.event} {entry.at}")
    if proven.values is not None:
        print(json.dumps(proven.values, ensure_ascii=False, indent=2))


def _message_id(text: str) -> UUID:
    from schemas.errors import Refused

    try:
        return UUID(text)
    except ValueError as fault:
        raise Refused("unknown-entry", got=text, expected="a message id (UUID) or an index") from fault


def _print_report(report: FsckReport) -> None:
    checked = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()))
    print(f"{report.origin or '(empty)'}: {report.size} entries, root {report.root.hex()}")
    print(f"đã kiểm / checked: {checked or 'nothing'}")
    if report.is_intact:
        print("NGUYÊN VẸN / INTACT")
        return
    print(f"KHÔNG NGUYÊN VẸN / NOT INTACT: {report.found}")
    for each in report.differences:
        about = each.as_json()["message"]
        print(f"  {each.code} {each.path}: {about['vi']} / {about['en']}\n    got {each.got}\n    expected {each.expected}")
