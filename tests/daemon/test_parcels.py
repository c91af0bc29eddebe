"""What travels between the daemon and its children, and what does not."""

import asyncio
import io
import os
import signal
from array import array
from pathlib import Path

import pytest

from georouter.control.orders import BuildRequest, Failed
from georouter.daemon.parcels import HEAD, LARGE_BYTES, Common
from georouter.daemon.workshop import Workshop

POLICY = "version: 1\nzones: {example.com: {file: a.zone}}\n"
ZONE = "@ SOA ns root 1 2 3 4 5\n@ NS ns.example.net.\n$GENERATE 1-5000 h$ A 10.0.0.1\n"
SERVICES = """version: 1
regions:
  eu: {location: {lat: 50, lon: 8}, endpoints: [192.0.2.1]}
  us: {location: {lat: 39, lon: -77}, endpoints: [192.0.2.2]}
services:
  web: {regions: [eu, us], chain: [nearest]}
"""


def size(common: Common, value: object) -> int:
    """Octets of a parcel."""
    stream = io.BytesIO()
    common.send(stream, value)
    return len(stream.getvalue())


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
            sizes.extend(size(one, BuildRequest(str(config), first.files)) for one in (Common(), common))
            sizes.extend(size(one, again) for one in (Common(), common))
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


def test_a_new_policy_sends_no_tables_that_it_shares(tmp_path: Path) -> None:
    """A chain more: only its table travels, the others stay the objects that they are."""
    config = tmp_path / "p.yaml"
    config.write_text(SERVICES)

    async def ask() -> None:
        workshop = Workshop(cache_dir=str(tmp_path / "cache"))
        try:
            first = await workshop.ask(BuildRequest(str(config)))
            config.write_text(
                SERVICES.replace("[nearest]}", "[nearest]}\n  more: {regions: [eu, us], chain: []}")
            )
            second = await workshop.ask(BuildRequest(str(config)))
        finally:
            await workshop.stop()
        assert first.policy != second.policy
        (old,), (same, new) = first.plan.steered.tables, second.plan.steered.tables
        assert same is old
        assert new is not old
        assert same.map.v4.starts.itemsize * len(same.map.v4.starts) > LARGE_BYTES

    asyncio.run(ask())


def test_unchanged_names_do_not_travel(tmp_path: Path) -> None:
    """With another policy beside them, a zone's names, text and records are the objects that they were."""
    config = tmp_path / "p.yaml"
    config.write_text(POLICY)
    (tmp_path / "a.zone").write_text(ZONE)

    async def ask() -> None:
        workshop = Workshop(cache_dir=str(tmp_path / "cache"))
        try:
            first = await workshop.ask(BuildRequest(str(config), None, {}, {}))
            config.write_text(POLICY + "# more\n")
            second = await workshop.ask(BuildRequest(str(config), None, {}, first.plan.serials))
        finally:
            await workshop.stop()
        assert second.files != first.files
        assert second.files[1].text is first.files[1].text
        assert second.plan.directory is first.plan.directory
        old, new = (built.policy.zones["example.com"].records for built in (first, second))
        assert new is old

    asyncio.run(ask())


def test_large_blocks_come_as_they_were() -> None:
    """Beside the pickle, once each, empty or small ones within it."""
    large = array("Q", range(LARGE_BYTES // 8))
    value = [large, large, array("H", [7]), array("I"), b"x" * LARGE_BYTES, b"", "text"]
    stream = io.BytesIO()
    Common().send(stream, value)
    whole = stream.getvalue()
    size = len(whole)
    assert 2 * LARGE_BYTES < size < 2 * LARGE_BYTES + 300
    stream.seek(0)
    found = Common().receive(stream)
    assert found == value
    assert found[0] is found[1]
    assert [item.typecode for item in found[:4]] == ["Q", "Q", "H", "I"]
    for length in (0, HEAD.size, size - LARGE_BYTES, size - 1):
        with pytest.raises(EOFError):
            Common().receive(io.BytesIO(whole[:length]))


def test_only_builds_are_learned() -> None:
    """Any other result leaves what both have as it was."""
    common = Common()
    common.learn(Failed("no"))
    stream = io.BytesIO()
    common.send(stream, {"files": (1, 2)})
    stream.seek(0)
    assert common.receive(stream) == {"files": (1, 2)}
