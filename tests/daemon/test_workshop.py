"""The child process that compiles."""

import asyncio
import io
import os
import pickle
import signal
from pathlib import Path

import pytest

from georouter.control.orders import BuildRequest, Failed
from georouter.daemon.workshop import HEADER, Workshop, serve
from georouter.words.errors import SourceError


def test_serve_answers_until_end_of_file() -> None:
    """Requests come back in order, then the loop ends."""
    requests = io.BytesIO()
    for value in (1, "two"):
        data = pickle.dumps(value)
        requests.write(HEADER.pack(len(data)) + data)
    requests.seek(0)
    results = io.BytesIO()
    serve(lambda value: [value], requests, results)
    results.seek(0)
    found = []
    while header := results.read(HEADER.size):
        found.append(pickle.loads(results.read(HEADER.unpack(header)[0])))
    assert found == [[1], ["two"]]


def test_a_missing_policy_comes_back_as_failed(tmp_path: Path) -> None:
    """The child answers with what is wrong; it does not die of it."""

    async def ask() -> object:
        workshop = Workshop(cache_dir=str(tmp_path))
        try:
            return await workshop.ask(BuildRequest(str(tmp_path / "nothing.yaml")))
        finally:
            await workshop.stop()

    result = asyncio.run(ask())
    assert isinstance(result, Failed)
    assert "nothing.yaml" in result.message


def test_a_child_that_was_killed_is_replaced(tmp_path: Path) -> None:
    """The out-of-memory killer costs one build, not the control loop."""

    async def ask() -> tuple[str, object]:
        workshop = Workshop(cache_dir=str(tmp_path))
        try:
            await workshop.ask(BuildRequest(str(tmp_path / "nothing.yaml")))
            pid = workshop.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(SourceError, match="ended before it had answered") as caught:
                await workshop.ask(BuildRequest(str(tmp_path / "nothing.yaml")))
            return str(caught.value), await workshop.ask(BuildRequest(str(tmp_path / "nothing.yaml")))
        finally:
            await workshop.stop()

    _message, result = asyncio.run(ask())
    assert isinstance(result, Failed)


def test_a_build_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """The time limit ends the child, and says so."""

    async def ask() -> None:
        workshop = Workshop(cache_dir=str(tmp_path), time_limit_s=0.001)
        try:
            await workshop.ask(BuildRequest(str(tmp_path / "nothing.yaml")))
        finally:
            assert workshop.pid is None
            await workshop.stop()

    with pytest.raises(SourceError, match="longer than"):
        asyncio.run(ask())
