"""The steps of a chain as they are written: `- latency`, `- latency: {tolerance: 15ms}`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from georouter.policy.fields import (
    Asns,
    Bias,
    FileModel,
    Kilometres,
    Milliseconds,
    Optionally,
    Percent,
    Shorthand,
    Text,
    Texts,
    Tiers,
    Weight,
    as_list,
)
from georouter.policy.written_failover import FailoverFile
from georouter.policy.written_ramp import RampFile


class MatchFile(FileModel):
    """Clients; met when any value of any kind is."""

    network: Texts = Field(default=[], description="CIDR networks.")
    asn: Asns = Field(default=[], description="Autonomous system numbers.")
    city: Texts = Field(default=[], description="City names as the database writes them.")
    subdivision: Texts = Field(default=[], description="ISO 3166-2, such as US-CA.")
    country: Texts = Field(default=[], description="ISO 3166-1 alpha-2, such as DE.")
    continent: Texts = Field(default=[], description="AF AN AS EU NA OC SA.")
    group: Texts = Field(default=[], description="Groups of countries, such as EU and EEA.")


LabelValues = Annotated[list[str], BeforeValidator(as_list), Field(min_length=1)]
"""One value of a label, or several of which any counts."""


class RegionSelectorFile(FileModel):
    """Regions by name or by labels, all of which must agree."""

    names: Texts | None = None
    labels: Annotated[dict[str, LabelValues], Field(min_length=1)] | None = None


_SELECTOR_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {
            "type": "object",
            "properties": {
                "labels": {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [
                            {"type": "string"},
                            {"type": "array", "items": {"type": "string"}, "minItems": 1},
                        ]
                    },
                    "minProperties": 1,
                }
            },
            "required": ["labels"],
            "additionalProperties": False,
        },
    ]
}


class ResidencyFile(FileModel):
    """A hard fence: these clients only ever get these regions."""

    clients: MatchFile = Field(description="Whom the fence is for.")
    regions: Annotated[
        RegionSelectorFile,
        BeforeValidator(lambda value: {"names": value} if isinstance(value, list | str) else value),
        WithJsonSchema(_SELECTOR_SCHEMA),
    ] = Field(description="The only regions they get: names, or {labels: {key: value}}.")
    unplaced: Literal["allow", "restrict", "deny"] = Field(
        default="restrict", description="For addresses that the database does not place."
    )
    without_ecs: Literal["resolver", "restrict", "deny"] = Field(
        default="resolver", description="For queries without client subnet."
    )


class GeoRuleFile(FileModel):
    """The first rule that matches names the regions; one without match is the default."""

    match: MatchFile | None = Field(default=None, description="Whom the rule is for; everybody if not given.")
    regions: Tiers = Field(description="Regions in order; [[a, b]] makes a and b equal.")


class NearestFile(FileModel):
    """Order by great-circle distance."""

    tolerance: Kilometres = Field(
        default=0.0, description="Regions this much farther than the nearest count as equal."
    )
    bias: dict[str, Bias] = Field(
        default={}, description="Percent, -99 to 99: positive makes a region seem nearer."
    )


class LatencyFile(FileModel):
    """Order by round-trip time."""

    tolerance: Milliseconds = Field(
        default=0.0, description="Regions this much slower than the best count as equal."
    )


class WeightedFile(FileModel):
    """Shares among equals."""

    weights: dict[str, Weight] = Field(
        default={}, description="By region; 0 answers only when all others are gone, one not named weighs 1."
    )
    ramp: RampFile | None = Field(default=None, description="One region gets a growing part of the clients.")


class StickyFile(FileModel):
    """A client network keeps its region."""

    ipv4: int = Field(default=24, ge=1, le=32, description="Prefix length of an IPv4 client network.")
    ipv6: int = Field(default=56, ge=1, le=64, description="Prefix length of an IPv6 client network.")


class CapacityFile(FileModel):
    """What would overflow a region goes to the next best."""

    steady_limit: Annotated[Percent, Field(gt=0, le=1000)] = Field(
        default=67.0, description="Of its capacity a region takes so much while all are there."
    )
    failure_limit: Annotated[Percent, Field(gt=0, le=1000)] = Field(
        default=100.0, description="And so much while any region is gone."
    )
    max_step: Annotated[Percent, Field(gt=0, le=100)] = Field(
        default=10.0, description="Of the demand at most so much moves at once, except after a failure."
    )
    signal: Text | None = Field(
        default=None,
        description="The regions' signal that tells their load, where the service has no demand.",
    )


class PinFile(FileModel):
    """Tenants live where a directory says."""

    directory: Annotated[str, Field(min_length=1)] = Field(
        description="A file with tenant, home, residency, state, moving_to: CSV, JSON or SQLite."
    )
    label: int = Field(
        default=1, ge=1, le=127, description="Which label to the left of the wildcard's parent is the tenant."
    )
    unknown: Literal["chain", "hash", "nxdomain"] = Field(
        default="chain", description="For names that are not in the directory."
    )


class LimitFile(FileModel):
    """How much one answer holds."""

    regions: int = Field(default=1, ge=1, le=64, description="Regions in one answer.")
    addresses: int = Field(default=8, ge=1, le=64, description="Addresses in one answer.")


class StepModel(FileModel):
    """One step: a mapping with exactly one of these keys, or just the key."""

    residency: ResidencyFile | None = None
    geo: Annotated[list[GeoRuleFile], Field(min_length=1)] | None = None
    nearest: Annotated[NearestFile, Optionally] | None = None
    latency: Annotated[LatencyFile, Optionally] | None = None
    failover: FailoverFile | None = None
    weighted: WeightedFile | None = None
    sticky: Annotated[StickyFile, Optionally] | None = None
    capacity: Annotated[CapacityFile, Optionally] | None = None
    pin: PinFile | None = None
    limit: LimitFile | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelled_out(cls, value: object) -> object:
        return {value: {}} if isinstance(value, str) and value in BARE_STEPS else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """`anyOf` a bare word and a mapping with one key."""
        reference = handler(core_schema)
        schema = handler.resolve_ref_schema(reference)
        for name, value in schema["properties"].items():
            options = [option for option in value.pop("anyOf", [value]) if option.get("type") != "null"]
            value.pop("default", None)
            value.pop("title", None)
            if name in BARE_STEPS:
                options.append({"type": "null"})
            value["anyOf"] = options
        schema["minProperties"] = schema["maxProperties"] = 1
        return reference


BARE_STEPS = ("nearest", "latency", "sticky", "capacity")
"""Steps that may stand without parameters."""

STEPS: tuple[str, ...] = tuple(StepModel.model_fields)
"""Every step this version knows."""


StepFile = Annotated[StepModel, Shorthand({"enum": list(BARE_STEPS)})]
