"""Files to a policy: the design's own example, folders, and everything at once."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from georouter.facts.rules import BrakeRule
from georouter.policy.load import Loaded, PolicyFile, load
from georouter.policy.model import AllDown, Binding, Endpoint, Location, Soa
from georouter.policy.steps import (
    Failover,
    Geo,
    GeoRule,
    Latency,
    Limit,
    Match,
    Nearest,
    Residency,
    Unplaced,
    Weighted,
    WithoutEcs,
)
from georouter.wire.names import parse_name
from georouter.words.errors import Diagnostic, PolicyError, Severity
from georouter.words.ids import CheckName, RegionName, ServiceName, ZoneName
from tests.policy.policies import SECTIONS, complete, load_text

US, EU, AP = RegionName("us-east"), RegionName("eu-west"), RegionName("ap-south")

EXAMPLE = """\
version: 1
server:   {listen: ["127.0.0.1:5300", "[::1]:5300"], admin: "127.0.0.1:8053", state_dir: ./state, workers: auto, location: {lat: 52.4, lon: 4.9}}
geo:      {database: builtin, networks: {10.20.0.0/16: {country: DE}}}
checks:
  web:    {type: https, path: /healthz, interval: 5s, fall: 3, rise: 2}
regions:
  us-east:    {location: {lat: 39.0, lon: -77.5, country: US}, capacity: 1500, check: web, endpoints: [192.0.2.10]}
  eu-west:    {location: {lat: 53.3, lon: -6.3, country: IE}, capacity: 1500, check: web, endpoints: [192.0.2.20], labels: {jurisdiction: EU}}
  ap-south:   {location: {lat: 1.35, lon: 103.8, country: SG}, capacity: 900, check: web, endpoints: [192.0.2.30]}
services:
  web:
    regions: [us-east, eu-west, ap-south]
    ttl: 30s
    chain:
      - residency: {clients: {group: [EU]}, regions: {labels: {jurisdiction: EU}}}
      - latency: {tolerance: 15ms}
    when_all_down: serve_all
zones:
  example.com:
    soa: {rname: hostmaster.example.com, negative_ttl: 60s}     # mname defaults to the first ns, serial to one that follows content
    ttl: 1h
    ns: [ns1.example.com, ns2.example.com]
    records:
      "@":    [{service: web}, {MX: "10 mail.example.com."}]
      www:    {service: web}
      mail:   {A: 192.0.2.60}
      ns1:    {A: 192.0.2.53, ttl: 1d}
      ns2:    {A: 192.0.2.54, ttl: 1d}
      "*.app": {service: web}
tests:
  - {name: www.example.com, client: 81.2.69.0/24, expect: [eu-west]}
  - {name: www.example.com, client: 8.8.8.0/24, down: [us-east], expect: [eu-west]}
"""  # noqa: E501 - the design's own lines

STEPS = """\
services:
  web:
    regions: [us, eu]
    chain:
      - residency: {clients: {group: [EU], country: [CH]}, regions: {labels: {law: EU}}, unplaced: restrict, without_ecs: resolver}
      - geo:                                          # first match wins
          - {match: {network: [10.0.0.0/8]}, regions: [eu]}
          - {match: {asn: [64500]}, regions: [us]}
          - {match: {subdivision: [US-CA], country: [MX]}, regions: [us, eu]}
          - {match: {continent: [AS, OC]}, regions: [[us, eu]]}
          - {regions: [us]}
      - nearest: {tolerance: 200km, bias: {us: 20}}
      - latency
      - failover: {order: [us, eu], failback: auto}
      - weighted: {weights: {us: 3, eu: 0}}
      - limit: {regions: 1, addresses: 4}
    when_all_down: {fallback: [eu]}
