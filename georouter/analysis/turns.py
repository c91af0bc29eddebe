"""When it is a client network's turn to move in a ramp, and whether it has moved."""

from dataclasses import dataclass

from georouter.answers.choice import lasting_key, region_key, turn
from georouter.answers.steer import Steering
from georouter.compiler.runs import cohort_bound
from georouter.facts.world import RegionFacts
from georouter.geo.map import Network
from georouter.routing.select import part_of
from georouter.words.ids import RegionName


@dataclass(frozen=True, slots=True)
class Turn:
    """`network` moves to `region` once the ramp has come to `turn` (0..1); it has come to `part`."""

    region: RegionName
    network: Network
    turn: float
    part: float
    moved: bool


def turn_of(
    client: Network, steering: Steering, regions: tuple[RegionName, ...], facts: tuple[RegionFacts, ...]
) -> Turn | None:
    """The turn of the network that `client` begins in; None where the service has no ramp."""
    column = next((column for column, fact in enumerate(facts) if fact.cohort is not None), None)
    if column is None or steering.cohorts is None:
        return None
    version = client.version
    prefix, bits = (steering.cohorts.ipv4, 32) if version == 4 else (steering.cohorts.ipv6, 128)
    address = int(client.network_address) >> (0 if version == 4 else 64)
    value = turn(steering.salt, lasting_key(address, version, prefix), region_key(regions[column]))
    part = part_of(facts[column])
    shifted = int(client.network_address) >> (bits - prefix) << (bits - prefix)
    return Turn(
        region=regions[column],
        network=type(client)((shifted, prefix)),
        turn=value / 2**32,
        part=part,
        moved=part >= 1 or (part > 0 and value < cohort_bound(part)),
    )
