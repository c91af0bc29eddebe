"""Grids of start times."""

from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.endpoints import EndpointKey
from georouter.probes.stagger import align, phase
from georouter.words.ids import CheckName, RegionName


def key(address: str, region: str = "eu", check: str = "web") -> EndpointKey:
    """An endpoint."""
    return EndpointKey(RegionName(region), address, CheckName(check))


def test_phases_are_spread_evenly() -> None:
    """Of 10,000 keys every tenth of the interval gets about a thousand."""
    tenths = [0] * 10
    for number in range(10_000):
        tenths[int(phase(key(f"192.0.2.{number}")) * 10)] += 1
    assert min(tenths) > 900
    assert max(tenths) < 1100


def test_every_part_of_the_key_counts() -> None:
    """Two checks of one endpoint, or one address in two regions, do not start together."""
    keys = [key("a"), key("b"), key("a", region="us"), key("a", check="tcp")]
    assert len({phase(item) for item in keys}) == 4


def test_the_phase_does_not_depend_on_the_process() -> None:
    """A figure written down: it must be the same tomorrow."""
    assert round(phase(key("192.0.2.1")), 6) == 0.776605


@given(st.floats(0, 1e8), st.floats(0.1, 3600), st.floats(0, 0.999999))
def test_starts_move_forward_only(due: float, interval_s: float, shift: float) -> None:
    """Never late, less than an interval early, and on the grid."""
    slack = interval_s * 1e-5 + due * 1e-12
    start = align(due, interval_s, shift)
    assert due - interval_s - slack < start <= due + slack
    assert abs(align(start, interval_s, shift) - start) <= slack


@given(st.floats(0, 1e7), st.floats(0.1, 60), st.floats(0, 0.999999), st.floats(0, 0.01))
def test_on_the_grid_the_pace_is_the_interval(
    now: float, interval_s: float, shift: float, late: float
) -> None:
    """A start that came a moment late is followed by the next grid point, not by itself."""
    start = align(now, interval_s, shift)
    following = align(start + late * interval_s + interval_s, interval_s, shift)
    assert abs(following - start - interval_s) < 1e-4 * interval_s + now * 1e-12
