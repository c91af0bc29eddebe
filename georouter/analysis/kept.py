"""Which region a sticky client network keeps, and where it would go if that were lost."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from georouter.answers.choice import lasting_key, region_key, stick
from georouter.answers.steer import Steering
from georouter.answers.tables import Runs
from georouter.compiler.runs import scale_of
from georouter.geo.map import Network
from georouter.routing.select import Candidate, Rule
from georouter.words.ids import RegionName


@dataclass(frozen=True, slots=True)
class Kept:
    """`network` is hashed as one and keeps `region`; `then` is where it would go, None if nowhere."""

    network: Network
    region: RegionName
    then: RegionName | None


def kept_by(  # noqa: PLR0917 - everything that is known of the choice
    client: Network,
    steering: Steering,
    rule: Rule,
    regions: tuple[RegionName, ...],
    candidates: Sequence[Candidate],
    without: Sequence[Candidate],
) -> Kept | None:
    """What the network that `client` begins in keeps of `candidates`, and of those `without` that region.

    None where nobody is kept or nobody answers.
    """
    if steering.sticky is None:
        return None
    prefix, bits = (steering.sticky.ipv4, 32) if client.version == 4 else (steering.sticky.ipv6, 128)
    address = int(client.network_address)
    key = lasting_key(address >> (0 if client.version == 4 else 64), client.version, prefix)
    region = _chosen(candidates, rule, regions, steering.salt, key)
    if region is None:
        return None
    network = type(client)((address >> (bits - prefix) << (bits - prefix), prefix))
    then = _chosen(without, rule, regions, steering.salt, key)
    return Kept(network, region, None if then == region else then)


def _chosen(
    candidates: Sequence[Candidate], rule: Rule, regions: tuple[RegionName, ...], salt: int, key: int
) -> RegionName | None:
    """The winner among bands that are laid out as in `compiler.runs`, one alternative each."""
    able = [item for item in candidates if item.cohort is None and item.weight > 0]
    if not able:
        return None
    names = [regions[item.regions[0]] for item in able]
    heaviest, one = max(rule.weights), array("I", [0] * len(able))
    runs = Runs(
        *(one, one, one, one, one),
        key=array("Q", map(region_key, names)),
        scale=array("Q", (scale_of(item.weight, heaviest) for item in able)),
        extent=array("I", [1] * len(able)),
    )
    return names[stick(runs, 0, len(able), salt, key)]
