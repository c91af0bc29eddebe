"""docs/policy.md: every key is described, and every example loads."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from georouter.analysis.policy_tests import run
from georouter.geo.overlay import overlay
from georouter.policy.interest import networks
from georouter.policy.load import PolicyFile, load
from georouter.policy.schema import json_schema
from georouter.policy.written_steps import STEPS
from georouter.sources.geo_files import load_map

REGIONS = """\
regions:
  us-east: {location: {lat: 39, lon: -77}, capacity: 1500, endpoints: [192.0.2.1]}
  us-west: {location: {lat: 37, lon: -122}, endpoints: [192.0.2.2]}
  eu-west: {location: {lat: 53, lon: -6}, endpoints: [192.0.2.3], labels: {jurisdiction: EU}}
  ap-south: {location: {lat: 1, lon: 103}, endpoints: [192.0.2.4]}
services:
  web:
    regions: [us-east, us-west, eu-west, ap-south]
"""
ZONE = "zones:\n  example.com:\n    ns: [ns.example.net]\n"
WWW = '    records:\n      www: {service: web}\n      "*.app": {service: web}\n'


def text(repository: Path) -> str:
    """The document."""
    return (repository / "docs/policy.md").read_text()


def indented(block: str) -> str:
    """Four columns to the right."""
    return re.sub(r"^", "    ", block, flags=re.MULTILINE).rstrip(" ")


def test_every_key_is_described(repository: Path) -> None:
    """Every key of the schema stands in the document as code."""
    prose = re.sub(r"^```.*?^```", "", text(repository), flags=re.MULTILINE | re.DOTALL)
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", prose))))
    models = json.loads(json.dumps(json_schema()))
    keys = {key for model in (models, *models["$defs"].values()) for key in model.get("properties", {})}
    assert keys - words == set()


def test_the_examples_load(repository: Path) -> None:
    """Each block in its section of an otherwise valid policy."""
    document = text(repository)
    blocks = {block.split(":")[0]: block for block in re.findall(r"```yaml\n(.*?)```", document, re.DOTALL)}
    assert set(blocks) == {"chain", "checks", "records", "server", "services", "tests", "ttl", "zones"}
    start = "version: 1\n" + REGIONS
    records = re.findall(r"```yaml\n(records:.*?)```", document, re.DOTALL)
    assert len(records) == 2
    for policy in (
        *(start + ZONE + indented(block) for block in records),
        start + ZONE + WWW + blocks["tests"],
        start + indented(blocks["ttl"]) + ZONE + WWW,
        start + ZONE + WWW + blocks["checks"],
        start.partition("services:")[0] + blocks["services"] + ZONE + WWW,
    ):
        load([PolicyFile("/doc.yaml", policy)])
    file = PolicyFile("/zones/example.com.zone", "@ NS ns.example.net.\nmail A 192.0.2.60\n", zone=True)
    load([PolicyFile("/doc.yaml", start + blocks["zones"]), file])
    load([PolicyFile("/doc.yaml", "version: 1\n" + blocks["server"])])


@pytest.mark.parametrize("step", STEPS)
def test_the_example_of_a_step_decides_as_it_says(step: str, repository: Path) -> None:
    """Every step has a section with a chain and tests that pass on the built-in map."""
    section = re.search(rf"^### {step}\n(.*?)^##", text(repository), re.DOTALL | re.MULTILINE)
    assert section, f"docs/policy.md has no section on {step}"
    (example,) = re.findall(r"```yaml\n(.*?)```", section[1], re.DOTALL)
    assert f"- {step}" in example
    decides_as_it_says(example, re.findall(r"```csv\n(.*?)```", section[1], re.DOTALL))


def test_the_example_of_tests_decides_as_it_says(repository: Path) -> None:
    """Graded health, instants, shares and a refusal."""
    (section,) = re.findall(r"^## tests\n(.*?)^## ", text(repository), re.DOTALL | re.MULTILINE)
    (example,) = re.findall(r"```yaml\n(chain:.*?)```", section, re.DOTALL)
    for key in ("shares:", "degraded:", "at:", "expect: refused"):
        assert key in example
    decides_as_it_says(example)


def test_what_others_call_things_decides_as_it_says(repository: Path) -> None:
    """docs/coming-from.md: policies without version and zones, most of them of the regions of this page."""
    page = (repository / "docs/coming-from.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) >= 8
    geo = load_map(())
    www = ZONE + "    records:\n      www: {service: web}\n"
    for example in examples:
        regions = "" if example.startswith(("regions:", "checks:")) else REGIONS.partition("services:")[0]
        loaded = load([PolicyFile("/doc.yaml", "version: 1\n" + regions + example + www)])
        assert loaded.warnings == (), example
        results = run(loaded.policy, overlay(geo, networks=networks(loaded.policy)))
        assert len(results) >= 2
        assert [result.reason for result in results] == [""] * len(results), example


def decides_as_it_says(example: str, tenants: Sequence[str] = ()) -> None:
    """The tests behind the chain pass on the built-in map."""
    chain, _, tests = example.partition("tests:\n")
    policy = load(
        [
            PolicyFile(
                "/doc.yaml", "version: 1\n" + REGIONS + indented(chain) + ZONE + WWW + "tests:\n" + tests
            ),
            *(PolicyFile("/tenants.csv", table, zone=True) for table in tenants),
        ]
    ).policy
    results = run(policy, overlay(load_map(()), networks=networks(policy)))
    assert len(results) >= 1
    assert [result.reason for result in results] == [""] * len(results)
