import logging
import os
from ipaddress import ip_address
from pathlib import Path

import pytest

from georouter.geo import mmdb, store
from georouter.geo.locate import locate, locate_asn
from georouter.geo.map import GeoMap, Kind
from georouter.sources import geo_files
from georouter.sources.geo_files import CACHE_KEPT, fingerprint, load_asn, load_last, load_map
from georouter.words.errors import SourceError
from tests.geo.records import LONDON, PARIS, WORLD
from tests.geo.test_store import assert_equal
from tests.geo.writer import write


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A small city database."""
    path = tmp_path / "city.mmdb"
    path.write_bytes(write(WORLD))
    return path


def country(map_: GeoMap, address: str) -> str:
    """The country of an address."""
    return map_.places.country[locate(map_, ip_address(address))[0]].decode()


def test_built_in_map() -> None:
    """Without databases: the whole world, both families, with whom to thank, and the borders it must keep."""
    map_ = load_map(())
    assert "db-ip.com" in map_.info.attribution
    assert map_.info.kinds == frozenset(Kind) - {Kind.CITY, Kind.ASN}
    assert country(map_, "8.8.8.8") == "US"
    assert country(map_, "81.2.69.1") == "GB"
    assert country(map_, "2a02:2e0::1") == "DE"
    assert country(map_, "127.0.0.1") == ""
    assert len({code for code in map_.places.country.tolist() if code}) > 240
    for starts, place in ((map_.starts4, map_.place4), (map_.starts6, map_.place6)):
        assert starts[0] == 0
        assert (starts[1:] > starts[:-1]).all()
        assert (place[1:] != place[:-1]).all()


def test_reads_an_mmdb(database: Path) -> None:
    """One file, or one per family."""
    assert country(load_map([str(database)]), "1.2.3.4") == "FR"
    four, six = database.with_name("4.mmdb"), database.with_name("6.mmdb")
    four.write_bytes(write({"1.0.0.0/8": LONDON}, version=4))
    six.write_bytes(write({"2a00::/16": PARIS}))
    both = load_map([str(four), str(six)])
    assert (country(both, "1.2.3.4"), country(both, "2a00::1")) == ("GB", "FR")


def test_reads_a_compact_map(database: Path) -> None:
    """What `georouter geo build` writes can be named like any database, alone."""
    compact = database.with_name("small.geomap")
    compact.write_bytes(store.encode(load_map([str(database)])))
    assert country(load_map([str(compact)]), "1.2.3.4") == "FR"
    with pytest.raises(SourceError, match="used alone"):
        load_map([str(compact), str(database)])
    compact.write_bytes(compact.read_bytes()[:-10])
    with pytest.raises(SourceError, match=r"small\.geomap: the map is cut off"):
        load_map([str(compact)])


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "metadata"), (b"<html>not found</html>", "metadata"), (None, "No such file")],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: bytes | None, message: str) -> None:
    """The message names the file and the reason."""
    path = tmp_path / "bad.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=rf"bad\.mmdb: .*{message}"):
        load_map([str(path)], tmp_path / "cache")
    with pytest.raises(SourceError, match=rf"bad\.mmdb: .*{message}"):
        load_asn([str(path)])
    assert not (tmp_path / "cache").exists()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """An operating system error is a SourceError too."""
    with pytest.raises(SourceError, match="directory"):
        load_map([str(tmp_path)])


def test_a_pipe_is_no_database(tmp_path: Path) -> None:
    """Nobody waits for what might come out of it."""
    path = tmp_path / "city.mmdb"
    os.mkfifo(path)
    with pytest.raises(SourceError, match="not a regular file"):
        load_map([str(path)])


def test_truncation_while_running(database: Path) -> None:
    """A map that was loaded does not change when its file is cut off under it."""
    map_ = load_map([str(database)])
    os.truncate(database, 100)
    assert country(map_, "1.2.3.4") == "FR"
    with pytest.raises(SourceError, match="cut off"):
        load_map([str(database)])


def test_the_second_start_does_not_extract(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extracted map is kept under the content's hash, and is the same map."""
    cache = tmp_path / "state" / "geo"
    first = load_map([str(database)], cache)

    def extract(*_: object) -> GeoMap:
        raise AssertionError("extracted again")

    monkeypatch.setattr(mmdb, "read", extract)
    assert_equal(first, load_map([str(database)], cache))
    assert [path.suffix for path in cache.glob("geo-*")] == [".npz"]


