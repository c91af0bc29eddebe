"""Policies to measure with: YAML as `Daemon` takes it, without `version` and `server`."""

from collections.abc import Sequence

LONDON, ASHBURN, SINGAPORE = "81.2.69.0/24", "3.80.0.0/24", "165.21.0.0/24"
"""Client networks that every geo database of ours places there."""
US_EAST, EU_WEST, AP_SOUTH = "192.0.2.10", "192.0.2.20", "192.0.2.30"
"""What clients in Ashburn, London and Singapore are answered by `three_regions`."""

SITES: tuple[tuple[str, float, float], ...] = (
    ("ashburn", 39.04, -77.49),
    ("portland", 45.52, -122.68),
    ("dallas", 32.78, -96.80),
    ("montreal", 45.50, -73.57),
    ("mexico", 19.43, -99.13),
    ("bogota", 4.71, -74.07),
    ("santiago", -33.45, -70.67),
    ("sao-paulo", -23.55, -46.63),
    ("dublin", 53.35, -6.26),
    ("london", 51.51, -0.13),
    ("madrid", 40.42, -3.70),
    ("frankfurt", 50.11, 8.68),
    ("stockholm", 59.33, 18.07),
    ("warsaw", 52.23, 21.01),
    ("milan", 45.46, 9.19),
    ("istanbul", 41.01, 28.98),
    ("tel-aviv", 32.09, 34.78),
    ("dubai", 25.20, 55.27),
    ("johannesburg", -26.20, 28.05),
    ("lagos", 6.52, 3.38),
    ("nairobi", -1.29, 36.82),
    ("mumbai", 19.08, 72.88),
    ("chennai", 13.08, 80.27),
    ("singapore", 1.35, 103.82),
    ("jakarta", -6.21, 106.85),
    ("hong-kong", 22.32, 114.17),
    ("tokyo", 35.68, 139.69),
    ("seoul", 37.57, 126.98),
    ("sydney", -33.87, 151.21),
    ("auckland", -36.85, 174.76),
)
"""Name, latitude, longitude; `site_address` is what they answer."""


def site_address(index: int) -> str:
    """The endpoint of `SITES[index]`."""
    return f"198.51.100.{index + 1}"


def zone(records: Sequence[str], name: str = "example.com") -> str:
    """A zone of `records`, each `owner: value` in YAML, with everything else a zone needs."""
    lines = [
        "zones:",
        f"  {name}:",
        "    soa: {rname: hostmaster.example.com, negative_ttl: 60s}",
        "    ns: [ns1.example.com, ns2.example.com]",
        "    records:",
        "      ns1: {A: 192.0.2.53}",
        "      ns2: {A: 192.0.2.54}",
        *(f"      {record}" for record in records),
    ]
    return "\n".join(lines) + "\n"


def three_regions(
    ports: Sequence[int] | None = None,
    *,
    pace: str = "",
    records: Sequence[str] = (),
    services: Sequence[str] = (),
) -> str:
    """`www.example.com` goes to the nearest of three regions, checked at these local ports if given.

    `pace` is added to each check, such as `interval: 1s, timeout: 500ms`; `records` and `services`, each
    `name: value` in YAML, stand beside those of `www`.
    """
    places = (
        ("us-east", "lat: 39.0, lon: -77.5", US_EAST),
        ("eu-west", "lat: 53.3, lon: -6.3", EU_WEST),
        ("ap-south", "lat: 1.35, lon: 103.8", AP_SOUTH),
    )
    lines: list[str] = []
    if ports is not None:
        lines.append("checks:")
        for (name, _, _), port in zip(places, ports, strict=True):
            how = f"type: http, address: 127.0.0.1, port: {port}, path: /healthz"
            lines.append(f"  {name}: {{{how}{', ' if pace else ''}{pace}}}")
    lines.append("regions:")
    for name, where, address in places:
        check = f"check: {name}, " if ports is not None else ""
        lines.append(f"  {name}: {{location: {{{where}}}, {check}endpoints: [{address}]}}")
    lines += ["services:", "  web: {regions: [us-east, eu-west, ap-south], ttl: 30s, chain: [nearest]}"]
    lines += [f"  {service}" for service in services]
    return "\n".join(lines) + "\n" + zone(["www: {service: web}", *records])


def many_sites(count: int, chains: Sequence[str], services: int, *, head: str = "") -> str:
    """`services` services over the first `count` sites, sharing `chains`; `s<n>.example.com` each."""
    names = [name for name, _, _ in SITES[:count]]
    lines = [head, "regions:"] if head else ["regions:"]
    for index, (name, lat, lon) in enumerate(SITES[:count]):
        lines.append(
            f"  {name}: {{location: {{lat: {lat}, lon: {lon}}}, endpoints: [{site_address(index)}]}}"
        )
    lines.append("services:")
    for number in range(services):
        chain = chains[number % len(chains)]
        lines.append(f"  s{number}: {{regions: [{', '.join(names)}], ttl: 30s, chain: {chain}}}")
    return (
        "\n".join(lines) + "\n" + zone([f"s{number}: {{service: s{number}}}" for number in range(services)])
    )
