"""The `tests:` section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

from georouter.geo.map import Network
from georouter.policy import suggest
from georouter.policy.model import PolicyTest, Service, Zone
from georouter.policy.names import Names
from georouter.policy.nodes import Path
from georouter.policy.resolve import places
from georouter.policy.resolve.context import Context
from georouter.policy.written_tests import REFUSED, ExpectFile, PolicyTestFile
from georouter.wire import names
from georouter.words.ids import RegionName, ServiceName, ZoneName

_WITHIN = 0.01
"""How far off a share may be where the test does not say."""


def resolve(
    written: Sequence[PolicyTestFile | None],
    services: Mapping[ServiceName, Service],
    zones: Mapping[ZoneName, Zone],
    context: Context,
) -> tuple[PolicyTest, ...]:
    """Names, clients and regions checked."""
    if not written:
        return ()  # a million names need no index that nobody asks
    index = Names(zones.values())
    found = (
        _test(item, ("tests", number), services, index, context)
        for number, item in enumerate(written)
        if item is not None
    )
    return tuple(test for test in found if test is not None)


def _test(
    written: PolicyTestFile,
    path: Path,
    services: Mapping[ServiceName, Service],
    index: Names,
    context: Context,
) -> PolicyTest | None:
    name = _name(written.name, (*path, "name"), index, context)
    client = _client(written.client, (*path, "client"), context)
    service = services.get(name[1]) if name else None
    expected = _expected(written.expect, (*path, "expect"), service, context)
    for position, region in enumerate(written.down):
        context.known("region", region, context.regions, (*path, "down", position))
    for region in written.degraded:
        where = (*path, "degraded", region)
        if context.known("region", region, context.regions, where, key=True) and region in written.down:
            context.report.error(
                where, f'"{region}" is down; a region is degraded or down, not both', key=True
            )
    if written.at and expected.shares is not None:
        message = "shares are of all client networks, whenever they ask: leave this out"
        context.report.error((*path, "at"), message, key=True)
    records = {"HTTPS": service.https, "SVCB": service.svcb} if service else {}
    if written.type in records and not records[written.type]:
        message = f'its service has no "{written.type.lower()}", so nobody may answer'
        context.report.error((*path, "type"), message)
    if written.ramp is not None and service is not None and service.ramp is None:
        context.report.error((*path, "ramp"), f'service "{service.name}" has no ramp', key=True)
    if name is None or client is None:
        return None
    return PolicyTest(
        name=name[0],
        client=client,
        expect=expected.regions,
        down=tuple(RegionName(region) for region in written.down),
        where=context.where(path),
        type=written.type or "",
        ramp=None if written.ramp is None else written.ramp / 100,
        degraded={RegionName(region): health for region, health in written.degraded.items()},
        at=tuple(written.at),
        shares=expected.shares,
        within=expected.within,
        refused=expected.refused,
    )


@dataclass(frozen=True, slots=True)
class _Expected:
    regions: frozenset[RegionName]
    shares: Mapping[RegionName, float] | None = None
    within: float = _WITHIN
    refused: bool = False


def _expected(written: ExpectFile, path: Path, service: Service | None, context: Context) -> _Expected:
    """Who must answer; `refused` is the word for nobody, unless a region is called so."""
    refused = written.regions == [REFUSED] and REFUSED not in context.regions
    allowed = (*service.regions, *service.fallback) if service else tuple(map(RegionName, context.regions))

    def region(name: str, where: Path, *, key: bool = False) -> None:
        if suggest.nearest(name, (*context.regions, REFUSED)) == REFUSED:
            context.known("region", name, (*allowed, REFUSED), where)
        elif service is None:
            context.known("region", name, allowed, where, key=key)
        else:
            context.region_of(name, allowed, service.name, where, key=key)

    for position, name in enumerate(() if refused else written.regions):
        region(name, (*path, position))
    if written.shares is None:
        if written.within is not None:
            context.report.error((*path, "within"), "says how far off `shares` may be: name those", key=True)
        return _Expected(
            frozenset() if refused else frozenset(map(RegionName, written.regions)), refused=refused
        )
    for name in written.shares:
        region(name, (*path, "shares", name), key=True)
    if written.regions:
        message = "the regions are those of `shares`: leave this out"
        context.report.error((*path, "regions"), message, key=True)
    within = _WITHIN if written.within is None else written.within / 100
    shares = {RegionName(name): part / 100 for name, part in written.shares.items()}
    total = sum(shares.values())
    if abs(total - 1) > max(within * len(shares), 1e-9):
        context.report.error((*path, "shares"), f"add up to {100 * total:.4g}%, not to 100%", key=True)
    regions = frozenset(name for name, part in shares.items() if part > 0)
    return _Expected(regions, shares, within)


def _name(text: str, path: Path, index: Names, context: Context) -> tuple[str, ServiceName] | None:
    try:
        wire = names.lower(names.parse_name(text))
    except ValueError as error:
        context.report.error(path, str(error))
        return None
    service = index.service_of(wire)
    if service is None:
        known = [names.name_text(owner) for owner in index.steered]
        near = suggest.nearest(text, known)
        hint = f'; did you mean "{near}"?' if near else ""
        context.report.error(path, f'no service answers the name "{text}"{hint}')
        return None
    return names.name_text(wire), service


def _client(text: str, path: Path, context: Context) -> Network | None:
    """An address or a network; of IPv6 the first 64 bits count."""
    try:
        if "/" not in text:
            network: Network = ip_network(text)
        else:
            network = places.parse_network(text)
    except ValueError as error:
        message = str(error) if "/" in text else f'"{text}" is neither an IP address nor a network'
        context.report.error(path, message)
        return None
    return _top(network)


def _top(network: Network) -> Network:
    if not isinstance(network, IPv6Network):
        return network
    mapped = network.network_address.ipv4_mapped
    if mapped is not None and network.prefixlen >= 96:
        return ip_network((IPv4Address(mapped), network.prefixlen - 96))
    if network.prefixlen > places.LONGEST_IPV6_PREFIX:
        top = int(network.network_address) >> 64 << 64
        return IPv6Network((IPv6Address(top), places.LONGEST_IPV6_PREFIX))
    return network
