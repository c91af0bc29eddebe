"""The `tests:` section as written."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from georouter.policy import units
from georouter.policy.fields import FileModel, Percent, Shorthand, Text, Texts, as_list

REFUSED = "refused"
"""What `expect` says where nobody may answer, because a fence leaves no region."""

_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

_Instant = Annotated[float, BeforeValidator(units.instant)]
Instants = Annotated[list[_Instant], BeforeValidator(as_list), WithJsonSchema(_TEXTS)]
"""One instant or a list of them, as Unix seconds."""
Health = Annotated[
    float,
    BeforeValidator(units.health),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": units.PERCENT_PATTERN, "examples": ["50%"]},
            ]
        }
    ),
]
"""Graded health, 0 to 1."""


class ExpectFile(FileModel):
    """Who must answer, exactly, or in which proportions."""

    regions: Texts = Field(default=[], description="The regions that may answer, exactly.")
    shares: Annotated[dict[str, Annotated[Percent, Field(ge=0, le=100)]], Field(min_length=1)] | None = Field(
        default=None, description="By region, which part of the client networks there it gets."
    )
    within: Annotated[Percent, Field(ge=0, le=100)] | None = Field(
        default=None, description="How far off a share may be, in percentage points; 1% unless said."
    )


class PolicyTestFile(FileModel):
    """A question to the policy and the answer it must have."""

    name: Text = Field(description="A steered name, absolute.")
    client: Text = Field(description="Client address or network.")
    expect: Annotated[
        ExpectFile,
        BeforeValidator(lambda value: {"regions": value} if isinstance(value, list | str) else value),
        Shorthand(_TEXTS),
    ] = Field(
        description="The regions that may answer, exactly; `refused` where a fence must leave none; or "
        "{shares: {region: percent}}."
    )
    down: Texts = Field(default=[], description="Regions that are down meanwhile.")
    degraded: dict[str, Health] = Field(
        default={}, description="Regions that signals degrade meanwhile, with their health from 0 to 1."
    )
    ramp: Annotated[Percent, Field(ge=0, le=100)] | None = Field(
        default=None, description="How far the service's ramp has come."
    )
    at: Instants = Field(
        default=[],
        description="Instants (RFC 3339): expect is who answers the client then, not all who may.",
    )
    type: Literal["A", "AAAA", "HTTPS", "SVCB"] | None = Field(
        default=None, description="Record type that is asked for; default is any that the regions have."
    )
