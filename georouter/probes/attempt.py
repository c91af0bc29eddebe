"""`Attempt`: how far one probe has come, so that a failure can say where it happened."""

import asyncio

from georouter.probes.resolve import Resolver
from georouter.probes.trust import Trust


class Attempt:
    """One probe on its way, and what it works with.

    `phase` completes "timeout after 2 s while ...". `rtt_s` is None until connected.
    """

    __slots__ = ("_deadline", "phase", "resolver", "rtt_s", "trust")

    def __init__(self, resolver: Resolver, trust: Trust, timeout_s: float) -> None:
        self.resolver = resolver
        self.trust = trust
        self.phase = "starting"
        self.rtt_s: float | None = None
        self._deadline = asyncio.get_running_loop().time() + timeout_s

    def left_s(self) -> float:
        """Seconds until the probe's time is up."""
        return max(0.0, self._deadline - asyncio.get_running_loop().time())
