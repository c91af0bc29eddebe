"""What every test may ask for."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# In CI the same examples each time: what lands must not depend on luck. At a desk, new ones at every run.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")

SYSTEM_PATHS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Where Debian keeps servers; not on every user's PATH."""


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
