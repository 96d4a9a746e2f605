"""Simulators as real processes, for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from urllib3 import PoolManager


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulator that is listening."""

    port: int
    process: subprocess.Popen[str]

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def received(self) -> list[dict[str, Any]]:
        return json.loads(self._ask("GET", "/received").data)  # type: ignore[no-any-return]

    def packet(self, sha256: str) -> bytes:
        return bytes(self._ask("GET", f"/packets/{sha256}").data)

    def mode(self, mode: str) -> None:
        assert self._ask("POST", "/mode", json.dumps({"mode": mode}).encode()).status == 200

    def send(self, packet: bytes, key: str) -> tuple[int, bytes]:
        answer = self._ask("POST", "/send", packet, {"Idempotency-Key": key})
        return answer.status, answer.data

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
        with PoolManager(retries=False) as pool:
            return pool.request(method, self.url(path), body=body, headers=headers, timeout=240)


@contextmanager
def simulator(name: str, folder: Path, *arguments: str) -> Iterator[Simulator]:
    """``python -m adapters.systems.<name>.simulator``; ends with SIGTERM, and must end well."""
    command = [sys.executable, "-W", "error", "-m", f"adapters.systems.{name}.simulator", "--folder", str(folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"{name} did not start: {process.stderr.read()}")
        ready = json.loads(line)
        assert ready["ready"] is True
        try:
            yield Simulator(ready["port"], process)
        finally:
            process.terminate()
            complaints = process.communicate(timeout=240)[1]
        assert process.returncode == 0 and complaints == "", complaints
