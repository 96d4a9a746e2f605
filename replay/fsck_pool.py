"""fsck, on several processors: chunks go out to processes in turn, and come back in the order in which they went.

Each process has one chunk at a time, while the next is read here: so memory is bounded, and what is found does not depend on who was
quicker. A process that ends before its time takes nothing with it: its chunk is examined here. What goes through the pipes stays on this
machine, between this process and its own children.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from replay.fsck_chunk import Examined, Examiner
from replay.fsck_rows import Chunk
from replay.payloads import MasterKey, PayloadStore

MAX_PROCESSES = 8
LARGE = 20_000  # entries from which starting processes pays


@dataclass(frozen=True, slots=True)
class Kit:
    """What an examiner is made of, in a form that can be sent."""

    receipts: Mapping[str, bytes]  # public keys by id
    masters: Sequence[MasterKey]  # none: payloads are left out
    folder: Path
    origins: Sequence[str]  # names of the log
    facts: frozenset[str]  # events that the examiner hands back

    def examiner(self) -> Examiner:
        """One that works."""
        keys = {name: Ed25519PublicKey.from_public_bytes(raw) for name, raw in self.receipts.items()}
        payloads = PayloadStore(self.masters[0], self.folder, self.masters[1:]) if self.masters else None
        return Examiner(keys, payloads, self.origins, self.facts)


def processes_for(size: int) -> int:
    """How many processes are worth their start for a log of so many entries; 0: none beside this one."""
    processors = len(os.sched_getaffinity(0))
    return 0 if size < LARGE or processors < 2 else min(processors, MAX_PROCESSES)


def examined(chunks: Iterable[Chunk], kit: Kit, processes: int) -> Iterator[Examined]:
    """What each chunk tells, in order."""
    examiner = kit.examiner()
    if not processes:
        yield from map(examiner.examine, chunks)
        return
    workers = [_Worker.started(kit) for _ in range(processes)]
    try:
        idle, busy = deque(workers), deque[tuple[_Worker, Chunk]]()
        for chunk in chunks:
            if idle:
                worker, done = idle.popleft(), None
            else:
                worker, given = busy.popleft()
                done = worker.result() or examiner.examine(given)
            worker.give(chunk)
            busy.append((worker, chunk))
            if done is not None:
                yield done
        for worker, given in busy:
            yield worker.result() or examiner.examine(given)
    finally:
        for worker in workers:
            worker.end()


@dataclass(frozen=True, slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection

    @classmethod
    def started(cls, kit: Kit) -> _Worker:
        """A fresh interpreter: nothing of this process's threads, locks and main module goes with it."""
        here, there = Pipe()
        command = [sys.executable, "-m", __name__, str(there.fileno())]
        process = subprocess.Popen(command, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL)
        there.close()
        made = cls(process, here)
        made.give(kit)
        return made

    def give(self, what: Kit | Chunk) -> None:
        try:
            self.pipe.send(what)
        except OSError:  # it has ended: so `result` will find
            return

    def result(self) -> Examined | None:
        """What came of the chunk it was given last; None if the process has ended."""
        try:
            found: Examined = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return found

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.wait()


def work(pipe: Connection) -> None:
    """A process's whole life: until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever interrupts fsck ends it there
    try:
        examiner = pipe.recv().examiner()
        while True:
            pipe.send(examiner.examine(pipe.recv()))
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    work(Connection(int(sys.argv[1])))
