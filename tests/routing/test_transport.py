"""The transport problem against a plain LP of the whole, and what happens when it does not fit."""

import subprocess
import sys

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from georouter.routing import transport
from georouter.routing.transport import Array, NoSolverError, Transport

INF = np.inf


def optimum(cost: Array, supply: Array, room: Array) -> float:
    """The least cost by a model of every column in HiGHS's own words; infinite if nothing fits."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    flows = {
        (group, region): model.addVariable(lb=0.0, obj=float(cost[group, region]))
        for group, region in np.argwhere(np.isfinite(cost)).tolist()
    }
    for group in range(len(supply)):
        model.addConstr(sum(flow for (g, _), flow in flows.items() if g == group) == float(supply[group]))
    for region in range(len(room)):
        into = [flow for (_, r), flow in flows.items() if r == region]
        if into:
            model.addConstr(sum(into) <= float(room[region]))
    model.run()
    solved = model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(model.getObjectiveValue()) if solved else INF


costs = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(2, 5)),
    elements=st.one_of(st.integers(0, 300).map(float), st.just(INF)),
)


@settings(deadline=None, max_examples=80)
@given(cost=costs, data=st.data())
def test_the_optimum_where_it_fits(cost: Array, data: st.DataObject) -> None:
    """Everybody gets somewhere allowed, no room is exceeded, and no cheaper way exists."""
    cost[:, 0] = np.where(np.isfinite(cost).any(axis=1), cost[:, 0], 1.0)
    groups, regions = cost.shape
    supply = np.array(data.draw(st.lists(st.integers(1, 50), min_size=groups, max_size=groups)), dtype=float)
    room = np.array(data.draw(st.lists(st.integers(1, 400), min_size=regions, max_size=regions)), dtype=float)
    best = optimum(cost, supply, room)
    found = Transport(cost, supply).solve(room)
    assert found.flow.sum(axis=1) == pytest.approx(supply)
    assert not found.flow[~np.isfinite(cost)].any()
    assert (found.flow.sum(axis=0) <= room * found.stretch * (1 + 1e-6) + 1e-6).all()
    if np.isfinite(best):
        assert found.stretch == pytest.approx(1.0)
        paid = float((np.where(np.isfinite(cost), cost, 0.0) * found.flow).sum())
        assert paid == pytest.approx(best, rel=1e-4, abs=1e-3)
    else:
        assert found.stretch.max() > 1.0


def test_what_does_not_fit_is_spread_in_proportion() -> None:
    """Two groups share two rooms evenly; the third, alone with the last one, overloads only that."""
    cost = np.array([[1.0, 2.0, INF], [1.0, 2.0, 3.0], [INF, INF, 1.0]])
    found = Transport(cost, np.array([100.0, 50.0, 30.0])).solve(np.array([40.0, 20.0, 10.0]))
    assert found.stretch == pytest.approx([2.5, 2.5, 3.0])
    assert found.flow.sum(axis=0) == pytest.approx([100.0, 50.0, 30.0])


def test_an_overload_elsewhere_is_nobody_elses() -> None:
    """Regions that the overloading group may not use keep their rooms."""
    cost = np.array([[1.0, INF], [INF, 1.0]])
    found = Transport(cost, np.array([100.0, 10.0])).solve(np.array([50.0, 50.0]))
    assert found.stretch == pytest.approx([2.0, 1.0])


def test_closed_rooms() -> None:
    """A room of 0 gets nothing; groups to which nothing is open have no flow."""
    cost = np.array([[1.0, 2.0], [1.0, INF]])
    problem = Transport(cost, np.array([5.0, 7.0]))
    assert problem.solve(np.array([0.0, 9.0])).flow == pytest.approx(np.array([[0.0, 5.0], [0.0, 0.0]]))
    assert not problem.solve(np.array([0.0, 0.0])).flow.any()
    assert problem.solve(np.array([20.0, 9.0])).flow == pytest.approx(np.array([[5.0, 0.0], [7.0, 0.0]]))


def test_many_rooms_from_one_basis_are_as_good_as_fresh_ones() -> None:
    """Solving again for the loss of each region finds what a new problem finds."""
    random = np.random.default_rng(5)
    cost, supply = random.uniform(1, 300, (200, 8)), random.uniform(1, 9, 200)
    room = np.full(8, supply.sum() / 5)
    problem = Transport(cost, supply)
    for lost in range(8):
        rooms = np.where(np.arange(8) == lost, 0.0, room)
        again, fresh = problem.solve(rooms), Transport(cost, supply).solve(rooms)
        assert (cost * again.flow).sum() == pytest.approx((cost * fresh.flow).sum(), rel=1e-6)
        assert not again.flow[:, lost].any()


def test_without_the_solver_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what to install."""
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(NoSolverError, match="pip install highspy"):
        transport.load_solver()


def test_the_solver_is_loaded_only_when_it_is_asked() -> None:
    """Importing the module costs nobody five megabytes of solver."""
    code = "import sys, georouter.routing.transport; print('highspy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
