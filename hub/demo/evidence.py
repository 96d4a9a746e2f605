"""Steps of evidence: everything accounted for, the journal whole, a proof that somebody else can check."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from hub.demo import auditor
from hub.demo.play import Play, wait_for

_TIMEOUT_S = 60


def inclusion(play: Play) -> str:
    """`lgsp log prove` of the first document, checked by code that shares nothing with the hub's."""
    first = play.sent["first"]
    proof = _lgsp(play, "log", "prove", first.message_id, "--open")
    receipt = auditor.open_receipt(first.answer, play.stage.receipt_keys())
    shown = auditor.check_inclusion(proof, play.stage.log_key(), receipt, first.raw)
    play.evidence.update(receipt=receipt, proof=proof, inclusion=shown)
    return "receipt, checkpoint, path and digest hold"


def forged_proof(play: Play) -> str:
    """The same check must be able to fail: another event in the leaf."""
    first, proof = play.sent["first"], play.evidence["proof"]
    receipt = play.evidence["receipt"]
    forged = {**proof, "leaf": proof["leaf"].replace('"event":"accepted"', '"event":"refused"')}
    try:
        auditor.check_inclusion(forged, play.stage.log_key(), receipt, first.raw)
    except auditor.NotProven:
        return "not proven"
    return "believed"


def fsck(play: Play) -> str:
    """`lgsp log fsck` beside the running hub: everything derived anew."""
    report = _lgsp(play, "log", "fsck")
    play.evidence["fsck"] = report
    return "intact" if report.get("intact") else "not intact"


def accounts(play: Play) -> str:
    """Accepted = the sum of all states, and nothing waits for a person."""
    settled = {"delivered", "cancelled"}
    health = wait_for(play.stage.stranger().health, lambda seen: set(seen["deliveries"]) <= settled)
    return " · ".join(sorted(health["deliveries"]))


def _lgsp(play: Play, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "hub.cli", *arguments, "--home", str(play.stage.home.path), "--json"]
    done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False, env=dict(play.stage.children.environment))
    if not done.stdout.strip():
        raise RuntimeError(f"lgsp {' '.join(arguments[:2])} ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')[-400:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document
