"""The JSON Schema of the policy as it is written."""

from typing import Any

from georouter.policy.units import DISTANCE_PATTERN, DURATION_PATTERN, duration_text
from georouter.policy.written import VERSION, Document


def json_schema() -> dict[str, object]:
    """Draft 2020-12, made from the models that read the files."""
    made = Document.model_json_schema()
    _tidy(made)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"georouter policy, version {VERSION}",
        **made,
    }


def _tidy(node: Any) -> None:
    """Defaults as people write them, and nothing that only Python cares about."""
    if isinstance(node, list):
        for item in node:
            _tidy(item)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("title"), str):
        del node["title"]
    if "default" in node and node["default"] is None:
        del node["default"]
    default = node.get("default")
    if isinstance(default, int | float) and not isinstance(default, bool):
        patterns = {node.get("pattern"), *(option.get("pattern") for option in node.get("anyOf", []))}
        if DURATION_PATTERN in patterns:
            node["default"] = duration_text(default) if default else "0s"
        elif DISTANCE_PATTERN in patterns:
            node["default"] = f"{default:g}km"
    for child in node.values():
        _tidy(child)
