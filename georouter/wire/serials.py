"""Serial numbers of zones: 32 bits that wrap, and what "newer" means among them (RFC 1982)."""

WRAP = 1 << 32
HALF = 1 << 31


def is_newer(one: int, other: int) -> bool:
    """True when `one` comes after `other` (RFC 1982 3.2). Numbers exactly half a circle apart do not."""
    return 0 < (one - other) % WRAP < HALF


def after(serial: int) -> int:
    """The next serial; 0 is left out, because some take it for none."""
    return (serial + 1) % WRAP or 1
