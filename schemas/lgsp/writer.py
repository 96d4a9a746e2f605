"""`write_xml`: a model as XML, in the order of the schema. For LGSP it is the wire; for the portal's messages it is our own form.

QCVN 120:2019 allows XML beside JSON [C §2.1], but its XML form could not be retrieved: element names are the members', lists repeat.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from schemas.dvcqg.shape import Kind, Shape, fields_of
from schemas.xml import Element

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def write_xml(model: Shape, root: str = "") -> bytes:
    """`model` as a document in UTF-8 whose root is `root`, by default the name of an LGSP message.

    Members that were not set are left out. Unknown members are written where they are texts with a name that XML allows; others cannot be.
    """
    element = etree.Element(root or str(getattr(type(model), "ROOT", type(model).__name__)))
    _fill(element, model)
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8")


def _fill(element: Element, model: Shape) -> None:
    for spec in fields_of(type(model)):
        if spec.name not in model.model_fields_set:
            continue
        value = getattr(model, spec.name)
        if spec.kind is Kind.ROWS:
            for row in value:
                _fill(etree.SubElement(element, spec.name), row)
        elif spec.kind is Kind.OBJECT:
            if value is not None:
                _fill(etree.SubElement(element, spec.name), value)
        else:
            etree.SubElement(element, spec.name).text = _written(value)
    for name, value in (model.model_extra or {}).items():
        if isinstance(value, str) and _NAME.fullmatch(name):
            etree.SubElement(element, name).text = value


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
