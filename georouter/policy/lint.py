"""What works but is likely not meant: warnings about a policy without errors."""

from collections.abc import Callable, Iterable

from georouter.policy.fences import for_everybody
from georouter.policy.model import Policy, Service
from georouter.policy.names import Names
from georouter.policy.nodes import Path
from georouter.policy.report import Report
from georouter.policy.steps import Capacity, Failover, Geo, Latency, Nearest, Pin, Sticky, Weighted
from georouter.policy.unreachable import check_rules
from georouter.wire.names import is_below, name_text
from georouter.wire.svcb import OWNER
from georouter.words.ids import RegionName, ServiceName

_ORDERING: dict[type, str] = {
    Geo: "geo",
    Nearest: "nearest",
    Latency: "latency",
    Failover: "failover",
    Weighted: "weighted",
    Sticky: "sticky",
}
_STAR = b"\x01*"


def lint(policy: Policy, report: Report) -> None:
    """Report every warning about `policy`, which was resolved from the document of `report`."""
    for rule in _RULES:
        rule(policy, report)


def unused(policy: Policy, report: Report) -> None:
    """Checks, regions and services that nothing refers to."""
    services = {item.service for zone in policy.zones.values() for item in zone.steered}
    regions = {name for service in policy.services.values() for name in (*service.regions, *service.fallback)}
    checks = {endpoint.check for region in policy.regions.values() for endpoint in region.endpoints}
    found: tuple[tuple[str, Iterable[str], str], ...] = (
        ("services", policy.services.keys() - services, "no record refers to this service"),
        ("regions", policy.regions.keys() - regions, "no service uses this region"),
        ("checks", policy.checks.keys() - checks, "no region uses this check"),
    )
    for section, names, message in found:
        for name in names:
            report.warn((section, name), message, key=True)


def families(policy: Policy, report: Report) -> None:
    """Regions of one service that lack an address family others have."""
    for name, service in policy.services.items():
        by_region = {region: _families(policy, region) for region in service.regions}
        offered = set().union(*by_region.values()) if by_region else set()
        for index, region in enumerate(service.regions):
            lacking = offered - by_region[region]
            for family, type_name in ((4, "A"), (6, "AAAA")):
                if family in lacking and 0 not in by_region[region]:
                    message = (
                        f'region "{region}" has no IPv{family} address while others have: '
                        f"{type_name} is answered without it"
                    )
                    if service.ramp is not None and service.ramp.region == region:
                        message += ", to the ramp's cohort too, who get the other family from it"
                    report.warn(("services", name, "regions", index), message)


def ttls(policy: Policy, report: Report) -> None:
    """TTLs that are lowered from nothing much, or to less than resolvers keep to."""
    for name, service in policy.services.items():
        if service.ttls is None:
            continue
        if not 30 <= service.ttl_s <= 300:
            message = f"a steady TTL beside lowered ones should be from 30s to 300s, found {service.ttl_s}s"
            report.warn(("services", name, "ttl", "steady"), message)
        for key, seconds in (
            ("suspect", service.ttls.suspect_s),
            ("down", service.ttls.down_s),
            ("ramp", service.ttls.ramp_s),
        ):
            if seconds is not None and seconds < 5:
                message = f"resolvers do not keep to less than 5s, found {seconds}s"
                report.warn(("services", name, "ttl", key), message)


def capacity(policy: Policy, report: Report) -> None:
    """Capacity steps that cannot know how much is asked for, or may move nobody."""
    for name, service in policy.services.items():
        for index, step in enumerate(service.chain):
            if not isinstance(step, Capacity):
                continue
            path: Path = ("services", name, "chain", index, "capacity")
            if service.failover is not None:
                report.warn(path, "moves nobody: the failover step keeps one region active", key=True)
            elif service.demand is not None:
                continue
            elif step.signal is None:
                report.warn(
                    path, "does nothing: the service has no demand, and the step names no signal", key=True
                )
            elif not any(step.signal in _signals(policy, region) for region in service.regions):
                message = f'does nothing: no check of its regions reads the signal "{step.signal}"'
                report.warn((*path, "signal"), message)


def _signals(policy: Policy, region: RegionName) -> set[str]:
    checks = {endpoint.check for endpoint in policy.regions[region].endpoints if endpoint.check is not None}
    return {signal.name for check in checks for signal in policy.checks[check].rule.signals}


def _families(policy: Policy, region: RegionName) -> set[int]:
    return {endpoint.family for endpoint in policy.regions[region].endpoints}


