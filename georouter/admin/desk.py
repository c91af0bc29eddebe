"""`Desk`: what the door needs from behind it. `daemon` gives it one; tests give it a fake.

Everything here runs on the control loop's thread. What comes out is plain data for JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from georouter.facts.ramp import RampOrder

Json = Mapping[str, Any]
"""A JSON object."""


class Action(StrEnum):
    """What an operator may do to a region."""

    DRAIN = "drain"
    """No traffic there while another region can take it."""
    UNDRAIN = "undrain"
    """End a drain."""
    FORCE_UP = "force_up"
    """Act as if health checks said up."""
    FORCE_DOWN = "force_down"
    """Act as if health checks said down."""
    CLEAR = "clear"
    """End every override of the region."""


@dataclass(frozen=True, slots=True)
class Change:
    """One operator's change. `for_s` is None for one that stays until it is ended,
    `in_s` for one that begins at once.

    `source` is the address that the request came from, for the audit log.
    """

    action: Action
    region: str
    reason: str
    author: str
    source: str
    for_s: float | None = None
    in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What to explain. `client` is an address or a network, `resolver` where its query comes from: one of
    them at least.
    """

    name: str
    client: str | None
    resolver: str | None = None
    type: str = "A"


@dataclass(frozen=True, slots=True)
class Failback:
    """One operator's wish that a service goes back. `to` is None for the first of the order that is up."""

    service: str
    to: str | None
    reason: str
    author: str
    source: str


@dataclass(frozen=True, slots=True)
class RampChange:
    """What one operator wants of a service's ramp."""

    service: str
    action: RampOrder
    reason: str
    author: str
    source: str


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """One operator's word that what this node sees is true."""

    reason: str
    author: str
    source: str


class Desk(Protocol):
    """Views and changes of a running daemon."""

    def status(self) -> Json:
        """Everything `georouter status` shows. The shape is in `docs/operations.md`."""
        ...

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Metrics text and its content type."""
        ...

    def ready(self) -> str | None:
        """None when queries are answered, else why not."""
        ...

    async def explain(self, question: Question) -> Json:
        """How a name is answered, and why. ValueError with a reason when that cannot be asked."""
        ...

    async def change(self, command: Change) -> Json:
        """Apply a change, audited. Returns the region's view as in `status`.

        LookupError when there is no such region, naming the nearest one; ValueError when the change
        makes no sense now.
        """
        ...

    async def fail_back(self, command: Failback) -> Json:
        """Begin a failback, audited. Returns `{service, failover}`, the latter as in `status`.

        LookupError when there is no such service; ValueError when it cannot go back now.
        """
        ...

    async def ramp(self, command: RampChange) -> Json:
        """Change how a ramp goes on, audited. Returns `{service, ramp}`, the latter as in `status`.

        LookupError when there is no such service; ValueError when it has no ramp, or not one to do that to.
        """
        ...

    async def unfreeze(self, command: Unfreeze) -> Json:
        """End a freeze, audited. Returns `{brake}` as in `status`; ValueError when answers are not frozen."""
        ...

    async def reload(self) -> Json:
        """Load the policy again: `{ok, error, warnings, generation}`. A bad file gives `ok: false`."""
        ...
