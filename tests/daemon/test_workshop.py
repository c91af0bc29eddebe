"""The child process that compiles."""

import asyncio
import io
import os
import pickle
import signal
from pathlib import Path

import pytest

from georouter.control.orders import BuildRequest, Failed
from georouter.daemon.workshop import HEADER, Common, Workshop, serve
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


def test_half_a_request_is_the_end() -> None:
    """The daemon was killed while it wrote: nothing is answered, nothing is raised."""
    data = pickle.dumps("request")
    for length in (HEADER.size - 1, HEADER.size, HEADER.size + len(data) - 1):
        results = io.BytesIO()
        serve(lambda value: value, io.BytesIO((HEADER.pack(len(data)) + data)[:length]), results)
        assert results.getvalue() == b""


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


POLICY = "version: 1\nzones: {example.com: {file: a.zone}}\n"
ZONE = "@ SOA ns root 1 2 3 4 5\n@ NS ns.example.net.\n$GENERATE 1-5000 h$ A 10.0.0.1\n"


def test_what_both_have_does_not_travel_again(tmp_path: Path) -> None:
    """A build again with the same files costs a fraction, and gives the same objects; a new child all."""
    config = tmp_path / "p.yaml"
    config.write_text(POLICY)
    (tmp_path / "a.zone").write_text(ZONE)
    common, sizes = Common(), []

    async def ask() -> None:
        workshop = Workshop(cache_dir=str(tmp_path / "cache"))
        try:
            first = await workshop.ask(BuildRequest(str(config)))
            again = await workshop.ask(BuildRequest(str(config), first.files))
            assert again.files is first.files
            assert again.policy is first.policy
            assert again.plan.directory is first.plan.directory
            assert len(first.plan.directory.index) == 5001
            common.learn(first)
            sizes.extend(len(one.dumps(BuildRequest(str(config), first.files))) for one in (Common(), common))
            sizes.extend(len(one.dumps(again)) for one in (Common(), common))
            assert workshop.pid is not None
            os.kill(workshop.pid, signal.SIGKILL)
            other = await workshop.ask(BuildRequest(str(config), first.files))
            assert other.files == first.files
            assert other.files is not first.files
            assert dict(other.plan.directory.index) == dict(first.plan.directory.index)
        finally:
            await workshop.stop()

    asyncio.run(ask())
    whole_request, named_request, whole, named = sizes
    path = len(str(config))  # of which pytest decides; each of the files is named by its path, too
    assert named_request - path < 200 < whole_request - 2 * path
    assert named < whole - len(ZONE)


def test_only_builds_are_learned() -> None:
    """Any other result leaves what both have as it was."""
    common = Common()
    common.learn(Failed("no"))
    assert common.loads(common.dumps({"files": (1, 2)})) == {"files": (1, 2)}
