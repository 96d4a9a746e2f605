"""The command `lgsp`. Exit codes everywhere: 0 yes or valid, 1 no or invalid, 2 usage, 3 indeterminate or unavailable.

Each command lives in its own module and imports what it needs when it runs, so that `lgsp --help` is quick.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from hub.cli import (
    agency,
    backup,
    bench,
    convert,
    deadline,
    delivery,
    demo,
    dictionary,
    directory,
    erase,
    errors,
    evidence,
    formats,
    init,
    keys,
    log,
    login,
    person,
    replay,
    search,
    send,
    serve,
    sign,
    slip,
    stats,
    translate,
    validate,
    verify,
    witness,
)
from schemas.errors import Disposition, HubError

USAGE_CODES = frozenset(
    {
        "settings-invalid",
        "signing-key-unusable",
        "evidence-signer-missing",
        "invalid-request",
        "deadline-time-unreadable",
        "deadline-term-unreadable",
        "deadline-pause-invalid",
    }
)

app = typer.Typer(
    name="lgsp",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Trục liên thông văn bản, hồ sơ cấp tỉnh (LGSP). / Interoperability hub for government document packages.",
)
app.command("init")(init.command)
app.command("demo")(demo.command)
app.command("serve")(serve.command)
app.command("worker")(serve.worker)
app.command("search")(search.command)
app.command("stats")(stats.command)
app.command("send")(send.send)
app.command("status")(send.status)
app.command("inbox")(send.inbox)
app.command("sign")(sign.command)
app.command("verify")(verify.command)
app.command("login")(login.login)
app.command("logout")(login.logout)
app.command("validate")(validate.command)
app.command("convert")(convert.command)
app.add_typer(bench.app, name="bench")
app.command("deadline", cls=deadline.PausesInPairs)(deadline.command)
app.command("erase")(erase.erase)
app.add_typer(erase.hold_app, name="hold")
app.add_typer(erase.retention_app, name="retention")
app.command("errors")(errors.command)
app.command("slip")(slip.command)
app.command("translate")(translate.command)
app.add_typer(agency.app, name="agency")
app.add_typer(backup.app, name="backup")
app.add_typer(delivery.app, name="delivery")
app.add_typer(dictionary.app, name="dictionary")
app.add_typer(directory.app, name="directory")
app.add_typer(evidence.app, name="evidence")
app.add_typer(formats.app, name="formats")
app.add_typer(keys.app, name="keys")
app.add_typer(log.app, name="log")
app.add_typer(witness.app, name="witness")
app.add_typer(person.app, name="person")
app.add_typer(replay.app, name="replay")


def _version(asked: bool) -> None:
    if asked:
        print(f"lgsp-hub {version('lgsp-hub')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="phiên bản / the version")] = False,
) -> None:
    """Trục liên thông văn bản, hồ sơ cấp tỉnh (LGSP). / Interoperability hub for government document packages."""


def main() -> None:
    """Runs the command line; an error of the hub becomes a text in both languages and an exit code."""
    try:
        app()
    except HubError as fault:
        _tell(fault)
        sys.exit(exit_code(fault))


def exit_code(fault: HubError) -> int:
    """1 for a no, 2 for what the caller wrote wrongly, 3 for what is not there just now."""
    if fault.code in USAGE_CODES:
        return 2
    return 1 if fault.disposition in (Disposition.REFUSE, Disposition.PARK) else 3


def _tell(fault: HubError) -> None:
    if "--json" in sys.argv:
        print(json.dumps(fault.as_json(), ensure_ascii=False))
        return
    lines = [f"{fault.code}: {fault.spec.title.vi} / {fault.spec.title.en}"]
    lines += [f"  got: {fault.got}"] if fault.got else []
    lines += [f"  expected: {fault.expected}"] if fault.expected else []
    lines += [f"  - {v.path}: {v.got}; {v.expected}" for v in fault.violations]
    lines.append(f"  → {fault.spec.remedy.vi} / {fault.spec.remedy.en}")
    print("\n".join(lines), file=sys.stderr)
