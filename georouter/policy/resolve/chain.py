"""The `chain:` of a service: one resolver per step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from georouter.policy import shape, suggest
from georouter.policy.model import Region
from georouter.policy.nodes import Node, Path, describe
from georouter.policy.report import Report
from georouter.policy.resolve import failover, matches, ramps, tenants
from georouter.policy.resolve.context import Context
from georouter.policy.steps import (
    Capacity,
    Geo,
    GeoRule,
    Latency,
    Limit,
    Nearest,
    Pin,
    Residency,
    Step,
    Sticky,
    Tiers,
    Unknown,
    Unplaced,
    Weighted,
    WithoutEcs,
)
from georouter.policy.written_failover import FailoverFile
from georouter.policy.written_steps import (
    BARE_STEPS,
    STEPS,
    CapacityFile,
    GeoRuleFile,
    LatencyFile,
    LimitFile,
    NearestFile,
    PinFile,
    ResidencyFile,
    StepModel,
    StickyFile,
    WeightedFile,
)
from georouter.words.ids import RegionName, SignalName

Steps: TypeAlias = tuple[Step, ...]
Written: TypeAlias = StepModel

_ONCE = ("failover", "weighted", "limit", "nearest", "latency", "sticky", "capacity", "pin")
"""Steps of which a second one in the same chain could never act."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the steps of one service may name."""

    service: str
    regions: tuple[RegionName, ...]
    fallback: tuple[RegionName, ...]
    all: Mapping[RegionName, Region]

    @property
    def universe(self) -> tuple[RegionName, ...]:
        """The service's regions, then the fallback regions not among them."""
        return self.regions + tuple(name for name in self.fallback if name not in self.regions)


def read(node: Node | None, path: Path, report: Report) -> tuple[Written | None, ...]:
    """The shape of each step; None for those that are broken."""
    if node is None or node.value is None:
        return ()
    if not isinstance(node.value, list):
        report.error(path, f"expected a list of steps, found {describe(node.value)}")
        return ()
    return tuple(_read_step(item, (*path, index), report) for index, item in enumerate(node.value))


def _read_step(node: Node, path: Path, report: Report) -> Written | None:
    names = [node.value] if isinstance(node.value, str) else [name for name, _ in node.items()]
    if len(names) != 1:
        found = describe(node.value) if not names else f"{len(names)} ({', '.join(names)})"
        report.error(path, f'a step is one key such as "- latency: {{tolerance: 15ms}}", found {found}')
        return None
    name = names[0]
    if name not in STEPS:
        message = shape.not_yet(name) or suggest.unknown("step", name, STEPS)
        report.error(path if isinstance(node.value, str) else (*path, name), message, key=True)
        return None
    if isinstance(node.value, str) and name not in BARE_STEPS:
        report.error(path, f'the step "{name}" needs parameters')
        return None
    if name not in BARE_STEPS and node.value[name].value is None:  # type: ignore[index,call-overload,union-attr]
        report.error((*path, name), f'the step "{name}" needs parameters', key=True)
        return None
    return shape.read(StepModel, node, path, report)


def resolve(written: tuple[Written | None, ...], path: Path, scope: Scope, context: Context) -> Steps:
    """The steps in order; broken ones are left out."""
    found: list[Step] = []
    seen: set[str] = set()
    for index, item in enumerate(written):
        if item is None:
            continue
        name = next(iter(item.model_fields_set))
        where = (*path, index, name)
        if name in _ONCE and name in seen:
            context.report.error(where, f'a second "{name}" step cannot act; keep one', key=True)
        seen.add(name)
        found.append(_step(getattr(item, name), where, scope, context))
    return tuple(found)


def _step(value: object, path: Path, scope: Scope, context: Context) -> Step:
    match value:
        case ResidencyFile():
            return _residency(value, path, scope, context)
        case NearestFile():
            names = {
                RegionName(name): percent
                for name, percent in value.bias.items()
                if context.region_of(name, scope.regions, scope.service, (*path, "bias", name), key=True)
            }
            return Nearest(value.tolerance, names)
        case LatencyFile():
            return Latency(value.tolerance)
        case FailoverFile():
            order = _tiers(value.order, (*path, "order"), scope, context)
            return failover.resolve(value, order, scope.regions, path, context)
        case WeightedFile():
            return _weighted(value, path, scope, context)
        case StickyFile():
            return Sticky(value.ipv4, value.ipv6)
        case CapacityFile():
            return _capacity(value, path, scope, context)
        case PinFile():
            where = (*path, "directory")
            directory = tenants.resolve(
                value.directory, where, scope.all, scope.regions, scope.service, context
            )
            return Pin(directory, value.label, Unknown(value.unknown))
        case LimitFile():
            return Limit(value.regions, value.addresses)
        case list():
            return Geo(tuple(_rule(rule, (*path, i), scope, context) for i, rule in enumerate(value)))
        case _:
            raise AssertionError(f"no resolver for {value!r}")


