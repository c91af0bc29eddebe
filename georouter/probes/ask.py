"""`ask`: one probe from beginning to end. Its result is a value; it never raises and never hangs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from georouter.facts.health import Outcome
from georouter.policy.model import CheckType
from georouter.probes import http, tcp
from georouter.probes.attempt import Attempt
from georouter.probes.reasons import bounded, describe, is_local
from georouter.probes.resolve import Resolver
from georouter.probes.target import Blame, ProbeResult, Target
from georouter.probes.trust import Trust

Check: TypeAlias = Callable[[Target, Attempt], Awaitable[Outcome]]

CHECKS: Mapping[CheckType, Check] = {
    CheckType.HTTP: http.check,
    CheckType.HTTPS: http.check,
    CheckType.TCP: tcp.check,
}

STALL_SHARE = 0.25
"""A timeout during which our own loop stood still for more than this share of it is no evidence."""


class Asker:
    """Asks targets; keeps what probes share (known addresses, TLS authorities).

    `clock` gives Unix seconds. `stalled_s` tells for how long the event loop has stood still so far,
    in total.
    """

    def __init__(
        self, clock: Callable[[], float], stalled_s: Callable[[], float], resolver: Resolver | None = None
    ) -> None:
        self._clock = clock
        self._stalled_s = stalled_s
        self._resolver = resolver or Resolver()
        self._trust = Trust()

    async def ask(self, target: Target) -> ProbeResult:
        """The result, at most `timeout_s` later (plus what the loop itself needs)."""
        loop = asyncio.get_running_loop()
        timeout_s = target.rule.timeout_s
        began, started, stalled_s = loop.time(), self._clock(), self._stalled_s()
        attempt = Attempt(self._resolver, self._trust, timeout_s)
        blame = Blame.ENDPOINT
        scope = asyncio.timeout(timeout_s)
        try:
            async with scope:
                outcome = await CHECKS[target.type](target, attempt)
        except Exception as error:  # noqa: BLE001 -- one broken check must not stop the others
            if scope.expired():
                if self._stalled_s() - stalled_s > STALL_SHARE * timeout_s:
                    blame = Blame.STALL
                outcome = Outcome(ok=False, reason=f"timeout after {timeout_s:g} s while {attempt.phase}")
            else:
                blame = Blame.MEANS if is_local(error) else Blame.ENDPOINT
                outcome = Outcome(ok=False, reason=describe(error))
        return ProbeResult(
            key=target.key,
            ok=outcome.ok,
            reason=bounded(outcome.reason),
            started=started,
            ended=started + (loop.time() - began),
            rtt_s=attempt.rtt_s,
            blame=blame,
            values=outcome.values,
        )
