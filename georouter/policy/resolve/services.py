"""The `services:` section."""

from collections.abc import Mapping
from dataclasses import dataclass

from georouter.policy import shape, suggest
from georouter.policy.model import AllDown, Binding, Region, Service, Ttls
from georouter.policy.nodes import Node, Path, describe
from georouter.policy.report import Report
from georouter.policy.resolve import bindings, chain
from georouter.policy.resolve.context import Context
from georouter.policy.steps import Failover, Latency, Limit, Nearest, Pin, Step
from georouter.policy.written import ServiceFile, TtlsFile
from georouter.words.ids import RegionName, ServiceName

_BY_PLACE: dict[type[Step], str] = {Nearest: "nearest", Latency: "latency", Pin: "pin"}


@dataclass(frozen=True, slots=True)
class WrittenService:
    """A service whose steps are read one by one."""

    head: ServiceFile
    chain: tuple[chain.Written | None, ...]
    https: tuple[Binding, ...]
    svcb: tuple[Binding, ...]


def read(node: Node, path: Path, report: Report) -> WrittenService | None:
    """The shape of a service, of each of its steps, and of its HTTPS and SVCB records."""
    steps = chain.read(node.get("chain"), (*path, "chain"), report)
    https = bindings.read("HTTPS", node.get("https"), (*path, "https"), report)
    svcb = bindings.read("SVCB", node.get("svcb"), (*path, "svcb"), report)
    head = shape.read(ServiceFile, node, path, report, without=("chain", "https", "svcb"))
    return WrittenService(head, steps, https, svcb) if head is not None else None


def resolve(
    written: Mapping[str, WrittenService], regions: Mapping[RegionName, Region], context: Context
) -> dict[ServiceName, Service]:
    """References checked, steps resolved."""
    return {ServiceName(name): _service(name, item, regions, context) for name, item in written.items()}


def _service(
    name: str, written: WrittenService, regions: Mapping[RegionName, Region], context: Context
) -> Service:
    path: Path = ("services", name)
    own: list[RegionName] = []
    for index, region in enumerate(written.head.regions):
        where = (*path, "regions", index)
        if region in own:
            context.report.error(where, f'region "{region}" is listed twice')
        elif context.known("region", region, context.regions, where):
            own.append(RegionName(region))
    mode, fallback = _all_down(written.head.when_all_down, (*path, "when_all_down"), context)
    scope = chain.Scope(name, tuple(own), tuple(fallback), regions)
    steps = chain.resolve(written.chain, (*path, "chain"), scope, context)
    _one_alias(name, steps, scope, context)
    _one_home(name, steps, context)
    _placed(name, steps, scope, context)
    return Service(
        name=ServiceName(name),
        regions=tuple(own),
        chain=steps,
        ttl_s=written.head.ttl.steady,
        ttls=_ttls(written.head.ttl, (*path, "ttl"), context),
        when_all_down=mode,
        fallback=tuple(fallback),
        ecs=written.head.ecs,
        demand=written.head.demand,
        https=written.https,
        svcb=written.svcb,
    )


def _ttls(written: TtlsFile, path: Path, context: Context) -> Ttls | None:
    lowered = {"suspect": written.suspect, "down": written.down, "ramp": written.ramp}
    for key, seconds in lowered.items():
        if seconds is not None and seconds > written.steady:
            context.report.error(
                (*path, key), f"must not be above the steady TTL of {written.steady}s, found {seconds}s"
            )
    if all(seconds is None for seconds in lowered.values()):
        return None
    return Ttls(written.suspect, written.down, written.ramp)


def _all_down(value: object, path: Path, context: Context) -> tuple[AllDown, list[RegionName]]:
    words = [mode.value for mode in AllDown if mode is not AllDown.FALLBACK]
    if isinstance(value, str) and value in words:
        return AllDown(value), []
    if isinstance(value, dict) and "fallback" in value:
        for key in value:
            if key != "fallback":
                context.report.error((*path, key), suggest.unknown("key", key, ["fallback"]), key=True)
        return AllDown.FALLBACK, _fallback(value["fallback"], (*path, "fallback"), context)
    near = suggest.nearest(value, words) if isinstance(value, str) else None
    hint = f'; did you mean "{near}"?' if near else ""
    expected = f"{', '.join(words)} or {{fallback: [regions]}}"
    context.report.error(path, f"expected {expected}, found {describe(value)}{hint}")
    return AllDown.SERVE_ALL, []


def _fallback(value: object, path: Path, context: Context) -> list[RegionName]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        context.report.error(path, f"expected a list of regions, found {describe(value)}")
        return []
    found: list[RegionName] = []
    for index, name in enumerate(names):
        if name in found:
            context.report.error((*path, index), f'region "{name}" is listed twice')
        elif context.known("region", name, context.regions, (*path, index)):
            found.append(RegionName(name))
    return found


def _one_home(name: str, steps: chain.Steps, context: Context) -> None:
    """A state has one active region for everybody, a pin a home for each tenant."""
    kept = any(isinstance(step, Failover) and step.rule is not None for step in steps)
    for index, step in enumerate(steps):
        if isinstance(step, Pin) and kept:
            message = (
                'the "failover" step keeps a state, one active region for all, and tenants have their own '
                'homes; leave its "order" alone, or use another service'
            )
            context.report.error(("services", name, "chain", index, "pin"), message, key=True)


def _placed(name: str, steps: chain.Steps, scope: chain.Scope, context: Context) -> None:
    """Steps that go by distance need to know where the service's regions stand."""
    by_place = [word for kind, word in _BY_PLACE.items() if any(isinstance(step, kind) for step in steps)]
    for region in scope.regions if by_place else ():
        if region in scope.all and scope.all[region].location is None:
            message = f'"location" is missing, which the "{by_place[0]}" step of service "{name}" needs'
            context.report.error(("regions", region), message, key=True)


def _one_alias(name: str, steps: chain.Steps, scope: chain.Scope, context: Context) -> None:
    """An answer holds one CNAME (RFC 2181 10.1), so several regions at once need addresses."""
    for index, step in enumerate(steps):
        if not isinstance(step, Limit) or step.regions == 1:
            continue
        for region in scope.universe:
            if region in scope.all and any(end.family == 0 for end in scope.all[region].endpoints):
                path = ("services", name, "chain", index, "limit", "regions")
                message = f'region "{region}" has hostnames, and an answer holds only one; use 1'
                context.report.error(path, message)
                return
