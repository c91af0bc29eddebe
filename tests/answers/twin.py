"""The native path beside the Python one: it sees the same queries and must say and count the same."""

from array import array
from collections.abc import Sequence

from georouter.answers.conduct import Conduct
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.native import TwinResponder, available
from georouter.answers.respond import DEFAULT
from georouter.answers.tables import Snapshot


class Native:
    """A native responder with counters of its own, or nothing where it was not built."""

    def __init__(
        self, snapshot: Snapshot, limits: Limits | None = None, conduct: Conduct = DEFAULT, size: int = 0
    ) -> None:
        self.limiter = conduct.limiter
        self.counters = array("q", bytes(8 * (size or snapshot.directory.layout.size)))
        self.responder = (
            TwinResponder(snapshot, self.counters, limits or Limits(), conduct) if available() else None
        )

    def check(  # noqa: PLR0917 - a query, and what it got
        self,
        query: bytes,
        source: int,
        family: int,
        proto: Proto,
        now: float,
        reply: bytes | None,
        counted: Sequence[int] | None = None,
    ) -> None:
        """The answer to a query is `reply`, and all counters since the beginning are `counted`."""
        if self.responder is None:
            return
        assert self.responder.respond(query, source, family, proto, now) == reply
        if counted is not None:
            assert self.counters.tolist() == counted
        assert self.responder.native.faults == 0

    def forget(self, before: Sequence[int]) -> None:
        """Begin again with these counters."""
        self.counters[:] = array("q", before)

    @property
    def limited(self) -> tuple[int, int]:
        """What rate limiting made small, and what it dropped; natively and in Python."""
        assert self.responder is not None
        assert self.limiter is not None
        slipped, dropped = self.responder.native.limited
        return slipped + self.limiter.slipped, dropped + self.limiter.dropped
