"""Who asks, and who is judged: the client that a query names, or the resolver that sent it.

query --has a client subnet, it counts, it is somebody's place--> the subnet
      '--otherwise--------------------------------------------> the resolver's address
"""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from georouter.answers.ranges import locate
from georouter.answers.steer import Steering
from georouter.answers.tables import LOCAL
from georouter.geo.map import Address, Network

_MAPPED = IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True, slots=True)
class Asker:
    """`subnet` is the block in the query's client subnet (of length 0: the client wants privacy), None
    without one. `assumed`: nobody said where the resolver is; it stands where the client does.
    """

    subnet: Network | None
    resolver: Address
    assumed: bool = False


class By(StrEnum):
    """Whose address decided."""

    SUBNET = "client subnet"
    RESOLVER = "resolver"


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose place counted. `why` says why the resolver's, and is empty for a client subnet."""

    by: By
    network: Network
    why: str = ""


def asker_of(client: Network | Address | str | None, resolver: Address | str | None) -> Asker:
    """Who asks, with IPv4-mapped addresses as IPv4. ValueError for what makes no sense, and for nobody."""
    if resolver is None:
        if client is None:
            raise ValueError("nobody asks: name a client, a resolver, or both")
        block = client_block(client)
        return Asker(block, block.network_address, assumed=True)
    where = resolver_address(resolver)
    return Asker(None if client is None else _block(client), where)


def client_block(client: Network | Address | str) -> Network:
    """The block of addresses meant by `client`: itself, or a single address; IPv4-mapped becomes IPv4.

    Raises ValueError for a text that is no address or block, host bits beyond the prefix, and a
    prefix of length 0, which is nobody in particular.
    """
    block = _block(client)
    if block.prefixlen == 0:
        raise ValueError(f"'{client}' is everybody; name an address or a smaller block")
    return block


def resolver_address(resolver: Address | str) -> Address:
    """The address meant by `resolver`; IPv4-mapped becomes IPv4. ValueError for anything else."""
    try:
        found = ip_address(resolver)
    except ValueError:
        raise ValueError(f"'{resolver}' is not an address like 192.0.2.53") from None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def judge(asker: Asker, steering: Steering) -> Judged:
    """Whose place decides in `steering`, as `answers.careful` finds it."""
    why = _why_not_the_subnet(asker.subnet, steering)
    if not why and asker.subnet is not None:
        return Judged(By.SUBNET, asker.subnet)
    return Judged(By.RESOLVER, ip_network(asker.resolver), why)


def _why_not_the_subnet(subnet: Network | None, steering: Steering) -> str:
    if subnet is None:
        return "the query has no client subnet"
    if not steering.subnets:
        return "the service takes no client subnets (ecs: false)"
    if subnet.prefixlen == 0:
        return "a client subnet of length 0 asks for privacy"
    table, drop = (steering.v4, 0) if subnet.version == 4 else (steering.v6, 64)
    index = locate(table, int(subnet.network_address) >> drop)
    if table.values[index] >= LOCAL:
        return f"the client subnet {subnet} is a private or reserved network that nobody placed"
    return ""


def _block(client: Network | Address | str) -> Network:
    try:
        block = ip_network(client)
    except ValueError:
        try:
            block = ip_network(ip_address(str(client)))
        except ValueError:
            raise ValueError(f"'{client}' is not an address or a network like 192.0.2.0/24") from None
    if isinstance(block, IPv6Network) and block.subnet_of(_MAPPED):
        return IPv4Network((IPv4Address(int(block.network_address) & 0xFFFFFFFF), block.prefixlen - 96))
    return block
