"""The ramp of a `weighted` step as it is written."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from georouter.policy import units
from georouter.policy.fields import Comparison, Duration, FileModel, Percent, Text, Texts


class PauseIfFile(FileModel):
    """What closes the gate; each by itself."""

    degraded: Texts = Field(default=[], description="Regions that must be in full health.")
    down: Texts = Field(default=[], description="Further regions that must be neither down nor drained.")
    signals: dict[str, Comparison] = Field(
        default={}, description='Signals of the region and what they must not be, such as ">0.02".'
    )


class StepBackFile(FileModel):
    """What happens when the gate stays closed."""

    after: Duration = Field(description="So long the gate must have been closed.")
    to: Annotated[Percent, Field(ge=0, lt=100)] | None = Field(
        default=None, description="The share it steps back to; default is where the ramp began."
    )


_STEP_BACK_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": units.DURATION_PATTERN},
        {
            "type": "object",
            "properties": {
                "after": {"type": "string", "pattern": units.DURATION_PATTERN},
                "to": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": units.PERCENT_PATTERN}]},
            },
            "required": ["after"],
            "additionalProperties": False,
        },
    ]
}


class RampFile(FileModel):
    """A growing part of the client networks gets one region."""

    region: Text = Field(description="The region; it has no weight of its own.")
    from_: Annotated[Percent, Field(ge=0, lt=100)] = Field(
        default=1.0, alias="from", description="The share it begins with."
    )
    to: Annotated[Percent, Field(gt=0, le=100)] = Field(default=100.0, description="The share it ends with.")
    over: Duration = Field(description="How long it takes, pauses not counted.")
    pause_if: PauseIfFile | None = Field(
        default=None, description="What stops it where it is; default is a region that is degraded."
    )
    step_back: (
        Annotated[
            StepBackFile,
            BeforeValidator(lambda value: {"after": value} if isinstance(value, str) else value),
            WithJsonSchema(_STEP_BACK_SCHEMA),
        ]
        | None
    ) = Field(default=None, description="After how long a stop it steps back: 10m, or {after: 10m, to: 0%}.")
