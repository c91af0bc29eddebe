"""Keys, kinds and quantities."""
# ruff: noqa: E501 - messages stand here whole

from tests.policy.cases import Case

CASES: tuple[Case, ...] = (
    Case(
        "habits_of_others",
        """\
checks: {web: {type: http, expect: {status: [2xx, 404-403]}}, api: {type: http, expect: {status: 2XX}}}
regions: {us: {location: [39, -77.5], endpoints: 192.0.2.10, check: web, labels: EU}, eu: {location: {lat: 0, lon: 0}, endpoints: 192.0.2.11}}
services:
  web:
    regions: [us, eu]
    chain:
      - failover: [us, eu]
      - weighted: {weights: {us: 99%, eu: 1 %}}
      - limit: 2
      - geo: [{match: {asn: ASX}, regions: []}]
""",
        '1:45: checks.web.expect.status: "404-403" ends before it begins',
        '1:98: checks.api.expect.status: "2XX" is not an HTTP status; write it like 200, 2xx or 200-399',
        "2:26: regions.us.location: expected a mapping, found a list; write {lat: 52.4, lon: 4.9}",
        '2:82: regions.us.labels: expected a mapping, found "EU"; write {jurisdiction: EU}',
        "7:19: services.web.chain[0].failover: expected a mapping, found a list; write {order: [us-east, eu-west]}",
        "8:34: services.web.chain[1].weighted.weights.us: weights are plain numbers in any proportion, not percentages: write 99",
        "8:43: services.web.chain[1].weighted.weights.eu: weights are plain numbers in any proportion, not percentages: write 1",
        "9:16: services.web.chain[2].limit: expected a mapping, found the number 2; write {regions: 2}",
        '10:29: services.web.chain[3].geo[0].match.asn: expected a whole number, found "ASX"',
        "10:44: services.web.chain[3].geo[0].regions: needs at least one entry; for clients who get no answer, write a residency step with regions: []",
    ),
    Case(
        "unknown_section",
        """\
servces: {}
""",
        '1:1: servces: unknown key "servces"; did you mean "services"?',
    ),
    Case(
        "section_of_wrong_kind",
        """\
services: [web]
""",
        "1:11: services: expected a mapping, found a list",
    ),
    Case(
        "unknown_key",
        """\
server: {lisen: "127.0.0.1:53"}
""",
        '1:10: server.lisen: unknown key "lisen"; did you mean "listen"?',
    ),
    Case(
        "unknown_nested_key",
        """\
checks:
  web: {type: http, expect: {statuses: 200}}
""",
        '2:30: checks.web.expect.statuses: unknown key "statuses"; did you mean "status"?',
    ),
    Case(
        "missing_key",
        """\
regions:
  us: {location: {lat: 1, lon: 1}}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
""",
        '2:3: regions.us: "endpoints" is missing',
    ),
    Case(
        "number_for_text",
        """\
server: {seed: 08}
""",
        '1:16: server.seed: expected text, found the number 8; put it in quotes: "08"',
    ),
    Case(
        "boolean_for_text",
        """\
server: {seed: true}
""",
        '1:16: server.seed: expected text, found true; put it in quotes: "true"',
    ),
    Case(
        "text_for_number",
        """\
regions:
  us: {location: {lat: "39", lon: 1}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
""",
        '2:24: regions.us.location.lat: expected a number, found "39"',
    ),
    Case(
        "yes_for_boolean",
        """\
checks:
  web: {type: https, tls: {verify: yes}}
""",
        '2:36: checks.web.tls.verify: expected true or false, found "yes"',
    ),
    Case(
        "latitude",
        """\
regions:
  us: {location: {lat: 139, lon: 1}, endpoints: [192.0.2.10]}
  eu: {location: {lat: .nan, lon: 1}, endpoints: [192.0.2.20]}
""",
        "2:24: regions.us.location.lat: must be at most 90, found the number 139",
        "3:24: regions.eu.location.lat: expected a finite number, found the number nan",
    ),
    Case(
        "list_for_mapping",
        """\
regions:
  us: [192.0.2.10]
  eu: {location: {lat: 1, lon: 1}, endpoints: []}
""",
        "2:7: regions.us: expected a mapping, found a list",
        "3:47: regions.eu.endpoints: needs at least one entry",
    ),
    Case(
        "bad_name",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
  "a b": {location: {lat: 1, lon: 1}, endpoints: [192.0.2.30]}
services:
  web: {regions: [us, eu, "a b"]}
""",
        '4:3: regions["a b"]: a name holds letters, digits, dashes, dots and underscores, at most 63 characters',
    ),
    Case(
        "duration_without_unit",
        """\
services:
  web: {regions: [us, eu], ttl: 300}
""",
        "2:33: services.web.ttl: a duration needs a unit: write 300s (or ms, m, h, d)",
    ),
    Case(
        "duration_unit",
        """\
checks:
  web: {type: http, interval: 5sec}
""",
        '2:31: checks.web.interval: "5sec" is not a duration; write it like 500ms, 30s, 5m, 1h or 1d',
    ),
    Case(
        "zero_interval",
        """\
checks:
  web: {type: http, interval: 0s}
""",
        "2:31: checks.web.interval: a duration must be longer than 0s and at most 366d",
    ),
    Case(
        "ttl_of_service",
        """\
services:
  web: {regions: [us, eu], ttl: 2d}
""",
        "2:33: services.web.ttl: the TTL of a service must be from 1s to 1d, found 2d",
    ),
    Case(
        "ttl_fraction",
        """\
zones:
  example.com: {ns: [ns.example.net], ttl: 500ms, records: {www: {service: web}}}
""",
        '2:44: zones["example.com"].ttl: a TTL counts whole seconds; write it like 30s, 5m or 1h',
    ),
    Case(
        "distance",
        """\
services:
  web: {regions: [us, eu], chain: [nearest: {tolerance: 200}]}
""",
        "2:57: services.web.chain[0].nearest.tolerance: a distance needs a unit: write 200km (or mi)",
    ),
    Case(
        "size",
        """\
server: {limits: {receive_buffer: 4 megabytes}}
""",
        '1:35: server.limits.receive_buffer: "4 megabytes" is not a size; write it like 512KiB or 4MiB',
    ),
)