"""  # noqa: E501 - the design's own lines


def test_the_design_example() -> None:
    """The example of the design loads as written, without a warning."""
    loaded = load([PolicyFile("/etc/georouter/georouter.yaml", EXAMPLE)])
    policy = loaded.policy
    assert loaded.warnings == ()
    assert policy.server.listen == (("127.0.0.1", 5300), ("::1", 5300))
    assert policy.server.admin == ("127.0.0.1", 8053)
    assert policy.server.state_dir == "/etc/georouter/state"
    assert (policy.server.workers, policy.server.location) == (0, Location(52.4, 4.9))
    assert [(str(item.network), item.country) for item in policy.geo.networks] == [("10.20.0.0/16", "DE")]
    check = policy.checks[CheckName("web")]
    assert (check.port, check.path, check.statuses, check.verify) == (443, "/healthz", frozenset({200}), True)
    assert policy.regions[US].endpoints == (Endpoint("192.0.2.10", 4, 1.0, CheckName("web")),)
    assert policy.regions[EU].labels == {"jurisdiction": "EU"}
    service = policy.services[ServiceName("web")]
    assert service.regions == (US, EU, AP)
    assert service.chain == (
        Residency(Match(groups=("EU",)), frozenset({EU}), Unplaced.RESTRICT, WithoutEcs.RESOLVER),
        Latency(15.0),
    )
    assert [(test.down, test.expect) for test in policy.tests] == [((), {EU}), ((US,), {EU})]


def test_the_design_zone() -> None:
    """Names, record sets and the SOA of the example's zone."""
    zone = load([PolicyFile("/p.yaml", EXAMPLE)]).policy.zones[ZoneName("example.com")]
    assert zone.apex == parse_name("example.com")
    assert zone.soa == Soa("ns1.example.com", "hostmaster.example.com", negative_ttl_s=60, ttl_s=3600)
    sets = {(item.owner, item.type): (item.ttl_s, item.rdatas) for item in zone.records}
    assert sets[zone.apex, 2] == (3600, (parse_name("ns1.example.com"), parse_name("ns2.example.com")))
    assert sets[zone.apex, 15] == (3600, (b"\0\x0a" + parse_name("mail.example.com"),))
    assert sets[parse_name("ns1.example.com"), 1] == (86400, (bytes((192, 0, 2, 53)),))
    assert {item.owner for item in zone.steered} == {
        zone.apex,
        parse_name("www.example.com"),
        parse_name("*.app.example.com"),
    }


def test_every_step() -> None:
    """The steps of the design as the resolved policy holds them."""
    service = load_text(complete(STEPS)).policy.services[ServiceName("web")]
    us, eu = RegionName("us"), RegionName("eu")
    kinds = [type(step) for step in service.chain]
    assert kinds == [Residency, Geo, Nearest, Latency, Failover, Weighted, Limit]
    assert service.chain[2:] == (
        Nearest(200.0, {us: 20.0}),
        Latency(0.0),
        Failover(((us,), (eu,))),
        Weighted({us: 3, eu: 0}),
        Limit(1, 4),
    )
    geo = service.chain[1]
    assert isinstance(geo, Geo)
    assert [rule.tiers for rule in geo.rules] == [((eu,),), ((us,),), ((us,), (eu,)), ((us, eu),), ((us,),)]
    assert geo.rules[2].match == Match(subdivisions=("US-CA",), countries=("MX",))
    assert geo.rules[4].match is None
    assert (service.when_all_down, service.fallback) == (AllDown.FALLBACK, (eu,))


def test_norway_and_ontario() -> None:
    """Country NO is Norway and subdivision CA-ON Ontario, quoted or not."""
    text = "geo: {networks: {10.0.0.0/8: {country: NO}, 10.1.0.0/16: {subdivision: CA-ON, asn: 64500}}}\n"
    places = load_text(complete(text)).policy.geo.networks
    assert [(item.country, item.subdivision, item.asn) for item in places] == [
        ("NO", None, None),
        ("CA", "CA-ON", 64500),
    ]


def test_records_of_all_forms() -> None:
    """Relative and absolute keys, several types in one mapping, lists, text that looks like a number."""
    text = """\
zones:
  Example.COM.:
    ns: [ns.example.net, NS2.example.net.]
    soa: {rname: dns.admin@example.com, serial: 7}
    ttl: 5m
    records:
      www: {service: web, TXT: [08, "a b"], CAA: '0 issue "ca.example.net"', ttl: 1h}
      WWW.example.com.: {MX: 0 .}
      a.b.: {A: 192.0.2.1}
"""
    with pytest.raises(PolicyError, match="not in the zone"):
        load_text(complete(text))
    zone = load_text(complete(text.replace("a.b.:", "a.b:"))).policy.zones[ZoneName("example.com")]
    www = parse_name("www.example.com")
    sets = {(item.owner, item.type): (item.ttl_s, item.rdatas) for item in zone.records}
    assert sets[www, 16] == (3600, (b"\x0208", b"\x03a b"))
    assert sets[www, 257] == (3600, (b"\x00\x05issueca.example.net",))
    assert sets[www, 15] == (300, (b"\0\0\0",))
    assert sets[parse_name("a.b.example.com"), 1] == (300, (bytes((192, 0, 2, 1)),))
    assert [item.owner for item in zone.steered] == [www]
    assert (zone.soa.mname, zone.soa.rname, zone.soa.serial) == (
        "ns.example.net",
        r"dns\.admin.example.com",
        7,
    )


