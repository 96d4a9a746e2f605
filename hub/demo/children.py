"""The demo's processes: started one by one, ended always – also when the demo itself fails, is interrupted or is killed."""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

READY_S = 120.0  # a cold start with everything still to be read from a slow disk
POLL_S = 0.02
STOP_S = 15.0  # the hub ends deliveries under way first
LOG_TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1  # prctl(2)
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class ChildFailed(RuntimeError):
    """A process of the demo did not come up or ended too early; the text names it and shows the end of its log."""


@dataclass
class Child:
    """One process. `ready` is the JSON line by which it said that it is listening."""

    name: str
    command: Sequence[str]
    log: Path  # its standard error
    said: Path  # its standard output; a file, not a pipe: nobody has to go on reading it
    process: subprocess.Popen[bytes] = field(repr=False)
    ready: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def wait_ready(self) -> Child:
        """Returns once it has printed its ready line. Raises `ChildFailed`."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            ended = not self.is_running  # asked before reading, so that last words are heard
            for line in self.said.read_bytes().splitlines(keepends=True):
                found = _parsed(line) if line.endswith(b"\n") else None
                if found is not None:
                    self.ready = found
                    return self
            if ended:
                break
            time.sleep(POLL_S)
        end = "said nothing" if self.is_running else f"ended ({self.process.returncode})"
        raise ChildFailed(f"{self.name} {end} before it was ready: {' '.join(self.command)}\n{self.tail()}")

    def stop(self) -> None:
        """Asks it to end; ends it by force after `STOP_S`. Does nothing if it has ended."""
        if self.is_running:
            with suppress(ProcessLookupError):
                self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def tail(self) -> str:
        """The last lines of its log."""
        with suppress(OSError):
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-LOG_TAIL_LINES:])
        return ""


@dataclass
class Children:
    """All processes of one demo; leaving the `with` block ends them, the last started first."""

    logs: Path
    environment: Mapping[str, str]
    _running: list[Child] = field(default_factory=list)

    def __enter__(self) -> Children:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        with _Deaf():  # a second Ctrl-C must not leave orphans behind
            for child in reversed(self._running):
                with suppress(ProcessLookupError):
                    child.process.terminate()  # all at once first: they end side by side
            while self._running:
                self._running.pop().stop()

    @property
    def running(self) -> tuple[Child, ...]:
        """Those that were started and not stopped."""
        return tuple(self._running)

    def start(self, name: str, module: str, *arguments: str) -> Child:
        """``python -m module arguments``, once it has printed its ready line. Raises `ChildFailed`."""
        return self.launch(name, module, *arguments).wait_ready()

    def launch(self, name: str, module: str, *arguments: str) -> Child:
        """The same without waiting, so that several come up side by side."""
        command = (sys.executable, "-m", module, *arguments)
        log, said = self.logs / f"{name}.log", self.logs / f"{name}.out"
        with log.open("ab") as errors, said.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=dict(self.environment),
                process_group=0,  # Ctrl-C reaches the demo alone, which then ends them in order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - started from the main thread only
            )
        child = Child(name, command, log, said, process)
        self._running.append(child)
        return child

    def stop(self, child: Child) -> None:
        """Ends one of them before the others."""
        child.stop()
        self._running.remove(child)


class Terminated(SystemExit):
    """SIGTERM or SIGHUP, as an exception, so that everything is tidied up on the way out."""


class Signals:
    """While the block runs, SIGTERM and SIGHUP raise `Terminated` in the main thread."""

    def __enter__(self) -> Signals:
        self._before = {number: signal.signal(number, _terminated) for number in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)


class _Deaf:
    """While the block runs, signals that would interrupt it are ignored."""

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *_SIGNALS)}

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise Terminated(128 + number)


def _die_with_parent() -> None:
    """Linux: should the demo be killed outright, the kernel ends its children."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get("ready") else None
