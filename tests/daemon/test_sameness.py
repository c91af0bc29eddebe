"""What came out as it was stays what it is."""

from dataclasses import replace
from pathlib import Path

from georouter.control.orders import BuildRequest, Built
from georouter.daemon.build import Builder
from georouter.daemon.sameness import same_files
from georouter.policy.files import PolicyFile

POLICY = """version: 1
regions: {eu: {location: {lat: 50, lon: 8}, endpoints: [192.0.2.1]}}
services: {web: {regions: [eu], chain: [nearest]}}
zones:
  a.example: {file: a.zone, transfer: {allow: [127.0.0.1]}}
  b.example: {file: b.zone, records: {www: {service: web}}}
"""
ZONE = "@ NS ns.example.net.\nhost A 192.0.2.7\n"


def build(builder: Builder, folder: Path, before: Built | None = None) -> Built:
    """As the daemon asks for it."""
    serials = {} if before is None else before.plan.serials
    built = builder.build(BuildRequest(str(folder / "p.yaml"), None, {}, serials))
    assert isinstance(built, Built), built
    return built


def test_what_did_not_change_is_the_same_object(tmp_path: Path) -> None:
    """Names stay with another chain, a zone's records and copy with another zone's; what changed is new."""
    builder = Builder(cache_dir=str(tmp_path / "cache"), state_dir=str(tmp_path))
    (tmp_path / "p.yaml").write_text(POLICY)
    for name in "ab":
        (tmp_path / f"{name}.zone").write_text(ZONE)
    first = build(builder, tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY.replace("lat: 50", "lat: 51"))
    moved = build(builder, tmp_path, first)
    assert moved.policy != first.policy
    assert moved.plan.directory is first.plan.directory
    assert moved.plan.steered.tables[0] is not first.plan.steered.tables[0]
    (tmp_path / "b.zone").write_text(ZONE + "more A 192.0.2.8\n")
    grown = build(builder, tmp_path, moved)
    assert grown.plan.directory is not first.plan.directory
    assert grown.plan.contents["a.example"] is first.plan.contents["a.example"]
    zones = [
        [built.policy.zones[name].records for built in (first, grown)] for name in ("a.example", "b.example")
    ]
    assert zones[0][0] is zones[0][1]
    assert zones[1][0] != zones[1][1]
    assert grown.plan.steered.tables[0] is moved.plan.steered.tables[0]


def test_texts_stay_and_stamps_do_not() -> None:
    """Whoever watches the files needs to know them as they are now."""
    old = PolicyFile("/a", "same" * 10, stamp=(1,))
    new = PolicyFile("/a", "".join(["same"] * 10), stamp=(2,))
    (found,) = same_files((new,), (old,))
    assert found.text is old.text
    assert found.stamp == (2,)
    assert same_files((replace(new, text="other"),), (old,))[0].text == "other"
