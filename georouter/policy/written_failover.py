"""The `failover` step as it is written."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from georouter.policy import units
from georouter.policy.fields import Duration, FileModel, Optionally, Text, Tiers
from georouter.policy.nodes import describe


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A value that stands in a file of its own; it is read when the call is made."""

    file: str


def _hook_value(value: object) -> str | SecretFile:
    if isinstance(value, str) and value:
        return value
    if (
        isinstance(value, dict)
        and list(value) == ["file"]
        and isinstance(value["file"], str)
        and value["file"]
    ):
        return SecretFile(value["file"])
    raise ValueError(f"expected text or {{file: path}}, found {describe(value)}")


HookValue = Annotated[
    str | SecretFile,
    PlainValidator(_hook_value),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {"file": {"type": "string", "minLength": 1}},
                    "required": ["file"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class HookFile(FileModel):
    """An HTTP call with a JSON object."""

    url: Text = Field(description="http:// or https://, without user and password.")
    method: Literal["POST", "PUT", "PATCH"] = Field(default="POST", description="HTTP method.")
    headers: Annotated[dict[str, HookValue], Optionally] = Field(
        default={}, description="More header fields: texts, or {file: path} for secrets."
    )
    body: Annotated[dict[str, HookValue], Optionally] = Field(
        default={}, description="More members of the JSON object: texts, or {file: path} for secrets."
    )
    timeout: Duration = Field(default=5.0, description="The whole call may take this long.")
    ca_file: Text | None = Field(default=None, description="PEM file with the authorities to trust.")


class PromoteFile(HookFile):
    """The call that promotes the standby; answers move when it was accepted (2xx)."""

    timeout: Duration = Field(default=10.0, description="The whole call may take this long.")
    on_refusal: Literal["stay", "switch"] = Field(
        default="stay", description="What happens without an acceptance: keep answering as before, or switch."
    )
    retry: Duration = Field(default=30.0, description="Pause before it is asked again.")


def _failback(value: object) -> float | str:
    if isinstance(value, str) and value in {"auto", "manual"}:
        return value
    if isinstance(value, dict) and list(value) == ["after"]:
        seconds = units.duration_s(value["after"])
        if seconds > 0:
            return seconds
    raise ValueError("expected auto, manual or {after: 10m}")


FAILBACK_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": ["auto", "manual"]},
        {
            "type": "object",
            "properties": {"after": {"type": "string", "pattern": units.DURATION_PATTERN}},
            "required": ["after"],
            "additionalProperties": False,
        },
    ]
}


class FailoverFile(FileModel):
    """An explicit order, and how a service moves along it."""

    order: Tiers = Field(description="Regions in order of preference.")
    failback: Annotated[float | str, BeforeValidator(_failback), WithJsonSchema(FAILBACK_SCHEMA)] = Field(
        default="auto",
        description="When a better region takes over again: auto, manual or {after: 10m}.",
    )
    choose: Literal["order", "least_lag"] = Field(default="order", description="Which standby takes over.")
    signal: Text = Field(default="replication_lag_ms", description="The signal that tells a region's lag.")
    max_lag: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="A standby beyond it is not used; in the signal's own unit."
    )
    beyond_max_lag: Literal["refuse", "serve"] = Field(
        default="refuse", description="Whether one beyond it serves when there is no other."
    )
    hold_down: Duration | None = Field(default=None, description="No failback so soon after a switch.")
    promote: PromoteFile | None = Field(default=None, description="Asked before answers move.")
    notify: HookFile | None = Field(default=None, description="Told after answers have moved.")