def test_https_and_svcb_of_services() -> None:
    """Mappings and presentation text are the same records; hints are on for the owner as target."""
    services = """\
services:
  web:
    regions: [us, eu]
    https:
      - {alpn: [h2, h3], port: 8443, params: {key667: hello, mandatory: "alpn,port"}}
      - 1 . port=8443 alpn=h2,h3 key667=hello mandatory=alpn,port
      - {priority: 2, target: Other.example.net, no_default_alpn: true, alpn: h3, hints: true}
      - 2 Other.example.net. no-default-alpn alpn=h3
    svcb: {params: {dohpath: "/q{?dns}", key700: 5, ohttp: null}, hints: false}
  api: {regions: [us, eu], https: null, svcb: "1 ."}
"""
    loaded = load_text(complete(services))
    web, api = loaded.policy.services.values()
    first, *others = web.https
    params = ((0, b"\0\1\0\3"), (1, b"\2h2\2h3"), (3, b"\x20\xfb"), (667, b"hello"))
    assert first == Binding(1, b"\0", params, hints=True)
    target = b"\5Other\7example\3net\0"
    aimed = Binding(2, target, ((1, b"\2h3"), (2, b"")), hints=True)
    assert others == [aimed, replace(aimed, hints=False)]
    assert web.svcb == (Binding(1, b"\0", ((7, b"/q{?dns}"), (8, b""), (700, b"5")), hints=False),)
    assert api.https == api.svcb == (Binding(1, b"\0", (), hints=True),)


def test_a_folder_is_one_policy() -> None:
    """Sections merge, tests follow each other, networks merge, paths belong to their files."""
    files = [
        PolicyFile("/etc/g/10.yaml", "version: 1\nserver: {state_dir: s}\n" + SECTIONS["regions"]),
        PolicyFile(
            "/etc/g/20/x.yaml",
            "server: {admin: false, admin_token_file: token}\n"
            "geo: {networks: {10.0.0.0/8: {country: DE}}, database: [a.mmdb, /b.mmdb]}\n"
            "tests: [{name: www.example.com, client: 10.0.0.1, expect: eu}]\n" + SECTIONS["services"],
        ),
        PolicyFile(
            "30.yaml",
            "version: 1\ngeo: {networks: {10.1.0.0/16: {country: FR}}, asn: asn.mmdb}\n"
            "tests: [{name: www.example.com, client: '2001:db8::1', expect: eu}]\n" + SECTIONS["zones"],
        ),
    ]
    policy = load(files, root="/root/dir").policy
    assert (policy.server.state_dir, policy.server.admin) == ("/etc/g/s", None)
    assert policy.server.admin_token_file == "/etc/g/20/token"
    assert policy.geo.databases == ("/etc/g/20/a.mmdb", "/b.mmdb")
    assert policy.geo.asn_databases == ("/root/dir/asn.mmdb",)
    assert [item.country for item in policy.geo.networks] == ["DE", "FR"]
    assert [test.where for test in policy.tests] == ["/etc/g/20/x.yaml:3:9", "30.yaml:3:9"]
    assert [str(test.client) for test in policy.tests] == ["10.0.0.1/32", "2001:db8::/64"]


def test_the_same_key_in_two_files() -> None:
    """Both places are named."""
    files = [
        PolicyFile("/a.yaml", "version: 1\nserver: {admin: false}\n" + SECTIONS["regions"]),
        PolicyFile(
            "/b.yaml",
            "server: {admin: false}\nregions:\n  us: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.1]}\n"
            + SECTIONS["services"]
            + SECTIONS["zones"],
        ),
    ]
    assert problems(files) == [
        "/b.yaml:1:10: server.admin: is already defined at /a.yaml:2:10",
        "/b.yaml:3:3: regions.us: is already defined at /a.yaml:4:3",
    ]


