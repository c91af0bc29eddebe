"""Asterisks that do not mean what they seem to: only a first label that is just `*` is a wildcard."""

from georouter.wire.names import labels, name_text, parent

STAR = b"*"


def odd(name: bytes) -> str | None:
    """What to tell who wrote `name` (wire format) with an asterisk, None where nothing is odd.

    RFC 4592 2.1.1: an asterisk has a meaning as the whole leftmost label, and is literal anywhere else.
    """
    first, *others = labels(name) or (b"",)
    if first == STAR:
        if not any(STAR in label for label in others):
            return None
        below = name_text(parent(name))
        return f'only the first "*" is a wildcard: this covers names below "{below}", taken literally'
    if STAR in first or any(STAR in label for label in others):
        return 'a wildcard is a first label that is just "*"; this one is literal'
    return None
