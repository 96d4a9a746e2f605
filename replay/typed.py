"""What somebody typed to choose messages, where it is itself a value of those messages: a DocumentId, or the subject it belongs to.

A job's request is signed, approved and journalled, and none of that can change when a message is erased. So the request has a salted
commitment to such a value, ``{"commitment": SHA-256(salt ‖ canonical JSON of it), lower hex}``; value and salt lie in a row of their own,
which goes with the first message of the selection that is erased. The indexes stay: they say which messages were meant.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from replay.store.jobs import replay_items, replay_typed
from schemas.canonical import canonical_json

OF_MESSAGES = ("document",)  # conditions that are values of messages


def closed(conditions: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The conditions as a request has them, and what opens those that were closed: name → value and salt."""
    opening = {name: {"value": str(conditions[name]), "salt": secrets.token_hex(16)} for name in OF_MESSAGES if name in conditions}
    shut = {name: {"commitment": commitment(one["value"], one["salt"])} for name, one in opening.items()}
    return {**conditions, **shut}, opening


def commitment(value: str, salt: str) -> str:
    """What a request says instead of `value`. `salt` in hex."""
    return sha256(bytes.fromhex(salt) + canonical_json(value)).hexdigest()


def keep(conn: Connection, job_id: UUID, opening: Mapping[str, Mapping[str, str]]) -> None:
    """Keeps what opens the conditions of a job."""
    for name, one in opening.items():
        conn.execute(replay_typed.insert(), {"replay_id": job_id, "name": name, "value": one["value"], "salt": one["salt"]})


def opened(conn: Connection, job_id: UUID, conditions: Mapping[str, Any]) -> dict[str, str]:
    """What was typed, as far as it is still there and is what the request commits to."""
    rows = conn.execute(select(replay_typed).where(replay_typed.c.replay_id == job_id)).all()
    wanted = {row.name: {"commitment": commitment(row.value, row.salt)} for row in rows}
    return {row.name: str(row.value) for row in rows if conditions.get(row.name) == wanted[row.name]}


def forget(conn: Connection, message_id: UUID) -> None:
    """The message is erased: nothing of what was typed to find it stays."""
    about = select(replay_items.c.replay_id).where(replay_items.c.message_id == message_id)
    conn.execute(replay_typed.delete().where(replay_typed.c.replay_id.in_(about)))
