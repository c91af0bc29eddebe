"""The `tests:` section."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

from georouter.geo.map import Network
from georouter.policy import suggest
from georouter.policy.model import PolicyTest, Service, Zone
from georouter.policy.names import Names
from georouter.policy.nodes import Path
from georouter.policy.resolve import places
from georouter.policy.resolve.context import Context
from georouter.policy.written import PolicyTestFile
from georouter.wire import names
from georouter.words.ids import RegionName, ServiceName, ZoneName


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
    for position, region in enumerate(written.expect):
        where = (*path, "expect", position)
        if service is None:
            context.known("region", region, context.regions, where)
        else:
            context.region_of(region, (*service.regions, *service.fallback), service.name, where)
    for position, region in enumerate(written.down):
        context.known("region", region, context.regions, (*path, "down", position))
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
        expect=frozenset(RegionName(region) for region in written.expect),
        down=tuple(RegionName(region) for region in written.down),
        where=context.where(path),
        type=written.type or "",
        ramp=None if written.ramp is None else written.ramp / 100,
    )


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
