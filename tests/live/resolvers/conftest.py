"""The network, the zones above, our two daemons and the resolvers."""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType

import pytest

from benchmarks.harness.daemon import Daemon
from tests.live.resolvers.network import own_network, why_not
from tests.live.resolvers.parents import Parents, parents
from tests.live.resolvers.running import RESOLVERS, Resolver, running
from tests.live.resolvers.site import LONDON_RESOLVER, LONDON_RESOLVER6, Site
from tests.live.resolvers.world import ADDRESSES, served

LISTENERS = tuple(f"127.0.1.{number}" for number in range(1, 1 + 2 * len(RESOLVERS)))


def label(parameter: tuple[ModuleType, bool]) -> str:
    """How a resolver is called in the list of tests."""
    make, strict = parameter
    return f"{make.NAME}-{'strict' if strict else 'lenient'}"


@pytest.fixture(scope="package")
def network() -> Iterator[None]:
    """A network of our own, so that port 53 is free and nobody's root is asked but ours."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with own_network([*ADDRESSES, *LISTENERS]):
        yield


@pytest.fixture(scope="package")
def above(
    network: None, need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parents]:
    """The root and the zones above ours."""
    with parents(need("nsd"), tmp_path_factory.mktemp("above") / "nsd") as told:
        yield told


@pytest.fixture(scope="package")
def daemons(above: Parents, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Two daemons, the second below the first; the first is given."""
    with served(tmp_path_factory.mktemp("daemons")) as first:
        yield first


@pytest.fixture(scope="package")
def start(
    need: Callable[[str], str],
    daemons: Daemon,
    above: Parents,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[ModuleType, bool], Resolver]]:
    """`start(make, strict)` gives a resolver that begins at the root; it runs on for the next who asks."""
    with ExitStack() as stack:

        @functools.cache
        def begin(make: ModuleType, strict: bool) -> Resolver:
            site = Site(
                folder=tmp_path_factory.mktemp("resolver") / str(make.NAME),
                listen=(next(listeners), 53),
                strict=strict,
                source=LONDON_RESOLVER,
                source6=LONDON_RESOLVER6 if strict else "",
                hints=above.hints,
                anchor=above.anchor if strict else None,
            )
            return stack.enter_context(running(make, need(make.PROGRAM), site))

        listeners = iter(LISTENERS)
        yield begin


EVERY = [(make, strict) for make in RESOLVERS for strict in (False, True)]
PASSING = [(make, strict) for make, strict in EVERY if make.PASSES_SUBNETS]


@pytest.fixture(params=EVERY, ids=label)
def resolver(request: pytest.FixtureRequest, start: Callable[[ModuleType, bool], Resolver]) -> Resolver:
    """Each make, lenient and strict, on its way from the root."""
    return start(*request.param)


@pytest.fixture(params=PASSING, ids=label)
def passing(request: pytest.FixtureRequest, start: Callable[[ModuleType, bool], Resolver]) -> Resolver:
    """Those that pass client subnets on."""
    return start(*request.param)
