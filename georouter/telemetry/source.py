"""What the packet path and the prober let telemetry read: protocols, and the buckets both sides agree on.

Nothing here imports a metrics library, so that `server` can use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from georouter.answers.layout import Layout

DURATION_BOUNDS_S: tuple[float, ...] = (
    0.000002,
    0.000005,
    0.00001,
    0.00002,
    0.00005,
    0.0001,
    0.0002,
    0.0005,
    0.001,
    0.002,
    0.005,
    0.01,
    0.05,
    0.1,
)
"""Inclusive upper bounds of the request duration buckets; one more bucket holds what is above.

A native answer takes about 0.1 µs in user space and a Python one 3 to 20 µs, so the buckets begin
there; the upper end shows a worker that had to wait for the interpreter lock.
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """A zone transfer that ended. `client` is (address family 4 or 6, the address as a number).

    `kind` is `AXFR`, `IXFR`, or `SOA` for an IXFR that had nothing to tell; `key` the name of the key that
    signed it, or empty; `result` is `sent`, `cut` (the connection ended), `busy` (turned away), `failed`.
    """

    zone: str
    kind: str
    serial: int
    client: tuple[int, int]
    key: str
    result: str
    messages: int
    octets: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PathState:
    """Who answers what comes over UDP: `native` or `python`, on so many threads, of which so many live.

    `punted` queries were left to Python by a native path, `overflowed` ones found too many waiting for it.
    """

    name: str
    workers: int
    living: int
    punted: int
    overflowed: int


class CounterSource(Protocol):
    """Counters of the packet path. Called from the control thread, at scrape; must not block."""

    def counters(self) -> Sequence[tuple[Layout, Sequence[int]]]:
        """Every worker's counters with the layout they follow, the published layout last.

        Counters of earlier layouts may be in the list: what they counted for zones, services and
        regions that still exist is added, the rest is left out.
        """
        ...

    def drops(self) -> int:
        """Datagrams that the kernel dropped because a receive buffer was full, since the start."""
        ...

    def failures(self) -> int:
        """Queries answered with SERVFAIL because answering raised, since the start."""
        ...

    def unsent(self) -> int:
        """Answers over UDP that the kernel would not take, since the start."""
        ...

    def rate_limited(self) -> tuple[int, int]:
        """Responses that rate limiting made small, and those it dropped, since the start."""
        ...

    def debug_questions(self) -> Mapping[str, int]:
        """Questions for debug names by what became of them, since the start."""
        ...

    def path(self) -> PathState:
        """The packet path."""
        ...

    @property
    def tcp_connections(self) -> int:
        """Open TCP connections."""
        ...


class ProbeSource(Protocol):
    """What the prober counts by itself."""

    @property
    def excused(self) -> int:
        """Probes that failed for reasons of our own, since the start."""
        ...


@dataclass(frozen=True, slots=True)
class Durations:
    """How long answering took. `counts[i]` is not cumulative and fits `DURATION_BOUNDS_S[i]`; the
    last of its `len(DURATION_BOUNDS_S) + 1` entries is what took longer. `sum_s` is in seconds.
    """

    counts: Sequence[int]
    sum_s: float


@runtime_checkable
class DurationSource(Protocol):
    """A `CounterSource` may offer this as well; without it the duration histogram is absent."""

    def request_durations(self) -> Durations | None:
        """Per-request time from receive to send, taken from sampled batches; None: not measured."""
        ...
