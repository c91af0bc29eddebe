"""Noticing that the loop stood still."""

import asyncio

import pytest

from georouter.probes.stall import StallMeter
from tests.probes.virtual import VirtualLoop, replay


def test_only_standing_still_counts() -> None:
    """Time that passes while the loop works is none; each stall adds its length."""

    async def scenario(loop: VirtualLoop) -> None:
        meter = StallMeter()
        meter.start()
        meter.start()
        await asyncio.sleep(30)
        assert meter.total_s() == pytest.approx(0)
        loop.stand_still(3.0)
        assert meter.total_s() == pytest.approx(3.0, abs=0.11), "seen before the heart beats again"
        await asyncio.sleep(1)
        loop.stand_still(1.0)
        await asyncio.sleep(1)
        assert meter.total_s() == pytest.approx(4.0, abs=0.21)
        meter.stop()
        await asyncio.sleep(10)
        assert meter.total_s() == pytest.approx(4.0, abs=0.21)

    replay(scenario)