def test_another_content_is_another_map(database: Path, tmp_path: Path) -> None:
    """Even with the same name, size and time."""
    cache = tmp_path / "cache"
    load_map([str(database)], cache)
    status = database.stat()
    content = database.read_bytes()
    database.write_bytes(content.replace(b"BFR", b"BJP"))
    os.utime(database, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert database.stat().st_size == status.st_size
    assert country(load_map([str(database)], cache), "1.2.3.4") == "JP"


def test_a_file_that_changes_while_it_is_read(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The map is kept as that of the content it was made of."""
    cache = tmp_path / "cache"
    content = database.read_bytes()
    digest = geo_files._digest

    def then_changed(path: str) -> bytes:
        result = digest(path)
        database.write_bytes(content.replace(b"BFR", b"BJP"))
        return result

    with monkeypatch.context() as patch:
        patch.setattr(geo_files, "_digest", then_changed)
        assert country(load_map([str(database)], cache), "1.2.3.4") == "JP"
    assert country(load_map([str(database)], cache), "1.2.3.4") == "JP"
    database.write_bytes(content)
    assert country(load_map([str(database)], cache), "1.2.3.4") == "FR"


@pytest.mark.parametrize("damage", ["empty", "cut", "junk", "flipped"])
def test_damaged_cache_is_made_again(
    database: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning, the right map, and a sound cache afterwards."""
    cache = tmp_path / "cache"
    first = load_map([str(database)], cache)
    (kept,) = cache.glob("geo-*")
    content = kept.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
    kept.write_bytes(
        {"empty": b"", "cut": content[:middle], "junk": b"junk" * 50, "flipped": flipped}[damage]
    )
    with caplog.at_level(logging.WARNING):
        assert_equal(first, load_map([str(database)], cache))
    assert "made again" in caplog.text
    caplog.clear()
    assert_equal(first, load_map([str(database)], cache))
    assert not caplog.text


def test_a_cache_that_cannot_be_written_is_a_warning(
    database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The map is there all the same."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        map_ = load_map([str(database)], blocked / "cache")
    assert country(map_, "1.2.3.4") == "FR"
    assert "cannot be kept" in caplog.text


def test_old_caches_are_removed(database: Path, tmp_path: Path) -> None:
    """The newest and a few before it stay; other files are not touched."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "other.npz").write_text("mine")
    for number in range(CACHE_KEPT + 3):
        database.write_bytes(write({f"{number + 1}.0.0.0/8": LONDON}))
        load_map([str(database)], cache)
    assert len(list(cache.glob("geo-*.npz"))) == CACHE_KEPT + 1
    assert (cache / "other.npz").exists()
    assert not list(cache.glob(".geo-*"))


def test_asn_files(tmp_path: Path) -> None:
    """None without files."""
    assert load_asn(()) is None
    path = tmp_path / "asn.mmdb"
    path.write_bytes(write({"1.0.0.0/8": {"autonomous_system_number": 64500}}))
    asn_map = load_asn([str(path)])
    assert asn_map is not None
    assert locate_asn(asn_map, ip_address("1.2.3.4")) == 64500


def test_fingerprint(database: Path) -> None:
    """It changes with the content's time or size, with a rename over it, and when the file is gone."""
    names = [str(database)]
    first = fingerprint(names)
    assert fingerprint(names) == first
    other = database.with_name("other.mmdb")
    other.write_bytes(database.read_bytes())
    os.utime(other, ns=(database.stat().st_atime_ns, database.stat().st_mtime_ns))
    other.replace(database)
    second = fingerprint(names)
    assert second != first
    os.truncate(database, 10)
    assert fingerprint(names) not in (first, second)
    database.unlink()
    assert fingerprint(names) == ((names[0], None),)


def test_the_last_good_map_is_kept_by_its_name(database: Path, tmp_path: Path) -> None:
    """It outlives damage of the file and the cleaning of the cache; other files have nothing of it."""
    cache = tmp_path / "cache"
    assert load_last([str(database)], cache) is None
    good = load_map([str(database)], cache)
    database.write_bytes(b"junk")
    for extracted in cache.glob("geo-*.npz"):
        extracted.unlink()
    with pytest.raises(SourceError, match=database.name):
        load_map([str(database)], cache)
    kept = load_last([str(database)], cache)
    assert kept is not None
    assert kept.info == good.info
    assert kept.starts4.tolist() == good.starts4.tolist()
    assert load_last([str(tmp_path / "other.mmdb")], cache) is None
    assert load_last([], cache) is None


def test_few_last_good_maps_are_kept(database: Path, tmp_path: Path) -> None:
    """They are as large as the databases."""
    cache = tmp_path / "cache"
    for number in range(CACHE_KEPT + 3):
        copy = tmp_path / f"{number}.mmdb"
        copy.write_bytes(database.read_bytes())
        load_map([str(copy)], cache)
        load_map([str(copy)], cache)
    assert len(list(cache.glob("last-*"))) == CACHE_KEPT + 1
    assert load_last([str(copy)], cache) is not None
