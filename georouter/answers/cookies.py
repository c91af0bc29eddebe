"""Server cookies (RFC 7873), made so that servers of any make that share a secret agree (RFC 9018).

    client cookie (8) | version 1 (1) | zero (3) | time (4) | SipHash-2-4(secret, all of that | address) (8)

Rule 1: a cookie of ours is good for an hour, and for five minutes before its time (RFC 9018 4.3).
Rule 2: a good cookie older than half an hour, or made with another secret than the active one, is
answered with a new one; a younger one comes back as it is.
Rule 3: whatever else a client sends, it gets a new one.
"""

from hmac import compare_digest

from siphashc import siphash

from georouter.wire.codes import OPTION_COOKIE

SECRET_SIZE = 16
CLIENT_SIZE = 8
SIZE = 24
"""Octets of client cookie and server cookie together, as we make them."""
SMALLEST, LARGEST = 16, 40
"""Octets of client cookie and any server cookie (RFC 7873 4)."""

GOOD_FOR_S = 3600
AHEAD_S = 300
RENEW_AFTER_S = 1800

_HEAD = OPTION_COOKIE.to_bytes(2) + SIZE.to_bytes(2)
_VERSION = b"\1\0\0\0"
_TIME = 1 << 32


def well_formed(cookie: bytes) -> bool:
    """Whether the option's data has a length that it may have (RFC 7873 5.2.2)."""
    return len(cookie) == CLIENT_SIZE or SMALLEST <= len(cookie) <= LARGEST


class Cookies:
    """Makes and proves cookies. `secrets` may be replaced at any time: the first one makes cookies, all
    of them prove them (RFC 9018 5: the next one while a rollover begins, the last one while it ends).
    """

    __slots__ = ("secrets",)

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        """At least one secret, of 16 octets each."""
        if not secrets or any(len(secret) != SECRET_SIZE for secret in secrets):
            raise ValueError(f"a cookie secret has {SECRET_SIZE} octets")
        self.secrets = secrets

    def answer(self, cookie: bytes, source: int, family: int, now: float) -> tuple[bytes, bool]:
        """The option for the response, and whether the query's cookie proves its source address.

        `cookie` is the option's data, well formed; `source`, `family` and `now` are as in `respond`.
        """
        address = source.to_bytes(4 if family == 4 else 16, "big")
        time = int(now) % _TIME
        proven = False
        if len(cookie) == SIZE and cookie[8] == 1:
            age = (time - int.from_bytes(cookie[12:16], "big") + AHEAD_S) % _TIME - AHEAD_S
            if age <= GOOD_FOR_S:
                text = cookie[:16] + address
                secrets = self.secrets
                for secret in secrets:
                    if compare_digest(siphash(secret, text).to_bytes(8, "little"), cookie[16:]):
                        if age <= RENEW_AFTER_S and secret is secrets[0]:
                            return _HEAD + cookie, True
                        proven = True
                        break
        made = cookie[:CLIENT_SIZE] + _VERSION + time.to_bytes(4, "big")
        return _HEAD + made + siphash(self.secrets[0], made + address).to_bytes(8, "little"), proven
