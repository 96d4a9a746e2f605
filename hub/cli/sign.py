"""`lgsp sign FILE`: a packet (XAdES, XMLDSig), a PDF (PAdES) or any file (CMS) with a signature by a key from PKCS#12 or PKCS#11.

Exit codes: 0 signed, 1 cannot be signed, 2 usage or an unusable key, 3 token or time-stamping authority unavailable.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.secret import SecretEnv, SecretFile, read_secret

if TYPE_CHECKING:
    from signing.sign_key import Credential
    from signing.sign_stamp import TimeAuthority


class Form(StrEnum):
    """What is made."""

    AUTO = "auto"  # by what the file is: PDF, XML, anything else
    XADES = "xades"
    XMLDSIG = "xmldsig"
    PDF = "pdf"
    CMS = "cms"


_HELP_P11 = "thư viện PKCS#11 của thiết bị / the token's PKCS#11 library"


def command(
    file: Annotated[Path, typer.Argument(help="tệp cần ký / the file to sign", exists=True, dir_okay=False, readable=True)],
    *,
    form: Annotated[Form, typer.Option("--form", help="dạng chữ ký / form of the signature")] = Form.AUTO,
    out: Annotated[Path | None, typer.Option("--out", help="tệp kết quả / where to write; default: beside the file")] = None,
    pkcs12: Annotated[Path | None, typer.Option("--pkcs12", help="tệp khóa .p12, .pfx / key file", exists=True, dir_okay=False)] = None,
    pkcs11: Annotated[Path | None, typer.Option("--pkcs11", help=_HELP_P11, exists=True, dir_okay=False)] = None,
    token: Annotated[str, typer.Option("--token", help="nhãn thiết bị / label of the token")] = "",
    key: Annotated[str, typer.Option("--key", help="nhãn khóa / label of the key")] = "",
    home: Annotated[Path | None, typer.Option("--home", help="ký bằng khóa của hub, [signing] trong hub.toml / with the hub's key")] = None,
    secret_env: SecretEnv = "",
    secret_file: SecretFile = None,
    tsa: Annotated[str, typer.Option("--tsa", help="địa chỉ cấp dấu thời gian RFC 3161 / time-stamping authority: B-T")] = "",
    attached: Annotated[bool, typer.Option("--attached", help="CMS kèm nội dung / CMS with its content")] = False,
    field: Annotated[str, typer.Option("--field", help="trường ký của PDF / the PDF's signature field")] = "",
    reason: Annotated[str, typer.Option("--reason", help="lý do ký, trong PDF / reason, in the PDF")] = "",
    location: Annotated[str, typer.Option("--location", help="nơi ký, trong PDF / place, in the PDF")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="in JSON / print JSON")] = False,
) -> None:
    """Ký số gói tin, PDF hoặc tệp bất kỳ. / Sign a packet, a PDF or any file."""
    now = datetime.now(UTC)
    ways = [way for way in (pkcs12, pkcs11, home) if way is not None]
    if len(ways) != 1 or (pkcs11 is not None) != bool(token and key):
        raise typer.BadParameter("--pkcs12 FILE | --pkcs11 LIB --token LABEL --key LABEL | --home HOME")
    data = file.read_bytes()
    chosen = _recognised(data) if form is Form.AUTO else form
    target = out or _beside(file, chosen)
    if target.exists():
        raise typer.BadParameter(f"{target}: đã có / exists already", param_hint="--out")
    if home is not None:
        credential, authority = _of_hub(home, tsa, now)
    else:
        credential = _credential(pkcs12, pkcs11, token, key, read_secret(secret_env, secret_file, "mật khẩu hoặc PIN / password or PIN"))
        authority = _authority(tsa)
    try:
        credential.check(now)
        signed = _signed(data, chosen, credential, authority, at=now, attached=attached, told=(field, reason, location))
    finally:
        credential.custody.close()
    with target.open("xb") as written:
        written.write(signed)
    _tell(target, chosen, credential, authority is not None and chosen is not Form.XMLDSIG, as_json)


def _recognised(data: bytes) -> Form:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"%PDF-"):
        return Form.PDF
    return Form.XADES if head.startswith(b"<") else Form.CMS


def _beside(file: Path, form: Form) -> Path:
    return file.with_name(file.name + ".p7s") if form is Form.CMS else file.with_name(f"{file.stem}.signed{file.suffix}")


def _credential(pkcs12: Path | None, pkcs11: Path | None, token: str, key: str, secret: str) -> Credential:
    if pkcs12 is not None:
        from signing.sign_key import from_pkcs12

        return from_pkcs12(pkcs12, secret.encode() or None)
    from signing.sign_token import TokenKey, from_token

    return from_token(TokenKey(str(pkcs11), token, key), secret)


def _authority(url: str) -> TimeAuthority | None:
    from signing.sign_stamp import TimeAuthority

    return TimeAuthority.at(url, lambda: secrets.randbits(63)) if url else None


def _of_hub(home: Path, tsa: str, at: datetime) -> tuple[Credential, TimeAuthority | None]:
    from hub.settings import load_settings
    from hub.signer import open_signer
    from schemas.errors import Halted

    signer = open_signer(load_settings(home), at)
    if signer is None:
        raise Halted("settings-invalid", got="no [signing] in hub.toml", expected="pkcs12 or module, token and key")
    return signer.credential, _authority(tsa) or signer.authority


def _signed(
    data: bytes, form: Form, credential: Credential, authority: TimeAuthority | None, *, at: datetime, attached: bool, told: Sequence[str]
) -> bytes:
    if form in (Form.XADES, Form.XMLDSIG):
        from signing import sign_xml

        if form is Form.XMLDSIG:
            return sign_xml.sign(data, credential)
        return sign_xml.sign(data, credential, properties=sign_xml.Properties(at), authority=authority)
    from signing.sign_files import sign_cms, sign_pdf

    if form is Form.PDF:
        return sign_pdf(data, credential, authority=authority, field=told[0], reason=told[1], location=told[2])
    return sign_cms(data, credential, at=at, detached=not attached, authority=authority)


def _tell(target: Path, form: Form, credential: Credential, stamped: bool, as_json: bool) -> None:
    from signing import certificate

    signer = certificate.of(credential.chain[0])
    level = "" if form is Form.XMLDSIG else "B-T" if stamped else "B-B"
    if as_json:
        print(
            json.dumps({"file": str(target), "form": form, "level": level, "signer": signer.subject, "certificate_sha256": signer.sha256})
        )
        return
    print(f"{target}  {form} {level}".rstrip())
    print(f"  người ký / signer: {signer.subject}")
