"""Who a packet says it is from, whatever else is wrong with it: for the verifier, which compares him with the signer."""

from __future__ import annotations

from schemas.agency import AgencyCode
from schemas.xml import ParsedXml, child_elements, local_name, text_of

_FROM = (("edXMLEnvelope",), ("edXMLHeader",), ("MessageHeader", "Status"), ("From",), ("OrganId",))


def declared_sender(tree: ParsedXml) -> AgencyCode | None:
    """From/OrganId of a packet, an unusable code where there are several, None for what is no packet."""
    nodes = [tree.root]
    for names in _FROM:
        nodes = [child for node in nodes for child in child_elements(node) if local_name(child) in names]
    if not nodes:
        return None
    return AgencyCode.of(text_of(nodes[0])) if len(nodes) == 1 else AgencyCode.of("")
