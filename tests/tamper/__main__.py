"""``python -m tests.tamper --cases 10000 [--seed N]``: exits 1, naming each, if a change goes unseen. `make tamper` runs it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from secrets import randbelow

from tests.tamper.run import run
from tests.tamper.store import build


def main() -> int:
    """Prints the seed first, so that a run that was broken off can be repeated, too."""
    parser = argparse.ArgumentParser(prog="python -m tests.tamper")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    seed = randbelow(2**31) if asked.seed is None else asked.seed
    sys.stdout.write(f"seed {seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="lgsp-tamper-") as folder:
        bases = build(Path(folder))
        tally = run(*bases, seed, asked.cases)
        for base in bases:
            base.close()
    for name, count in sorted(tally.found.items()):
        sys.stdout.write(f"{count:7,} {name}\n")
    sys.stdout.write(f"{tally.total:,} cases, {tally.found.total():,} found; {tally.harmless:,} more changed nothing that is promised\n")
    sys.stdout.write("".join(f"NOT FOUND: {one}\n" for one in tally.missed))
    return 1 if tally.missed else 0


if __name__ == "__main__":
    sys.exit(main())
