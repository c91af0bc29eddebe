"""The last build on disk: used when nothing has changed, and never otherwise."""

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.respond import Responder
from georouter.compiler.publish import publish
from georouter.control.orders import Built
from georouter.daemon import build, kept
from georouter.daemon.kept import FILE, MAGIC, Kept, keep, program, take
from georouter.daemon.start import first_build
from georouter.facts.world import World
from georouter.words.ids import RegionName
from tests.geo.records import nested
from tests.geo.writer import write

POLICY = """version: 1
server: {state_dir: state}
geo: {database: city.mmdb}
regions: {here: {location: {lat: 0, lon: 0}, endpoints: [192.0.2.1]}}
services: {web: {regions: [here], chain: [nearest]}}
zones:
  example.com: {ns: [ns1.example.com], records: {ns1: {A: "192.0.2.53"}, www: {service: web}}}
  example.org: {file: example.org.zone}
"""
ZONE = """$ORIGIN example.org.
@ 3600 SOA ns1 hostmaster 1 2 3 4 5
@ 3600 NS ns1
ns1 3600 A 192.0.2.54
$INCLUDE more
"""
QUERY = bytes.fromhex("123400000001000000000000") + b"\3www\7example\3com\0\0\1\0\1"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A policy with a database and a zone file that includes another, which was started from once."""
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "city.mmdb").write_bytes(write({"1.0.0.0/8": nested("GB", 51.5, 0.0, continent="EU")}))
    (folder / "example.org.zone").write_text(ZONE)
    (folder / "more").write_text("more 60 A 192.0.2.55\n")
    (folder / "policy.yaml").write_text(POLICY)
    first_build(folder, None, strict=True)
    return folder


def cache(config: Path) -> Path:
    """Where its build is kept."""
    return config / "state" / "cache"


def answer(built: Built) -> bytes | None:
    """What is served from it."""
    snapshot = publish(built.plan, World(), 1, None).snapshot
    responder = Responder(snapshot, [0] * snapshot.directory.layout.size, Limits())
    return responder.respond(QUERY, 1 << 24, 4, Proto.UDP, 0.0)


def test_the_same_answers(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start from what was kept serves what was built, and builds nothing."""
    monkeypatch.chdir(config.parent)
    built = build.Builder(cache_dir=str(config.parent / "other")).build(
        build.BuildRequest(str(config), None, {})
    )
    assert isinstance(built, Built)
    monkeypatch.setattr(build, "Builder", None)
    start = first_build(config, None, strict=True)
    assert start.built.policy == built.policy
    assert start.built.files == built.files
    assert [file.stamp for file in start.built.files] == [file.stamp for file in built.files]
    assert start.state_dir == Path(built.policy.server.state_dir)
    assert answer(start.built) == answer(built) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda config: (config / "policy.yaml").write_text(POLICY + "# changed\n"),
        lambda config: (config / "other.yaml").write_text("tests: []\n"),
        lambda config: (config / "policy.yaml").unlink(),
        lambda config: (config / "policy.yaml").write_bytes(b"\xff"),
        lambda config: (config / "example.org.zone").write_text(ZONE + "new 60 A 192.0.2.56\n"),
        lambda config: (config / "more").write_text("more 60 A 192.0.2.57\n"),
        lambda config: (config / "more").unlink(),
        lambda config: (config / "city.mmdb").touch(),
        lambda config: (config / "city.mmdb").unlink(),
        lambda config: (cache(config) / FILE).unlink(),
        lambda config: (cache(config) / FILE).chmod(0o660),
        lambda config: shutil.rmtree(cache(config)),
    ],
)
def test_what_changed_is_built(config: Path, change: Callable[[Path], object]) -> None:
    """Whatever a build reads, and a file that others may write."""
    assert take(cache(config), config) is not None
    change(config)
    assert take(cache(config), config) is None


