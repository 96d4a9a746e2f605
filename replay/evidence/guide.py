"""The README that goes into every container: what it is and how to check it, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MESSAGE = """# Bằng chứng về một thông điệp · Evidence of one message

Thông điệp {message_id}, nhật ký {origin}, lập lúc {made_at}.
Message {message_id}, log {origin}, made at {made_at}.

## Tiếng Việt

Tệp này là một bộ chứa ASiC-E (ETSI EN 319 162-1), có thể kiểm tra trên máy không có mạng và không có trục:

    lgsp evidence verify TỆP --log-key KHÓA [--witness-key KHÓA] [--trust THƯ_MỤC]
    python3 -I verify.py TỆP --log-key KHÓA        (in ra bằng: lgsp evidence script > verify.py)

Khóa của nhật ký phải lấy từ nguồn khác, không lấy trong tệp này.

* `message/raw`: đúng từng byte như trục đã nhận; `message/attachments/`: các tệp đính kèm đã mở
* `message/receipt.json`: biên nhận trục đã trả cho bên gửi
* `journal/checkpoint`: điểm kiểm đã ký, kèm chữ ký của các bên làm chứng
* `journal/N.tlog-proof`: mục thứ N của nhật ký, các giá trị đã cam kết và bằng chứng nằm trong nhật ký
* `verdict/verdict.json`: kết luận kiểm tra chữ ký; `verdict/evidence/`: chứng thư, CRL, OCSP và chính sách đã dùng, tên tệp là SHA-256

## English

This is an ASiC-E container (ETSI EN 319 162-1); it is checked on a machine without network and without the hub, by the commands above.
The log's key has to come from elsewhere, never from this file.

* `message/raw`: byte for byte as the hub received it; `message/attachments/`: its attachments, opened
* `message/receipt.json`: the receipt that the sender was given
* `journal/checkpoint`: the signed checkpoint with the witnesses' cosignatures
* `journal/N.tlog-proof`: entry N of the journal, the values behind its commitments, and the proof that it is in the log
* `verdict/verdict.json`: the verdict on the signatures; `verdict/evidence/`: certificates, CRLs, OCSP answers and policy that it was
  reached with, each named by its SHA-256
"""

_PERIOD = """# Bằng chứng đầy đủ · Evidence of completeness

Cơ quan {party}, từ {from} đến {to}: mục {first} đến trước mục {end} của nhật ký {origin}.
Party {party}, from {from} to {to}: entries {first} to before {end} of the log {origin}.

## Tiếng Việt

Tệp này chứng minh rằng trong khoảng thời gian trên không có mục nào về cơ quan bị giữ lại: mọi mục của đoạn đều có mặt, mọi mục
mang thẻ của cơ quan đều được mở, mục của cơ quan khác vẫn đóng kín.

    lgsp evidence verify TỆP --log-key KHÓA --party MÃ --from LÚC --to LÚC [--party-key KHÓA]

## English

This shows that nothing about the party was withheld in the period: every entry of the range is here, every one with the party's tag is
opened, and those of others stay closed. Give the party and the period that you asked about: a shorter one is then refused.

* `journal/entries`: the leaves, each behind its length in two bytes
* `journal/left`, `journal/consistency`: how they lead to the checkpoint
* `journal/openings.json`: index → salts and values of the party's entries; `evidence.json` has the party's key, which finds its tags
"""


def message_guide(index: Mapping[str, Any]) -> bytes:
    """For the evidence of a message."""
    return _MESSAGE.format(**index).encode()


def period_guide(index: Mapping[str, Any]) -> bytes:
    """For the evidence of a period."""
    return _PERIOD.format(**index).encode()
