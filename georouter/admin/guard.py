"""Who may do what. Reading is open to whoever reaches the port; changing is not.

Rule 1: a change needs the bearer token, or comes from this machine: a loopback peer whose request
        was not forwarded by a proxy. A wrong token is refused wherever it comes from.
Rule 2: a browser on this machine is also a loopback peer, and may be running somebody else's page.
        So a change must be `application/json` (a cross-site form cannot send that without asking
        first), and a request that says where it was made (Origin, Sec-Fetch-Site) must say "here".
Rule 3: against DNS rebinding, where the other site's name points at us, a request from a loopback
        peer without the token must be addressed to us by an IP address or one of our own names.
"""

import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""Headers by which a reverse proxy says that the peer is not the client."""
_LOCAL_NAMES = ("localhost", "ip6-localhost", "localhost.localdomain")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/?#@\s]+)(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP status and what to tell the caller."""

    status: int
    reason: str


class Guard:
    """Holds the token and our names; judges requests."""

    def __init__(self, token: str | None, names: Iterable[str] = ()) -> None:
        self._token: bytes | None = None
        self.renew(token)
        self._names = frozenset(name.lower().rstrip(".") for name in (*_LOCAL_NAMES, *names))

    def renew(self, token: str | None) -> None:
        """Another token counts from now on."""
        self._token = token.encode() if token else None

    def may_read(self, peer: str, headers: Mapping[str, str]) -> Refusal | None:
        """None, or why not (rule 3)."""
        if not is_loopback(peer) or self._is_ours(headers.get("Host", "")):
            return None
        return None if self._fits(headers.get("Authorization", "")) else _not_ours(headers)

    def may_change(self, peer: str, headers: Mapping[str, str]) -> Refusal | None:
        """None, or why not (rules 1 to 3)."""
        credentials = headers.get("Authorization")
        if credentials is not None:
            if not self._fits(credentials):
                return Refusal(401, "the token is not right")
        elif not is_local(peer, headers):
            return Refusal(401, self._token_needed())
        elif not self._is_ours(headers.get("Host", "")):
            return _not_ours(headers)
        return _foreign_page(headers) or _not_json(headers)

    def _fits(self, credentials: str) -> bool:
        scheme, _, given = credentials.partition(" ")
        if self._token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(errors="surrogateescape"), self._token)

    def _token_needed(self) -> str:
        if self._token is None:
            return "changes are only taken from this machine, because server.admin_token_file is not set"
        return "changes from other machines need the header 'Authorization: Bearer TOKEN'"

    def _is_ours(self, host: str) -> bool:
        matched = _HOST.fullmatch(host)
        if matched is None:
            return False
        name = matched[1].lower().rstrip(".")
        return name in self._names or _is_address(name.strip("[]"))


def is_local(peer: str, headers: Mapping[str, str]) -> bool:
    """Whether the request was made on this machine, as far as can be told."""
    return is_loopback(peer) and not any(name in headers for name in _FORWARDED)


def is_loopback(peer: str) -> bool:
    """Whether an address is 127.0.0.0/8, ::1, or the former mapped into IPv6."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _not_ours(headers: Mapping[str, str]) -> Refusal:
    host = headers.get("Host", "")
    return Refusal(403, f"{host!r} is not a name of this server; use its address or localhost")


def _foreign_page(headers: Mapping[str, str]) -> Refusal | None:
    origin = headers.get("Origin")
    here = {f"{scheme}://{headers.get('Host', '')}".lower() for scheme in ("http", "https")}
    if origin is not None and origin.lower() not in here:
        return Refusal(403, f"a page of {origin!r} may not make changes here")
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return Refusal(403, "a page of another site may not make changes here")
    return None


def _not_json(headers: Mapping[str, str]) -> Refusal | None:
    given = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if given != "application/json":
        return Refusal(415, "send Content-Type: application/json")
    return None
