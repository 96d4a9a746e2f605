"""`lgsp convert FILE --to qcvn102`: a packet of the 2014 generation, or any that can be read, as the canonical one; every loss is listed.

Exit codes: 0 converted (losses are on stderr), 1 refused, 2 usage.
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Target(StrEnum):
    """What can be written."""

    QCVN102 = "qcvn102"


def command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="gói tin / packet")],
    to: Annotated[Target, typer.Option(help="định dạng đích / format to write")] = Target.QCVN102,
    output: Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help="tệp đích / file to write; mặc định stdout")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="thông tin mất đi dạng JSON / losses as JSON, on stderr")] = False,
) -> None:
    """Chuyển gói tin edXML thế hệ cũ sang QCVN 102:2016, nêu rõ phần mất đi. / Convert old edXML packets; name what is lost."""
    from datetime import UTC, datetime

    from schemas.edxml.convert import convert
    from schemas.edxml.dialects import LOSSES
    from schemas.message import Inbound

    if output is not None and output.exists() and output.samefile(file):
        raise typer.BadParameter("tệp đích phải khác tệp nguồn / the file to write must be another one")
    conversion = convert(Inbound(file.read_bytes(), "", "", f"convert {to}", datetime.now(UTC)))
    if output is not None:
        output.write_bytes(conversion.raw)
    else:
        sys.stdout.buffer.write(conversion.raw)
    if json_output:
        losses = [{"name": one.name, "path": one.path, "got": one.got} for one in conversion.losses]
        print(json.dumps({"dialect": conversion.dialect, "losses": losses}, ensure_ascii=False), file=sys.stderr)
    else:
        for one in conversion.losses:
            text = LOSSES[one.name]
            print(f"! {one.name} {one.path} {one.got}: {text.vi} / {text.en}", file=sys.stderr)
