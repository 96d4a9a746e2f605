"""XML Schema 1.0 of a message, made from its shape.

Of LGSP messages it is the wire format. Of the portal's it is our own: QCVN 120:2019 allows XML [C §2.1], but its XML form could not be
retrieved. Lists repeat their element. It is the strict form, for those who write: the reader takes more.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from schemas.dvcqg.kinds import MessageKind
from schemas.dvcqg.shape import FieldSpec, Kind, Need, Shape, fields_of, is_open

_TYPES = {"int": "xs:int", "double": "xs:double", "bool": "xs:boolean"}
_OWN = "Own form: the XML form of the standard could not be retrieved."


def xsd(kind: MessageKind) -> str:
    """The schema of `kind`, with the message's name as its root element."""
    shapes: dict[str, type[Shape]] = {}
    _collect(kind.shape, shapes)
    note = f"{kind.name}: {kind.vi} / {kind.en}. {kind.certainty}" + ("" if kind.encoding == "xml" else f". {_OWN}")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">']
    lines += _documented(note, "  ")
    lines.append(f"  <xs:element name={quoteattr(kind.title)} type={quoteattr(kind.shape.__name__)}/>")
    for name, shape in shapes.items():
        lines += _type(name, shape)
    return "\n".join([*lines, "</xs:schema>", ""])


def _collect(shape: type[Shape], shapes: dict[str, type[Shape]]) -> None:
    if shape.__name__ not in shapes:
        shapes[shape.__name__] = shape
        for spec in fields_of(shape):
            if spec.shape is not None:
                _collect(spec.shape, shapes)


def _type(name: str, shape: type[Shape]) -> Iterator[str]:
    yield f"  <xs:complexType name={quoteattr(name)}>"
    yield from _documented(" ".join((shape.__doc__ or "").split()), "    ")
    yield "    <xs:sequence>"
    for spec in fields_of(shape):
        yield from _element(spec)
    if is_open(shape):
        yield (
            '      <xs:any minOccurs="0" maxOccurs="unbounded" processContents="skip"/>'
            if not fields_of(shape)
            else ("      <!-- further members were not told -->")
        )
    yield "    </xs:sequence>"
    yield "  </xs:complexType>"


def _element(spec: FieldSpec) -> Iterator[str]:
    kind = spec.shape.__name__ if spec.shape is not None else _TYPES.get(spec.about.form, "xs:string")
    least = ' minOccurs="0"' if spec.about.need is Need.OPTIONAL else ""
    most = ' maxOccurs="unbounded"' if spec.kind in (Kind.ROWS, Kind.TEXTS) else ""
    yield f"      <xs:element name={quoteattr(spec.name)} type={quoteattr(kind)}{least}{most}>"
    yield from _documented(f"{spec.about.vi} / {spec.about.en}", "        ")
    yield "      </xs:element>"


def _documented(text: str, indent: str) -> list[str]:
    return [f"{indent}<xs:annotation><xs:documentation>{escape(text)}</xs:documentation></xs:annotation>"]
