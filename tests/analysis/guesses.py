"""Random policies as operators write them, clients, and states of the world: all from one seed.

Policies are YAML, so that a daemon can be started with the same ones. Every kind of step occurs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from random import Random

import numpy as np

from georouter.analysis.traffic import Side, address_space
from georouter.compiler.asking import RoundTrips, make_asking
from georouter.facts.believe import effective
from georouter.facts.plan import CapacityPlan
from georouter.facts.world import Effective, RegionFacts, Standing, State, World
from georouter.geo.map import Address, GeoMap, Network
from georouter.policy.files import PolicyFile
from georouter.policy.model import Policy
from georouter.routing.capacity import make_plan
from georouter.routing.scene import make_scene
from georouter.routing.select import rule_of
from georouter.words.ids import RegionName, ServiceName
from tests.compiler.build import known_of

REGIONS = ("amber", "birch", "cedar", "delta", "ember")
COUNTRIES = ("US", "DE", "FR", "SG", "BR", "NO")
SITES = {
    "US": (39.0, -77.5),
    "DE": (50.1, 8.7),
    "FR": (48.8, 2.3),
    "SG": (1.3, 103.8),
    "BR": (-23.5, -46.6),
    "NO": (59.9, 10.7),
}
LABELS = ("acme", "globex", "initech", "umbrella")
TENANTS = "/tenants.csv"
KINDS = ("plain", "geo", "order", "managed", "full", "pinned", "fenced")
"""What the chains of the services are about, one service each; all else in them is drawn."""


@dataclass(frozen=True, slots=True)
class Written:
    """A policy: `yaml` has everything but `version` and `server`, `tenants` is the file it names."""

    yaml: str
    tenants: str

    @property
    def files(self) -> tuple[PolicyFile, ...]:
        """What `load` takes."""
        text = "version: 1\nserver: {location: {lat: 50, lon: 8}}\n" + self.yaml
        return PolicyFile("/policy.yaml", text), PolicyFile(TENANTS, self.tenants, zone=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `client` is what the client subnet says, if there is one."""

    name: str
    type: str
    client: Network | None
    resolver: Address


def write(draw: Random, *, ttl: str = "30s", kinds: Sequence[str] = KINDS) -> Written:
    """A policy of a few services, each at names of its own."""
    services, records = [], []
    for kind in kinds:
        services.append(_service(draw, kind, ttl))
        if kind == "pinned":
            records += [f'"*.app": {{service: {kind}}}', "shop: {CNAME: acme.app}"]
        else:
            records.append(f"{kind}: {{service: {kind}}}")
    lines = ["geo:", "  networks:", *_networks(draw), "regions:", *_regions(draw)]
    lines += ["services:", *services, "zones:", "  example.com:", "    ns: [ns.example.net]"]
    lines += ["    records:", *(f"      {record}" for record in records)]
    return Written("\n".join(lines) + "\n", _tenants(draw))


def _networks(draw: Random) -> list[str]:
    """Places of all sizes, some inside others; 5.15.0.0/16 and 2a0f::/32 are nowhere."""
    found = []
    for number in range(14):
        for network in (
            f"5.{number}.0.0/16",
            f"5.{number}.{draw.randrange(256)}.0/24",
            f"2a0{number:x}::/32",
        ):
            country = draw.choice(COUNTRIES)
            where = (
                ""
                if draw.random() < 0.3
                else f", lat: {draw.randint(-60, 60)}, lon: {draw.randint(-170, 170)}"
            )
            part = ", subdivision: US-CA" if country == "US" and draw.random() < 0.5 else ""
            found.append(f'    "{network}": {{country: {country}{part}{where}}}')
    found.append("    10.1.0.0/16: {country: DE}")
    return found


def _regions(draw: Random) -> list[str]:
    found = []
    for number, name in enumerate(REGIONS, 1):
        country = draw.choice(COUNTRIES)
        lat, lon = SITES[country]
        endpoints = draw.choice(
            [
                f'[192.0.2.{number}, "2001:db8::{number}"]',
                f'[192.0.2.{number}, "2001:db8::{number}"]',
                f'[192.0.2.{number}, {{address: 192.0.2.{number + 10}, weight: 3}}, "2001:db8::{number}"]',
                f"[192.0.2.{number}, 192.0.2.{number + 10}]",
                f'["2001:db8::{number}", "2001:db8::1{number}"]',
            ]
        )
        law = draw.choice(("EU", "US"))
        found.append(
            f"  {name}: {{location: {{lat: {lat}, lon: {lon}, country: {country}}}, capacity: "
            f"{draw.choice((500, 1000, 2000))}, endpoints: {endpoints}, labels: {{law: {law}}}}}"
        )
    return found


