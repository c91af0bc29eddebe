"""For tests that are about the native path alone."""

import os
from typing import NoReturn

import pytest


def give_up() -> NoReturn:
    """Skip the module, for the native path was not built; in CI that must not look like success."""
    if os.environ.get("CI") == "true":
        pytest.fail("the native path was not built", pytrace=False)
    pytest.skip("the native path was not built", allow_module_level=True)
