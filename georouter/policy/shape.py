"""One piece of the document against its model: the value, or a finding for everything wrong with it."""

from collections.abc import Collection
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from georouter.policy import suggest
from georouter.policy.nodes import Node, Path, describe, find, plain
from georouter.policy.report import Report

Model = TypeVar("Model", bound=BaseModel)

NOT_YET: dict[str, str] = {
    "dnssec": "DNSSEC is",
    "fleet": "the fleet store is",
}
"""Keys of the design that this version does not act on; refused rather than silently ignored."""


_LATER_CHECKS = frozenset({"dns", "static", "file", "push"})


_MAPPINGS = ("dict_type", "model_type", "model_attributes_type")
_EXAMPLES = {
    "failover": "{order: [us-east, eu-west]}",
    "limit": "{regions: 2}",
    "location": "{lat: 52.4, lon: 4.9}",
    "weighted": "{weights: {us-east: 3, eu-west: 1}}",
    "weights": "{us-east: 3, eu-west: 1}",
    "pin": "{directory: tenants.csv}",
    "sticky": "{ipv4: 24, ipv6: 56}",
    "labels": "{jurisdiction: EU}",
}


def not_yet(name: str) -> str | None:
    """The message for a feature of a later version, None for any other name."""
    subject = NOT_YET.get(name.lower())
    return f"{subject} not available in this version" if subject else None


def read(
    model: type[Model], node: Node, path: Path, report: Report, *, without: Collection[str] = ()
) -> Model | None:
    """`node`, which hangs at `path`, as a `model`; None after its errors were reported.

    The entries `without` are left out: somebody else reads them.
    """
    value = plain(node, without)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        for detail in details:
            _explain(model, detail, path, report)
        if any(detail["type"] != "extra_forbidden" for detail in details):
            return None
        for detail in details:
            _remove(value, detail["loc"])
    try:
        return model.model_validate(value)  # the rest may have errors of its own to be found
    except ValidationError:
        return None


def _remove(value: object, path: Path) -> None:
    """Take out what hangs at `path`, if it is there."""
    for part in path[:-1]:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    if isinstance(value, dict):
        value.pop(path[-1], None)


def _explain(model: type[BaseModel], detail: ErrorDetails, base: Path, report: Report) -> None:
    path: Path = (*base, *detail["loc"])
    last = str(detail["loc"][-1]) if detail["loc"] else ""
    match detail["type"]:
        case "extra_forbidden":
            known = _fields(model, detail["loc"])
            report.error(path, not_yet(last) or suggest.unknown("key", last, known), key=True)
        case "missing":
            report.error(path[:-1], f'"{last}" is missing', key=True)
        case kind:
            # Numbers may come from a shorthand: what was found is what stands in the file.
            value = detail["input"]
            node = find(report.root, path).node
            if not isinstance(node.value, list | dict):
                value = node.value
            report.error(
                path, _message(kind, detail.get("ctx", {}), value, node) + _such_as(kind, detail["loc"])
            )


def _message(kind: str, context: dict[str, Any], value: object, node: Node) -> str:
    found = describe(value)
    match kind:
        case "value_error":
            return str(context["error"])
        case "string_type":
            if isinstance(value, bool | int | float):
                return f'expected text, found {found}; put it in quotes: "{node.text}"'
            return f"expected text, found {found}"
        case "int_type" | "int_from_float" | "int_parsing":
            return f"expected a whole number, found {found}"
        case "float_type" | "float_parsing":
            return f"expected a number, found {found}"
        case "finite_number":
            return f"expected a finite number, found {found}"
        case "bool_type":
            return f"expected true or false, found {found}"
        case "list_type":
            return f"expected a list, found {found}"
        case _ if kind in _MAPPINGS:
            return f"expected a mapping, found {found}"
        case "literal_error":
            return _choice(str(context["expected"]), value, found)
        case "string_too_short":
            return "must not be empty"
        case "too_short":
            return f"needs at least {_count(context['min_length'])}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}, found {found}"
        case "greater_than":
            return f"must be more than {context['gt']:g}, found {found}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}, found {found}"
        case _:
            return f"{found} does not fit here"


def _such_as(kind: str, path: Path) -> str:
    """What to write instead, where that is not plain from what was expected."""
    key = path[-1] if path else None
    if kind == "too_short" and key == "regions" and "geo" in path:
        return "; for clients who get no answer, write a residency step with regions: []"
    example = _EXAMPLES.get(key) if kind in _MAPPINGS and isinstance(key, str) else None
    return f"; write {example}" if example else ""


def _choice(expected: str, value: object, found: str) -> str:
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    if isinstance(value, str) and value in _LATER_CHECKS and "http" in words:
        return f"{value} checks are not available in this version"
    near = suggest.nearest(value, words) if isinstance(value, str) else None
    hint = f'; did you mean "{near}"?' if near else ""
    listed = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    return f"expected {listed}, found {found}{hint}"


def _count(number: int) -> str:
    return "one entry" if number == 1 else f"{number} entries"


def _fields(model: type[BaseModel], path: Path) -> list[str]:
    """Keys that the mapping holding the last part of `path` may have."""
    for part in path[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = _nested(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _nested(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `Annotated[list[Model], ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _nested(argument)
        if found is not None:
            return found
    return None
