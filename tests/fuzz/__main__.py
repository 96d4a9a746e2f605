"""``python -m tests.fuzz --seconds 600``: fuzzes, and ends with 1 at the first finding, which it writes to ``--findings``.

With atheris installed (``--engine atheris``, what ``make fuzz`` does) libFuzzer mutates and counts the edges; else `guided` does both.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from hashlib import sha256
from pathlib import Path
from random import Random


def main() -> int:
    """Runs the engine asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--engine", choices=("own", "atheris"), default="own")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    parser.add_argument("--corpus", type=Path, default=None, help="folder that inputs are read from and kept in")
    parser.add_argument("--findings", type=Path, default=Path("findings"), help="folder that findings are written to")
    chosen = parser.parse_args()
    if chosen.engine == "atheris":
        return _by_atheris(chosen.seconds, chosen.corpus or Path("corpus"), chosen.findings)
    return _by_ourselves(chosen.seconds, chosen.seed, chosen.corpus, chosen.findings)


def _by_ourselves(seconds: float, seed: int, corpus: Path | None, findings: Path) -> int:
    from tests.fuzz.guided import Guided
    from tests.fuzz.seeds import MOST_BYTES, pieces, seeds
    from tests.fuzz.target import consume

    kept = sorted(path.read_bytes() for path in corpus.iterdir()) if corpus is not None and corpus.is_dir() else []
    run = Guided(consume, pieces(), Random(seed), MOST_BYTES)
    finding = run.run([*seeds(), *kept], seconds)
    if corpus is not None:
        _write(corpus, run.corpus)
    print(f"{run.tried} inputs, {len(run.edges)} edges, {len(run.corpus)} inputs kept")
    if finding is None:
        return 0
    (path,) = _write(findings, [finding.data])
    print(f"{finding.what}\n{path}")
    return 1


def _by_atheris(seconds: float, corpus: Path, findings: Path) -> int:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["schemas"]):
        target = importlib.import_module("tests.fuzz.target")
    from tests.fuzz.seeds import MOST_BYTES, pieces, seeds

    _write(corpus, seeds())
    findings.mkdir(exist_ok=True)
    dictionary = findings / "edxml.dict"
    dictionary.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in piece) + '"\n' for piece in pieces()))
    options = [f"-max_total_time={int(seconds)}", f"-max_len={MOST_BYTES}", f"-dict={dictionary}", f"-artifact_prefix={findings}/"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.consume)
    atheris.Fuzz()  # ends the process: 0, or 77 at a finding
    return 0


def _write(folder: Path, inputs: list[bytes]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / sha256(data).hexdigest()[:16] for data in inputs]
    for path, data in zip(paths, inputs, strict=True):
        path.write_bytes(data)
    return paths


if __name__ == "__main__":
    sys.exit(main())
