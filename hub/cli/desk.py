"""What commands that write need of a hub's home: its store, its journal, one committer. Works beside a running hub."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.files import bytes_of
from hub.cli.opened import open_erased

if TYPE_CHECKING:
    from hub.commit import Committer
    from hub.keys import Keyring
    from hub.sessions import Session, Sessions
    from hub.settings import Settings
    from replay.store.engine import Store

SessionFile = Annotated[
    Path,
    typer.Option("--session", envvar="LGSP_SESSION", help="tệp phiên làm việc của `lgsp login` / the session file of `lgsp login`"),
]
DEFAULT_SESSION = Path(typer.get_app_dir("lgsp")) / "session"


@dataclass(frozen=True, slots=True)
class Desk:
    """An open home. The committer runs."""

    settings: Settings
    ring: Keyring
    store: Store
    committer: Committer

    @property
    def sessions(self) -> Sessions:
        """Logging in."""
        from hub.node import utc_now
        from hub.sessions import Sessions

        return Sessions(self.store, self.committer, self.settings.persons, utc_now)

    def session(self, file: Path) -> Session:
        """The session whose token lies in `file`. Raises `Refused("session-invalid")`."""
        from schemas.errors import Refused

        try:
            if file.stat().st_mode & 0o077:
                raise Refused("session-invalid", got=f"{file.name}, readable by others", expected="mode 600")
            token = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            raise Refused("session-invalid", got=f"{file}: {type(fault).__name__}", expected="a session: lgsp login") from fault
        return self.sessions.of(token)


@contextmanager
def opened(home: Path) -> Iterator[Desk]:
    """The home, until the block ends. Raises `Halted` as its parts do."""
    from hub.commit import Committer
    from hub.keys import Keyring
    from hub.settings import load_settings
    from replay.journal import Journal

    settings = load_settings(home)
    ring = Keyring.load(settings.keys_folder)
    store = open_erased(settings, create=True)
    committer = Committer(store, Journal(ring.journal_keys(), settings.origin))
    committer.start()
    try:
        yield Desk(settings, ring, store, committer)
    finally:
        committer.stop()
        store.close()


def administrator() -> str:
    """Who works on the hub's machine itself: ``console:<user>``, as the journal names them."""
    try:
        return f"console:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"console:{os.getuid()}"


def secret_from(file: Path | None, question: str, *, twice: bool) -> str:
    """A password from a file, from standard input (``-``), or typed unseen. Never from the command line, which others can read.

    Raises `Refused("invalid-request")` for a file that cannot be read, or is not UTF-8.
    """
    if file is None:
        text: str = typer.prompt(question, hide_input=True, confirmation_prompt=twice, err=True)
        return text
    from schemas.errors import Refused

    try:
        raw = bytes_of(file).decode("utf-8")
    except UnicodeDecodeError:  # without its cause, which has the bytes
        raise Refused("invalid-request", got=f"{file.name}: not UTF-8", expected="a password in UTF-8") from None
    return raw.removesuffix("\n").removesuffix("\r")
