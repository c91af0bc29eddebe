"""Where in an interval a target's checks fall, so that a thousand of them do not start together.

Every target has its own grid of start times, shifted by a hash of its key: the same after a reload,
a restart, or a stall of this process. Starts move to the grid by coming early, never late, so that
the promises about how soon a failure is seen hold.
"""

from hashlib import blake2b

from georouter.facts.endpoints import EndpointKey

_SLACK = 1e-6
"""Of an interval: a timer that fired this much early still used up its grid point."""


def phase(key: EndpointKey) -> float:
    """Where in its interval the target starts, 0 <= phase < 1; evenly spread, the same everywhere."""
    text = f"{key.region}\0{key.address}\0{key.check}"
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48


def align(due: float, interval_s: float, phase: float) -> float:
    """The last grid point at or before `due`, less than one interval earlier."""
    position = due / interval_s - phase
    return (position + _SLACK) // 1 * interval_s + phase * interval_s
