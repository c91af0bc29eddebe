"""The `failover` step's words: what the policy asks of it, what it sees, and how far it has come.

A service has one active region. It changes by a sequence, in which every moment is kept:

    detect -> confirm -> choose -> promote -> switch -> notify

`failover_machine` says how one follows from the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from georouter.facts.world import Effective
from georouter.words.ids import RegionName, SignalName

USUAL_SIGNAL = SignalName("replication_lag_ms")


class Failback(StrEnum):
    """When a better region takes over again."""

    AUTO = "auto"
    MANUAL = "manual"


class Choose(StrEnum):
    """Which standby is chosen."""

    ORDER = "order"
    LEAST_LAG = "least_lag"


class BeyondMaxLag(StrEnum):
    """What a standby that lags too much is good for."""

    REFUSE = "refuse"
    """Nothing: the active region stays, though it is down."""
    SERVE = "serve"
    """It is chosen when no other is left."""


class OnRefusal(StrEnum):
    """What happens when the promotion hook says no, or nothing."""

    STAY = "stay"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class FailoverRule:
    """What the policy says. Lags are in the unit of `signal`; None: not looked at.

    With `Failback.AUTO` a region must have been up for `failback_after_s`. Within `hold_down_s` after a
    switch there is no failback, and a region that was left is chosen only if there is no other.
    """

    order: tuple[RegionName, ...]
    failback: Failback = Failback.AUTO
    failback_after_s: float = 0.0
    choose: Choose = Choose.ORDER
    signal: SignalName = USUAL_SIGNAL
    max_lag: float | None = None
    beyond_max_lag: BeyondMaxLag = BeyondMaxLag.REFUSE
    hold_down_s: float = 0.0
    promotes: bool = False
    on_refusal: OnRefusal = OnRefusal.STAY
    retry_s: float = 30.0
    notifies: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """One region now. `suspect`: it counts as up, but failures wait for confirmation. `lag`: None if
    there is no fresh one. `well`: it is up by what was observed, whatever the brake has answers follow; None:
    as it acts. `frozen`: the brake holds.
    """

    effective: Effective
    suspect: bool = False
    lag: float | None = None
    well: bool | None = None
    frozen: bool = False

    @property
    def is_well(self) -> bool:
        """Whether this moment counts as one of being up."""
        return self.effective is Effective.UP if self.well is None else self.well


class Phase(StrEnum):
    """Where a service stands."""

    STEADY = "steady"
    DETECTED = "detected"
    """Something is wrong with the active region, or a better one is back: not confirmed yet."""
    BLOCKED = "blocked"
    """The active region is down and no other may be chosen."""
    PROMOTING = "promoting"
    """The hook is asked; answers stay where they are."""
    REFUSED = "refused"
    """The hook said no, or nothing: answers stay, it is asked again later."""
    NOTIFYING = "notifying"
    """Switched; the webhook has not taken the notice yet."""


class Kind(StrEnum):
    """Why the active region changes."""

    FAILOVER = "failover"
    FAILBACK = "failback"


class Notice(StrEnum):
    """What has become of the notice of a switch."""

    NONE = "none"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class Reply(StrEnum):
    """What the promotion hook said."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    """No answer in time, or none that says yes or no: it may have been done all the same."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One way from `origin` to `target`. Times are Unix seconds, None: not yet, or never.

    `attempt` counts questions to the hook that need an id of their own; `asked` counts calls. `reply`
    and `said` are the hook's last answer. `by_hand`: an operator asked for it.
    """

    kind: Kind
    origin: RegionName
    why: str
    detected_at: float
    target: RegionName | None = None
    confirmed_at: float | None = None
    chosen_at: float | None = None
    promoting_at: float | None = None
    promoted_at: float | None = None
    switched_at: float | None = None
    notified_at: float | None = None
    attempt: int = 1
    asked: int = 0
    reply: Reply | None = None
    said: str = ""
    notice: Notice = Notice.NONE
    by_hand: bool = False

    @property
    def id(self) -> str:
        """What the hooks are told, the same when a call is repeated."""
        return f"{self.kind}/{self.origin}/{self.target}/{round(self.detected_at * 1000)}/{self.attempt}"


@dataclass(frozen=True, slots=True)
class Failover:
    """One service. `since`: when the phase was entered (Unix seconds).

    `left` says when regions were switched away from, `up_since` since when each has been up. `last` is
    the last sequence that ended with a switch.
    """

    active: RegionName
    phase: Phase = Phase.STEADY
    since: float = 0.0
    why: str = ""
    """Why it is blocked or refused, for people."""
    sequence: Sequence | None = None
    last: Sequence | None = None
    left: Mapping[RegionName, float] = field(default_factory=dict)
    up_since: Mapping[RegionName, float] = field(default_factory=dict)

    @property
    def switched_at(self) -> float | None:
        """When the last switch was."""
        return max(self.left.values(), default=None)
