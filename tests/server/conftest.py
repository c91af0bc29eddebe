"""Both packet paths, for tests that must hold on either."""

import os

import pytest

from georouter.server import path


@pytest.fixture(params=[path.NATIVE, path.PYTHON])
def packet_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Servers made in the test take this one. A run that was asked to keep to one path keeps to it."""
    asked = path.chosen(path.AUTO)
    if request.param != asked and (not path.available() or path.VARIABLE in os.environ):
        pytest.skip(f"this run keeps to the {asked} packet path")
    monkeypatch.setenv(path.VARIABLE, request.param)
    return str(request.param)