def test_a_newer_large_database_comes_later(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers come from the last good map meanwhile, unless only the present files will do."""
    first = first_build(config, None, strict=True)
    database = config / "city.mmdb"
    database.write_bytes(write({"1.0.0.0/8": nested("FR", 48.9, 2.4, continent="EU")}))
    assert take(cache(config), config, patient=False) is None, "a small one takes no time"
    monkeypatch.setattr(kept, "LARGE_BYTES", 1)
    assert take(cache(config), config) is None
    found = take(cache(config), config, patient=False)
    assert found is not None
    assert found.newer == (str(database),)
    with monkeypatch.context() as patch:
        patch.setattr(build, "Builder", None)
        start = first_build(config, None, strict=False)
    assert start.refused is None
    assert start.built.databases == first.built.databases, "whoever watches sees that there is another one"
    (config / "policy.yaml").write_text(POLICY + "# changed\n")
    assert take(cache(config), config, patient=False) is None, "a changed policy is built"
    (config / "policy.yaml").write_text(POLICY)
    assert first_build(config, None, strict=True).built.databases != first.built.databases
    database.unlink()
    assert take(cache(config), config, patient=False) is None, "there is nothing to wait for"


def test_another_policy_with_the_same_state(config: Path) -> None:
    """Relative paths would mean other files."""
    shutil.copytree(config, config.with_name("copy"))
    assert take(cache(config), config.with_name("copy")) is None


def test_another_program(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update may compile other answers from the same policy."""
    monkeypatch.setattr(kept, "program", lambda: bytes(32))
    assert take(cache(config), config) is None


def test_the_program_is_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module or a built-in map that changes makes another program; what Python caches does not."""
    package = ModuleType("georouter")
    package.__file__ = str(tmp_path / "package" / "__init__.py")
    package.__version__ = "1"  # type: ignore[attr-defined]
    (tmp_path / "package" / "room").mkdir(parents=True)
    (tmp_path / "package" / "room" / "module.py").write_text("x = 1\n")
    monkeypatch.setattr(kept, "georouter", package)
    before = program()
    (tmp_path / "package" / "room" / "__pycache__").mkdir()
    (tmp_path / "package" / "room" / "__pycache__" / "module.pyc").write_text("")
    assert program() == before
    (tmp_path / "package" / "room" / "module.py").write_text("x = 2\n")
    os.utime(tmp_path / "package" / "room" / "module.py", (1, 1))
    assert program() != before


def test_a_damaged_file(config: Path) -> None:
    """Cut short anywhere, or with any octet changed, it is as good as none."""
    path = cache(config) / FILE
    good = path.read_bytes()
    for length in (*range(len(MAGIC) + 70), len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        assert take(cache(config), config) is None
    for at in (0, len(MAGIC), len(MAGIC) + 40, len(MAGIC) + 64, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :])
        assert take(cache(config), config) is None
    path.write_bytes(good)
    assert take(cache(config), config) is not None


class Bomb:
    """Unpickled by the standard library, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_no_code_of_others_is_run(config: Path, tmp_path: Path) -> None:
    """With the right checksum, too."""
    for value in (Bomb(tmp_path / "boom"), {"not": "a build"}, first_build):
        body = pickle.dumps(value)
        data = MAGIC + program() + hashlib.sha256(body).digest() + body
        (cache(config) / FILE).write_bytes(data)
        assert take(cache(config), config) is None
    assert not (tmp_path / "boom").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else(config: Path) -> None:
    """Whoever may write there must not decide what is answered."""
    os.chown(cache(config) / FILE, 12345, 12345)
    assert take(cache(config), config) is None


def test_where_nothing_can_be_kept(config: Path, tmp_path: Path) -> None:
    """It is said, and that is all."""
    taken = take(cache(config), config)
    assert taken is not None
    (tmp_path / "file").write_text("")
    assert not keep(tmp_path / "file" / "cache", taken)
    assert keep(tmp_path / "new", taken)


def test_round_trips_come_back(config: Path) -> None:
    """What a ranking was made by is known after a restart."""
    taken = take(cache(config), config)
    assert taken is not None
    keep(cache(config), replace(taken, rtt_ms={RegionName("here"): 12.5}))
    assert first_build(config, None, strict=True).rtt_ms == {"here": 12.5}


def test_every_example_can_be_kept(repository: Path, tmp_path: Path) -> None:
    """Whatever a policy is made of comes back from the disk."""
    examples = sorted((repository / "config").glob("*.yaml"))
    assert len(examples) > 4
    for example in examples:
        first_build(example, tmp_path / example.stem, strict=True)
        found = take(tmp_path / example.stem / "cache", example)
        assert isinstance(found, Kept), example
        assert found.built.files[0].name == str(example)
