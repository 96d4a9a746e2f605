"""What the XML parser found wrong, in the hub's own codes."""

from __future__ import annotations

from lxml import etree

from schemas.errors import Refused, Violation, error


def syntax_error(fault: etree.XMLSyntaxError | None, entries: list[etree._LogEntry], encoding: str) -> Refused:
    """What the parser's own log means. (The exception's is shared by the whole process and names other documents' faults.)"""
    names = etree.ErrorTypes
    types = {entry.type for entry in entries}
    said = str(fault.msg) if fault is not None else entries[0].message
    where = Violation("malformed-xml", line=entries[0].line if entries else getattr(fault, "lineno", 0) or 0, got=_quiet(said))
    expanded = (
        names.ERR_RESOURCE_LIMIT in types and "entity" in said
    )  # the parser's own guard, which may speak before the DOCTYPE is seen here
    if expanded or types & {names.ERR_UNDECLARED_ENTITY, names.WAR_UNDECLARED_ENTITY, names.ERR_ENTITY_LOOP}:
        return _refused("dtd-forbidden", where)
    if types & {names.ERR_INVALID_CHAR, names.ERR_INVALID_ENCODING, names.ERR_UNSUPPORTED_ENCODING, names.ERR_UNKNOWN_ENCODING}:
        return _refused("encoding", where, expected=f"text in {encoding}")
    if types == {names.DTD_ID_REDEFINED}:  # two elements of one xml:id
        return _refused("duplicate-id", where, expected="each id once")
    if names.ERR_RESOURCE_LIMIT in types:
        return _refused("resource-limit", where)
    if types == {names.NS_ERR_UNDEFINED_NAMESPACE}:
        return _refused("undeclared-prefix", where)
    return _refused("malformed-xml", where)


def doctype_refused() -> Refused:
    """For a DOCTYPE, whatever it holds."""
    return _refused("dtd-forbidden", Violation("dtd-forbidden", line=1, got="<!DOCTYPE"))


def _refused(code: str, where: Violation, expected: str = "well-formed XML 1.0 with namespaces") -> Refused:
    violation = error(code, line=where.line, got=where.got, expected=expected)
    return Refused(code, got=where.got, expected=expected, violations=(violation,))


def _quiet(message: str) -> str:
    return message.replace("<string>", "").strip()
