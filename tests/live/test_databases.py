"""Database files that are replaced, damaged or gone while the daemon runs: the last good map serves on."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import AP_SOUTH, EU_WEST, LONDON, three_regions
from benchmarks.harness.wait import until
from tests.geo.records import nested
from tests.geo.writer import write

pytestmark = pytest.mark.live

LOADED = "georouter_config_last_reload_successful"
BUILT = "georouter_geo_database_build_timestamp_seconds"
OLD_EPOCH, NEW_EPOCH = 1_700_000_000, 1_750_000_000
GREAT_BRITAIN = nested("GB", 51.5, -0.125, continent="EU")
SINGAPORE = nested("SG", 1.25, 103.75, continent="AS")
OLD = write({LONDON: GREAT_BRITAIN, "165.21.0.0/16": SINGAPORE}, epoch=OLD_EPOCH)
"""Where London is where it is."""
NEW = write({LONDON: SINGAPORE, "165.21.0.0/16": SINGAPORE}, epoch=NEW_EPOCH)
"""Where London has moved, so that an answer tells which map made it."""


def policy(database: Path) -> str:
    """Three regions by the map in `database`."""
    return f"geo: {{database: [{database}]}}\n" + three_regions()


def london(daemon: Daemon) -> str:
    """What London is answered."""
    return daemon.ask("www.example.com", client=LONDON).addresses[0]


def replace(path: Path, content: bytes) -> None:
    """By rename, as careful tools do it."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(path)


def in_place(content: bytes) -> Callable[[Path], object]:
    """Write over the file that is in use."""
    return lambda path: path.write_bytes(content)


def by_rename(content: bytes) -> Callable[[Path], object]:
    """Put another file in its place."""
    return lambda path: replace(path, content)


def a_folder(path: Path) -> None:
    """Somebody's archive was unpacked to the wrong place."""
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": in_place(OLD[: len(OLD) // 2]),
    "without its last octets": in_place(OLD[:-10]),
    "zero length": in_place(b""),
    "junk": in_place(bytes(range(256)) * 64),
    "junk with the marker of metadata": in_place(bytes(4096) + b"\xab\xcd\xefMaxMind.com" + bytes(64)),
    "a tree of zeros": in_place(bytes(len(OLD) - 300) + OLD[-300:]),
    "an error page": by_rename(b"<html><body>404 Not Found</body></html>"),
    "no records": by_rename(write({}, epoch=NEW_EPOCH)),
    "deleted": Path.unlink,
    "a folder": a_folder,
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Path]]:
    """One daemon for all damages, and its database."""
    folder = tmp_path_factory.mktemp("shared")
    database = folder / "geo" / "city.mmdb"
    database.parent.mkdir()
    database.write_bytes(OLD)
    with Daemon(folder / "daemon", policy(database)) as daemon:
        yield daemon, database


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_database(shared: tuple[Daemon, Path], damage: Callable[[Path], object]) -> None:
    """The map in use stays and it is said everywhere; explanations go on; the next good file is taken."""
    daemon, database = shared
    if database.is_dir():
        database.rmdir()
    replace(database, OLD)
    until(lambda: daemon.metric(BUILT) == OLD_EPOCH and daemon.metric(LOADED) == 1, "a good database")
    said = len(daemon.output())
    assert london(daemon) == EU_WEST
    damage(database)
    until(lambda: daemon.metric(LOADED) == 0, "the refusal")
    assert london(daemon) == EU_WEST
    assert daemon.metric(BUILT) == OLD_EPOCH
    last = daemon.status()["config"]["last_reload"]
    assert last["ok"] is False
    assert str(database) in last["error"]
    assert "policy.refused" in daemon.output()[said:]
    code, body = daemon.get(f"/v1/explain?name=www.example.com&client={LONDON}")
    assert code == 200, body
    assert EU_WEST in json.dumps(json.loads(body))
    if database.is_dir():
        database.rmdir()
    replace(database, NEW)
    until(lambda: london(daemon) == AP_SOUTH, "the new map")
    until(lambda: daemon.metric(LOADED) == 1, "the new map to be told of")
    assert daemon.metric(BUILT) == NEW_EPOCH
    assert "Traceback" not in daemon.output()
    assert "task.ended" not in daemon.output()


