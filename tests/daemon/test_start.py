"""What a start makes of a policy or a database that went bad."""

import os
from pathlib import Path

import pytest

from georouter.compiler.serials import Numbered
from georouter.daemon.start import first_build
from georouter.sources import serial_file
from georouter.sources.state_files import save_last_good
from georouter.words.errors import PolicyError, SourceError
from georouter.words.ids import ZoneName
from tests.geo.records import nested
from tests.geo.writer import write

POLICY = """version: 1
server: {state_dir: state}
geo: {database: city.mmdb}
zones: {example.com: {ns: [ns1.example.com], records: {ns1: {A: "192.0.2.53"}}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A good policy with a good database beside it, which an earlier start has seen."""
    (tmp_path / "city.mmdb").write_bytes(write({"1.0.0.0/8": nested("GB", 51.5, 0.0, continent="EU")}))
    file = tmp_path / "georouter.yaml"
    file.write_text(POLICY)
    good = first_build(file, None, strict=False)
    assert good.refused is None
    save_last_good(good.state_dir, good.built.files)
    return file


def test_a_bad_database(config: Path) -> None:
    """The map it gave when it was last good, with the current policy, and what is wrong."""
    config.write_text(POLICY + "# changed since\n")
    (config.parent / "city.mmdb").write_bytes(b"junk")
    start = first_build(config, None, strict=False)
    assert start.refused is not None
    assert "city.mmdb" in start.refused.message
    assert "changed since" in start.built.files[0].text
    assert start.built.info.database == "Test-City"


def test_a_bad_policy_and_a_bad_database(config: Path) -> None:
    """The last good policy with the last good map; what is said is about the policy."""
    config.write_text(POLICY + "nonsense: 1\n")
    (config.parent / "city.mmdb").unlink()
    start = first_build(config, None, strict=False)
    assert start.refused is not None
    assert "nonsense" in start.refused.message
    assert start.built.files[0].text == POLICY


def test_strict(config: Path) -> None:
    """Nothing but what is there now."""
    (config.parent / "city.mmdb").write_bytes(b"junk")
    with pytest.raises(SourceError, match=r"city\.mmdb"):
        first_build(config, None, strict=True)
    config.write_text(POLICY + "nonsense: 1\n")
    with pytest.raises(PolicyError):
        first_build(config, None, strict=True)


def test_a_database_that_was_never_good(config: Path, tmp_path: Path) -> None:
    """There is nothing to answer from, and the start says why."""
    (tmp_path / "other.mmdb").write_bytes(b"junk")
    config.write_text(POLICY.replace("city.mmdb", "other.mmdb"))
    (tmp_path / "state" / "last-good-policy.json").unlink()
    with pytest.raises(SourceError, match=r"other\.mmdb"):
        first_build(config, None, strict=False)


def test_serials_survive(config: Path) -> None:
    """The same content has the same serial, a changed one a newer one, also where files are older."""

    def serial() -> int:
        start = first_build(config, None, strict=False)
        serial_file.save(start.state_dir, start.built.plan.serials)
        return start.built.plan.serials[ZoneName("example.com")].serial

    def write(address: str, at: int) -> None:
        config.write_text(POLICY.replace("192.0.2.53", address))
        os.utime(config, (at, at))

    write("192.0.2.1", 1000)
    first = serial()
    write("192.0.2.1", 5000)
    assert serial() == first
    write("192.0.2.2", first + 500)
    assert serial() == first + 500
    write("192.0.2.3", 1000)
    assert serial() == first + 501
    write("192.0.2.2", 1000)
    assert serial() == first + 502


def test_a_kept_build_that_fell_behind(config: Path) -> None:
    """It is not used where its zones had newer serials since."""
    kept = first_build(config, None, strict=False)
    (name, item) = next(iter(kept.built.plan.serials.items()))
    assert first_build(config, None, strict=False).built.plan.serials[name] == item
    serial_file.save(kept.state_dir, {name: Numbered("another", item.serial + 1000)})
    assert first_build(config, None, strict=False).built.plan.serials[name].serial == item.serial + 1001
