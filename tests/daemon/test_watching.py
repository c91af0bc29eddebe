"""The watcher asks for a reload when, and only when, the files are others than those read last."""

import asyncio
from pathlib import Path

import pytest

from georouter.daemon.watching import Watcher
from georouter.policy.load import load
from georouter.sources import geo_files, policy_files

GOOD = 'version: 1\nzones: {example.com: {ns: [ns1.example.com], records: {ns1: {A: "192.0.2.53"}}}}\n'
BROKEN = GOOD + "nonsense: 1\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A policy file that is in use."""
    file = tmp_path / "georouter.yaml"
    file.write_text(GOOD)
    return file


def looks(config: Path, *steps: str) -> list[str]:
    """What a watcher that follows the file asks for, while `steps` happen: a content, or `refused`."""
    asked: list[str] = []

    async def happen() -> None:
        watcher = Watcher(config, lambda: config.parent / "state", asked.append)
        files = policy_files.read(config)
        watcher.follow(load(files).policy, files, ())
        for step in steps:
            if step == "refused":
                watcher.refused(policy_files.read(config), ())
            elif step == "look":
                await watcher._look()
            else:
                config.write_text(step)  # noqa: ASYNC240 - nobody waits

    asyncio.run(happen())
    return asked


def test_a_change_is_asked_for_once(config: Path) -> None:
    """However often one looks; nothing is asked while nothing changes."""
    assert looks(config, "look", "look") == []
    assert looks(config, BROKEN, "look", "look") == ["file change"]


def test_what_others_had_refused_is_not_asked_for_again(config: Path) -> None:
    """A SIGHUP read the broken file before the watcher saw it."""
    assert looks(config, BROKEN, "refused", "look", "look") == []


def test_a_repair_that_was_quicker_than_the_watcher_is_asked_for(config: Path) -> None:
    """Broken, refused through SIGHUP, repaired, and only then looked at: the repair is news."""
    assert looks(config, BROKEN, "refused", GOOD, "look", "look") == ["file change"]


def test_the_databases_of_a_refused_policy_are_watched(tmp_path: Path, config: Path) -> None:
    """What is wrong with it may be wrong with them: their repair is news, and nothing else is."""
    database = tmp_path / "other" / "city.mmdb"
    database.parent.mkdir()
    database.write_bytes(b"junk")
    asked: list[str] = []

    async def happen() -> None:
        watcher = Watcher(config, lambda: tmp_path / "state", asked.append)
        files = policy_files.read(config)
        watcher.follow(load(files).policy, files, ())
        watcher.refused(files, geo_files.fingerprint([str(database)]))
        await watcher._look()
        assert asked == []
        database.write_bytes(b"good, who knows")
        await watcher._look()
        await watcher._look()
        assert asked == ["file change"]
        watcher.follow(load(files).policy, files, ())
        database.unlink()
        await watcher._look()

    asyncio.run(happen())
    assert asked == ["file change"]


def test_watching_that_fails_is_said_once_and_looked_for_anyway(
    config: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without inotify or descriptors a change is still found, a little later."""
    asked: list[str] = []

    def fail(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("georouter.daemon.watching.changes", fail)
    monkeypatch.setattr("georouter.daemon.watching.AGAIN_S", 0.01)

    async def happen() -> None:
        watcher = Watcher(config, lambda: config.parent / "state", asked.append)
        files = policy_files.read(config)
        watcher.follow(load(files).policy, files, ())
        running = asyncio.create_task(watcher.run())
        await asyncio.sleep(0.1)
        config.write_text(BROKEN)  # noqa: ASYNC240 - nobody waits
        async with asyncio.timeout(5):
            while not asked:  # noqa: ASYNC110 - nobody tells when
                await asyncio.sleep(0.01)
        assert not running.done()
        running.cancel()

    with caplog.at_level("WARNING"):
        asyncio.run(happen())
    assert asked == ["file change"]
    assert [record.message for record in caplog.records] == ["watch.failed"]


ZONED = "version: 1\nzones: {example.com: {file: zones/a.zone}}\n"
ZONE = "@ SOA ns root 1 2 3 4 5\n@ NS ns.example.net.\n"


@pytest.fixture
def zoned(tmp_path: Path) -> Path:
    """A policy file that is in use, with a zone file in a folder of its own."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / "a.zone").write_text(ZONE)
    file = tmp_path / "georouter.yaml"
    file.write_text(ZONED)
    return file


def test_a_change_of_a_zone_file_is_asked_for_once(zoned: Path) -> None:
    """Of an included one too; a file that went is a change, and so is its return."""
    zone, more = zoned.parent / "zones" / "a.zone", zoned.parent / "zones" / "more"
    asked: list[str] = []

    async def happen() -> None:
        watcher = Watcher(zoned, lambda: zoned.parent / "state", asked.append)

        async def looked(expected: int) -> None:
            await watcher._look()
            await watcher._look()
            assert len(asked) == expected

        more.write_text("b A 192.0.2.1\n")
        zone.write_text(ZONE + "$INCLUDE more\n")
        files = policy_files.read(zoned)
        watcher.follow(load(files).policy, files, ())
        await looked(0)
        more.write_text("b A 192.0.2.22\n")
        await looked(1)
        zone.unlink()
        await looked(2)
        zone.write_text(ZONE)
        await looked(3)

    asyncio.run(happen())


def test_zone_files_of_a_refused_policy_are_watched(zoned: Path) -> None:
    """One that is not there yet is looked for; one that is broken is looked at."""
    asked: list[str] = []

    async def happen() -> None:
        watcher = Watcher(zoned, lambda: zoned.parent / "state", asked.append)
        files = policy_files.read(zoned)
        watcher.follow(load(files).policy, files, ())
        zoned.write_text(ZONED.replace("a.zone", "b.zone"))  # noqa: ASYNC240 - nobody waits
        await watcher._look()
        watcher.refused(policy_files.read(zoned), ())
        await watcher._look()
        assert asked == ["file change"]
        (zoned.parent / "zones" / "b.zone").write_text(ZONE)
        await watcher._look()
        assert asked == ["file change"] * 2

    asyncio.run(happen())


def test_the_folders_of_zone_files_are_watched(zoned: Path) -> None:
    """A change is noticed at once, not only when one looks anyway."""
    asked: list[str] = []

    async def happen() -> None:
        watcher = Watcher(zoned, lambda: zoned.parent / "state", asked.append)
        files = policy_files.read(zoned)
        watcher.follow(load(files).policy, files, ())
        assert watcher._folders() == {zoned.parent / "zones"}
        running = asyncio.create_task(watcher.run())
        await asyncio.sleep(0.3)
        (zoned.parent / "zones" / "a.zone").write_text(ZONE + "a A 192.0.2.1\n")
        async with asyncio.timeout(10):
            while not asked:  # noqa: ASYNC110 - nobody tells when
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(happen())