def _residency(written: ResidencyFile, path: Path, scope: Scope, context: Context) -> Residency:
    where = (*path, "regions")
    if written.regions.labels is not None:
        allowed = _labelled(written.regions.labels, scope)
        wanted = ", ".join(
            f"{key}: {values[0] if len(values) == 1 else _listed(values)}"
            for key, values in written.regions.labels.items()
        )
        problem = f'no region of service "{scope.service}" has the labels {{{wanted}}}'
    else:
        names = written.regions.names or []
        allowed = {
            RegionName(name)
            for index, name in enumerate(names)
            if context.region_of(name, scope.universe, scope.service, (*where, index))
        }
        problem = f'allows no region of service "{scope.service}"'
        if len(allowed) < len(names):
            problem = ""
        elif written.regions.names == []:
            problem = _denial(written)
    broken = any(name not in scope.all for name in scope.universe)
    if problem and not broken and not allowed.intersection(scope.regions):
        context.report.error(where, problem, key=True)
    return Residency(
        clients=matches.resolve(written.clients, (*path, "clients"), context),
        regions=frozenset(allowed),
        unplaced=Unplaced(written.unplaced),
        without_ecs=WithoutEcs(written.without_ecs),
    )


def _denial(written: ResidencyFile) -> str:
    """What is wrong with a fence that allows nothing, which is meant where it says for whom else."""
    if "unplaced" in written.model_fields_set:
        return ""
    return (
        "allows no region at all; if these clients are to get no answer, say what unplaced addresses get: "
        "unplaced: allow (what they would without this fence) or unplaced: deny"
    )


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(values)}]"


def _labelled(labels: Mapping[str, Sequence[str]], scope: Scope) -> set[RegionName]:
    return {
        name
        for name in scope.universe
        if name in scope.all
        and all(scope.all[name].labels.get(key) in values for key, values in labels.items())
    }


def _rule(written: GeoRuleFile, path: Path, scope: Scope, context: Context) -> GeoRule:
    found = matches.resolve(written.match, (*path, "match"), context) if written.match is not None else None
    return GeoRule(found, _tiers(written.regions, (*path, "regions"), scope, context))


def _tiers(written: list[list[str]], path: Path, scope: Scope, context: Context) -> Tiers:
    seen: set[str] = set()
    tiers: list[tuple[RegionName, ...]] = []
    for row, names in enumerate(written):
        tier: list[RegionName] = []
        if not names:
            context.report.error((*path, row), "a tier needs at least one region")
        for column, name in enumerate(names):
            where = (*path, row, column)
            if name in seen:
                context.report.error(where, f'region "{name}" is listed twice')
            elif context.region_of(name, scope.regions, scope.service, where):
                tier.append(RegionName(name))
            seen.add(name)
        tiers.append(tuple(tier))
    return tuple(tiers)


def _weighted(written: WeightedFile, path: Path, scope: Scope, context: Context) -> Weighted:
    weights = {
        RegionName(name): weight
        for name, weight in written.weights.items()
        if context.region_of(name, scope.regions, scope.service, (*path, "weights", name), key=True)
    }
    if not written.weights and written.ramp is None:
        context.report.error(path, 'says nothing without "weights" or "ramp"', key=True)
    others = [name for name in scope.regions if written.ramp is None or name != written.ramp.region]
    if others and all(weights.get(name, 1.0) == 0 for name in others):
        context.report.error((*path, "weights"), "at least one region needs a weight above 0", key=True)
    if written.ramp is None:
        return Weighted(weights)
    ramp = ramps.resolve(written.ramp, written.weights, scope.regions, scope.service, path, context)
    return Weighted(weights, ramp)


def _capacity(written: CapacityFile, path: Path, scope: Scope, context: Context) -> Capacity:
    if written.failure_limit < written.steady_limit:
        context.report.error(
            (*path, "failure_limit"),
            f"must not be below steady_limit, {written.steady_limit:g}%; found {written.failure_limit:g}%",
        )
    missing = [name for name in scope.regions if name in scope.all and scope.all[name].capacity is None]
    if missing and len(missing) == len(scope.regions):
        context.report.error(
            path, "no region of the service has a capacity, so nothing can overflow", key=True
        )
    signal = None if written.signal is None else SignalName(written.signal)
    return Capacity(written.steady_limit / 100, written.failure_limit / 100, written.max_step / 100, signal)
