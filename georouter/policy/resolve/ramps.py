"""The ramp of a `weighted` step."""

from collections.abc import Mapping, Sequence

from georouter.facts.ramp import RampRule
from georouter.facts.signals import SignalRule, Threshold
from georouter.policy.model import Check, Region, Service
from georouter.policy.nodes import Path
from georouter.policy.resolve.context import Context
from georouter.policy.steps import Failover, Weighted
from georouter.policy.written_ramp import PauseIfFile, RampFile
from georouter.words.ids import CheckName, RegionName, ServiceName, SignalName


def resolve(  # noqa: PLR0917 - the ramp, and where it stands
    written: RampFile,
    weights: Mapping[str, float],
    regions: Sequence[RegionName],
    service: str,
    path: Path,
    context: Context,
) -> RampRule | None:
    """The ramp; None where its region is none of the service's. `path` is that of the `weighted` step."""
    where = (*path, "ramp")
    if written.region in weights:
        message = f'the ramp says what "{written.region}" gets; leave its weight out'
        context.report.error((*path, "weights", written.region), message, key=True)
    if written.to <= written.from_:
        message = f"must be above from, {written.from_:g}%; found {written.to:g}%"
        context.report.error((*where, "to"), message)
    if not context.region_of(written.region, regions, service, (*where, "region")):
        return None
    if len(regions) == 1:
        message = "there is no other region to move clients from: a ramp needs one"
        context.report.error((*where, "region"), message)
    region = RegionName(written.region)
    gate = written.pause_if or PauseIfFile(degraded=[written.region])
    named: dict[str, tuple[RegionName, ...]] = {}
    for key, names in (("degraded", gate.degraded), ("down", gate.down)):
        named[key] = tuple(
            RegionName(name)
            for index, name in enumerate(names)
            if context.region_of(name, regions, service, (*where, "pause_if", key, index))
        )
    back = written.step_back
    if back is not None and back.to is not None and back.to > written.from_:
        message = f"must not be above from, {written.from_:g}%; found {back.to:g}%"
        context.report.error((*where, "step_back", "to"), message)
    to = written.from_ if back is None or back.to is None else back.to
    return RampRule(
        region=region,
        start=written.from_ / 100,
        target=written.to / 100,
        over_s=written.over,
        degraded=named["degraded"],
        down=named["down"],
        signals=tuple(
            SignalRule(SignalName(name), path="", degraded=Threshold(*pair))
            for name, pair in gate.signals.items()
        ),
        back_after_s=None if back is None else back.after,
        back_to=to / 100,
    )


def check(
    services: Mapping[ServiceName, Service],
    regions: Mapping[RegionName, Region],
    checks: Mapping[CheckName, Check],
    context: Context,
) -> None:
    """A signal that stops a ramp must be told, and a state has one active region for everybody."""
    for service in services.values():
        for index, step in enumerate(service.chain):
            if not isinstance(step, Weighted) or step.ramp is None:
                continue
            path: Path = ("services", service.name, "chain", index, "weighted", "ramp")
            if any(isinstance(other, Failover) and other.rule is not None for other in service.chain):
                message = 'the "failover" step keeps a state, one active region for all; nothing can ramp'
                context.report.error(path, message, key=True)
            told = _signals(step.ramp.region, regions, checks)
            for rule in step.ramp.signals:
                if told is not None and rule.name not in told:
                    message = f'region "{step.ramp.region}" has no check with the signal "{rule.name}"'
                    context.report.error((*path, "pause_if", "signals", rule.name), message, key=True)


def _signals(
    name: RegionName, regions: Mapping[RegionName, Region], checks: Mapping[CheckName, Check]
) -> frozenset[SignalName] | None:
    """Those of a region's checks; None where the region has errors of its own."""
    if name not in regions:
        return None
    used = {endpoint.check for endpoint in regions[name].endpoints}
    return frozenset(
        signal.name for key, item in checks.items() if key in used for signal in item.rule.signals
    )
