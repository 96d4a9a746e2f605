"""`lgsp evidence`: containers for outsiders, and checking them without a hub. Exit codes: 0 holds, 1 does not, 2 usage, 3 unavailable."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from hub.cli.files import print_json
from hub.cli.home import DEFAULT_HOME, Home
from hub.cli.secret import SecretEnv, SecretFile, read_secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from hub.evidence import Exporter, Seal
    from hub.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="in JSON / print JSON")]
Out = Annotated[Path | None, typer.Option("--out", help="tệp hoặc thư mục kết quả / file or folder to write")]
Pkcs12 = Annotated[
    Path | None,
    typer.Option("--pkcs12", help="ký bằng khóa này thay vì [signing] / sign with this key instead", exists=True, dir_okay=False),
]
Unsigned = Annotated[
    bool, typer.Option("--unsigned", help="không ký bộ chứa / leave the container unsigned; its reader has to accept that")
]
Since = Annotated[str, typer.Option("--from", help="từ lúc, RFC 3339 có múi giờ / from, RFC 3339 with zone")]
Until = Annotated[str, typer.Option("--to", help="đến trước lúc / to before")]
app = typer.Typer(no_args_is_help=True, help="Bằng chứng cho bên ngoài. / Evidence for outsiders.")


@app.command()
def export(
    message: Annotated[UUID | None, typer.Argument(metavar="[MESSAGE]", help="mã thông điệp / the message's id")] = None,
    *,
    query: Annotated[list[str] | None, typer.Option("--query", help="TÊN=GIÁ_TRỊ như `lgsp search` / NAME=VALUE, repeatable")] = None,
    out: Out = None,
    pkcs12: Pkcs12 = None,
    secret_env: SecretEnv = "",
    secret_file: SecretFile = None,
    unsigned: Unsigned = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Lập bộ chứa ASiC-E cho một thông điệp, hoặc cho mọi thông điệp tìm được. / An ASiC-E container of a message, or of all found."""
    from hub.cli.desk import administrator

    if (message is None) == (not query):
        raise typer.BadParameter("MESSAGE | --query NAME=VALUE")
    with _exporter(home, pkcs12, unsigned, secret_env, secret_file) as exporter:
        wanted = [message] if message is not None else list(_found(exporter, query or []))
        folder = Path() if out is None else out
        single = message is not None and out is not None and not out.is_dir()
        written = [
            _write(out if single and out else folder / f"evidence-{one}.asice", exporter.message(one, administrator())) for one in wanted
        ]
    _tell(written, as_json)
    raise typer.Exit(0 if written else 1)


