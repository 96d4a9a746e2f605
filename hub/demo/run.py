"""Plays a scenario on a stage, from an empty folder to an exit code."""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

from hub.demo.auditor import NotProven
from hub.demo.children import ChildFailed, Signals
from hub.demo.home import SO_TU_PHAP, UBND_PHUONG, VAN_PHONG
from hub.demo.packets import tampered
from hub.demo.play import Outcome, Play, Step
from hub.demo.scenario import SCENARIO
from hub.demo.show import Screen
from hub.demo.stage import Stage, set_stage
from schemas.errors import HubError

# What a step may meet when something is not as expected; it becomes the line's "actual", and the demo goes on.
FAULTS = (HubError, HTTPError, ChildFailed, NotProven, OSError, LookupError, ValueError, TypeError, RuntimeError)


def play(
    *,
    home: Path | None = None,
    port: int = 0,
    keep: bool = False,
    as_json: bool = False,
    use_broker: bool = True,
    scenario: Sequence[Step] = SCENARIO,
) -> int:
    """The whole demo; 0 if everything came as expected, else 1. `use_broker` and `scenario` are for tests."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Vietnamese letters is no reason to fail
    screen, started = Screen(quiet=as_json), time.monotonic()
    with Signals(), _folder(home, keep=keep) as folder:
        screen.say("Dựng hub và các hệ thống mô phỏng…", "Setting up the hub and the simulated systems…")
        try:
            with set_stage(folder, datetime.now(UTC), port=port, use_broker=use_broker) as stage:
                screen.stage(stage)
                show = Play(stage, datetime.now(UTC))
                outcomes = _played(show, scenario, screen)
                seconds = time.monotonic() - started
                screen.result(outcomes, show.evidence, seconds)
                if as_json:
                    print(json.dumps(_document(show, outcomes, seconds, keep=keep), ensure_ascii=False, indent=2), flush=True)
                if keep:
                    _invite(screen, show)
                    _wait(stage, screen)
        except (ChildFailed, OSError) as fault:
            screen.failed(str(fault))
            return 1
    return 0 if outcomes and all(outcome.ok for outcome in outcomes) else 1


def _played(show: Play, scenario: Sequence[Step], screen: Screen) -> list[Outcome]:
    outcomes = []
    for number, raw in enumerate(scenario, 1):
        step = replace(raw, **{name: getattr(raw, name).replace("{bus}", show.stage.bus) for name in ("vi", "en", "expected")})
        screen.begin(number, len(scenario), step)
        outcome = _outcome(show, step)
        screen.end(number, len(scenario), outcome)
        outcomes.append(outcome)
    return outcomes


def _outcome(show: Play, step: Step) -> Outcome:
    started = time.monotonic()
    try:
        actual = step.act(show)
    except FAULTS as fault:
        actual = f"{type(fault).__name__}: {fault}"
    return Outcome(step, actual, time.monotonic() - started)


def _document(show: Play, outcomes: Sequence[Outcome], seconds: float, *, keep: bool) -> dict[str, Any]:
    return {
        "ok": bool(outcomes) and all(outcome.ok for outcome in outcomes),
        "seconds": round(seconds, 2),
        "systems": {name: {"protocol": show.stage.way_to(name), "url": one.url} for name, one in show.stage.simulators.items()},
        "hub": show.stage.url,
        **({"home": str(show.stage.home.path), "api_keys": show.stage.api_keys} if keep else {}),
        "steps": [outcome.as_json() for outcome in outcomes],
        **show.evidence,
    }


def _invite(screen: Screen, show: Play) -> None:
    """Tells what to try, with packets at hand to try it with."""
    letter = show.write("sample", SO_TU_PHAP, (VAN_PHONG, UBND_PHUONG), "Về việc thử gửi 10 bộ hồ sơ")
    signed = show.stage.sign(letter)
    good, bad = show.stage.samples(signed, tampered(signed, "10 bộ", "90 bộ"))
    first = show.sent["first"].message_id if "first" in show.sent else ""
    screen.keep(show.stage, first or "MESSAGE-ID", good, bad)


def _wait(stage: Stage, screen: Screen) -> None:
    """Until Ctrl-C, or a process of the stage ends."""
    try:
        while all(child.is_running for child in stage.children.running):
            time.sleep(0.5)
    except KeyboardInterrupt:
        return
    screen.failed("; ".join(f"{child.name}: {child.tail()}" for child in stage.children.running if not child.is_running))


@contextmanager
def _folder(home: Path | None, *, keep: bool) -> Iterator[Path]:
    """`home`, which must be empty or absent and stays; else a temporary folder that goes, unless it is to be kept."""
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        yield home.absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="lgsp-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
