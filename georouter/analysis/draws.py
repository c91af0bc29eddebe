"""What a client network has drawn among several regions, for how long, and what its draws lead to.

0 |---- the first region's share ----|-- the second's --| 1
                 ^ the draw of (service, network, time slot): see `answers.choice.choose`
"""

from collections.abc import Sequence
from dataclasses import dataclass

from georouter.answers.choice import choose, network_key, slot_end
from georouter.answers.steer import Steering
from georouter.geo.map import Network
from georouter.routing.select import Candidate
from georouter.words.ids import RegionName


@dataclass(frozen=True, slots=True)
class Band:
    """The draws below `below` (0..1), and above the band before, are this region's: such a share of them."""

    region: RegionName
    share: float
    below: float


@dataclass(frozen=True, slots=True)
class Draw:
    """`network` has drawn `value` (0..1), which is `region`'s, until `until` (Unix seconds); it draws anew
    `every_s`. In the long run it gets every region for that one's share of the time.
    """

    network: Network
    value: float
    region: RegionName
    until: float
    every_s: int
    bands: tuple[Band, ...]


def draw_of(
    client: Network,
    steering: Steering,
    regions: tuple[RegionName, ...],
    candidates: Sequence[Candidate],
    now: float,
) -> Draw | None:
    """The draw of the network that `client` begins in; None where nothing is drawn.

    `candidates` are those that it may get. Whoever keeps a region (`sticky`, a cohort) draws nothing.
    """
    able = [item for item in candidates if item.cohort is None and item.weight > 0]
    if steering.sticky is not None or len(able) < 2:
        return None
    bits = 32 if client.version == 4 else 128
    address = int(client.network_address)
    key = network_key(address >> (0 if client.version == 4 else 64), client.version)
    value = choose(steering.salt, key, steering.ttl_s, now) / 2**32
    total, below, bands = sum(item.weight for item in able), 0.0, []
    for item in able:
        below += item.weight / total
        bands.append(Band(regions[item.regions[0]], item.weight / total, below))
    prefix = 24 if client.version == 4 else 56
    return Draw(
        network=type(client)((address >> (bits - prefix) << (bits - prefix), prefix)),
        value=value,
        region=next((band.region for band in bands if value < band.below), bands[-1].region),
        until=slot_end(key, steering.ttl_s, now),
        every_s=steering.ttl_s,
        bands=tuple(bands),
    )
