import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.wire import names

LABEL = st.binary(min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("example.com", b"\x07example\x03com\0"),
        ("example.com.", b"\x07example\x03com\0"),
        (".", b"\0"),
        ("WwW.x", b"\x03WwW\x01x\0"),
        ("*.app", b"\x01*\x03app\0"),
        (r"a\.b.c", b"\x03a.b\x01c\0"),
        (r"a\032b", b"\x03a b\0"),
        (r"a\\b.", b"\x03a\\b\0"),
        (r"end\.", b"\x04end.\0"),
        ("_sip._tcp", b"\x04_sip\x04_tcp\0"),
    ],
)
def test_parse_name(text: str, wire: bytes) -> None:
    """Presentation names with every kind of escape have this wire form."""
    assert names.parse_name(text) == wire


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("..", "empty label"),
        (".a", "empty label"),
        ("a..b", "empty label"),
        ("x" * 64, "64 octets"),
        (".".join(["x" * 60] * 5), "255 is the limit"),
        ("bücher.example", "xn--"),
        ("a b", "blank"),
        ("a\tb", "blank"),
        ("a\nb", "octet 10 in it"),
        ("a\x00b", r"write \\000"),
        ("a\x7f", r"write \\127"),
        ("a;b", r"write \\059"),
        ('"a"', "octet 34"),
        ("a(b", "octet 40"),
        ("a\\", "ends inside an escape"),
        (r"a\25", "three digits"),
        (r"a\256", "three digits"),
    ],
)
def test_parse_name_refuses(text: str, reason: str) -> None:
    """What is no name is refused with the reason."""
    with pytest.raises(ValueError, match=reason):
        names.parse_name(text)


@pytest.mark.parametrize("octet", [0x00, 0x09, 0x0A, 0x20, 0x22, 0x28, 0x29, 0x3B, 0x7F])
def test_odd_octets_are_meant_when_they_are_escaped(octet: int) -> None:
    r"""`\DDD` stands for any octet, a backslash for what it stands before."""
    assert names.parse_name(f"a\\{octet:03d}b") == bytes((3, 0x61, octet, 0x62, 0))
    assert names.parse_name(f"a\\\\\\{chr(octet)}b") == bytes((4, 0x61, 0x5C, octet, 0x62, 0))


def test_longest_names_pass() -> None:
    """63 octets in a label and 255 in a name are still fine."""
    text = ".".join(["x" * 63, "y" * 63, "z" * 63, "w" * 61])
    assert len(names.parse_name(text)) == names.MAX_NAME


@given(st.lists(LABEL, max_size=6))
def test_text_round_trip_agrees_with_dnspython(parts: list[bytes]) -> None:
    """Any name survives text and back, and dnspython reads our text as the same name."""
    wire = names.join(tuple(parts))
    text = names.name_text(wire)
    assert names.parse_name(text) == wire
    assert dns.name.from_text(text).to_wire() == wire
    assert names.parse_name(dns.name.Name((*parts, b"")).to_text()) == wire


def test_parse_relative() -> None:
    """`@` is the origin, a final dot makes a name absolute, anything else lies below the origin."""
    origin = names.parse_name("example.com")
    assert names.parse_relative("@", origin) == origin
    assert names.parse_relative("a.b", origin) == names.parse_name("a.b.example.com")
    assert names.parse_relative("a.b.", origin) == names.parse_name("a.b")
    with pytest.raises(ValueError, match="limit"):
        names.parse_relative(".".join(["x" * 62] * 4), origin)


@pytest.mark.parametrize(
    "wire", [b"", b"\x03ab", b"\x01a", b"\0\0", b"\xc0\x0c", b"\x01a\0b", b"\x40" + b"x" * 64 + b"\0"]
)
def test_labels_refuses_what_is_no_name(wire: bytes) -> None:
    """Truncated names, pointers and trailing bytes are not names."""
    with pytest.raises(ValueError, match="not an uncompressed"):
        names.labels(wire)


def test_is_below_respects_label_borders() -> None:
    """A name is below its ancestors and itself, never below a mere string suffix."""
    apex = names.parse_name("example.com")
    assert names.is_below(apex, apex)
    assert names.is_below(names.parse_name("a.example.com"), apex)
    assert names.is_below(apex, b"\0")
    assert not names.is_below(names.parse_name("com"), apex)
    assert not names.is_below(b"\x09x\x07example\x03com\0", apex)


def test_lower_and_parent() -> None:
    """Only ASCII letters fold; the parent drops the first label; the root has none."""
    assert names.lower(b"\x04A\xc4zZ\0") == b"\x04a\xc4zz\0"
    assert names.parent(names.parse_name("a.b")) == names.parse_name("b")
    with pytest.raises(ValueError, match="root"):
        names.parent(b"\0")
