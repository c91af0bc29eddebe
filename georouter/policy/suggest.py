"""Guessing what was meant: the nearest known word to one that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

_FEW = 12
"""Longer lists of choices are not printed in full."""


def unknown(what: str, name: str, known: Iterable[str], *, plural: str = "") -> str:
    """A message such as `unknown region "us-eest"; did you mean "us-east"?`."""
    choices = sorted(set(known))
    message = f'unknown {what} "{name}"'
    near = nearest(name, choices)
    if near is not None:
        return f'{message}; did you mean "{near}"?'
    if not choices:
        return f"{message}; there are no {plural or what + 's'}"
    if len(choices) <= _FEW:
        return f"{message}; known: {', '.join(choices)}"
    return message


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known word most like `name`, or None when nothing is near."""
    folded = {word.lower(): word for word in known}
    if name.lower() in folded:
        return folded[name.lower()]
    close = get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None
