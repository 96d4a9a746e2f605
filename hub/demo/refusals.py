"""Steps that the hub has to answer with no, or with what it said before; each by its own code, each leaving nothing behind."""

from __future__ import annotations

from dataclasses import replace

from hub.demo.exchange import refusal
from hub.demo.faces import problem
from hub.demo.home import NOBODY, SO_TU_PHAP, VAN_PHONG
from hub.demo.packets import cut, tampered
from hub.demo.play import Play


def duplicate(play: Play) -> str:
    """The same bytes again: the first receipt, byte for byte."""
    first = play.sent["first"]
    again = play.stage.send("motcua", first.raw)
    if not again.message_id:
        return refusal(again)
    same = "the first receipt, byte for byte" if again.answer == first.answer else "another receipt"
    copies = len(play.stage.caller("motcua").trace(first.message_id)["deliveries"])
    return f"{again.status} · {same} · still {copies} deliveries"


def same_id_other_content(play: Play) -> str:
    """The first document's id, with another text."""
    first = play.letters["first"]
    other = replace(first, subject="Về việc phối hợp giải quyết hồ sơ liên thông (nội dung khác)")
    sent = play.stage.send("motcua", play.stage.sign(other))
    named = problem(sent).get("first") == play.sent["first"].message_id
    return f"{refusal(sent)} · {'names the first' if named else 'does not name the first'}"


def tampered_packet(play: Play) -> str:
    """One word changed after signing."""
    letter = play.write("tampered", SO_TU_PHAP, (VAN_PHONG,), "Về việc cấp 10 triệu đồng")
    return refusal(play.stage.send("motcua", tampered(play.stage.sign(letter), "cấp 10 triệu", "cấp 90 triệu")))


def unsigned_packet(play: Play) -> str:
    """Without a signature, where the policy asks for one."""
    letter = play.write("unsigned", SO_TU_PHAP, (VAN_PHONG,), "Về việc gửi không ký số")
    return refusal(play.stage.send("motcua", letter.new()))


def unknown_signer(play: Play) -> str:
    """Signed by a certificate that leads to no configured root."""
    letter = play.write("stranger", SO_TU_PHAP, (VAN_PHONG,), "Về việc ký bằng chứng thư lạ")
    return refusal(play.stage.send("motcua", play.stage.sign_as_stranger(letter)))


def wrong_agency(play: Play) -> str:
    """One agency's system sends in another's name."""
    letter = play.write("wrong-agency", VAN_PHONG, (SO_TU_PHAP,), "Về việc mạo danh cơ quan khác")
    return refusal(play.stage.send("motcua", play.stage.sign(letter)))


def no_key(play: Play) -> str:
    """A caller whose API key is wrong."""
    letter = play.write("no-key", SO_TU_PHAP, (VAN_PHONG,), "Về việc gửi với khóa sai")
    return refusal(play.stage.stranger().send(play.stage.sign(letter)))


def malformed(play: Play) -> str:
    """A packet that broke off half-way."""
    letter = play.write("malformed", SO_TU_PHAP, (VAN_PHONG,), "Về việc gói tin bị cắt")
    sent = play.stage.send("motcua", cut(play.stage.sign(letter)))
    lines = [violation["line"] for violation in problem(sent).get("violations", ())]
    return f"{refusal(sent)} · {'with line' if lines and min(lines) > 0 else 'without line'}"


def unknown_recipient(play: Play) -> str:
    """One known and one unknown recipient: the whole packet is refused, and the unknown ones are listed."""
    letter = play.write("unknown-recipient", SO_TU_PHAP, (VAN_PHONG, NOBODY), "Về việc gửi đến đơn vị chưa khai báo")
    sent = play.stage.send("motcua", play.stage.sign(letter))
    listed = ", ".join(violation["got"] for violation in problem(sent).get("violations", ()))
    return f"{refusal(sent)} · {listed}"