def steps(policy: Policy, report: Report) -> None:
    """Steps that do less than they seem to."""
    for name, service in policy.services.items():
        for index, step in enumerate(service.chain):
            path: Path = ("services", name, "chain", index)
            match step:
                case Geo():
                    check_rules(step.rules, (*path, "geo"), report)
                    _open_end(service, index, step, report)
                case Weighted():
                    named = set(step.weights) | ({step.ramp.region} if step.ramp else set())
                    if step.weights:
                        _named(service, named, "weighs 1", (*path, "weighted", "weights"), report)
                case Failover():
                    order = {region for tier in step.order for region in tier}
                    _named(service, order, "comes last", (*path, "failover", "order"), report)
                case _:
                    pass


def _open_end(service: Service, index: int, step: Geo, report: Report) -> None:
    """Rules without a default, in front of steps that are to order whom no rule matches."""
    later = [_ORDERING[type(other)] for other in service.chain[index + 1 :] if type(other) in _ORDERING]
    if later and all(rule.match is not None for rule in step.rules):
        message = (
            f'whom no rule matches gets the service\'s own order, and "{later[0]}" behind it changes nothing '
            f"for them; to leave them to it, end with the rule {{regions: [[{', '.join(service.regions)}]]}}"
        )
        report.warn(("services", service.name, "chain", index, "geo"), message, key=True)


def _named(service: Service, named: "set[RegionName]", effect: str, path: Path, report: Report) -> None:
    missing = [region for region in service.regions if region not in named]
    if missing:
        listed = ", ".join(f'"{region}"' for region in missing)
        verb = effect if len(missing) == 1 else effect.replace("weighs", "weigh").replace("comes", "come")
        report.warn(path, f"does not list {listed}, which {verb}", key=True)


def pins(policy: Policy, report: Report) -> None:
    """Tenants whose names nobody can ask for."""
    answered: dict[ServiceName, bool] = {}
    for zone in policy.zones.values():
        for item in zone.steered:
            answered[item.service] = answered.get(item.service, False) or item.owner.startswith(_STAR)
    for name, service in policy.services.items():
        for index, step in enumerate(service.chain):
            if isinstance(step, Pin) and answered.get(name) is False:
                message = (
                    "has no effect: tenants are names below a wildcard, and no wildcard record refers to "
                    f'this service; write "*.app": {{service: {name}}}'
                )
                report.warn(("services", name, "chain", index, "pin"), message, key=True)


def bindings(policy: Policy, report: Report) -> None:
    """HTTPS and SVCB records of services that say less, or something else, than they seem to."""
    aimed: list[tuple[ServiceName, bytes, Path]] = []
    for name, service in policy.services.items():
        for key, records in (("https", service.https), ("svcb", service.svcb)):
            path: Path = ("services", name, key)
            if records and all(_families(policy, region) == {0} for region in service.regions):
                message = "has no effect: the regions have hostnames, whose CNAME answers every type"
                report.warn(path, message, key=True)
            for index, binding in enumerate(records):
                if binding.hints and binding.target != OWNER:
                    aimed.append((name, binding.target, (*path, index, "hints")))
    if not aimed:
        return  # a million names need no index that nobody asks
    index_of = Names(policy.zones.values())
    for name, target, path in aimed:
        if index_of.service_of(target) != name:
            message = f'are addresses of this service, which does not answer the target "{name_text(target)}"'
            report.warn(path, message, key=True)


def copies(policy: Policy, report: Report) -> None:
    """Names that secondaries do not get: steered ones whose answer not everybody may get, and aliases of
    names in no zone of ours.
    """
    for zone in policy.zones.values():
        if zone.transfer is None or not zone.transfer.steered:
            continue
        for name in dict.fromkeys(item.service for item in zone.steered):
            service = policy.services[name]
            allowed = for_everybody(service)
            answering = {*service.regions, *service.fallback}
            if allowed is not None and allowed.isdisjoint(answering):
                message = (
                    f'residency or tenants leave service "{name}" no region for every client: its names are '
                    "left out of copies of the zone, and secondaries deny them; steered: refuse keeps it back"
                )
                report.warn(("zones", zone.name, "transfer"), message, key=True)
        for alias in zone.aliases:
            if not any(is_below(alias.target, other.apex) for other in policy.zones.values()):
                message = (
                    f'the alias "{name_text(alias.owner)}" is left out of copies of the zone: the addresses '
                    f'of "{name_text(alias.target)}" are known while answering only; secondaries deny the '
                    "name where it has nothing else; steered: refuse keeps the zone back"
                )
                report.warn(("zones", zone.name, "transfer"), message, key=True)


_RULES: tuple[Callable[[Policy, Report], None], ...] = (
    copies,
    unused,
    families,
    steps,
    ttls,
    capacity,
    bindings,
    pins,
)
