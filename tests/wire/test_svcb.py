import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.wire.rdata import parse_rdata, rdata_text
from georouter.wire.svcb import KEY_IPV4HINT, KEY_IPV6HINT, OWNER, hints, parts, service_rdata

V4, V6 = bytes((192, 0, 2, 1)), bytes.fromhex("20010db8" + "0" * 23 + "1")


@pytest.mark.parametrize(
    "text",
    [
        "1 .",
        '1 . alpn="h2,h3" port="8443"',
        '16 svc.example.net. mandatory="alpn" alpn="h2" no-default-alpn ipv4hint="192.0.2.1"',
        '1 . key667="hello" key668',
        "0 svc.example.net.",
    ],
)
def test_parts_are_what_was_put_together(text: str) -> None:
    """Read from what dnspython makes of the text, and back to the same octets."""
    _, rdata = parse_rdata("HTTPS", text, b"\0")
    priority, target, params = parts(rdata)
    assert service_rdata(priority, target, reversed(params)) == rdata
    assert [key for key, _ in params] == sorted(key for key, _ in params)


@given(
    v4=st.lists(st.binary(min_size=4, max_size=4), max_size=8),
    v6=st.lists(st.binary(min_size=16, max_size=16), max_size=8),
)
def test_hints_as_dnspython_reads_them(v4: list[bytes], v6: list[bytes]) -> None:
    """Addresses in their order among other parameters, and no key for a family without any."""
    params = ((1, b"\x02h2"), (3, b"\x01\xbb"), (5, b"\x00\x04\x00\x01\x00\x00"), (667, b"x"))
    rdata = service_rdata(1, OWNER, (*params, *hints(v4, v6)))
    read = dns.rdata.from_wire("IN", "HTTPS", rdata, 0, len(rdata))
    held = dict(parts(rdata)[2])
    for key, addresses in ((KEY_IPV4HINT, v4), (KEY_IPV6HINT, v6)):
        assert (key in read.params) == bool(addresses)
        assert held.get(key, b"") == b"".join(addresses)
    assert read.to_wire() == rdata


def test_hints_in_text() -> None:
    """What people see."""
    rdata = service_rdata(1, OWNER, ((1, b"\x02h2"), *hints([V4, V4], [V6])))
    assert rdata_text(65, rdata) == '1 . alpn="h2" ipv4hint="192.0.2.1,192.0.2.1" ipv6hint="2001:db8::1"'