def test_deleted_and_restored(tmp_path: Path) -> None:
    """The same file again is a good reload, without a restart."""
    database = tmp_path / "city.mmdb"
    database.write_bytes(OLD)
    with Daemon(tmp_path / "daemon", policy(database)) as daemon:
        database.rename(tmp_path / "away.mmdb")
        until(lambda: daemon.metric(LOADED) == 0, "the refusal")
        (tmp_path / "away.mmdb").rename(database)
        until(lambda: daemon.metric(LOADED) == 1, "the return")
        assert london(daemon) == EU_WEST


def test_the_folder_goes_and_returns(tmp_path: Path) -> None:
    """A volume is unmounted and mounted again: nobody can watch a folder that is gone, but all is noticed."""
    folder = tmp_path / "geo"
    folder.mkdir()
    (folder / "city.mmdb").write_bytes(OLD)
    with Daemon(tmp_path / "daemon", policy(folder / "city.mmdb")) as daemon:
        shutil.rmtree(folder)
        until(lambda: daemon.metric(LOADED) == 0, "the refusal")
        folder.mkdir()
        (folder / "city.mmdb").write_bytes(NEW)
        until(lambda: london(daemon) == AP_SOUTH, "the new map")


def test_a_config_map(tmp_path: Path) -> None:
    """Kubernetes swaps `..data`, a link two levels away from the file: the new content is taken."""
    mount = tmp_path / "mount"
    for name, content in (("..2026_01", OLD), ("..2026_02", OLD[:100]), ("..2026_03", NEW)):
        (mount / name).mkdir(parents=True)
        (mount / name / "city.mmdb").write_bytes(content)

    def point_at(name: str) -> None:
        link = mount / "..data_tmp"
        link.symlink_to(name)
        link.rename(mount / "..data")

    point_at("..2026_01")
    (mount / "city.mmdb").symlink_to("..data/city.mmdb")
    with Daemon(tmp_path / "daemon", policy(mount / "city.mmdb")) as daemon:
        assert london(daemon) == EU_WEST
        point_at("..2026_02")
        shutil.rmtree(mount / "..2026_01")
        until(lambda: daemon.metric(LOADED) == 0, "the refusal of half a file")
        assert london(daemon) == EU_WEST
        point_at("..2026_03")
        until(lambda: london(daemon) == AP_SOUTH, "the new map")


def test_policy_changes_wait_for_a_good_database(tmp_path: Path) -> None:
    """A policy names a damaged database: all of it is refused, and taken when the database is repaired."""
    good, bad = tmp_path / "good.mmdb", tmp_path / "bad.mmdb"
    good.write_bytes(OLD)
    bad.write_bytes(NEW[:200])
    with Daemon(tmp_path / "daemon", policy(good)) as daemon:
        daemon.write(policy(bad))
        until(lambda: daemon.metric(LOADED) == 0, "the refusal")
        assert london(daemon) == EU_WEST
        replace(bad, NEW)
        until(lambda: london(daemon) == AP_SOUTH, "the repaired database", 10.0)


def test_a_restart_with_a_damaged_database(tmp_path: Path) -> None:
    """The map that was last good is served again, `status` and a metric say so, and a repair is taken."""
    database = tmp_path / "city.mmdb"
    database.write_bytes(OLD)
    daemon = Daemon(tmp_path / "daemon", policy(database))
    with daemon:
        pass
    database.write_bytes(OLD[:100])
    with daemon:
        assert london(daemon) == EU_WEST
        assert daemon.metric(LOADED) == 0
        assert daemon.metric("georouter_config_serving_last_good") == 1
        assert str(database) in daemon.status()["config"]["last_reload"]["error"]
        assert daemon.get(f"/v1/explain?name=www.example.com&client={LONDON}")[0] == 200
        replace(database, NEW)
        until(lambda: london(daemon) == AP_SOUTH, "the new map")
        until(lambda: daemon.metric("georouter_config_serving_last_good") == 0, "the end of the emergency")
