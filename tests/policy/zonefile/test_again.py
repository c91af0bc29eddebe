"""Zone files that are read again."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from georouter.policy.load import Loaded, PolicyFile, load
from georouter.policy.zonefile import again, read
from georouter.policy.zonefile.again import MANY, Readings
from georouter.words.errors import PolicyError

POLICY = PolicyFile(
    "/p.yaml",
    "version: 1\nzones:\n"
    "  a.example: {file: a.zone, records: {own: {A: 192.0.2.9}}}\n"
    "  b.example: {file: b.zone}",
)
HEAD = "@ SOA ns root 1 2 3 4 5\n@ NS ns.example.net.\n"
A = PolicyFile("/a.zone", f"{HEAD}$GENERATE 1-{MANY} h$ A 10.0.0.1\n$INCLUDE more.zone\n", zone=True)
MORE = PolicyFile("/more.zone", "more TXT one\n", zone=True)
B = PolicyFile("/b.zone", f"{HEAD}$GENERATE 1-{MANY} h$ A 10.0.0.2\n", zone=True)
Load = Callable[..., tuple[Loaded, list[str]]]


@pytest.fixture(name="loaded")
def _loaded(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads these files as if again and again, and tells which zone files were read; the result is right."""
    readings, seen = Readings(), []

    def counted(source: object, *args: object, **named: object) -> object:
        seen.append(getattr(source, "name", ""))
        return read.read_zone(source, *args, **named)  # type: ignore[arg-type]

    def load_again(*files: PolicyFile) -> tuple[Loaded, list[str]]:
        seen.clear()
        found = load(files, readings=readings)
        names = list(seen)
        assert found == load(files)
        return found, names

    monkeypatch.setattr(again, "read_zone", counted)
    return load_again


def test_only_what_changed_is_read(loaded: Load) -> None:
    """The policy, another zone or nothing: not this zone; it is its text, or that of what it includes."""
    both = ["/a.zone", "/b.zone"]
    assert loaded(POLICY, A, MORE, B)[1] == both
    assert loaded(POLICY, A, MORE, B)[1] == []
    assert loaded(replace(POLICY, text=POLICY.text + "\n# more"), A, MORE, B)[1] == []
    assert loaded(POLICY, A, MORE, replace(B, text=B.text.replace("10.0.0.2", "10.0.0.3")))[1] == ["/b.zone"]
    assert loaded(POLICY, A, replace(MORE, text="more TXT two\n"), B)[1] == both
    assert loaded(replace(POLICY, text=POLICY.text.replace("192.0.2.9", "192.0.2.8")), A, MORE, B)[1] == [
        "/a.zone"
    ]


def test_another_default_ttl_is_another_reading(loaded: Load) -> None:
    """It stands in the policy, and in every record that names none."""
    plain = replace(B, text=B.text.replace("SOA ns root 1 2 3 4 5", "TXT none"))
    loaded(POLICY, A, MORE, plain)
    other = replace(POLICY, text=POLICY.text.replace("{file: b.zone}", "{file: b.zone, ttl: 7s}"))
    found, names = loaded(other, A, MORE, plain)
    assert names == ["/b.zone"]
    assert {item.ttl_s for item in found.policy.zones["b.example"].records} == {7}


def test_findings_are_found_again(loaded: Load) -> None:
    """What is wrong is said every time, with its place; what a broken file had is forgotten."""
    warned = replace(B, text=B.text + "last A 10.0.0.9")
    for _ in range(2):
        found, names = loaded(POLICY, A, MORE, warned)
        assert len(found.warnings) == 1
        assert names[-1] == "/b.zone"
    broken = replace(B, text=B.text + "odd A 10.0.0.\n")
    for _ in range(2):
        with pytest.raises(PolicyError, match="/b"):
            loaded(POLICY, A, MORE, broken)
    assert loaded(POLICY, A, MORE, B)[1] == ["/b.zone"]


def test_a_doubled_record_is_placed_in_its_file(loaded: Load) -> None:
    """Places of recalled records are those of the file."""
    loaded(POLICY, A, MORE, B)
    clash = replace(POLICY, text=POLICY.text.replace("own:", "h7:"))
    for _ in range(2):
        with pytest.raises(PolicyError) as caught:
            loaded(clash, A, MORE, B)
        assert "/a.zone:3" in str(caught.value.diagnostics)
