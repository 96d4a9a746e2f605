"""Steps of ordinary exchange: documents in by each protocol and out by each, statuses back, the mailbox, an outage."""

from __future__ import annotations

import json
from hashlib import sha256

from hub.demo import auditor
from hub.demo.home import KHO, SO_NNMT, SO_TU_PHAP, UBND_PHUONG, VAN_PHONG
from hub.demo.play import Play, Sent, states, wait_for

STATUSES = ("01", "03", "06")


def new_document(play: Play) -> str:
    """REST in: signed, to two recipients."""
    letter = play.write("first", SO_TU_PHAP, (VAN_PHONG, SO_NNMT), "Về việc phối hợp giải quyết hồ sơ liên thông")
    sent = play.keep("first", play.stage.send("motcua", play.stage.sign(letter)))
    if not sent.message_id:
        return refusal(sent)
    receipt = auditor.open_receipt(sent.answer, play.stage.receipt_keys())
    return f"{sent.status} · receipt ok · signature {receipt['verdict']} · {receipt['legal_value']}"


def delivered_to_both(play: Play) -> str:
    """SOAP and AMQP (or REST) out: the very bytes that came in."""
    return _arrivals(play, "first", ("qlvb", "chuyennganh"))


def statuses_of_qlvb(play: Play) -> str:
    """SOAP in, REST out."""
    return _statuses(play, VAN_PHONG.code)


def statuses_of_line_of_business(play: Play) -> str:
    """AMQP (or REST) in, REST out."""
    return _statuses(play, SO_NNMT.code)


def document_by_soap(play: Play) -> str:
    """SOAP in: to the system on the bus and to the mailbox."""
    letter = play.write("by-soap", VAN_PHONG, (SO_NNMT, UBND_PHUONG), "Về việc báo cáo tình hình sử dụng đất")
    sent = play.keep("by-soap", play.stage.send("qlvb", play.stage.sign(letter)))
    if not sent.message_id:
        return refusal(sent)
    trace = wait_for(lambda: play.stage.caller("qlvb").trace(sent.message_id), lambda seen: states(seen)["chuyennganh"] == "delivered")
    found = states(trace)
    return f"{sent.status} · chuyennganh {found['chuyennganh']} · hopthu {found['hopthu']}"


def mailbox(play: Play) -> str:
    """A system that fetches: list, get, acknowledge, report."""
    caller, sent = play.stage.caller("hopthu"), play.sent["by-soap"]
    items = [item for item in caller.inbox() if item["message_id"] == sent.message_id]
    if len(items) != 1:
        return f"{len(items)} in the inbox"
    delivery = items[0]["delivery_id"]
    same = "same bytes" if caller.fetch(delivery) == sent.raw else "other bytes"
    state = caller.acknowledge(delivery)
    reported = caller.report(delivery, "03", "Đã tiếp nhận, vào sổ")
    left = [item for item in caller.inbox() if item["message_id"] == sent.message_id]
    return f"1 waiting · {same} · {state} · status 03: {reported} · {len(left)} left"


def document_by_bus(play: Play) -> str:
    """AMQP (or REST) in, REST out."""
    letter = play.write("by-bus", SO_NNMT, (SO_TU_PHAP,), "Về việc cung cấp thông tin thửa đất")
    sent = play.keep("by-bus", play.stage.send("chuyennganh", play.stage.sign(letter)))
    if not sent.message_id:
        return refusal(sent)
    return f"receipt ok · {_arrivals(play, 'by-bus', ('motcua',), asking='chuyennganh')}"


def other_format(play: Play) -> str:
    """A system that takes JSON in the keys of the shared dictionary: what the packet says, and its file, translated and journalled."""
    letter = play.write("translated", SO_TU_PHAP, (KHO,), "Về việc chia sẻ văn bản cho kho dữ liệu")
    sent = play.keep("translated", play.stage.send("motcua", play.stage.sign(letter)))
    if not sent.message_id:
        return refusal(sent)
    caller = play.stage.caller("kho")
    items = [item for item in caller.inbox() if item["message_id"] == sent.message_id]
    if len(items) != 1:
        return f"{sent.status} · {len(items)} in the inbox"
    document = json.loads(caller.fetch(items[0]["delivery_id"]))
    told, (file,) = document["data"], document["data"]["van_ban.tep_dinh_kem"]
    subject = "same subject" if told["van_ban.trich_yeu"] == letter.subject else "another subject"
    same = "same file" if file["tep.bam"] == sha256(letter.file.data).hexdigest() else "another file"
    state = caller.acknowledge(items[0]["delivery_id"])
    events = [event["event"] for event in play.stage.caller("motcua").trace(sent.message_id)["events"]]
    journalled = "journalled" if "translated" in events else "not journalled"
    return f"{sent.status} · canonical {document['kind']} · {subject} · {same} · {state} · {journalled}"


def outage(play: Play) -> str:
    """To a system that is down: accepted, tried, put off."""
    play.stage.take_down("qlvb")
    letter = play.write("during-outage", SO_TU_PHAP, (VAN_PHONG,), "Về việc gửi trong lúc hệ thống nhận ngừng hoạt động")
    sent = play.keep("during-outage", play.stage.send("motcua", play.stage.sign(letter)))
    if not sent.message_id:
        return refusal(sent)
    trace = wait_for(lambda: play.stage.caller("motcua").trace(sent.message_id), lambda seen: states(seen)["qlvb"] == "deferred")
    copy = trace["deliveries"][0]
    return f"{sent.status} · {copy['state']} · {copy['cause']}"


def recovery(play: Play) -> str:
    """It comes back, and gets what waited."""
    play.stage.bring_up("qlvb")
    return _arrivals(play, "during-outage", ("qlvb",))


def refusal(sent: Sent) -> str:
    """What a refused packet was answered with."""
    try:
        details = json.loads(sent.answer)
        return f"{sent.status} {details['code']}"
    except (ValueError, LookupError):
        return f"{sent.status} {sent.answer[:200]!r}"


def _arrivals(play: Play, name: str, systems: tuple[str, ...], asking: str = "motcua") -> str:
    sent = play.sent[name]
    trace = wait_for(
        lambda: play.stage.caller(asking).trace(sent.message_id),
        lambda seen: all(states(seen)[system] == "delivered" for system in systems),
    )
    digest = play.digest(name)
    told = []
    for system in systems:
        arrived = wait_for(lambda one=system: play.stage.received(one, digest), lambda seen: seen > 0)  # type: ignore[misc]
        told.append(f"{system} by {play.stage.way_to(system)}: {states(trace)[system]} ×{arrived}")
    return " · ".join(told)


def _statuses(play: Play, code: str) -> str:
    sent, caller = play.sent["first"], play.stage.caller("motcua")
    trace = wait_for(
        lambda: caller.trace(sent.message_id),
        lambda seen: {s["code"] for s in seen["statuses"] if s["from"] == code} >= set(STATUSES),
    )
    mine = [status for status in trace["statuses"] if status["from"] == code]
    states_of = [
        wait_for(lambda m=one["message_id"]: caller.trace(m)["state"], lambda seen: seen == "delivered")  # type: ignore[misc]
        for one in mine
    ]
    return f"{' '.join(one['code'] for one in mine)} · {' '.join(sorted(set(states_of))) or 'nothing'} back to motcua"
