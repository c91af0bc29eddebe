"""The brake: when most regions fail at once, it is more likely that this node has gone blind.

    free --[more than `share` of the checked regions fell within `window_s`]--> frozen
    frozen --[`max_freeze_s` over, an operator says so, the policy switches it off, or it sees again]--> free

Rule 1. A region falls when it was up and is down. One that never was up has not fallen; one that is up again
        has not either.
Rule 2. Frozen, answers follow the health of every endpoint as it was before it fell; what fell earlier than
        the window stays as it was found then. Overrides, the policy and everything else act as always.
Rule 3. It sees again once no more than `share` of the regions are fallen for a whole window.
        Neither does it last where the policy has no brake, or fewer than `min_regions` checked regions.
Rule 4. What ended a freeze does not begin the next one: regions have to fall anew for that.

Times are Unix seconds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from georouter.facts.endpoints import EndpointKey
from georouter.facts.health import Health
from georouter.facts.rules import BrakeRule
from georouter.facts.world import State
from georouter.words.ids import RegionName


class Release(StrEnum):
    """What ended a freeze."""

    OVER = "max_freeze is over"
    ASKED = "an operator ended it"
    OFF = "the policy has no brake for it"
    SEES = "regions are up again"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Answers stand since `since`, for these regions' sake, until `until` at the latest.

    `of` is how many regions are checked. `healths` are what is acted on instead of what was seen since.
    `seeing_since` is when no more than the share of the regions was fallen, None while more are.
    """

    since: float
    until: float
    fallen: frozenset[RegionName]
    of: int
    healths: Mapping[EndpointKey, Health] = field(default_factory=dict)
    seeing_since: float | None = None


@dataclass(frozen=True, slots=True)
class Brake:
    """What is known of falls. `before` is each fallen endpoint's health until then, with when it fell."""

    before: Mapping[EndpointKey, tuple[float, Health]] = field(default_factory=dict)
    fallen: Mapping[RegionName, float] = field(default_factory=dict)
    freeze: Freeze | None = None

    @property
    def acted_on(self) -> Mapping[EndpointKey, Health]:
        """The healths that stand in for what is observed; empty while free."""
        return {} if self.freeze is None else self.freeze.healths


FREE = Brake()


def endpoint_moved(brake: Brake, key: EndpointKey, before: Health, after: Health, now: float) -> Brake:
    """An endpoint's health changed from `before` to `after`."""
    known = brake.before
    if before.state is State.UP and after.state is State.DOWN:
        # the failures that were being confirmed are part of the fall
        return replace(brake, before={**known, key: (now, replace(before, streak=0, reason=""))})
    if after.state is State.UP and key in known:
        return replace(brake, before={other: fell for other, fell in known.items() if other != key})
    return brake


def region_moved(brake: Brake, region: RegionName, before: State, after: State, now: float) -> Brake:
    """A region's observed state changed from `before` to `after`."""
    if before is State.UP and after is State.DOWN:
        return replace(brake, fallen={**brake.fallen, region: now})
    if after is State.UP and region in brake.fallen:
        return replace(brake, fallen={name: at for name, at in brake.fallen.items() if name != region})
    return brake


def advance(
    brake: Brake,
    rule: BrakeRule | None,
    checked: Collection[RegionName],
    healths: Mapping[EndpointKey, Health],
    now: float,
) -> tuple[Brake, Release | None]:
    """Let time act. `checked` are the regions with a check, `healths` what was observed of all endpoints.

    The second result is why a freeze ended now.
    """
    if rule is None:
        return FREE, None if brake.freeze is None else Release.OFF
    if brake.freeze is None and not brake.before and not brake.fallen:
        return brake, None
    known = set(checked)
    if brake.freeze is not None:
        return _frozen(brake, brake.freeze, rule, known, now)
    begin = now - rule.window_s
    brake = replace(
        brake,
        before={key: fell for key, fell in brake.before.items() if fell[0] >= begin},
        fallen={name: at for name, at in brake.fallen.items() if at >= begin and name in known},
    )
    if len(known) < rule.min_regions or not _too_many(len(brake.fallen), len(known), rule):
        return brake, None
    stand = {**healths, **{key: health for key, (_, health) in brake.before.items()}}
    freeze = Freeze(now, now + rule.max_freeze_s, frozenset(brake.fallen), len(known), stand)
    return replace(brake, freeze=freeze), None


def keep(brake: Brake, regions: Collection[RegionName], endpoints: Collection[EndpointKey]) -> Brake:
    """Without what a new policy no longer has."""
    freeze = brake.freeze
    if freeze is not None:
        healths = {key: health for key, health in freeze.healths.items() if key in endpoints}
        freeze = replace(freeze, fallen=freeze.fallen & set(regions), healths=healths)
    return Brake(
        {key: fell for key, fell in brake.before.items() if key in endpoints},
        {name: at for name, at in brake.fallen.items() if name in regions},
        freeze,
    )


def next_wake(brake: Brake, rule: BrakeRule | None) -> float | None:
    """When time alone ends the freeze."""
    if brake.freeze is None or rule is None:
        return None
    if brake.freeze.seeing_since is None:
        return brake.freeze.until
    return min(brake.freeze.until, brake.freeze.seeing_since + rule.window_s)


def move(brake: Brake, by_s: float) -> Brake:
    """As it is once the wall clock was set ahead by `by_s`: a freeze lasts as long as it was meant to."""
    freeze = brake.freeze
    if freeze is not None:
        seeing = None if freeze.seeing_since is None else freeze.seeing_since + by_s
        freeze = replace(freeze, since=freeze.since + by_s, until=freeze.until + by_s, seeing_since=seeing)
    return Brake(
        {key: (at + by_s, health) for key, (at, health) in brake.before.items()},
        {name: at + by_s for name, at in brake.fallen.items()},
        freeze,
    )


def _frozen(
    brake: Brake, freeze: Freeze, rule: BrakeRule, checked: set[RegionName], now: float
) -> tuple[Brake, Release | None]:
    if len(checked) < rule.min_regions:
        return FREE, Release.OFF
    since = min(freeze.since, now)
    until = min(
        freeze.until, since + rule.max_freeze_s
    )  # saved under another clock, or begun under another policy
    if now >= until:
        return FREE, Release.OVER
    fallen = checked & brake.fallen.keys()
    if _too_many(len(fallen), len(checked), rule):
        seeing = None
    else:
        seeing = now if freeze.seeing_since is None else freeze.seeing_since
        if now >= seeing + rule.window_s:
            return FREE, Release.SEES
    if (since, until, seeing) != (freeze.since, freeze.until, freeze.seeing_since):
        freeze = replace(freeze, since=since, until=until, seeing_since=seeing)
    return replace(brake, freeze=freeze), None


def _too_many(fallen: int, of: int, rule: BrakeRule) -> bool:
    return fallen > 0 and fallen > rule.share * of
