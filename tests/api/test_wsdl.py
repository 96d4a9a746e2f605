"""The WSDL as a document: valid by the rules that Java and .NET hold services to, and the same as what the endpoint does."""

from __future__ import annotations

from typing import cast

import pytest

from hub.api.soap.operations import OPERATIONS
from hub.api.soap.wsdl import NAMESPACE, OPERATION_TEXTS, schema, service_address, wsdl
from schemas.xml import Element, load_schema, parse

SPACES = {
    "w": "http://schemas.xmlsoap.org/wsdl/",
    "s11": "http://schemas.xmlsoap.org/wsdl/soap/",
    "s12": "http://schemas.xmlsoap.org/wsdl/soap12/",
    "xs": "http://www.w3.org/2001/XMLSchema",
}
ROOT = parse(wsdl("https://hub.example/soap/v1")).root


def found(path: str) -> list[Element]:
    """Elements of the WSDL."""
    return cast("list[Element]", ROOT.xpath(path, namespaces=SPACES))


def values(path: str) -> list[str]:
    """Attributes of the WSDL."""
    return [str(value) for value in cast("list[str]", ROOT.xpath(path, namespaces=SPACES))]


def test_it_offers_exactly_the_operations_that_are_served() -> None:
    assert values("//w:portType/w:operation/@name") == list(OPERATION_TEXTS) == list(OPERATIONS)


def test_both_versions_have_a_binding_and_a_port_for_every_operation() -> None:
    assert len(found("//w:binding")) == len(found("//w:service/w:port")) == 2
    for prefix in ("s11", "s12"):
        assert values(f"//w:binding[{prefix}:binding]/w:operation/@name") == list(OPERATION_TEXTS)
        assert values(f"//{prefix}:address/@location") == ["https://hub.example/soap/v1"]


def test_it_is_document_literal_without_any_soap_encoding() -> None:
    for prefix in ("s11", "s12"):
        assert set(values(f"//{prefix}:binding/@style | //{prefix}:operation/@style")) == {"document"}
        assert set(values(f"//{prefix}:body/@use | //{prefix}:fault/@use")) == {"literal"}
    assert b"encoding/" not in wsdl("http://x/soap/v1")
    assert not found("//w:part[@type]")  # BP 1.1 R2204: document-literal parts name elements


def test_every_message_part_names_an_element_of_the_schema() -> None:
    declared = set(values("//xs:schema/xs:element/@name"))
    assert {value.removeprefix("tns:") for value in values("//w:part/@element")} == declared


def test_every_wrapper_is_a_plain_sequence_named_as_its_operation() -> None:
    for name in OPERATION_TEXTS:
        for element in (name, f"{name}Response"):
            children = found(f"//xs:schema/xs:element[@name='{element}']/xs:complexType/*")
            assert [child.tag for child in children] == [f"{{{SPACES['xs']}}}sequence"]


def test_the_schema_qualifies_its_elements_and_compiles() -> None:
    assert values("//xs:schema/@elementFormDefault") == ["qualified"]
    assert values("//xs:schema/@targetNamespace") == [NAMESPACE] == values("/w:definitions/@targetNamespace")
    load_schema(schema())


def test_actions_are_distinct_and_the_same_in_both_versions() -> None:
    first, second = values("//s11:operation/@soapAction"), values("//s12:operation/@soapAction")
    assert first == second == [f"{NAMESPACE}#{name}" for name in OPERATION_TEXTS]


ADDRESSES = {
    "the configured one first": ("https://lgsp.tinh.gov.vn/", "evil", "https://lgsp.tinh.gov.vn/soap/v1"),
    "the request's host": ("", "10.1.2.3:8080", "http://10.1.2.3:8080/soap/v1"),
    "an IPv6 host": ("", "[::1]:8080", "http://[::1]:8080/soap/v1"),
    "no host at all": ("", "", "http://127.0.0.1:8080/soap/v1"),
    "a host with markup": ("", 'a"/><x', "http://127.0.0.1:8080/soap/v1"),
    "a host with a path": ("", "evil.example/x", "http://127.0.0.1:8080/soap/v1"),
    "a host with user information": ("", "user@evil.example", "http://127.0.0.1:8080/soap/v1"),
}


@pytest.mark.parametrize(("public", "host", "expected"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_the_address_is(public: str, host: str, expected: str) -> None:
    assert service_address(public, "http", host, ("127.0.0.1", 8080)) == expected


def test_a_configured_address_with_an_ampersand_keeps_the_document_well_formed() -> None:
    assert parse(wsdl("https://hub.example/a&b/soap/v1")).root is not None
