"""Stylesheets: no files, no network, no extensions, nothing that changes from run to run, and an end."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import Refused
from schemas.limits import DEFAULT_LIMITS
from schemas.translation.shipped import FOLDER
from schemas.translation.stylesheet import check, transform
from tests import packets

XSL = 'xmlns:xsl="http://www.w3.org/1999/XSL/Transform"'
ROOT = '<xsl:template match="/">{}</xsl:template>'


def sheet(body: str, head: str = "") -> bytes:
    """A stylesheet of `body`."""
    return f'<xsl:stylesheet version="1.0" {XSL} {head}>{body}</xsl:stylesheet>'.encode()


FORBIDDEN = {
    "reading a file": sheet(ROOT.format("<a><xsl:copy-of select=\"document('/etc/passwd')\"/></a>")),
    "reading the network": sheet(ROOT.format("<a><xsl:value-of select=\"document( 'http://127.0.0.1/')\"/></a>")),
    "including another": sheet('<xsl:include href="other.xslt"/>'),
    "importing another": sheet('<xsl:import href="other.xslt"/>'),
    "the clock of EXSLT": sheet(
        ROOT.format('<a><xsl:value-of select="date:date-time()"/></a>'), 'xmlns:date="http://exslt.org/dates-and-times"'
    ),
    "the dice of EXSLT": sheet(ROOT.format('<a b="{math:random()}"/>'), 'xmlns:math="http://exslt.org/math"'),
    "evaluating text": sheet(ROOT.format("<a><xsl:value-of select=\"dyn:evaluate('1')\"/></a>"), 'xmlns:dyn="http://exslt.org/dynamic"'),
    "writing a file": sheet(ROOT.format('<x:document href="/tmp/x"/>'), 'xmlns:x="http://exslt.org/common" extension-element-prefixes="x"'),
    "libxslt's own extensions": sheet(ROOT.format("<x:debug/>"), 'xmlns:x="http://xmlsoft.org/XSLT/namespace"'),
    "Python": sheet(ROOT.format('<a><xsl:value-of select="p:f()"/></a>'), 'xmlns:p="urn:python"'),
    "an address in memory": sheet(ROOT.format('<a b="{generate-id()}"/>')),
    "the version of the library": sheet(ROOT.format("<a><xsl:value-of select=\"system-property('xsl:vendor')\"/></a>")),
    "a named template, which may call itself": sheet('<xsl:template name="t"><xsl:call-template name="t"/></xsl:template>'),
    "looking at all descendants": sheet(ROOT.format('<a><xsl:value-of select="count(//x)"/></a>')),
    "looking back": sheet(ROOT.format('<a><xsl:value-of select="count(preceding::x)"/></a>')),
    "looking up": sheet(ROOT.format('<a><xsl:apply-templates select=".."/></a>')),
    "loops in loops in loops": sheet(ROOT.format('<xsl:for-each select="*">' * 4 + "<a/>" + "</xsl:for-each>" * 4)),
    "messages": sheet(ROOT.format('<xsl:message terminate="yes"/>')),
    "another version": sheet(ROOT.format("<a/>")).replace(b'"1.0"', b'"3.0"'),
    "a DOCTYPE": b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + sheet(ROOT.format("<a>&e;</a>")),
    "no stylesheet": b"<a/>",
    "no XML": b"stylesheet",
    "what does not compile": sheet(ROOT.format('<a><xsl:value-of select="1 +"/></a>')),
    "a namespace that was not listed": sheet(ROOT.format('<a xmlns="urn:other"/>')),
}


@pytest.mark.parametrize("raw", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_stylesheet_may_not(raw: bytes) -> None:
    assert {one.code for one in check(raw, frozenset())} == {"mapping-stylesheet"}


def test_what_got_past_the_check_could_still_read_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text("<secret>x</secret>")
    raw = sheet(ROOT.format(f"<a><xsl:copy-of select=\"document('{secret.as_uri()}')\"/></a>"))
    with pytest.raises(Refused, match="translation-stylesheet-failed"):
        transform(b"<b/>", raw)


def test_endless_recursion_ends() -> None:
    raw = sheet('<xsl:template match="*"><a><xsl:apply-templates select="."/><xsl:apply-templates select="."/></a></xsl:template>')
    assert check(raw, frozenset()) == ()
    with pytest.raises(Refused, match="translation-stylesheet-failed"):
        transform(b"<b/>", raw)


def test_what_grows_too_large_is_refused() -> None:
    raw = sheet(ROOT.format("<a>" + '<xsl:copy-of select="*"/>' * 50 + "</a>"))
    with pytest.raises(Refused, match="resource-limit"):
        transform(b"<b>" + b"x" * 900 + b"</b>", raw, limits=replace(DEFAULT_LIMITS, max_body_bytes=10_000))


def test_a_stylesheet_of_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="translation-stylesheet-failed"):
        transform(b"<b/>", sheet(ROOT.format("")))


@pytest.mark.parametrize("variant", [packets.unprefixed, packets.prefixed, packets.decomposed, bytes], ids=lambda one: str(one.__name__))
def test_the_numbered_order_is_made_of_packets_however_prefixed(variant: object) -> None:
    raw: bytes = variant(packets.document())  # type: ignore[operator]
    made = transform(raw, (FOLDER / "edxml_numbered" / "shape.xslt").read_bytes()).decode()
    places = ("From>", "To>", "CodeNumber>", "Subject>", "ToPlaces>", "OtherInfo>", "SteeringType>", "DocumentId>H32.01,")
    order = [made.index(place) for place in places]
    assert order == sorted(order)
    assert re.search(r"<Attachment[^>]*><ContentType>", made)
