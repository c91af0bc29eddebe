"""Codes: numbers and their names."""

import dns.rdatatype
import pytest

from georouter.wire.codes import rcode_text, type_number, type_text


@pytest.mark.parametrize("number", [*range(1, 300), 32768, 65280, 65535])
def test_types_agree_with_dnspython(number: int) -> None:
    """Where both know a mnemonic it is the same, and every text comes back as its number."""
    text = type_text(number)
    assert type_number(text) == type_number(text.lower()) == number
    if not text.startswith("TYPE"):
        assert int(dns.rdatatype.from_text(text)) == number


@pytest.mark.parametrize("text", ["", "AA", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "TYPE\u0661", "1"])
def test_what_is_no_type(text: str) -> None:
    """Said with the text in quotes."""
    with pytest.raises(ValueError, match="is not a record type"):
        type_number(text)


def test_unknown_types_in_generic_form() -> None:
    """RFC 3597 5, for known numbers too."""
    assert type_text(65280) == "TYPE65280"
    assert type_number("TYPE1") == 1


def test_response_codes() -> None:
    """A name where there is one."""
    assert [rcode_text(number) for number in (0, 3, 5, 16, 12)] == [
        "NOERROR",
        "NXDOMAIN",
        "REFUSED",
        "BADVERS",
        "RCODE12",
    ]


def test_every_type_that_dnspython_names() -> None:
    """By the same name; 0 is the one that is none."""
    for kind in dns.rdatatype.RdataType:
        assert type_text(int(kind)) == ("TYPE0" if kind == 0 else dns.rdatatype.to_text(kind))
