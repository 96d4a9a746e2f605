"""What a receiving system has agreed to take. Apart from the engine, so that a profile can be read without loading it."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.translation.mapping import LossKind


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one system takes."""

    formats: tuple[str, ...] = ()  # the first that the message is, or can be made; () = edXML packets
    accepted: frozenset[LossKind] = frozenset()  # what may get lost on the way to it


EDXML = Agreement()
