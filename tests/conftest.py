"""What every test may ask for."""

import fcntl
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# In CI the same examples each time: what lands must not depend on luck. At a desk, new ones at every run.
# Neither judges how long an example takes: others have the processor, too.
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", BUSY, derandomize=True)
settings.register_profile("desk", BUSY)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")

SYSTEM_PATHS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Where Debian keeps servers; not on every user's PATH."""
TOGETHER = {
    "tests/live/resolvers/": "resolvers",
    "tests/live/test_container.py": "installed",
    "tests/live/test_systemd.py": "installed",
}
"""Beginnings of paths, and what is shared by the modules there that is too dear to be made twice."""


class ModuleByModule(LoadScopeScheduling):
    """How `pytest -n` shares the tests out: a module, or those that share something dear, to one process.

    Not by xdist's own groups: its 3.8 loses them with pytest 9.2, and cuts modules into pieces then
    (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((what for begin, what in TOGETHER.items() if path.startswith(begin)), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Ours, unless `--dist` asks for another."""
    return ModuleByModule(config, log) if config.getoption("dist") == "load" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In several processes, live tests begin first, since they wait; those `alone` come last."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (is_marked(item, "alone"), not is_marked(item, "live")))


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
