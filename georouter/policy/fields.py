"""The kinds of values that keys of a policy file take, each with its check and its JSON Schema."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from georouter.policy import units
from georouter.policy.nodes import describe

LARGEST_TTL_S = 2**31 - 1
"""RFC 2181 section 8."""


LARGEST_WORKERS = 256


class FileModel(BaseModel):
    """A mapping in a policy file: unknown keys are errors and nothing is converted.

    Validators are made when they are first used: a policy seldom has all there is.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


def _whole_seconds(value: object) -> int:
    seconds = units.duration_s(value)
    if seconds != int(seconds):
        raise ValueError("a TTL counts whole seconds; write it like 30s, 5m or 1h")
    if seconds > LARGEST_TTL_S:
        raise ValueError(f"a TTL is at most {LARGEST_TTL_S}s (RFC 2181)")
    return int(seconds)


def _positive_duration(value: object) -> float:
    seconds = units.duration_s(value)
    if not 0 < seconds <= 366 * 86400:
        raise ValueError("a duration must be longer than 0s and at most 366d")
    return seconds


def _service_ttl(value: object) -> int:
    seconds = _whole_seconds(value)
    if not 1 <= seconds <= 86400:
        raise ValueError(f"the TTL of a service must be from 1s to 1d, found {units.duration_text(seconds)}")
    return seconds


def _weight(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9.]+ *%", value):
        number = value.rstrip(" %")
        raise ValueError(f"weights are plain numbers in any proportion, not percentages: write {number}")
    return value


def _asn(value: object) -> object:
    """`AS64500`, as many databases write it, is 64500."""
    found = re.fullmatch(r"AS([0-9]{1,10})", value) if isinstance(value, str) else None
    return int(found[1]) if found else value


def _workers(value: object) -> int:
    if value == "auto":
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_WORKERS:
        raise ValueError(f"expected auto or a number from 1 to {LARGEST_WORKERS}, found {describe(value)}")
    return value


def _socket_or_off(value: object) -> str:
    if value is False:
        return "off"
    if not isinstance(value, str) or not value:
        raise ValueError(f'expected an address such as "127.0.0.1:8053", or false, found {describe(value)}')
    return value


def _printable(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"must be printable ASCII, found {describe(value)}")
    return value


def as_list(value: object) -> object:
    """A single value as a list of one."""
    return value if isinstance(value, list) or value is None else [value]


def _empty_mapping(value: object) -> object:
    return {} if value is None else value


def _text_schema(pattern: str, *examples: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "examples": list(examples)}


Duration = Annotated[
    float,
    BeforeValidator(_positive_duration),
    WithJsonSchema(_text_schema(units.DURATION_PATTERN, "5s", "500ms", "1m")),
]
Ttl = Annotated[
    int,
    BeforeValidator(_whole_seconds),
    WithJsonSchema(
        {"anyOf": [_text_schema(units.DURATION_PATTERN, "30s", "5m", "1h"), {"type": "integer", "const": 0}]}
    ),
]
ServiceTtl = Annotated[
    int,
    BeforeValidator(_service_ttl),
    WithJsonSchema(_text_schema(units.DURATION_PATTERN, "30s", "5m", "1h")),
]
Milliseconds = Annotated[
    float,
    BeforeValidator(lambda value: units.duration_s(value) * 1000.0),
    WithJsonSchema(
        {"anyOf": [_text_schema(units.DURATION_PATTERN, "15ms"), {"type": "integer", "const": 0}]}
    ),
]
Kilometres = Annotated[
    float,
    BeforeValidator(units.distance_km),
    WithJsonSchema(
        {"anyOf": [_text_schema(units.DISTANCE_PATTERN, "200km", "120mi"), {"type": "integer", "const": 0}]}
    ),
]
Percent = Annotated[
    float,
    BeforeValidator(units.percent),
    WithJsonSchema({"anyOf": [{"type": "number"}, _text_schema(units.PERCENT_PATTERN, "20%")]}),
]
Bias = Annotated[Percent, Field(ge=-99, le=99)]
Bytes = Annotated[
    int,
    BeforeValidator(units.size_bytes),
    WithJsonSchema({"anyOf": [{"type": "integer"}, _text_schema(units.SIZE_PATTERN, "4MiB", "512KiB")]}),
]
Comparison = Annotated[
    tuple[str, float | bool | str],
    BeforeValidator(units.comparison),
    WithJsonSchema(_text_schema(units.COMPARISON_PATTERN, ">1000", "<=0.5", "==true")),
]
"""An operator and what to compare with."""
Workers = Annotated[
    int,
    BeforeValidator(_workers),
    WithJsonSchema(
        {"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": LARGEST_WORKERS}]}
    ),
]
"""0 stands for `auto`."""
SocketOrOff = Annotated[
    str,
    BeforeValidator(_socket_or_off),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"const": False}]}),
]
"""An address, or `off`."""
Port = Annotated[int, Field(ge=1, le=65535)]
Weight = Annotated[float, BeforeValidator(_weight), Field(ge=0, le=1_000_000)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Asn = Annotated[int, BeforeValidator(_asn), Field(ge=1, le=2**32 - 1)]
Text = Annotated[str, Field(min_length=1)]
ShortText = Annotated[
    str,
    Field(min_length=1, max_length=127),
    AfterValidator(_printable),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 127, "pattern": "^[ -~]+$"}),
]
"""Printable ASCII that fits a character string (RFC 1035 3.3) and leaves an answer small."""

_ONE_OR_MANY_TEXT: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}
_ASN: dict[str, Any] = {"anyOf": [{"type": "integer"}, _text_schema("^AS[0-9]{1,10}$", "AS64500")]}
_ONE_OR_MANY_ASN: dict[str, Any] = {"anyOf": [*_ASN["anyOf"], {"type": "array", "items": _ASN}]}
_STATUS: dict[str, Any] = {
    "anyOf": [{"type": "integer"}, _text_schema(units.STATUS_PATTERN, "2xx", "200-399")]
}
Texts = Annotated[list[Text], BeforeValidator(as_list), WithJsonSchema(_ONE_OR_MANY_TEXT)]
"""One text or a list of them."""
Asns = Annotated[list[Asn], BeforeValidator(as_list), WithJsonSchema(_ONE_OR_MANY_ASN)]
"""One autonomous system number or a list of them."""


@dataclass(frozen=True, slots=True)
class Shorthand:
    """Adds a short way of writing a value to its JSON Schema."""

    schema: dict[str, Any]

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Either the shorthand or what the model says."""
        return {"anyOf": [self.schema, handler(core_schema)]}


Statuses = Annotated[
    list[Annotated[int, Field(ge=100, le=599)]],
    BeforeValidator(units.statuses),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [*_STATUS["anyOf"], {"type": "array", "items": _STATUS, "minItems": 1}]}),
]
"""HTTP status codes: numbers, classes such as `2xx` and ranges such as `200-399`, one or a list of them."""

Tier = Annotated[list[Text], BeforeValidator(as_list), WithJsonSchema(_ONE_OR_MANY_TEXT)]
"""A region, or several equal ones."""
Tiers = Annotated[list[Tier], BeforeValidator(as_list), Field(min_length=1), Shorthand({"type": "string"})]
"""Regions in order of preference: `[a, b]` is two tiers, `[[a, b]]` one, `a` stands for `[a]`."""

Optionally = BeforeValidator(_empty_mapping)
"""For a mapping that may be left empty: `latency:` is `latency: {}`."""
