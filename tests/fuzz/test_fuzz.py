"""Every target over its seeds, what earlier fuzzing found, and seeded mutations of both."""

import random
import time

import pytest

from tests.fuzz.mutate import mutate
from tests.fuzz.target import CORPUS, NAMES, Target, load

SEED = 20260101
MOST_OCTETS = 600_000
"""Of all that is kept."""


@pytest.fixture(scope="module", params=NAMES)
def target(request: pytest.FixtureRequest) -> Target:
    """Each in turn."""
    return load(request.param)


def test_seeds_and_what_was_found_before(target: Target) -> None:
    """Where fuzzing begins, and where it led to."""
    assert target.seeds
    for data in (*target.seeds, *target.corpus()):
        in_time(target, data)


def test_mutations(target: Target) -> None:
    """The same ones each time."""
    chance = random.Random(SEED)
    pool = (*target.seeds, *target.corpus())
    for _ in range(target.about.mutations):
        in_time(target, mutate(chance.choice(pool), target.about, pool, chance))


def test_mutations_are_the_same_each_time() -> None:
    """What fails here fails everywhere; words and octets both change."""
    for name in ("names", "edns"):
        target = load(name)
        first, second = (
            [mutate(target.seeds[0], target.about, target.seeds, random.Random(seed)) for seed in range(50)]
            for _ in "12"
        )
        assert first == second
        assert len(set(first)) > 30
        assert all(len(data) <= target.about.longest for data in first)


def test_the_corpus_is_small() -> None:
    """And belongs to targets."""
    assert {path.name for path in CORPUS.iterdir()} <= set(NAMES)
    assert sum(path.stat().st_size for path in CORPUS.rglob("*")) < MOST_OCTETS


def in_time(target: Target, data: bytes) -> None:
    """Run one input; what fails is told whole, to be replayed."""
    started = time.process_time()
    try:
        target.run(data)
    except Exception as error:
        raise AssertionError(f"{target.name}: {data!r}") from error
    assert time.process_time() - started < target.about.slow_s, f"{target.name} is slow: {data!r}"
