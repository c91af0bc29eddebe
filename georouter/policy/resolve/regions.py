"""The `regions:` section."""

from collections.abc import Mapping

from georouter.policy.model import Endpoint, Region
from georouter.policy.nodes import Path
from georouter.policy.resolve import hosts, places
from georouter.policy.resolve.context import Context
from georouter.policy.written import RegionFile
from georouter.words.ids import CheckName, RegionName


def resolve(written: Mapping[str, RegionFile], context: Context) -> dict[RegionName, Region]:
    """Endpoints parsed, with the region's check where they name none."""
    return {RegionName(name): _region(name, region, context) for name, region in written.items()}


def _region(name: str, written: RegionFile, context: Context) -> Region:
    path: Path = ("regions", name)
    if written.check is not None:
        context.known("check", written.check, context.checks, (*path, "check"))
    endpoints = _endpoints(written, (*path, "endpoints"), context)
    if written.min_healthy > len(written.endpoints):
        message = f"is more than the region has endpoints ({len(written.endpoints)})"
        context.report.error((*path, "min_healthy"), message)
    return Region(
        name=RegionName(name),
        location=None
        if written.location is None
        else places.location(written.location, (*path, "location"), context),
        endpoints=endpoints,
        capacity=written.capacity,
        labels=dict(written.labels),
        min_healthy=written.min_healthy,
    )


def _endpoints(written: RegionFile, path: Path, context: Context) -> tuple[Endpoint, ...]:
    report = context.report
    found: list[Endpoint] = []
    for index, endpoint in enumerate(written.endpoints):
        check = endpoint.check or written.check
        if endpoint.check is not None:
            context.known("check", endpoint.check, context.checks, (*path, index, "check"))
        try:
            address, family = hosts.parse(endpoint.address)
        except ValueError as error:
            report.error((*path, index, "address"), str(error))
            continue
        if any(other.address == address for other in found):
            report.error((*path, index, "address"), f'endpoint "{endpoint.address}" is listed twice')
        found.append(Endpoint(address, family, endpoint.weight, CheckName(check) if check else None))
    if len({endpoint.family == 0 for endpoint in found}) > 1:
        report.error(path, "endpoints are all addresses or all hostnames, not both", key=True)
    if found and not any(endpoint.weight for endpoint in found):
        report.error(path, "at least one endpoint needs a weight above 0", key=True)
    return tuple(found)
