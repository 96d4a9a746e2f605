"""The demo's two witnesses: processes of their own, with keys and state of their own, that know of the hub its log's public key only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hub.demo.auditor import NotProven, check_cosignature, open_checkpoint
from hub.demo.children import Children
from hub.demo.home import ORIGIN
from hub.demo.play import Play, wait_for
from hub.keys import Keyring
from hub.witness_home import init_witness
from signing.cosignature import CosignatureVerifier

NAMES = ("lamchung-1.demo.lgsp-hub.local", "lamchung-2.demo.lgsp-hub.local")
_LOG = """
[log]
publish_s = 0.2
quorum = 2
"""


def start_witnesses(folder: Path, home: Path, children: Children) -> Mapping[str, bytes]:
    """Starts them and writes them into the hub's settings; their public keys by name, 32 raw bytes each. Raises `ChildFailed`."""
    log_key = Keyring.load(home / "keys").log_verifiers(ORIGIN)[0].text
    keys = {name: init_witness(folder / name, name, "127.0.0.1:0", (log_key,)).verifier for name in NAMES}
    running = {
        name: children.launch(f"witness-{place}", "hub.cli", "witness", "serve", str(folder / name)) for place, name in enumerate(keys)
    }
    tables = "".join(_table(str(child.wait_ready().ready["url"]), keys[name]) for name, child in running.items())
    with (home / "hub.toml").open("a", encoding="utf-8") as out:
        out.write(_LOG + tables)
    return {name: key.key.public_bytes_raw() for name, key in keys.items()}


def cosigned(play: Play) -> str:
    """The published checkpoint covers the first document, and both witnesses vouch for it; checked by hand."""
    index, keys = int(play.evidence["proof"]["index"]), play.stage.witness_keys

    def look() -> tuple[int, bytes, list[str]]:
        note = play.stage.stranger().checkpoint()
        _, size, _ = open_checkpoint(note, play.stage.log_key())
        return size, note, [name for name, key in keys.items() if _vouches(note, name, key)]

    size, note, names = wait_for(look, lambda seen: seen[0] > index and len(seen[2]) == len(keys))
    play.evidence["checkpoint"] = note.decode("utf-8")
    covers = "covers the document" if size > index else f"size {size}"
    return f"{len(names)} of {len(keys)} witnesses · {covers}"


def _vouches(note: bytes, name: str, key: bytes) -> bool:
    try:
        return check_cosignature(note, name, key) > 0
    except NotProven:
        return False


def _table(url: str, key: CosignatureVerifier) -> str:
    return f"\n[[log.witnesses]]\nurl = {json.dumps(url)}\nkey = {json.dumps(key.text)}\n"
