"""What works but is likely not meant."""
# ruff: noqa: E501 - messages stand here whole

from tests.policy.cases import Case

CASES: tuple[Case, ...] = (
    Case(
        "warn_unused",
        """\
checks:
  web: {type: http, timeout: 6s, confirm_interval: 7s}
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
  ap: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.30]}
services:
  web: {regions: [us, eu]}
  api: {regions: [us]}
""",
        "2:3: warning: checks.web: no region uses this check",
        "2:30: warning: checks.web.timeout: is longer than the interval (5s); attempts do not overlap, so the pace will be slower",
        "2:52: warning: checks.web.confirm_interval: is longer than the interval; failures are confirmed slower",
        "6:3: warning: regions.ap: no service uses this region",
        "9:3: warning: services.api: no record refers to this service",
    ),
    Case(
        "warn_signals",
        """\
checks:
  web:
    type: http
    signals:
      lag: {path: /lag, degraded: ">1000", down: ">500"}
      free: {path: /free, degraded: "<10", down: "<5"}
regions:
  us: {location: {lat: 1, lon: 1}, check: web, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
""",
        '5:35: warning: checks.web.signals.lag.degraded: never acts: "down" (> 500) is met before it',
    ),
    Case(
        "warn_families",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.10, "2001:db8::1"]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
""",
        '6:23: warning: services.web.regions[1]: region "eu" has no IPv6 address while others have: AAAA is answered without it',
    ),
    Case(
        "warn_families_of_a_ramp",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1}, endpoints: ["2001:db8::1"]}
services:
  web: {regions: [us, eu], chain: [weighted: {ramp: {region: eu, over: 1h}}]}
""",
        '5:19: warning: services.web.regions[0]: region "us" has no IPv6 address while others have: AAAA is answered without it',
        '5:23: warning: services.web.regions[1]: region "eu" has no IPv4 address while others have: A is answered without it, to the ramp\'s cohort too, who get the other family from it',
    ),
    Case(
        "warn_open_geo",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - geo: [{match: {continent: [EU]}, regions: [eu]}]
      - nearest
  end: {regions: [us, eu], chain: [nearest, geo: [{match: {continent: [EU]}, regions: [eu]}], limit: {regions: 2}]}
zones: {example.com: {ns: a.example.net, records: {www: {service: web}, end: {service: end}}}}
""",
        '5:9: warning: services.web.chain[0].geo: whom no rule matches gets the service\'s own order, and "nearest" behind it changes nothing for them; to leave them to it, end with the rule {regions: [[us, eu]]}',
    ),
    Case(
        "warn_geo",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - geo:
          - {match: {continent: [EU], network: [10.0.0.0/8]}, regions: [eu]}
          - {match: {country: [DE, US]}, regions: [us]}
          - {match: {group: [EU], network: [10.1.0.0/16]}, regions: [us]}
          - {match: {subdivision: [US-CA]}, regions: [us]}
          - {regions: [eu]}
          - {match: {country: [JP]}, regions: [us]}
""",
        '7:31: warning: services.web.chain[0].geo[1].match.country: "DE" is never reached: rule 1 takes it; put this rule first',
        '8:44: warning: services.web.chain[0].geo[2].match.network: "10.1.0.0/16" is never reached: rule 1 takes it; put this rule first',
        "9:13: warning: services.web.chain[0].geo[3]: is never reached: rule 2 takes all of it",
        "11:13: warning: services.web.chain[0].geo[5]: is never reached: rule 5 has no match and takes everybody",
    ),
    Case(
        "warn_capacity_beside_a_failover_that_keeps_a_state",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, capacity: 5, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1}, capacity: 5, endpoints: [192.0.2.20]}
services:
  web: {regions: [us, eu], demand: 10, chain: [failover: {order: [us, eu], failback: manual}, capacity]}
""",
        "5:95: warning: services.web.chain[1]: moves nobody: the failover step keeps one region active",
    ),
    Case(
        "warn_partial_lists",
        """\
services:
  web: {regions: [us, eu], chain: [failover: {order: [us]}, weighted: {weights: {us: 2}}]}
""",
        '2:47: warning: services.web.chain[0].failover.order: does not list "eu", which comes last',
        '2:72: warning: services.web.chain[1].weighted.weights: does not list "eu", which weighs 1',
    ),
    Case(
        "warn_targets",
        """\
zones:
  example.com:
    ns: [ns1.example.com, ns.example.net]
    records:
      www: {service: web}
      ns1: {A: 192.0.2.53}
      "@": {MX: [10 ns1, 10 nowhere, 0 www]}
      sub: {NS: [ns.beside, nowhere]}
      a: {A: [192.0.2.1, 192.0.2.1]}
      "b*": {A: 192.0.2.1}
      hidden.sub: {TXT: x}
      beside: {NS: ns.example.net.}
      ds: [{DS: 1 8 2 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}, {A: 192.0.2.1}]
""",
        '7:26: warning: zones["example.com"].records["@"].MX[1]: "nowhere.example.com" has no address in this policy; add its A or AAAA record',
        '8:29: warning: zones["example.com"].records.sub.NS[1]: "nowhere.example.com" has no address in this policy; add its A or AAAA record',
        '9:26: warning: zones["example.com"].records.a.A[1]: the same record stands here twice',
        '10:7: warning: zones["example.com"].records["b*"]: a wildcard is a first label that is just "*"; this one is literal',
        '11:20: warning: zones["example.com"].records["hidden.sub"].TXT: is never answered: "sub.example.com" is delegated to other name servers',
        '13:13: warning: zones["example.com"].records.ds[0].DS: "ds.example.com" is not delegated: DS has no effect',
    ),
    Case(
        "a_child_zone_of_ours",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      sub: [{NS: [ns.sub, NS2.sub]}, {DS: 1 8 2 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}, {A: 192.0.2.1}]
      ns.sub: {A: 192.0.2.1}
      ns2.sub: {AAAA: "2001:db8::1"}
      other: {NS: ns.example.org.}
  sub.example.com: {ns: [ns.sub.example.com, ns2.sub.example.com], records: {ns: {A: 192.0.2.1}, ns2: {A: 192.0.2.2}}}
  other.example.com: {ns: [ns.example.net]}
""",
        '9:19: warning: zones["example.com"].records.other.NS: other name servers than those of the zone "other.example.com" itself',
    ),
)
