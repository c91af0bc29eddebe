"""What a start makes of a policy or a database that went bad."""

from pathlib import Path

import pytest

from georouter.daemon.start import first_build
from georouter.sources.state_files import save_last_good
from georouter.words.errors import PolicyError, SourceError
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
