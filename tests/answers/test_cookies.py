"""Server cookies: the vectors of RFC 9018 appendix A, and the rules of their age."""

from ipaddress import ip_address
from itertools import pairwise

import pytest

from georouter.answers.cookies import Cookies, well_formed

SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
OLD, NEW = (
    bytes.fromhex(text) for text in ("dd3bdf9344b678b185a6f5cb60fca715", "445536bcd2513298075a5d379663c962")
)


def told(cookies: Cookies, sent: str, address: str, now: float) -> tuple[str, bool]:
    """The cookie in the response, and whether the query's proved its source."""
    source = ip_address(address)
    option, proven = cookies.answer(bytes.fromhex(sent), int(source), source.version, now)
    assert option[:4] == b"\0\x0a\0\x18"
    return option[4:].hex(), proven


@pytest.mark.parametrize(
    ("secrets", "address", "sent", "now", "expected", "proven"),
    [
        pytest.param(
            (SECRET,),
            "198.51.100.100",
            "2464c4abcf10c957",
            0x5CF79F11,
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
            False,
            id="A.1 learning a server cookie",
        ),
        pytest.param(
            (SECRET,),
            "198.51.100.100",
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
            0x5CF7A871,
            "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
            True,
            id="A.2 renewed after forty minutes",
        ),
        pytest.param(
            (SECRET,),
            "203.0.113.203",
            "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
            0x5CF7A9AC,
            "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
            False,
            id="A.3 another maker's reserved octets, too old",
        ),
        pytest.param(
            (NEW, OLD),
            "2001:db8:220:1:59de:d0f4:8769:82b8",
            "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
            0x5CF7C609,
            "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
            True,
            id="A.4 IPv6, after a rollover",
        ),
    ],
)
def test_vectors(  # noqa: PLR0917 - one row of the appendix
    secrets: tuple[bytes, ...], address: str, sent: str, now: int, expected: str, proven: bool
) -> None:
    """RFC 9018 appendix A."""
    assert told(Cookies(secrets), sent, address, now + 0.5) == (expected, proven)


T0 = 1_760_000_000


@pytest.mark.parametrize(
    ("age", "proven", "kept"),
    [
        (-301, False, False),
        (-300, True, True),
        (0, True, True),
        (1800, True, True),
        (1801, True, False),
        (3600, True, False),
        (3601, False, False),
        (2**31, False, False),
    ],
)
def test_ages(age: int, proven: bool, kept: bool) -> None:
    """Half an hour as it is, an hour at all, five minutes ahead of us; the time wraps (RFC 1982)."""
    cookies = Cookies((SECRET,))
    for made in (T0, 2**32 - 100, 2**32 + 50):
        first, _ = told(cookies, "0102030405060708", "192.0.2.1", made)
        again, good = told(cookies, first, "192.0.2.1", made + age)
        assert (good, again == first) == (proven, kept)


@pytest.mark.parametrize("at", range(24))
def test_no_octet_may_change(at: int) -> None:
    """Client cookie, version, reserved, time, hash: any other octet proves nothing."""
    cookies = Cookies((SECRET,))
    first, _ = told(cookies, "0102030405060708", "192.0.2.1", T0)
    forged = bytearray.fromhex(first)
    forged[at] ^= 1
    again, good = told(cookies, forged.hex(), "192.0.2.1", T0 + 1)
    assert not good
    assert again[16:24] == "01000000"


def test_the_address_counts() -> None:
    """To the last bit, of both families; families do not mix."""
    cookies = Cookies((SECRET,))
    for mine, other in (
        ("192.0.2.1", "192.0.2.0"),
        ("2001:db8::1", "2001:db8::2"),
        ("::c000:201", "192.0.2.1"),
    ):
        first, _ = told(cookies, "0102030405060708", mine, T0)
        assert told(cookies, first, mine, T0)[1]
        assert not told(cookies, first, other, T0)[1]


def test_a_rollover_between_nodes() -> None:
    """At every stage of RFC 9018 5, each node proves what any other made."""
    stages = [(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)]
    for one, other in pairwise(stages):
        for maker, prover in ((one, other), (other, one)):
            if maker[0] in prover:
                first, _ = told(Cookies(maker), "0102030405060708", "192.0.2.1", T0)
                again, good = told(Cookies(prover), first, "192.0.2.1", T0 + 5)
                assert good
                assert (again == first) == (maker[0] == prover[0])


@pytest.mark.parametrize(
    ("size", "right"),
    [(0, False), (7, False), (8, True), (9, False), (15, False), (16, True), (40, True), (41, False)],
)
def test_lengths(size: int, right: bool) -> None:
    """RFC 7873 5.2.2."""
    assert well_formed(bytes(size)) is right


@pytest.mark.parametrize("size", [16, 23, 25, 40])
def test_cookies_of_other_makes(size: int) -> None:
    """Well formed, not ours: a new one."""
    answer, proven = told(Cookies((SECRET,)), bytes(range(size)).hex(), "192.0.2.1", T0)
    assert not proven
    assert bytes.fromhex(answer)[:8] == bytes(range(8))


def test_secrets_have_a_size() -> None:
    """Too few octets, or no secret at all."""
    for secrets in ((), (b"short",), (SECRET, SECRET[:15])):
        with pytest.raises(ValueError, match="16 octets"):
            Cookies(secrets)
