"""What every test may ask for."""

import fcntl
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

# In CI the same examples each time: what lands must not depend on luck. At a desk, new ones at every run.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")

SYSTEM_PATHS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Where Debian keeps servers; not on every user's PATH."""
TOGETHER = ("installed", "network")
"""Fixtures that live longer than a module, and are dear."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever shares something dear goes to one worker; live tests begin first, those `alone` come last."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (is_marked(item, "alone"), not is_marked(item, "live")))


def group(item: pytest.Item) -> str:
    """What stays together: a module, who shares one of `TOGETHER`, who wants the machine for itself."""
    if is_marked(item, "alone"):
        return "alone"
    fixtures = getattr(item, "fixturenames", ())
    return next((name for name in TOGETHER if name in fixtures), item.nodeid.partition("::")[0])


def is_marked(item: pytest.Item, name: str) -> bool:
    """Is it, its module, or its class?"""
    return item.get_closest_marker(name) is not None


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the time limit, too
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test marked `alone` waits until no other worker of this run is at a test, and they wait for it."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    shared = Path(item.config.getoption("basetemp")).parent  # of all workers of this run, and of no other
    with ExitStack() as stack:
        with locked(shared / "turn", fcntl.LOCK_EX):  # who waits for the room keeps the next from entering it
            stack.enter_context(
                locked(shared / "room", fcntl.LOCK_EX if is_marked(item, "alone") else fcntl.LOCK_SH)
            )
        return (yield)


@contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """Hold flock(2) of a file."""
    with path.open("w") as file:
        fcntl.flock(file, how)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """`need("dig")` gives the command's path; without it the test skips, or fails where CI=true."""

    def find(command: str) -> str:
        path = shutil.which(command, path=os.pathsep.join((os.environ.get("PATH", ""), *SYSTEM_PATHS)))
        if path is not None:
            return path
        reason = f"{command} is not installed; `make test` as root on Debian or Ubuntu installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    return find
