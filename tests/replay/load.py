"""A process that accepts messages as fast as it can and prints the id of each once its future has acknowledged it, until it is killed."""

from __future__ import annotations

import sys
import threading
from itertools import count
from pathlib import Path

from hub.commit import Committer, Transaction
from hub.keys import Keyring
from replay.published import CheckpointFile, Publisher
from replay.store.engine import open_store
from tests.replay.world import ORIGIN, World

THREADS = 8


def main(url: str, keys: str, folder: str, published: str = "") -> None:
    """Never returns. `published`: a file in which it also publishes checkpoints, as fast as it can."""
    world = World(open_store(url), Keyring.load(Path(keys)), Path(folder))
    if published:
        publisher = Publisher(world.store, world.journal, world.ring.log_verifiers(ORIGIN), CheckpointFile(Path(published)))
        publisher.open()
        threading.Thread(target=lambda: [publisher.publish() for _ in count()], daemon=True).start()
    committer = Committer(world.store, world.journal)
    committer.start()
    numbers, speaking = count(), threading.Lock()

    def send() -> None:
        while True:
            number = next(numbers)

            def change(tx: Transaction, number: int = number) -> None:
                raw = f"{number} ".encode() * (60_000 if number % 10 == 0 else 100)
                world.accept(tx, number, raw)
                if number % 3 == 0:
                    world.settle(tx, number, 0, "delivered")

            committer.submit(change).result()
            with speaking:
                sys.stdout.write(f"{number}\n")
                sys.stdout.flush()

    threads = [threading.Thread(target=send, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
