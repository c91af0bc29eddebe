"""How a server treats its clients, beyond what it answers: cookies, rate limiting, telling its name."""

from dataclasses import dataclass, field

from georouter.answers.cookies import Cookies
from georouter.answers.copies import Copies
from georouter.answers.debug import Debug
from georouter.answers.ratelimit import RateLimiter


@dataclass(frozen=True, slots=True)
class Conduct:
    """Nothing of it is on by default."""

    cookies: Cookies | None = None
    limiter: RateLimiter | None = None
    nsid: bytes = b""
    """Sent to who asks for it (RFC 5001); empty: nothing."""
    version: str = ""
    """The answer to `version.bind` and `version.server` (class CH); empty: refused."""
    identity: str = ""
    """The answer to `id.server` (RFC 4892) and `hostname.bind`; empty: refused."""
    keepalive_s: float = 0.0
    """Told to TCP clients that ask how long an idle connection may stay (RFC 7828)."""
    debug: Debug | None = None
    """Who may ask debug names, if anybody."""
    copies: Copies = field(default_factory=Copies)
    """The zones that may be transferred, and the keys that requests may be signed with."""
