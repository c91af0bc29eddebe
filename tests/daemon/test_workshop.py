"""The child process that compiles."""

import asyncio
import io
import os
import signal
import sys
from pathlib import Path

import pytest

from georouter.control.orders import BuildRequest, Failed
from georouter.daemon.parcels import HEAD, Common
from georouter.daemon.workshop import NICE, Role, Workshop, serve
from georouter.words.errors import SourceError


def test_serve_answers_until_end_of_file() -> None:
    """Requests come back in order, then the loop ends."""
    requests, results, found = io.BytesIO(), io.BytesIO(), []
    for value in (1, "two"):
        Common().send(requests, value)
    requests.seek(0)
    serve(lambda value: [value], requests, results)
    results.seek(0)
    while results.tell() < len(results.getvalue()):
        found.append(Common().receive(results))
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


def test_half_a_request_is_the_end() -> None:
    """The daemon was killed while it wrote: nothing is answered, nothing is raised."""
    whole = io.BytesIO()
    Common().send(whole, "request")
    for length in (HEAD.size - 1, HEAD.size, len(whole.getvalue()) - 1):
        results = io.BytesIO()
        serve(lambda value: value, io.BytesIO(whole.getvalue()[:length]), results)
        assert results.getvalue() == b""


def test_whoever_stops_waiting_ends_the_child(tmp_path: Path) -> None:
    """What nobody waits for must not keep the next one waiting, who gets a new child."""

    async def ask() -> object:
        workshop = Workshop(cache_dir=str(tmp_path), role=Role.PLAN)
        try:
            await workshop.ask("anything")
            pid = workshop.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            asking = asyncio.create_task(workshop.ask("of no use"))
            await asyncio.sleep(0.01)
            asking.cancel()
            result = await workshop.ask("anything")
            assert asking.cancelled()
            assert workshop.pid not in {None, pid}
            return result
        finally:
            await workshop.stop()

    result = asyncio.run(ask())
    assert isinstance(result, Failed)
    assert result.message == "internal error: unknown request str"


@pytest.mark.skipif(sys.platform != "linux", reason="as Linux schedules")
def test_children_leave_the_processors_to_whoever_answers(tmp_path: Path) -> None:
    """Compiling is nicer than answering, planning than compiling, and neither is ever in a hurry.

    The kernel compares them only within a session; the terminal's signals are for the daemon's group.
    """

    async def ask() -> list[tuple[int, int]]:
        found = []
        for role in Role:
            workshop = Workshop(cache_dir=str(tmp_path), role=role)
            try:
                await workshop.ask("anything")
                pid = workshop.pid
                assert pid is not None
                assert os.getsid(pid) == os.getsid(0)
                assert os.getpgid(pid) == pid
                found.append((os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid)))
            finally:
                await workshop.stop()
        return found

    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert asyncio.run(ask()) == [(min(19, mine + nice), os.SCHED_BATCH) for nice in NICE.values()]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_was_killed_is_replaced(tmp_path: Path, number: signal.Signals) -> None:
    """The out-of-memory killer costs one try, not the build: nobody would ask for it again."""

    async def ask() -> object:
        workshop = Workshop(cache_dir=str(tmp_path))
        try:
            await workshop.ask(BuildRequest(str(tmp_path / "nothing.yaml")))
            pid = workshop.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            asking = asyncio.create_task(workshop.ask(BuildRequest(str(tmp_path / "nothing.yaml"))))
            await asyncio.sleep(0.01)
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)
            return await asking
        finally:
            await workshop.stop()

    result = asyncio.run(ask())
    assert isinstance(result, Failed)
    assert "nothing.yaml" in result.message


@pytest.mark.parametrize(
    ("program", "message"),
    [("/bin/false", "ended before it had answered"), ("/nowhere/python", "No such file")],
)
def test_children_that_die_at_once_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    """Two in a row are enough; whoever asked is told why."""
    monkeypatch.setattr("sys.executable", program)

    async def ask() -> None:
        workshop = Workshop(cache_dir=str(tmp_path))
        try:
            await workshop.ask(BuildRequest(str(tmp_path / "nothing.yaml")))
        finally:
            assert workshop.pid is None
            await workshop.stop()

    with pytest.raises(SourceError, match=message):
        asyncio.run(ask())


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
