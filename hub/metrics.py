"""`/metrics` in the text format of Prometheus (exposition format 0.0.4). Counts and ages only, of nobody's messages: anybody may ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hub.counts import COUNTS_S
from hub.log_opening import standing_of
from replay.log_standing import LogStanding

if TYPE_CHECKING:
    from hub.node import Hub

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Samples = Mapping[str, float]  # labels as they stand in the line → value


def exposition(hub: Hub) -> str:
    """All of it. Raises as `standing_of`."""
    health, fault = hub.health(), hub.keeper.fault
    lines = [
        *_gauge("lgsp_ready", "Whether the hub takes messages in", {"": float(health["ready"])}),
        *_gauge(
            "lgsp_deliveries",
            f"Deliveries by state, at most {COUNTS_S:g} s old",
            {_label("state", state): count for state, count in health.get("deliveries", {}).items()},
        ),
        *_log(standing_of(hub.settings, hub.store, hub.clock())),
        *_gauge("lgsp_log_fault", "1 while nothing is published, by why", {_label("code", fault): 1} if fault else {}),
    ]
    return "\n".join(lines) + "\n"


def _log(found: LogStanding) -> Iterator[str]:
    yield from _gauge("lgsp_log_entries", "Entries of the journal", {"": found.entries})
    yield from _gauge("lgsp_log_published_entries", "Entries under the last published checkpoint", {"": found.published})
    yield from _gauge("lgsp_log_cosigned_entries", "Entries under the newest checkpoint that the quorum cosigned", {"": found.cosigned})
    of = {one.name: _label("witness", one.name) for one in found.witnesses}
    yield from _gauge("lgsp_witness_entries", "Entries that the witness cosigned last", {of[one.name]: one.size for one in found.witnesses})
    yield from _gauge(
        "lgsp_witness_age_seconds",
        "Since the witness cosigned; absent until it did",
        {of[one.name]: one.age_s for one in found.witnesses if one.age_s is not None},
    )
    behind = {of[one.name]: one.behind for one in found.witnesses}
    yield from _gauge("lgsp_witness_behind_entries", "Published, and not cosigned by it", behind)
    if (stamps := found.stamps) is not None:
        yield from _gauge("lgsp_stamps_owed_checkpoints", "Checkpoints that a time stamp is owed for", {"": stamps.owed})
        yield from _gauge("lgsp_stamps_owed_seconds", "How long the oldest of them has been waiting", {"": stamps.owed_s})
        yield from _gauge("lgsp_stamped_entries", "Entries under the newest stamped checkpoint", {"": stamps.size})


def _gauge(name: str, about: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples.items():
        yield f"{name}{labels} {value:g}" if value != int(value) else f"{name}{labels} {int(value)}"


def _label(name: str, value: str) -> str:
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{{name}="{text}"}}'
