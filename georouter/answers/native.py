"""The native packet path, where it was built: the one place that asks for it.

`_respond` and what it is made of are Cython; `setup.py` builds them where there is a C compiler. Without
them everything works, only slower.
"""

from array import array
from typing import Literal

from georouter.answers.conduct import Conduct
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.respond import DEFAULT, Responder
from georouter.answers.tables import Snapshot

try:
    from georouter.answers._memory import use_huge_pages
    from georouter.answers._respond import NativeResponder
    from georouter.answers._tables import Tables
except ImportError:
    _BUILT = False
else:
    _BUILT = True

__all__ = ["PUNT", "NativeResponder", "Tables", "TwinResponder", "available", "use_huge_pages"]

PUNT: Literal[-1] = -1
"""What `NativeResponder.respond` says to queries that Python must answer."""


def available() -> bool:
    """Whether there is native code; without it, no other name of this module may be used."""
    return _BUILT


class TwinResponder(Responder):
    """Answers natively, and what is left over in Python. Both count in the same array.

    Before each answer it looks ahead, as the native worker does before a batch.
    """

    __slots__ = ("native", "punted")

    def __init__(
        self,
        snapshot: Snapshot,
        counters: "array[int]",
        limits: Limits,
        conduct: Conduct = DEFAULT,
    ) -> None:
        """As `Responder`; `counters` is an array of `q`."""
        super().__init__(snapshot, counters, limits, conduct)
        self.native = NativeResponder(snapshot, counters, limits, conduct)
        self.punted = 0

    def respond(self, query: bytes, source: int, family: int, proto: Proto, now: float) -> bytes | None:
        """As `Responder.respond`."""
        self.native.expect(query, source, family)
        reply = self.native.respond(query, source, family, proto, now)
        if reply == PUNT:
            self.punted += 1
            return super().respond(query, source, family, proto, now)
        return reply
