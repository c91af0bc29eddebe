"""What the control loop acts through, and how it tells of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from georouter.answers.tables import Snapshot
from georouter.control.orders import Build, Built, Counted, MakeCall, Planning
from georouter.policy.model import Policy
from georouter.telemetry.metrics import Metrics


class Tell(Protocol):
    """Says one event to people: the log, `status`, the demo's screen."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """`event` is a short name such as `region.down`; fields are plain values."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """What the loop acts through; the daemon fills them in."""

    show: Callable[[Snapshot], None]
    """Makes a snapshot the one that is answered from."""
    adopt: Callable[[Built], None]
    """A new policy is in use: probe its targets, keep its files as last good, watch its databases."""
    refresh: Callable[[Policy], None]
    """A load of this policy, new or not, has succeeded: what stands beside it may have changed, too."""
    remember: Callable[[], None]
    """Beliefs changed in a way that a restart should know; saving is somebody else's business."""
    build: Build
    call: MakeCall
    """Calls a hook of a failover step, after what is believed is on disk."""
    record: Callable[..., None]
    """Writes `(action, **fields)` to the audit log."""
    tell: Tell
    metrics: Metrics
    plan: Planning | None = None
    """Makes capacity plans; without it nobody plans."""
    count: Callable[[], Counted] = dict
    """The census: how many queries of each service came from where, by slot."""
