"""What survives a restart, and what does not survive junk."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georouter.facts.aliases import Addresses, Target
from georouter.facts.brake import FREE, Brake, Freeze
from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import Health
from georouter.facts.latency import Latency
from georouter.facts.overrides import Override, OverrideKind
from georouter.facts.signals import Grade, Signal
from georouter.facts.world import State
from georouter.policy.load import PolicyFile
from georouter.sources.state_files import (
    FORMAT,
    LAST_GOOD_FILE,
    LAST_GOOD_ZONES,
    STATE_FILE,
    SavedState,
    guess_state_dir,
    is_fresh,
    load_last_good,
    load_state,
    save_last_good,
    save_state,
)
from georouter.words.errors import SourceError
from georouter.words.ids import CheckName, RegionName, ServiceName, SignalName

EU = RegionName("eu")
KEY = EndpointKey(EU, "192.0.2.1", CheckName("web"))
OTHER = EndpointKey(EU, "lb.example.net", CheckName("web"))
SIGNALS = {
    SignalName("lag"): Signal(1200.5, 999.0, Grade.DEGRADED, degraded=True, streak=1),
    SignalName("role"): Signal("replica", 998.0),
    SignalName("full"): Signal(False, 998.0),
    SignalName("gone"): Signal(None, None, Grade.DOWN, degraded=True),
}
STATE = SavedState(
    saved_at=1000.0,
    healths={KEY: Health(State.UP, 1, 900.0, 999.5, "status 503"), OTHER: Health(State.UP, signals=SIGNALS)},
    latencies={KEY: Latency(12.5, 5)},
    overrides={EU: Override(OverrideKind.DRAIN, EU, "upgrade", "alice", 950.0, 2750.0)},
    last_known={ServiceName("web"): {frozenset({EU, RegionName("us")}): frozenset({EU})}},
    aliases={
        b"\2lb\4test\0": Target({4: Addresses((b"\xc0\0\2\1",), 60), 6: Addresses((), 60)}, 990.0, 900.0)
    },
    brake=Brake(
        fallen={EU: 990.0}, freeze=Freeze(990.0, 1290.0, frozenset({EU}), 6, {KEY: Health(State.UP)})
    ),
)


def edited(directory: Path, **changes: object) -> tuple[SavedState | None, str]:
    """What is loaded after somebody edited the saved state."""
    save_state(directory, STATE)
    path = directory / STATE_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return load_state(directory)


def test_a_state_survives(tmp_path: Path) -> None:
    """Saved into a folder that did not exist, loaded again, nothing lost."""
    directory = tmp_path / "a" / "b"
    save_state(directory, STATE)
    assert load_state(directory) == (STATE, "")


def test_saving_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    """One file, readable by its owner only."""
    save_state(tmp_path, STATE)
    save_state(tmp_path, SavedState(saved_at=2000.0))
    assert load_state(tmp_path) == (SavedState(saved_at=2000.0), "")
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]
    assert (tmp_path / STATE_FILE).stat().st_mode & 0o077 == 0


def test_no_state_is_not_an_error(tmp_path: Path) -> None:
    """The first start ever."""
    assert load_state(tmp_path / "nowhere") == (None, "state.json: not there yet")


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\x00" * 100,
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"format": 1',
        b"[" * 100_000,
        b"1" * 10_000,
        b'{"format": 999, "saved_at": 1}',
        b'{"format": 1}',
        b'{"format": 1, "saved_at": true}',
        b'{"format": 1, "saved_at": NaN}',
        b'{"format": 1, "saved_at": 1e999}',
        b'{"format": 1, "saved_at": 1' + b"0" * 400 + b"}",
    ],
)
def test_junk_is_as_good_as_nothing(tmp_path: Path, junk: bytes) -> None:
    """Whatever the file holds, the daemon starts, and says why it starts from nothing."""
    (tmp_path / STATE_FILE).write_bytes(junk)
    state, reason = load_state(tmp_path)
    assert state is None
    assert reason.startswith("state.json: ")


def test_what_cannot_be_read_is_as_good_as_nothing(tmp_path: Path) -> None:
    """A folder in the place of the file."""
    (tmp_path / STATE_FILE).mkdir()
    assert load_state(tmp_path) == (None, "state.json: Is a directory")


@pytest.mark.parametrize("section", ["healths", "latencies", "overrides"])
@pytest.mark.parametrize("bad", [None, 5, [], {}, "x", {"region": "eu", "address": 1, "check": "web"}])
def test_a_bad_entry_costs_only_itself(tmp_path: Path, section: str, bad: object) -> None:
    """An override is not lost because a health makes no sense."""
    save_state(tmp_path, STATE)
    entries = json.loads((tmp_path / STATE_FILE).read_text())[section]
    state, reason = edited(tmp_path, **{section: [bad, *entries]})
    assert state == STATE
    assert reason.startswith(f"{section}: 1 of {len(entries) + 1} left out")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "sideways"},
        {"streak": -1},
        {"streak": 1.5},
        {"streak": True},
        {"since": "yesterday"},
        {"checked_at": float("inf")},
        {"reason": None},
    ],
)
def test_a_health_that_makes_no_sense_is_left_out(tmp_path: Path, change: dict[str, object]) -> None:
    """Every field is checked before it is believed."""
    save_state(tmp_path, STATE)
    entry = json.loads((tmp_path / STATE_FILE).read_text())["healths"][0]
    state, reason = edited(tmp_path, healths=[entry | change])
    assert state is not None
    assert not state.healths
    assert "1 of 1 left out" in reason


@pytest.mark.parametrize("bad", [5, {}, {"since": 1, "until": 2, "of": 3, "regions": ["eu"]}])
def test_a_freeze_that_makes_no_sense_is_none(tmp_path: Path, bad: object) -> None:
    """The rest is loaded, and it is said."""
    state, problem = edited(tmp_path, brake=bad)
    assert state == replace(STATE, brake=FREE)
    assert problem.startswith("brake: ")


def test_missing_sections_are_said(tmp_path: Path) -> None:
    """The rest is used."""
    state, reason = edited(
        tmp_path, last_known={"web": [{"of": ["eu"], "up": ["eu"]}], "api": ["eu"]}, latencies=7
    )
    assert state is not None
    assert state.last_known == {ServiceName("web"): {frozenset({EU}): frozenset({EU})}}
    assert state.healths == STATE.healths
    assert "latencies: missing" in reason
    assert "last_known: 1 of 2 left out" in reason


@pytest.mark.parametrize(
    ("now", "fresh"),
    [(1000.0, True), (1599.9, True), (1600.0, False), (990.0, True), (900.0, False), (1e12, False)],
)
def test_beliefs_are_fresh_for_ten_minutes(now: float, fresh: bool) -> None:
    """A file from the future is not believed, but for a clock that was set back a little."""
    assert is_fresh(STATE, now) is fresh


def test_an_unwritable_folder_is_a_source_error(tmp_path: Path) -> None:
    """The daemon reports it and goes on."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"state\.json cannot be written: "):
        save_state(tmp_path / "file", STATE)
    with pytest.raises(SourceError, match=r"cannot be written: "):
        save_last_good(tmp_path / "file" / "below", [PolicyFile("a.yaml", "")])