def _tenants(draw: Random) -> str:
    """Homes that lie inside their residency, if they have one."""
    rows = ["tenant,home,residency,state,moving_to"]
    for label in LABELS[:-1]:
        home, *others = draw.sample(REGIONS, 3)
        residency = draw.choice(("", f"{home} {others[0]}"))
        rows.append(f"{label},{home},{residency},{draw.choice(('active,', f'moving,{others[0]}'))}")
    return "\n".join(rows) + "\n"


def _service(draw: Random, kind: str, ttl: str) -> str:
    if kind in {"managed", "pinned"}:
        names = list(REGIONS)
    else:
        names = sorted(draw.sample(REGIONS, draw.randint(2, len(REGIONS))))
    worst = draw.choice(("serve_all", "serve_all", "last_known", "servfail", "fallback"))
    if worst == "fallback":
        worst = f"{{fallback: [{', '.join(draw.sample(REGIONS, 2))}]}}"
    head = f"  {kind}: {{regions: [{', '.join(names)}], when_all_down: {worst}, ttl: {ttl}"
    if kind == "full" or draw.random() < 0.3:
        head += f", demand: {draw.choice((500, 1500, 3000, 9000))}"
    if draw.random() < 0.1:
        head += ", ecs: false"
    if draw.random() < 0.2:
        head += ", https: {alpn: [h2]}"
    return f"{head}, chain: [{', '.join(_chain(draw, kind, names))}]}}"


def _chain(draw: Random, kind: str, names: list[str]) -> list[str]:
    steps = []
    if kind == "fenced" or draw.random() < 0.25:
        steps += [_fence(draw, names) for _ in range(draw.choice((1, 1, 2)))]
    match kind:
        case "pinned":
            unknown = draw.choice(("chain", "hash", "nxdomain"))
            steps.append(f"{{pin: {{directory: tenants.csv, unknown: {unknown}}}}}")
            steps.append(draw.choice((_order(draw, names), _distance(draw, names))))
        case "geo":
            steps.append(_rules(draw, names))
        case "managed":
            order = draw.sample(names, len(names))
            steps.append(f"{{failover: {{order: [{', '.join(order)}], failback: manual}}}}")
        case "order":
            steps.append(_order(draw, names))
        case "full":
            steps += [_distance(draw, names), "capacity"]
        case _:
            steps += draw.choice(((), (_distance(draw, names),), (_rules(draw, names), _order(draw, names))))
    if draw.random() < 0.6:
        weights = {
            name: draw.choice((0, 1, 2, 5)) for name in draw.sample(names, draw.randint(1, len(names)))
        }
        if any(weights.get(name, 1) for name in names):
            steps.append(f"{{weighted: {{weights: {{{_pairs(weights)}}}}}}}")
    if draw.random() < 0.4:
        steps.append(draw.choice(("sticky", "{sticky: {ipv4: 20, ipv6: 48}}")))
    if draw.random() < 0.3:
        steps.append(f"{{limit: {{regions: {draw.randint(1, 3)}, addresses: {draw.randint(1, 4)}}}}}")
    return steps


def _fence(draw: Random, names: list[str]) -> str:
    regions = draw.choice((f"[{', '.join(draw.sample(names, draw.randint(1, len(names))))}]",))
    unplaced = draw.choice(("allow", "restrict", "deny"))
    without = draw.choice(("resolver", "resolver", "restrict", "deny"))
    return (
        f"{{residency: {{clients: {_match(draw)}, regions: {regions}, unplaced: {unplaced}, "
        f"without_ecs: {without}}}}}"
    )


def _match(draw: Random) -> str:
    return draw.choice(
        (
            f"{{country: [{', '.join(draw.sample(COUNTRIES, 2))}]}}",
            "{group: [EU]}",
            "{group: [EEA]}",
            "{continent: [NA, SA]}",
            f"{{network: [5.{draw.randrange(14)}.0.0/17]}}",
            "{subdivision: [US-CA], country: [SG]}",
        )
    )


def _rules(draw: Random, names: list[str]) -> str:
    rules = [f"{{match: {_match(draw)}, regions: {_tiers(draw, names)}}}" for _ in range(draw.randint(1, 3))]
    if draw.random() < 0.5:
        rules.append(f"{{regions: {_tiers(draw, names)}}}")
    return f"{{geo: [{', '.join(rules)}]}}"


def _tiers(draw: Random, names: list[str]) -> str:
    chosen = draw.sample(names, draw.randint(1, len(names)))
    cut = draw.randint(1, len(chosen))
    if draw.random() < 0.6:
        chosen = [f"[{', '.join(chosen[:cut])}]", *chosen[cut:]]
    return f"[{', '.join(chosen)}]"


def _order(draw: Random, names: list[str]) -> str:
    return f"{{failover: {{order: {_tiers(draw, names)}}}}}"