@app.command()
def completeness(
    *,
    party: Annotated[str, typer.Option("--party", help="mã cơ quan / the agency's code")],
    since: Since,
    until: Until,
    out: Out = None,
    pkcs12: Pkcs12 = None,
    secret_env: SecretEnv = "",
    secret_file: SecretFile = None,
    unsigned: Unsigned = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Chứng minh không giữ lại gì của một cơ quan trong một khoảng thời gian. / Prove that nothing of a party was withheld."""
    from hub.cli.desk import administrator
    from replay.evidence.period import Period
    from schemas.agency import AgencyCode

    period = Period(AgencyCode.of(party), _moment(since, "--from"), _moment(until, "--to"))
    plain = re.sub(r"[^A-Za-z0-9.]", "_", party)
    with _exporter(home, pkcs12, unsigned, secret_env, secret_file) as exporter:
        made = exporter.completeness(period, administrator())
    target = out if out is not None and not out.is_dir() else (out or Path()) / f"completeness-{plain}-{period.since:%Y%m%d}.asice"
    _tell([_write(target, made)], as_json)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="bộ chứa / the container")],
    *,
    log_key: Annotated[list[str], typer.Option("--log-key", help="khóa công khai của nhật ký: tên+mã+khóa / name+hash+key")],
    witness_key: Annotated[list[str] | None, typer.Option("--witness-key", help="khóa bên làm chứng / a witness's name+hash+key")] = None,
    quorum: Annotated[int, typer.Option(min=0, help="số bên làm chứng cần có; 0 = tất cả / how many; 0 = all given")] = 0,
    trust: Annotated[Path | None, typer.Option("--trust", help="thư mục chứng thư tin cậy / folder of trust anchors")] = None,
    receipt_key: Annotated[list[str] | None, typer.Option("--receipt-key", help="mã:base64 của khóa biên nhận / id:base64")] = None,
    party: Annotated[str, typer.Option("--party", help="cơ quan đã hỏi / the party asked about")] = "",
    since: Since = "",
    until: Until = "",
    party_key: Annotated[str, typer.Option("--party-key", help="khóa của cơ quan, base64 / the party's key")] = "",
    accept_unsigned: Annotated[bool, typer.Option("--accept-unsigned", help="chấp nhận bộ chứa không ký / take an unsigned one")] = False,
    as_json: Json = False,
) -> None:
    """Kiểm tra bằng chứng, không cần trục, không cần mạng; 0 = đúng, 1 = sai. / Check evidence offline, without the hub."""
    from hub.cli.files import bytes_of
    from hub.cli.log_proofs import log_keys, witness_keys
    from hub.cli.verify_inputs import Folders
    from replay.evidence.box import Known
    from replay.evidence.check import check
    from replay.evidence.period_check import Asked
    from replay.evidence.report import State

    ctx, _ = Folders(trust, "", None, None, None).context(datetime.now(UTC))
    witnesses = witness_keys(witness_key or [])
    if quorum > len(witnesses):
        raise typer.BadParameter(f"{quorum} > {len(witnesses)}", param_hint="--quorum")
    known = Known(log_keys(log_key), ctx, trust is not None, witnesses, quorum, _receipt_keys(receipt_key or []), accept_unsigned)
    asked = Asked(party, _moment(since, "--from") if since else None, _moment(until, "--to") if until else None, _party_key(party_key))
    report = check(bytes_of(file), known, asked)
    if as_json:
        print_json(report.as_json())
    else:
        signs = {State.OK: "✓", State.FAILED: "✗", State.OPEN: "–"}
        for point in report.points:
            print(f"{signs[point.state]} {point.name}: {point.text}")
        print("HỢP LỆ / VALID" if report.is_valid else "KHÔNG HỢP LỆ / NOT VALID")
    raise typer.Exit(0 if report.is_valid else 1)


@app.command()
def script() -> None:
    """In chương trình kiểm tra độc lập, chỉ cần Python. / Print the stand-alone checker; it needs Python and nothing else."""
    from importlib.resources import files

    print(files("replay.standalone").joinpath("verify_evidence.py").read_text("utf-8"), end="")


@app.command("party-key")
def party_key(party: str, home: Home = DEFAULT_HOME) -> None:
    """In khóa nhận ra mục của một cơ quan, để trao cho cơ quan đó. / Print the key that finds a party's entries: for that party."""
    from base64 import b64encode

    from hub.keys import Keyring
    from hub.settings import load_settings

    print(b64encode(Keyring.load(load_settings(home).keys_folder).parties().of(party)).decode("ascii"))


@contextmanager
def _exporter(home: Path, pkcs12: Path | None, unsigned: bool, env: str, file: Path | None) -> Iterator[Exporter]:
    from hub.cli.desk import opened
    from hub.evidence import Exporter
    from hub.node import utc_now

    with opened(home) as desk:
        seal = _seal(desk.settings, pkcs12, unsigned, env, file)
        yield Exporter(desk.settings, desk.ring, desk.store, desk.committer, utc_now, seal)


def _seal(settings: Settings, pkcs12: Path | None, unsigned: bool, env: str, file: Path | None) -> Seal:
    from hub.evidence import Seal, seal_of
    from hub.node import utc_now
    from signing.sign_key import from_pkcs12

    if unsigned:
        return Seal(None)
    if pkcs12 is None:
        return seal_of(settings, utc_now())
    credential = from_pkcs12(pkcs12, read_secret(env, file, "mật khẩu / password").encode() or None)
    credential.check(utc_now())
    return Seal(credential)


def _found(exporter: Exporter, query: list[str]) -> Iterator[UUID]:
    from hub import find

    pairs = [one.partition("=") for one in query]
    if any(not mark for _, mark, _ in pairs):
        raise typer.BadParameter("NAME=VALUE", param_hint="--query")
    given = {name: value for name, _, value in pairs}
    while True:
        page = find.found(exporter.store, find.asked(given, None))
        yield from (UUID(one["message_id"]) for one in page["items"])
        if page["next"] is None or "limit" in given:
            return
        given["before"] = str(page["next"])


def _write(target: Path, data: bytes) -> Path:
    from schemas.errors import Refused

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            out.write(data)
    except OSError as fault:
        raise Refused("invalid-request", got=f"{target}: {fault.strerror}", expected="a new file in a writable folder") from fault
    return target


def _tell(written: Iterable[Path], as_json: bool) -> None:
    if as_json:
        print_json({"files": [str(path) for path in written]})
    else:
        for path in written:
            print(path)


def _moment(text: str, option: str) -> datetime:
    from schemas.message import instant

    try:
        return instant(text)
    except ValueError as fault:
        raise typer.BadParameter(f"{text!r}: RFC 3339, 2026-11-21T10:00:00+07:00", param_hint=option) from fault


def _party_key(text: str) -> bytes:
    try:
        made = b64decode(text, validate=True)
    except ValueError as fault:
        raise typer.BadParameter("base64", param_hint="--party-key") from fault
    if len(made) not in (0, 32):
        raise typer.BadParameter(f"{len(made)} bytes; 32", param_hint="--party-key")
    return made


def _receipt_keys(texts: list[str]) -> dict[str, Ed25519PublicKey]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        pairs = [text.rpartition(":") for text in texts]
        return {key_id: Ed25519PublicKey.from_public_bytes(b64decode(raw, validate=True)) for key_id, _, raw in pairs}
    except ValueError as fault:
        raise typer.BadParameter("id:base64", param_hint="--receipt-key") from fault
