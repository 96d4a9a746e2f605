"""Converters on values of the kind that systems write, and on those that must be refused."""

from __future__ import annotations

import unicodedata

import pytest

from schemas.converters.registry import converter
from schemas.errors import Refused

READS = {
    "a day, slashes": ("date:dd/MM/yyyy", "05/03/1990", "1990-03-05"),
    "a day, ISO": ("date:yyyy-MM-dd", "1990-03-05", "1990-03-05"),
    "a day and a time, slashes": ("datetime:dd/MM/yyyy HH:mm:ss", "20/09/2024 08:15:00", "2024-09-20T08:15:00+07:00"),
    "the national portal's": ("datetime:yyyyMMddHHmmss", "20240920081500", "2024-09-20T08:15:00+07:00"),
    "a day, points": ("date:dd.MM.yyyy", "05.03.1990", "1990-03-05"),
    "a day, eight digits": ("date:yyyyMMdd", "19900305", "1990-03-05"),
    "a day and a time, dashes": ("datetime:yyyy-MM-dd HH:mm:ss", "2024-09-20 08:15:00", "2024-09-20T08:15:00+07:00"),
    "a day, dashes": ("date:dd-MM-yyyy", "05-03-1990", "1990-03-05"),
    "the 12-hour bug keeps the day alone": ("datetime:yyyyMMddhhmmss", "20240920081500", "2024-09-20"),
    "the blank in the pattern": ("date:dd /MM/yyyy", "05 /03/1990", "1990-03-05"),
    "ISO with an offset": ("datetime:iso", "2024-09-20T01:15:00.250Z", "2024-09-20T08:15:00+07:00"),
    "edXML's": ("datetime:yyyy/MM/dd HH:mm:ss", "2024/09/20 08:15:00", "2024-09-20T08:15:00+07:00"),
    "a year alone": ("date:yyyy", "1950", "1950"),
    "a month and a year": ("date:MM/yyyy", "03/1990", "1990-03"),
    "recognised: slashes": ("date:recognised", "05/03/1990", "1990-03-05"),
    "recognised: fourteen digits in the evening": ("date:recognised", "20240920201500", "2024-09-20T20:15:00+07:00"),
    "recognised: midnight": ("date:recognised", "20240920000000", "2024-09-20T00:00:00+07:00"),
    "decomposed Vietnamese": ("text:nfc", unicodedata.normalize("NFD", "Khánh Hòa"), "Khánh Hòa"),
    "spare blanks": ("text:trimmed", "  Trần  Thị\tB ", "Trần Thị B"),
    "JSON in a text": ("text:json", '{"ID_local":"1","TYPE":"2"}', {"ID_local": "1", "TYPE": "2"}),
    "a Vietnamese number": ("number:vi", "1.234.567,89", "1234567.89"),
    "an English number": ("number:en", "1,234,567.89", "1234567.89"),
    "minus a half": ("number:vi", "-0,5", "-0.5"),
    "a number of JSON": ("number:json", 12.5, "12.5"),
    "True as a text": ("bool:True/False", "True", True),
    "an old card": ("id:kind", "225123456", "2"),
    "a citizen number with blanks": ("id:separated", "056 090 001 234", "056090001234"),
    "a telephone with a country code": ("phone:international", "+84905123456", "0905123456"),
    "a telephone with everything": ("phone:separated", "(0084) 905-123.456", "0905123456"),
    "a department": ("agency:qcvn102", "000.00.13.H53", "H53.13"),
    "a province": ("agency:qcvn102", "000.00.00.H32", "H32"),
    "the fourth level": ("agency:qcvn102", "007.02.01.H32", "H32.01.02.007"),
    "a list": ("list:semicolon", "a;b;c", ["a", "b", "c"]),
    "civil status: done": ("code:trang_thai_ho_so.hotich", "4", "9"),
    "OpenCPS: refused": ("code:trang_thai_ho_so.opencps", "denied", "3"),
    "a woman": ("code:gioi_tinh.chu", "Nữ", "2"),
}


@pytest.mark.parametrize(("name", "wire", "common"), READS.values(), ids=READS)
def test_it_reads(name: str, wire: object, common: object) -> None:
    assert converter(name).forward(wire) == common


REFUSES = {
    "a day that does not exist": ("date:dd/MM/yyyy", "30/02/2014"),
    "the American order": ("date:dd/MM/yyyy", "12/31/2014"),
    "one digit for the day": ("date:dd/MM/yyyy", "5/3/1990"),
    "another format than the named": ("date:dd/MM/yyyy", "1990-03-05"),
    "hour 13 of a 12-hour clock": ("datetime:yyyyMMddhhmmss", "20240920131500"),
    "hour 00 of a 12-hour clock": ("datetime:yyyyMMddhhmmss", "20240920001500"),
    "hour 24": ("datetime:yyyyMMddHHmmss", "20240920240000"),
    "digits that are not ASCII": ("date:yyyy", "١٩٩٠"),
    "blank": ("date:yyyy-MM-dd", ""),
    "no offset where one is due": ("datetime:iso", "2024-09-20T08:15:00"),
    "a number that may be either": ("number:vi", "1234.5"),
    "half a group": ("number:vi", "1.23"),
    "an ungrouped thousand": ("number:vi", "1234"),
    "a truth of JSON for a number": ("number:json", True),
    "a yes in other letters": ("bool:True/False", "true"),
    "what a sender writes where there is no number": ("id:person", "000000001"),
    "eleven digits": ("id:citizen", "12345678901"),
    "a telephone without its zero": ("phone:domestic", "905123456"),
    "an agency code with an empty level inside": ("agency:qcvn102", "007.00.01.H32"),
    "an agency code of the other form": ("agency:qcvn102", "H53.13"),
    "a list with a blank item": ("list:semicolon", "a;;b"),
    "a state that the page does not map": ("code:trang_thai_ho_so.hotich", "7"),
    "a state without a national one": ("code:trang_thai_ho_so.opencps", "posting"),
    "a code whose meaning nobody told": ("code:loai_doi_tuong.igate", "1"),
    "a state beyond the list": ("code:trang_thai_ho_so", "11"),
    "a name twice in JSON": ("text:json", '{"a":1,"a":2}'),
    "no base64": ("text:base64", "###="),
    "bytes that are no text": ("text:base64", "/////w=="),
}


@pytest.mark.parametrize(("name", "wire"), REFUSES.values(), ids=REFUSES)
def test_it_refuses(name: str, wire: object) -> None:
    with pytest.raises(Refused, match="value-not-convertible"):
        converter(name).forward(wire)


def test_fourteen_digits_in_the_morning_have_two_readings() -> None:
    with pytest.raises(Refused, match="value-ambiguous"):
        converter("date:recognised").forward("20240920081500")


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(Refused) as caught:
        converter("id:citizen").forward("05609000123X")
    assert "05609000123X" not in str(caught.value)


@pytest.mark.parametrize("code", ["H37.2.2", "H32.00", "H32.01.02.3", "h32", "4200238383"])
def test_agency_codes_without_an_older_form_are_refused(code: str) -> None:
    back = converter("agency:qcvn102").backward
    assert back is not None
    with pytest.raises(Refused):
        back(code)
