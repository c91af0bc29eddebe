"""What a policy asks of the geo map beyond the database's own places."""

from collections.abc import Iterable, Iterator

from georouter.geo.map import Network
from georouter.policy.model import Policy
from georouter.policy.steps import Geo, Match, Residency


def networks(policy: Policy, also: Iterable[Match] = ()) -> tuple[Network, ...]:
    """Every network named in a match, the policy's or another, once, in address order (IPv4 first)."""
    found = {network for match in (*matches(policy), *also) for network in match.networks}
    return tuple(sorted(found, key=lambda item: (item.version, int(item.network_address), item.prefixlen)))


def asns(policy: Policy, also: Iterable[Match] = ()) -> frozenset[int]:
    """Every autonomous system number named in a match."""
    return frozenset(number for match in (*matches(policy), *also) for number in match.asns)


def matches(policy: Policy) -> Iterator[Match]:
    """Every match of every chain."""
    for service in policy.services.values():
        for step in service.chain:
            if isinstance(step, Residency):
                yield step.clients
            elif isinstance(step, Geo):
                for rule in step.rules:
                    if rule.match is not None:
                        yield rule.match