def test_versions() -> None:
    """One file at least says the version, and every one that does says 1."""
    rest = "".join(text for name, text in SECTIONS.items() if name != "version")
    assert problems([PolicyFile("/a.yaml", rest)]) == [
        '/a.yaml:1:1: "version" is missing; start with "version: 1"'
    ]
    files = [PolicyFile("/a.yaml", "version: 1\n" + rest), PolicyFile("/b.yaml", 'version: "2"\n')]
    assert problems(files) == [
        '/b.yaml:1:10: version: this program reads version 1 of the policy format, found "2"'
    ]


def test_an_unreadable_file_causes_no_other_errors() -> None:
    """Names defined in a file that cannot be read are not reported as unknown."""
    files = [
        PolicyFile("/a.yaml", "version: 1\nserver: {lissen: x}\n" + SECTIONS["services"] + SECTIONS["zones"]),
        PolicyFile("/b.yaml", "regions: [\n"),
        PolicyFile("/c.yaml", "\t\n"),
    ]
    found = problems(files)
    assert [line.split(": ")[0] for line in found] == ["/a.yaml:2:10", "/b.yaml:2:1", "/c.yaml:1:1"]


def test_everything_at_once() -> None:
    """A broken piece hides neither the errors of other pieces nor those of its own parts."""
    text = """\
version: 1
server: {listen: nowhere}
regions:
  us: {location: {lat: 1, lon: 1, country: UK}, endpoints: [x/y]}
  eu: {loc: {}}
services:
  web:
    regions: [us, eu, ap]
    tttl: 1
    chain: [nearest: {tolerance: 5}, geo: [{regions: [us]}], foo]
  api: {regions: [eu], chain: [failover: {order: [us]}]}
zones:
  example.com:
    ns: [ns.example.net]
    records: {www: {service: web}, a: {A: 1}, b: {service: ap}}
"""
    found = problems([PolicyFile("/a.yaml", text)])
    assert [re.match(r"/a.yaml:(\d+:\d+): (?:([^ ]+): )", line).groups() for line in found] == [  # type: ignore[union-attr]
        ("2:18", "server.listen"),
        ("4:44", "regions.us.location.country"),
        ("4:61", "regions.us.endpoints[0]"),
        ("5:3", "regions.eu"),
        ("5:8", "regions.eu.loc"),
        ("8:23", "services.web.regions[2]"),
        ("9:5", "services.web.tttl"),
        ("10:34", "services.web.chain[0].nearest.tolerance"),
        ("10:62", "services.web.chain[2]"),
        ("11:51", "services.api.chain[0].failover.order[0]"),
        ("15:43", 'zones["example.com"].records.a.A'),
        ("15:60", 'zones["example.com"].records.b.service'),
    ]


def test_no_files() -> None:
    """Nothing to load is an error of the operator."""
    with pytest.raises(PolicyError, match="no policy file"):
        load([], root="/etc/georouter")


def test_same_text_same_policy() -> None:
    """Loading is a function of the text; matches know their places but do not differ by them."""
    first, second = load_text(complete(STEPS)), load_text("\n" + complete(STEPS))
    assert first.policy.services == second.policy.services
    geo = first.policy.services[ServiceName("web")].chain[1]
    assert isinstance(geo, Geo)
    assert geo.rules[0].match is not None
    assert geo.rules[0].match.where == "/etc/p.yaml:7:21"


def problems(files: list[PolicyFile]) -> list[str]:
    """Every finding of a load that fails."""
    with pytest.raises(PolicyError) as caught:
        load(files)
    assert list(caught.value.diagnostics) == sorted(caught.value.diagnostics)
    return [str(item) for item in caught.value.diagnostics]


def accepts(text: str) -> None:
    """Loading gives a policy or findings, nothing else."""
    found: tuple[Diagnostic, ...] = ()
    try:
        assert isinstance(load([PolicyFile("/p.yaml", text)]), Loaded)
    except PolicyError as error:
        found = error.diagnostics
    assert not found or any(item.severity is Severity.ERROR for item in found)
    assert all(item.line >= 1 and item.column >= 1 for item in found)


@settings(deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    """Any text gives a policy or a PolicyError."""
    accepts(text)


WORDS = (
    "*",
    "@",
    "[",
    "]",
    "{",
    "}",
    ":",
    "- ",
    "null",
    "NO",
    "[]",
    "{}",
    "-1",
    ".nan",
    "1e999",
    '"',
    "&a",
    "*a",
    "<<: ",
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_mutation(data: st.DataObject) -> None:
    """A valid policy in which words were replaced, removed or repeated, lines moved or dropped."""
    source = data.draw(st.sampled_from((EXAMPLE, complete(STEPS))))
    tokens = re.findall(r"[\w.-]+|\s+|.", source)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(tokens) - 1))
        other = data.draw(st.sampled_from(tokens) | st.sampled_from(WORDS) | st.text(max_size=3))
        tokens[at : at + data.draw(st.integers(0, 2))] = [other]
    accepts("".join(tokens))


