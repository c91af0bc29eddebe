"""The JSON Schema: shipped as printed, and complete."""

import json
from pathlib import Path

from click.testing import CliRunner

from georouter.cli.schema import schema
from georouter.policy.schema import json_schema
from georouter.policy.written import Document
from georouter.policy.written_steps import BARE_STEPS, STEPS


def test_the_shipped_schema_is_current(repository: Path) -> None:
    """`georouter schema > config/georouter.schema.json` was run after the last change."""
    printed = CliRunner().invoke(schema)
    assert printed.exit_code == 0
    assert (repository / "config/georouter.schema.json").read_text() == printed.output


def test_every_key_is_described() -> None:
    """An editor has something to show for every key."""
    made = json.loads(json.dumps(json_schema()))
    undescribed = [
        f"{name}.{key}"
        for name, model in {"": made, **made["$defs"]}.items()
        if name not in {"StepModel", "RegionSelectorFile"}
        for key, value in model.get("properties", {}).items()
        if not value.get("description")
    ]
    assert undescribed == []


def test_no_key_is_open() -> None:
    """Every mapping with known keys refuses others."""
    made = json.loads(json.dumps(json_schema()))
    assert all(model["additionalProperties"] is False for model in made["$defs"].values())
    assert set(made["properties"]) == set(Document.model_fields)


def test_steps_in_the_schema() -> None:
    """A step is a bare word or one key."""
    made = json.loads(json.dumps(json_schema()))
    item = made["$defs"]["ServiceFile"]["properties"]["chain"]["items"]
    assert item["anyOf"] == [{"enum": list(BARE_STEPS)}, {"$ref": "#/$defs/StepModel"}]
    step = made["$defs"]["StepModel"]
    assert (tuple(step["properties"]), step["minProperties"], step["maxProperties"]) == (STEPS, 1, 1)