def test_a_full_disk_keeps_the_last_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays whole, and no half of the new one is left lying about."""
    save_state(tmp_path, STATE)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SourceError, match="No space left on device"):
        save_state(tmp_path, SavedState(saved_at=2000.0))
    assert load_state(tmp_path) == (STATE, "")
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


def test_the_last_good_policy_survives(tmp_path: Path) -> None:
    """Texts to the letter; names absolute, so that relative paths inside still lead somewhere."""
    files = [PolicyFile("/etc/georouter/a.yaml", "é: 1\r\n\t"), PolicyFile("b.yaml", "")]
    save_last_good(tmp_path, files)
    assert load_last_good(tmp_path) == (files[0], PolicyFile(str(Path("b.yaml").absolute()), ""))


@pytest.mark.parametrize(
    "junk",
    [
        None,
        b"junk",
        json.dumps({"format": FORMAT}).encode(),
        json.dumps({"format": FORMAT, "files": []}).encode(),
        json.dumps({"format": FORMAT, "files": [{"name": "a", "text": "b"}, {"name": "c"}]}).encode(),
    ],
)
def test_half_a_policy_is_none(tmp_path: Path, junk: bytes | None) -> None:
    """All of it or nothing: a policy with a file missing is another policy."""
    if junk is not None:
        (tmp_path / LAST_GOOD_FILE).write_bytes(junk)
    assert load_last_good(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server:\n  state_dir: /var/lib/georouter\n", "/var/lib/georouter"),
        ('server: {listen: [":53"], state_dir: "here", workers: 2}', "/etc/georouter/here"),
        ("server:\n  state_dir: ./state  # next to it\n  broken [", "/etc/georouter/state"),
        ("# state_dir: /tmp\nserver: {}", "/etc/other/state"),
        ("server:\n  state_dir:\n", "/etc/other/state"),
        ("", "/etc/other/state"),
    ],
)
def test_the_state_of_a_broken_policy_is_found(text: str, expected: str) -> None:
    """By what its text says, else next to where the configuration is."""
    files = [PolicyFile("/etc/georouter/a.yaml", text)]
    assert guess_state_dir(Path("/etc/other/georouter.yaml"), files) == Path(expected)


def test_a_folder_holds_its_own_state(tmp_path: Path) -> None:
    """For a folder of policy files the state is inside it."""
    assert guess_state_dir(tmp_path) == tmp_path / "state"


NAME = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
REGIONS = st.frozensets(NAME.map(RegionName))
KEYS = st.builds(EndpointKey, NAME.map(RegionName), NAME, NAME.map(CheckName))
TIMES = st.floats(0, 1e11)


@given(
    st.builds(
        SavedState,
        saved_at=TIMES,
        healths=st.dictionaries(
            KEYS,
            st.builds(
                Health,
                st.sampled_from(State),
                st.integers(0, 99),
                st.none() | TIMES,
                st.none() | TIMES,
                st.text(st.characters(exclude_categories=["Cs"])),
            ),
        ),
        latencies=st.dictionaries(KEYS, st.builds(Latency, st.floats(0, 1e5), st.integers(1, 5))),
        last_known=st.dictionaries(NAME.map(ServiceName), st.dictionaries(REGIONS, REGIONS)),
    )
)
def test_any_state_survives(tmp_path_factory: pytest.TempPathFactory, state: SavedState) -> None:
    """Saved and loaded is the same."""
    directory = tmp_path_factory.getbasetemp() / "any"
    save_state(directory, state)
    assert load_state(directory) == (state, "")


def test_zone_files_of_the_last_good_policy(tmp_path: Path) -> None:
    """Kept by their content, octet by octet; those of the policy before go."""
    zone = PolicyFile("/etc/g/a.zone", "; caf\udce9\na A 192.0.2.1\n", zone=True, stamp=(1, 2))
    files = [PolicyFile("/etc/g/a.yaml", "a: 1"), zone, PolicyFile("/etc/g/b.zone", "", zone=True)]
    save_last_good(tmp_path, files)
    assert load_last_good(tmp_path) == tuple(files)
    save_last_good(tmp_path, files[:2])
    (kept,) = (tmp_path / LAST_GOOD_ZONES).iterdir()
    assert kept.read_bytes() == b"; caf\xe9\na A 192.0.2.1\n"
    kept.write_bytes(b"; caf\xe9\na A 192.0.2.2\n")
    assert load_last_good(tmp_path) is None
    kept.unlink()
    assert load_last_good(tmp_path) is None


def test_a_zone_file_that_is_kept_is_not_written_again(tmp_path: Path) -> None:
    """Fifty megabytes for every change of a weight would be too many."""
    zone = PolicyFile("/etc/g/a.zone", "a A 192.0.2.1\n", zone=True)
    save_last_good(tmp_path, [PolicyFile("/etc/g/a.yaml", "a: 1"), zone])
    (kept,) = (tmp_path / LAST_GOOD_ZONES).iterdir()
    before = kept.stat().st_ino
    save_last_good(tmp_path, [PolicyFile("/etc/g/a.yaml", "a: 2"), zone])
    assert kept.stat().st_ino == before
    assert load_last_good(tmp_path) == (PolicyFile("/etc/g/a.yaml", "a: 2"), zone)
