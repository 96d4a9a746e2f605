"""Step 7 in the hub: the stored bytes for one system, and what the journal says of a translation before anything leaves.

A translated transmission has an entry ``translated`` (`hub.record`) naming mappings, digest and losses; the mappings themselves are kept as
artefacts, so that a replay can make the same bytes again and compare. One entry per transmission and result: another attempt adds none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from hub import record
from hub.commit import Transaction
from hub.settings import files_in, is_there
from hub.systems import Systems
from replay import artefacts
from replay.store.tables import AnyRow, openings
from schemas.agency import AgencyCode
from schemas.errors import Halted, Refused, Violation, error
from schemas.limits import Limits
from schemas.message import Kind
from schemas.translate import PACKETS, Made, translate
from schemas.translation.agreement import EDXML, Agreement
from schemas.translation.engine import Mappings
from schemas.translation.formats import formats
from schemas.translation.kept import artefacts_of
from schemas.translation.load import load
from schemas.translation.shipped import shipped


@dataclass(frozen=True, slots=True)
class Translator:
    """Makes parcels for the systems of this hub, and records how."""

    systems: Systems
    mappings: Mappings = field(repr=False)  # long
    limits: Limits

    @classmethod
    def load(cls, systems: Systems, folder: Path, limits: Limits) -> Translator:
        """With the shipped mappings and those in `folder`. Raises as `load_mappings` and `check_agreements`."""
        mappings = load_mappings(folder)
        check_agreements(systems, mappings)
        return cls(systems, mappings, limits)

    def make(
        self,
        system: str,
        message: AnyRow,
        raw: bytes,
        *,
        carrier_id: UUID,
        recipients: Sequence[str],
        key: str = "",
        agreement: Agreement | None = None,
    ) -> Made:
        """The parcel of `message` (its row) for `system`, under the carrier's id unless another `key` is given, in what the system takes
        unless another `agreement` is given. Raises as `schemas.translate.translate`."""
        return translate(
            raw,
            key=key or str(carrier_id),
            message_id=message.id,
            kind=Kind(message.kind),
            sender=AgencyCode.of(message.sender),
            recipients=tuple(AgencyCode.of(one) for one in recipients),
            document_id=message.document_id,
            content_type=message.content_type,
            charset=message.charset,
            agreement=agreement or self.agreement(system),
            mappings=lambda: self.mappings,
            limits=self.limits,
        )

    def agreement(self, system: str) -> Agreement:
        """What the system takes."""
        profile = self.systems.by_name.get(system)
        return profile.delivery.agreement if profile else EDXML

    def record(self, tx: Transaction, made: Made, carrier_id: UUID, at: datetime) -> None:
        """Journals the translation, and keeps its mappings, unless this transmission was translated to the same before."""
        translation, parcel = made.translation, made.parcel
        if translation is None:
            return
        before = translated_before(tx.conn, parcel.message_id, carrier_id)
        if before and (before["digest"], before["mappings"]) == (sha256(made.parcel.body).hexdigest(), list(translation.mapping_ids)):
            return
        by_id = {one.id: one for one in self.mappings.by_name.values()}
        kept = {digest: content for one in translation.mapping_ids for digest, content in artefacts_of(by_id[one])}
        artefacts.keep(tx.conn, kept.items())
        record.translated(
            tx,
            message_id=parcel.message_id,
            carrier_id=carrier_id,
            recipients=parcel.recipients,
            made=translation,
            artefacts=list(kept),
            at=at,
        )


def translated_before(conn: Connection, message_id: UUID, carrier_id: UUID) -> Mapping[str, Any] | None:
    """What the journal last said of a translation for that transmission; None where it said nothing, or it was erased."""
    rows = conn.execute(
        select(openings.c.body)
        .where(openings.c.message_id == message_id, openings.c.event == "translated")
        .order_by(openings.c.index.desc())
    ).scalars()
    told = ({name: one["value"] for name, one in json.loads(body).items()} for body in rows if body is not None)
    return next((values for values in told if values["carrier"] == str(carrier_id)), None)


def load_mappings(folder: Path) -> Mappings:
    """The shipped mappings, and the province's own: ``<folder>/<name>/mapping.toml``, with ``shape.xslt`` where it has one.

    Raises `Halted("settings-invalid")` with everything that is wrong in any of them.
    """
    own, faults = [], []
    for path in (one / "mapping.toml" for one in files_in(folder, "*") if is_there(one / "mapping.toml")):
        sheet = path.with_name("shape.xslt")
        try:
            own.append(load(path.read_bytes(), sheet.read_bytes() if sheet.exists() else b""))
        except (Refused, OSError) as fault:
            faults += _named(path, fault)
    if not faults:
        try:
            return Mappings.of((*shipped().by_name.values(), *own)) if own else shipped()
        except Refused as fault:
            faults += _named(folder, fault)
    raise Halted("settings-invalid", got=f"{faults[0].path}: {faults[0].got}", expected=faults[0].expected, violations=tuple(faults))


def check_agreements(systems: Systems, mappings: Mappings) -> None:
    """Raises `Halted("settings-invalid")` for every format in a profile that does not exist or that no mapping leads to."""
    found: list[Violation] = []
    for profile in systems.by_name.values():
        for name in profile.delivery.agreement.formats:
            if name not in formats():
                found.append(_wrong(profile.name, name, "a format that docs/translation.md lists"))
            elif name not in PACKETS and not any(one.target == name for one in mappings.steps):
                found.append(_wrong(profile.name, name, "a format that a mapping leads to (lgsp translate --list)"))
    if found:
        raise Halted("settings-invalid", got=f"{found[0].path}: {found[0].got}", expected=found[0].expected, violations=tuple(found))


def _wrong(system: str, got: str, expected: str) -> Violation:
    return error("settings-invalid", path=f"{system}.toml: delivery.format", got=got, expected=expected)


def _named(path: Path, fault: Refused | OSError) -> list[Violation]:
    """What is wrong with a mapping file, under the file's name."""
    place = f"{path.parent.name}/{path.name}"
    if isinstance(fault, OSError):
        return [error("settings-invalid", path=place, got=fault.strerror or type(fault).__name__, expected="a readable file")]
    inner = fault.violations or (error(fault.code, got=fault.got, expected=fault.expected),)
    return [error("settings-invalid", path=f"{place}: {one.path}", got=f"{one.code} {one.got}", expected=one.expected) for one in inner]