def _distance(draw: Random, names: list[str]) -> str:
    tolerance = draw.choice((0, 500, 3000))
    return draw.choice(
        (
            f"{{nearest: {{tolerance: {tolerance}km, bias: {{{names[0]}: {draw.randint(-50, 50)}}}}}}}",
            f"{{latency: {{tolerance: {tolerance // 50}ms}}}}",
        )
    )


def _pairs(weights: dict[str, int]) -> str:
    return ", ".join(f"{name}: {weight}" for name, weight in weights.items())


def question(draw: Random, kinds: Sequence[str] = KINDS) -> Asked:
    """Who asks what: any block of any size, of a private network or of length 0, or none."""
    kind = draw.choice(kinds)
    name = f"{kind}.example.com"
    if kind == "pinned":
        label = draw.choice((*LABELS, f"x{draw.randrange(20)}"))
        name = draw.choice((f"{label}.app.example.com", f"www.{label}.app.example.com", "shop.example.com"))
    client: Network | None = None
    if draw.random() < 0.9:
        inside = draw.random() < 0.9
        if draw.random() < 0.7:
            first = (5 << 24 | draw.randrange(16) << 16) if inside else draw.choice((10 << 24, 0, 100 << 24))
            length = draw.choice((0, 8, 12, 15, 16, 20, 24, 24, 24, 24, 32, 32))
            client = ip_network((first | draw.getrandbits(16), length), strict=False)
        else:
            low = draw.getrandbits(96) & ~((1 << 64) - 1)
            length = draw.choice((0, 24, 32, 48, 56, 56, 64))
            client = ip_network(((0x2A00 | draw.randrange(16)) << 112 | low, length), strict=False)
    resolver: Address = IPv4Address(5 << 24 | draw.randrange(16) << 16 | draw.getrandbits(16))
    if draw.random() < 0.2:
        resolver = IPv6Address((0x2A00 | draw.randrange(16)) << 112 | draw.getrandbits(64))
    return Asked(name, draw.choice(("A", "A", "AAAA", "HTTPS")), client, resolver)


def state(draw: Random, policy: Policy, rtt_ms: dict[RegionName, float]) -> World:
    """Any health, overrides, endpoints that are down, standings of failovers, what was known last."""
    calm = draw.random()
    regions = {name: _facts(draw, len(region.endpoints), calm) for name, region in policy.regions.items()}
    standings, last = {}, {}
    for name, service in policy.services.items():
        if service.failover is not None and draw.random() < 0.9:
            active, *standbys = draw.sample(service.regions, len(service.regions))
            down = regions[active].effective is Effective.DOWN
            standings[name] = Standing(
                active, tuple(standbys), down and draw.random() < 0.5, "because of a test"
            )
        last[name] = known_of(*draw.sample(service.regions, draw.randint(0, len(service.regions))))
    names = list(policy.regions)
    return World(
        regions=regions,
        rtt_ms=rtt_ms,
        last_known=last,
        standings=standings,
        suspects=frozenset(draw.sample(names, draw.randint(0, 1))),
        leaving=frozenset(draw.sample(names, draw.randint(0, 1))),
    )


def _facts(draw: Random, endpoints: int, calm: float) -> RegionFacts:
    """One region: observed, then what an operator forces, with a part of its endpoints down."""
    observed = State.UP
    if draw.random() > calm:
        observed = draw.choice((State.UP, State.UNKNOWN, State.DOWN, State.DOWN))
    forced = draw.choice((Effective.DRAINED, Effective.DOWN, Effective.UP)) if draw.random() < 0.15 else None
    gone = frozenset[int]()
    if observed is State.DOWN:
        gone = frozenset(range(endpoints))
    elif draw.random() < 0.2:
        gone = frozenset(draw.sample(range(endpoints), draw.randint(1, endpoints - 1)))
    health = draw.choice((1.0, 1.0, 0.5, 0.25))
    return RegionFacts(observed, effective(observed, forced), forced, health, gone)


def capacity(policy: Policy, geo: GeoMap, world: World) -> CapacityPlan:
    """The plan that the daemon would make, from the address space, with the loss of every region."""
    clients = address_space(geo, geo)
    weight = np.bincount(clients.before, weights=clients.weight, minlength=len(geo.places)).astype(np.float64)
    side = Side(policy, geo, world)
    trips = RoundTrips(geo, weight)
    askings = []
    for service in policy.services.values():
        if service.demand is not None and rule_of(service).capacity is not None:
            rankings, of = side.rankings(service)
            scene = make_scene(policy, service, geo.places, world)
            askings.append(make_asking(service, scene, trips, rankings, of, service.demand))
    return make_plan(policy, askings, world, 0.0)


WEB = ServiceName("web")
