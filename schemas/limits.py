"""Every limit on what comes in, with units, in one place. Settings may lower or raise them; nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What hostile input may cost at the most. Values are defaults; `[limits]` of the hub's settings overrides them."""

    max_body_bytes: int = 52 * MIB  # one request or queue message; a packet of 50 MB fits
    max_signed_bytes: int = 64 * MIB  # a packet with a real XMLDSig needs its tree
    max_elements: int = 200_000  # ≈ 75 MB of tree at the worst
    max_depth: int = 64
    max_children: int = 4_000  # of one known element of a packet: naming the place of an error costs its square
    max_known_elements: int = 50_000  # of a packet, that its reader knows: each may be wrong, and saying so costs
    max_attributes: int = 64  # per element: canonicalisation is quadratic in it
    max_namespaces: int = 1_000  # declarations in the whole document
    max_name_chars: int = 256
    max_text_chars: int = MIB  # one text node outside attachments
    max_id_chars: int = 512  # DocumentId, Code and the like; the longest official form has some 60
    max_attachments: int = 200
    max_attachment_bytes: int = 200 * MIB  # decoded and unzipped, all of a packet's together
    max_zip_ratio: int = 200  # unpacked : packed
    max_zip_entries: int = 10_000  # of one archive
    max_recipients: int = 1_000
    max_violations: int = 200  # listed in one answer
    max_soap_header_bytes: int = 64 * 1024
    max_header_chars: int = 512  # an Idempotency-Key and the like
    max_request_header_bytes: int = 32 * 1024  # request line and all HTTP headers together
    max_json_bytes: int = 64 * 1024  # a JSON body: acknowledgements and statuses
    max_dossier_bytes: int = 8 * MIB  # a message about dossiers, JSON or XML: files are fetched by their addresses
    max_dossier_objects: int = 10_000  # in it: dossiers, papers, fees … each of which may be wrong
    max_in_flight_bytes: int = 512 * MIB  # bodies being received by one process, all callers together
    max_body_idle_s: int = 60  # between two pieces of a body


DEFAULT_LIMITS = Limits()
