"""Steps of recall (thu hồi): of a document that has arrived, and of one that has not left yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.demo.exchange import refusal
from hub.demo.home import SO_TU_PHAP, VAN_PHONG
from hub.demo.play import Play, states, wait_for


def recall_delivered(play: Play) -> str:
    """The recall follows the document to both recipients, which agree (status 15)."""
    caller, letter = play.stage.caller("motcua"), play.letters["first"]
    packet = letter.recall(play.next_number(), "Ban hành nhầm phụ lục")
    sent = play.keep("recall", play.stage.send("motcua", play.stage.sign_bytes(packet, SO_TU_PHAP)))
    if not sent.message_id:
        return refusal(sent)
    trace = wait_for(lambda: caller.trace(sent.message_id), lambda seen: _is_settled(seen) and len(seen["statuses"]) == 2)
    agreed = {status["from"]: status["code"] for status in trace["statuses"]}
    told = sorted(f"{copy['system']} {copy['state']}, {agreed.get(copy['recipient'], 'no answer')}" for copy in trace["deliveries"])
    return " · ".join([str(sent.status), *told])


def recall_undelivered(play: Play) -> str:
    """While the receiver is down: the document is cancelled instead of being delivered first."""
    caller = play.stage.caller("motcua")
    letter = play.write("called-back", SO_TU_PHAP, (VAN_PHONG,), "Về việc sẽ thu hồi trước khi đến nơi")
    document = play.keep("called-back", play.stage.send("motcua", play.stage.sign(letter)))
    packet = letter.recall(play.next_number(), "Sai thể thức")
    sent = play.keep("early-recall", play.stage.send("motcua", play.stage.sign_bytes(packet, SO_TU_PHAP)))
    if not (document.message_id and sent.message_id):
        return refusal(document if not document.message_id else sent)
    trace = wait_for(lambda: caller.trace(document.message_id), lambda seen: states(seen)["qlvb"] == "cancelled")
    copy = trace["deliveries"][0]
    return f"{sent.status} · document {copy['state']} · {copy['cause']}"


def recalled_never_arrives(play: Play) -> str:
    """After the receiver is back: only the recall reaches it."""
    caller = play.stage.caller("motcua")
    early = play.sent["early-recall"]
    trace = wait_for(lambda: caller.trace(early.message_id), lambda seen: states(seen)["qlvb"] == "delivered")
    came = play.stage.received("qlvb", play.digest("called-back"))
    return f"recall {states(trace)['qlvb']} · document ×{came}"


def _is_settled(trace: Mapping[str, Any]) -> bool:
    return set(states(trace).values()) == {"delivered"}
