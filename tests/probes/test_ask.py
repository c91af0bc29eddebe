"""One probe's frame: what is put round the check types."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from georouter.facts.health import Outcome
from georouter.facts.rules import HealthRule
from georouter.policy.model import CheckType
from georouter.probes import ask
from georouter.probes.ask import CHECKS, Asker
from georouter.probes.attempt import Attempt
from georouter.probes.target import Blame, ProbeResult, Target
from tests.probes.servers import TIMEOUT_S, target


def asked(
    monkeypatch: pytest.MonkeyPatch,
    check: Callable[[Target, Attempt], Awaitable[Outcome]],
    stalled_s: Callable[[], float] = lambda: 0.0,
) -> ProbeResult:
    """The result of a probe whose check is `check`."""
    monkeypatch.setattr(ask, "CHECKS", {CheckType.TCP: check})
    asker = Asker(lambda: 1000.0, stalled_s)
    return asyncio.run(asker.ask(target(kind=CheckType.TCP, rule=HealthRule(timeout_s=TIMEOUT_S))))


async def sleeps(_: Target, attempt: Attempt) -> Outcome:
    """Waits for ever."""
    attempt.phase = "dreaming"
    await asyncio.sleep(3600)
    return Outcome(ok=True)


def test_every_check_type_can_be_asked() -> None:
    """The table has them all."""
    assert set(CHECKS) == set(CheckType)


def test_a_result_tells_when(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are those of the clock; the duration is measured on the loop, so a clock may jump."""

    async def check(_: Target, attempt: Attempt) -> Outcome:
        attempt.rtt_s = 0.042
        await asyncio.sleep(0.02)
        return Outcome(ok=False, reason="no")

    result = asked(monkeypatch, check)
    assert result.started == 1000.0
    assert 1000.015 < result.ended < 1001.0
    assert (result.ok, result.reason, result.rtt_s) == (False, "no", 0.042)


def test_a_timeout_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is the endpoint's fault, while our own loop was running."""
    result = asked(monkeypatch, sleeps)
    assert result.reason == f"timeout after {TIMEOUT_S:g} s while dreaming"
    assert result.blame is Blame.ENDPOINT


def test_a_timeout_during_a_stall_is_not_the_endpoints_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time nothing here could run."""
    stalled_s = iter([3.0, 3.0 + TIMEOUT_S / 2])
    result = asked(monkeypatch, sleeps, lambda: next(stalled_s))
    assert (result.ok, result.blame) == (False, Blame.STALL)


@pytest.mark.parametrize(
    ("error", "blame"),
    [
        (OSError(24, "Too many open files"), Blame.MEANS),
        (ZeroDivisionError("a mistake of ours"), Blame.MEANS),
        (ConnectionRefusedError(111, "Connection refused"), Blame.ENDPOINT),
        (TimeoutError("of a lower layer"), Blame.ENDPOINT),
    ],
)
def test_whatever_is_raised_becomes_a_value(
    monkeypatch: pytest.MonkeyPatch, error: Exception, blame: Blame
) -> None:
    """No error of a check reaches the prober."""

    async def check(_: Target, __: Attempt) -> Outcome:
        raise error

    result = asked(monkeypatch, check)
    assert (result.ok, result.blame) == (False, blame)
    assert result.reason


def test_cancelling_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop does not wait for a timeout, and no result is made up."""
    monkeypatch.setattr(ask, "CHECKS", {CheckType.TCP: sleeps})

    async def scenario() -> None:
        task = asyncio.create_task(Asker(time.time, lambda: 0.0).ask(target(kind=CheckType.TCP)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
