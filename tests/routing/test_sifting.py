"""Large transport problems: within 1 % of a plain linear program of the whole, and as whole."""

import highspy
import numpy as np
import pytest

from georouter.routing import sifting
from georouter.routing.transport import Array, Transport


def optimum(cost: Array, supply: Array, room: Array) -> float:
    """The least cost, by one linear program with every column, as HiGHS takes it."""
    group, region = np.nonzero(np.isfinite(cost))
    groups, regions, count = len(supply), len(room), len(group)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = count, groups + regions
    program.col_cost_ = cost[group, region]
    program.col_lower_, program.col_upper_ = np.zeros(count), np.full(count, np.inf)
    program.row_lower_ = np.concatenate([supply, np.full(regions, -np.inf)])
    program.row_upper_ = np.concatenate([supply, room])
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.arange(0, 2 * count + 1, 2)
    program.a_matrix_.index_ = np.stack([group, groups + region], axis=1).ravel()
    program.a_matrix_.value_ = np.ones(2 * count)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(program)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getObjectiveValue())


def problem(seed: int, groups: int = 600, regions: int = 8) -> tuple[Array, Array, Array]:
    """Clients as in the address space, few of whom are most; fences; three of four regions are too small."""
    random = np.random.default_rng(seed)
    cost = random.uniform(5, 300, (groups, regions))
    home = random.integers(0, regions, groups)
    cost[np.arange(groups), home] = 0.0
    fenced = random.random((groups, regions)) < 0.3
    fenced[np.arange(groups), home] = False
    fenced[:, 0] = False
    cost[fenced] = np.inf
    supply = random.pareto(1.1, groups) + 0.01
    loads = np.bincount(home, weights=supply, minlength=regions)
    room = loads * random.uniform(0.6, 1.1, regions)
    room[0] = supply.sum()
    return cost, supply, room


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems of hundreds are large enough to be sifted."""
    monkeypatch.setattr(sifting, "LARGEST", 60)


@pytest.mark.parametrize("seed", range(12))
def test_within_one_percent_of_an_independent_program(seed: int) -> None:
    """Nobody is lost, fences and rooms are kept, and the cost is as promised, with and without a guess."""
    cost, supply, room = problem(seed)
    best = optimum(cost, supply, room)
    for guess in (None, np.linspace(0.0, 90.0, len(room))):
        found = sifting.solve(cost, supply, room, guess)
        assert found.flow.sum(axis=1) == pytest.approx(supply)
        assert not found.flow[~np.isfinite(cost)].any()
        assert (found.flow.sum(axis=0) <= room * (1 + 1e-6)).all()
        paid = float((found.flow * np.where(np.isfinite(cost), cost, 0.0)).sum())
        assert best * (1 - 1e-6) <= paid <= best * 1.01
        assert found.stretch == pytest.approx(np.ones(len(room)))


def test_what_does_not_fit_stretches_as_in_the_whole_problem() -> None:
    """Rooms grow by the same factors, and hold what they grew to."""
    cost, supply, room = problem(3)
    room = room / 2
    whole, found = Transport(cost, supply).solve(room), sifting.solve(cost, supply, room)
    assert found.stretch == pytest.approx(whole.stretch)
    assert found.stretch.max() > 1.0
    assert (found.flow.sum(axis=0) <= room * found.stretch * 1.002).all()
    assert found.flow.sum() == pytest.approx(supply.sum())


def test_closed_regions_get_nobody() -> None:
    """A room of 0 is closed, and who may go nowhere else has no flow."""
    cost, supply, room = problem(4)
    room[2] = 0.0
    cost[7] = np.inf
    cost[7, 2] = 0.0
    found = sifting.solve(cost, supply, room)
    assert not found.flow[:, 2].any()
    assert not found.flow[7].any()
    assert found.flow.sum() == pytest.approx(supply.sum() - supply[7])


def test_what_does_not_converge_is_solved_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a round the answer is the optimum all the same."""
    monkeypatch.setattr(sifting, "_ROUNDS", 0)
    cost, supply, room = problem(5)
    found = sifting.solve(cost, supply, room)
    paid = float((found.flow * np.where(np.isfinite(cost), cost, 0.0)).sum())
    assert paid == pytest.approx(optimum(cost, supply, room), rel=1e-6)
