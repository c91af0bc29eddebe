"""Who may read and who may change."""

import pytest

from georouter.admin.guard import Guard, is_local, is_loopback

TOKEN = "correct horse"
JSON = {"Host": "127.0.0.1:8053", "Content-Type": "application/json"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}

LOCAL, AWAY = "127.0.0.1", "192.0.2.7"

CHANGES = [
    ("from this machine", LOCAL, {}, None),
    ("from this machine over IPv6", "::1", {"Host": "[::1]:8053"}, None),
    ("from this machine, mapped", "::ffff:127.0.0.1", {}, None),
    ("by the name localhost", LOCAL, {"Host": "localhost:8053"}, None),
    ("by our own name", LOCAL, {"Host": "Gateway.:8053"}, None),
    ("from this machine with a charset", LOCAL, {"Content-Type": "application/json; charset=utf-8"}, None),
    ("from away without token", AWAY, {}, 401),
    ("from away with the token", AWAY, BEARER, None),
    ("scheme in other case", AWAY, {"Authorization": f"bearer {TOKEN}"}, None),
    ("with the token, by any name", AWAY, {**BEARER, "Host": "router.example.com"}, None),
    ("with a wrong token", AWAY, {"Authorization": "Bearer wrong"}, 401),
    ("with a token in Latin-1", AWAY, {"Authorization": "Bearer \udce9"}, 401),
    ("with another scheme", AWAY, {"Authorization": f"Basic {TOKEN}"}, 401),
    ("from this machine with a wrong token", LOCAL, {"Authorization": "Bearer wrong"}, 401),
    ("through a proxy here", LOCAL, {"X-Forwarded-For": AWAY}, 401),
    ("through a proxy here, other header", LOCAL, {"Forwarded": "for=192.0.2.7"}, 401),
    ("through a proxy here with the token", LOCAL, {"X-Forwarded-For": AWAY, **BEARER}, None),
    ("a rebound name", LOCAL, {"Host": "evil.example:8053"}, 403),
    ("a name that only looks like an address", LOCAL, {"Host": "127.0.0.1.evil.example"}, 403),
    ("no host", LOCAL, {"Host": ""}, 403),
    ("a host with a path", LOCAL, {"Host": "localhost/x"}, 403),
    ("our own page", LOCAL, {"Origin": "http://127.0.0.1:8053", "Sec-Fetch-Site": "same-origin"}, None),
    ("a page of another site", LOCAL, {"Origin": "https://evil.example"}, 403),
    ("a page of another port here", LOCAL, {"Origin": "http://127.0.0.1:3000"}, 403),
    ("a sandboxed page", LOCAL, {"Origin": "null"}, 403),
    ("a cross-site request that names no origin", LOCAL, {"Sec-Fetch-Site": "cross-site"}, 403),
    ("a page of another site that has the token", AWAY, {**BEARER, "Origin": "https://evil.example"}, 403),
    ("a form", LOCAL, {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ("text that is JSON", LOCAL, {"Content-Type": "text/plain"}, 415),
    ("from a thing that is no address", "", {}, 401),
]


@pytest.mark.parametrize(
    ("peer", "headers", "status"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_changes(peer: str, headers: dict[str, str], status: int | None) -> None:
    """A change needs the token or this machine, and never comes from another site's page."""
    refusal = Guard(TOKEN, ["gateway"]).may_change(peer, JSON | headers)
    assert (refusal.status if refusal else None) == status


def test_without_a_token_only_this_machine() -> None:
    """Where no token is configured nothing from away is accepted, and the refusal says why."""
    guard = Guard(None)
    assert guard.may_change(LOCAL, JSON) is None
    refusal = guard.may_change(AWAY, JSON)
    assert refusal is not None
    assert "admin_token_file" in refusal.reason
    assert guard.may_change(AWAY, JSON | {"Authorization": "Bearer "}) is not None
    assert guard.may_change(AWAY, JSON | {"Authorization": "Bearer None"}) is not None


def test_another_token() -> None:
    """From now on; then none."""
    guard = Guard("old")
    for token in ("new", None):
        guard.renew(token)
        given = guard.may_change(AWAY, JSON | {"Authorization": "Bearer new"})
        assert (given is None) == (token == "new")
        assert guard.may_change(AWAY, JSON | {"Authorization": "Bearer old"}) is not None


READS = [
    ("from away by any name", AWAY, "router.example.com", None),
    ("from this machine by address", LOCAL, "127.0.0.1:8053", None),
    ("from this machine by IPv6 address", "::1", "[::1]:8053", None),
    ("from this machine by a rebound name", LOCAL, "evil.example:8053", 403),
]


@pytest.mark.parametrize(
    ("peer", "host", "status"), [case[1:] for case in READS], ids=[case[0] for case in READS]
)
def test_reads(peer: str, host: str, status: int | None) -> None:
    """Reading is open, except to another site's name that was pointed at us."""
    refusal = Guard(TOKEN).may_read(peer, {"Host": host})
    assert (refusal.status if refusal else None) == status


def test_a_rebound_page_cannot_pretend_to_be_a_proxy() -> None:
    """A page can add X-Forwarded-For to its own requests; that opens nothing."""
    guard = Guard(TOKEN)
    headers = {"Host": "evil.example", "X-Forwarded-For": AWAY}
    assert guard.may_read(LOCAL, headers) is not None
    assert guard.may_change(LOCAL, JSON | headers) is not None


def test_a_proxy_here_may_keep_its_name_with_the_token() -> None:
    """A reverse proxy that keeps the Host header reads with the token."""
    assert Guard(TOKEN).may_read(LOCAL, {"Host": "router.example.com", **BEARER}) is None


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::1%lo", True),
        ("10.0.0.1", False),
        ("::", False),
        ("x", False),
    ],
)
def test_loopback(peer: str, expected: bool) -> None:
    """Which peers are on this machine."""
    assert is_loopback(peer) is expected
    assert is_local(peer, {}) is expected