def test_ten_thousand_names_load_quickly() -> None:
    """A reload of 10,000 names has 3 s for everything; loading is a part of it."""
    names = "".join(
        f"      n{i}: {{service: web}}\n"
        if i % 2
        else f"      n{i}: {{A: 10.0.{i >> 8}.{i & 255}, TXT: x {i}}}\n"
        for i in range(10_000)
    )
    text = complete(SECTIONS["zones"] + names)
    start = time.process_time()
    policy = load_text(text).policy
    assert time.process_time() - start < 2
    assert len(policy.zones[ZoneName("example.com")].steered) == 5001


def test_the_example_is_the_one_of_the_readme(repository: Path) -> None:
    """The policy in README.md loads without a warning."""
    found = re.search(r"```yaml\n(version: 1.*?)```", (repository / "README.md").read_text(), re.DOTALL)
    assert found is not None
    assert load([PolicyFile("/r.yaml", found.group(1))]).warnings == ()


def test_one_may_stand_for_a_list() -> None:
    """Single regions, endpoints and name servers; empty sections and chains."""
    text = """\
server:
checks:
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: "2001:DB8::1"}
services:
  web: {regions: us, chain: }
zones:
  .: {ns: ns.example.net, records: {www.: {service: web}, ns.example.net: {A: 192.0.2.1}}}
"""
    loaded = load_text(complete(text))
    assert loaded.warnings == ()
    assert loaded.policy.regions[RegionName("us")].endpoints == (Endpoint("2001:db8::1", 6),)
    assert loaded.policy.zones[ZoneName(".")].soa.rname == "hostmaster"
    assert loaded.policy.zones[ZoneName(".")].steered[0].owner == parse_name("www")


def test_habits_of_others() -> None:
    """A region instead of a list of tiers, labels with several values, `AS64500`, ranges of HTTP statuses."""
    policy = load_text(
        complete("""\
checks: {web: {type: http, expect: {status: [2xx, 301, 404-405]}}, api: {type: http, expect: {status: 3xx}}}
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: 192.0.2.1, check: web, labels: {law: US}}
  eu: {location: {lat: 1, lon: 1}, endpoints: 192.0.2.2, check: api, labels: {law: EEA}}
  ch: {location: {lat: 1, lon: 1}, endpoints: 192.0.2.3, check: api, labels: {law: CH}}
services:
  web:
    regions: [us, eu, ch]
    chain:
      - residency: {clients: {country: [DE]}, regions: {labels: {law: [EEA, CH]}}}
      - residency: {clients: {country: [KP]}, regions: [], unplaced: allow}
      - geo: [{match: {asn: [AS64500, 64501]}, regions: eu}, {match: {asn: AS64502}, regions: us}]
""")
    ).policy
    assert policy.checks[CheckName("web")].statuses == {*range(200, 300), 301, 404, 405}
    assert policy.checks[CheckName("api")].statuses == set(range(300, 400))
    us, eu, ch = RegionName("us"), RegionName("eu"), RegionName("ch")
    assert policy.services[ServiceName("web")].chain == (
        Residency(Match(countries=("DE",)), frozenset({eu, ch})),
        Residency(Match(countries=("KP",)), frozenset(), Unplaced.ALLOW),
        Geo((GeoRule(Match(asns=(64500, 64501)), ((eu,),)), GeoRule(Match(asns=(64502,)), ((us,),)))),
    )


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("{}", BrakeRule(0.5, 6, 10.0, 300.0)),
        ("{brake: }", BrakeRule()),
        ("{brake: {share: 40%, min_regions: 8, window: 30s, max_freeze: 1m}}", BrakeRule(0.4, 8, 30.0, 60.0)),
        ("{brake: off}", None),
        ("{brake: 'off'}", None),
        ("{brake: false}", None),
    ],
)
def test_the_brake(written: str, rule: BrakeRule | None) -> None:
    """On unless it is switched off."""
    assert load_text(complete(f"server: {written}\n")).policy.server.brake == rule
