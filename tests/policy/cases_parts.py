"""Server, geo, checks, regions and services that make no sense."""
# ruff: noqa: E501 - messages stand here whole

from tests.policy.cases import Case

CASES: tuple[Case, ...] = (
    Case(
        "check_headers",
        """\
checks:
  web: {type: http, headers: {"X Y": a, Host: b, Connection: close, X-A: "ü", X-C: " x"}}
  api: {type: http, headers: {X-A: a, x-a: b, Empty: ""}}
  tcp: {type: tcp, port: 80, headers: {X-A: a}}
regions:
  us: {endpoints: [{address: 192.0.2.10, check: web}, {address: 192.0.2.11, check: tcp}]}
  eu: {endpoints: [192.0.2.20], check: api}
""",
        '2:31: checks.web.headers["X Y"]: is not the name of a header field',
        '2:41: checks.web.headers.Host: is the key "host" of the check',
        "2:50: checks.web.headers.Connection: is set by georouter itself",
        "2:74: checks.web.headers.X-A: must be printable ASCII without blanks around it",
        "2:84: checks.web.headers.X-C: must be printable ASCII without blanks around it",
        "3:39: checks.api.headers.x-a: stands here twice; names of header fields have no case",
        '4:30: checks.tcp.headers: a tcp check has no "headers"',
    ),
    Case(
        "no_location_where_one_is_needed",
        """\
regions:
  us: {endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
  sorry: {endpoints: [192.0.2.30]}
services:
  web: {regions: [us, eu], chain: [nearest], when_all_down: {fallback: [sorry]}}
  api: {regions: [us, eu], chain: [latency]}
zones: {example.com: {ns: a.example.net, records: {www: {service: web}, api: {service: api}}}}
""",
        '2:3: regions.us: "location" is missing, which the "latency" step of service "api" needs',
        '2:3: regions.us: "location" is missing, which the "nearest" step of service "web" needs',
    ),
    Case(
        "denial_without_unplaced",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - residency: {clients: {country: [KP]}, regions: []}
      - residency: {clients: {country: [DE]}, regions: {labels: {law: [CH, NO]}}}
""",
        "5:47: services.web.chain[0].residency.regions: allows no region at all; if these clients are to get no answer, say what unplaced addresses get: unplaced: allow (what they would without this fence) or unplaced: deny",
        '6:47: services.web.chain[1].residency.regions: no region of service "web" has the labels {law: [CH, NO]}',
    ),
    Case(
        "listen_without_port",
        """\
server: {listen: "127.0.0.1"}
""",
        '1:18: server.listen: "127.0.0.1" has no port; write it like "127.0.0.1:5300" or "[::1]:5300"',
    ),
    Case(
        "listen_host",
        """\
server: {listen: ["localhost:53", ":53", "*:53", "::1:53", "[::1]:99999"]}
""",
        '1:19: server.listen[0]: "localhost" is not an IP address; write it like "127.0.0.1:5300" or "[::1]:5300"',
        '1:35: server.listen[1]: ":53" names no address; use 0.0.0.0:53 or [::]:53 for all of them',
        '1:42: server.listen[2]: "*:53" names no address; use 0.0.0.0:53 or [::]:53 for all of them',
        '1:50: server.listen[3]: an IPv6 address needs brackets before the port; write it like "127.0.0.1:5300" or "[::1]:5300"',
        "1:60: server.listen[4]: a port is a number from 1 to 65535, found 99999",
    ),
    Case(
        "rate_limit",
        """\
server:
  rate_limit: {slip: 11, ipv4: 33, ipv6: 8}
""",
        '2:3: server.rate_limit: "responses_per_second" is missing',
        "2:22: server.rate_limit.slip: must be at most 10, found the number 11",
        "2:32: server.rate_limit.ipv4: must be at most 32, found the number 33",
        "2:42: server.rate_limit.ipv6: must be at least 16, found the number 8",
    ),
    Case(
        "brake",
        """\
server:
  brake: {share: 100%, min_regions: 1, window: 0s, max_freeze: long}
""",
        '2:18: server.brake.share: must be at most 99, found "100%"',
        "2:37: server.brake.min_regions: must be at least 2, found the number 1",
        "2:48: server.brake.window: a duration must be longer than 0s and at most 366d",
        '2:64: server.brake.max_freeze: "long" is not a duration; write it like 500ms, 30s, 5m, 1h or 1d',
    ),
    Case(
        "brake_on",
        """\
server: {brake: yes}
""",
        '1:17: server.brake: expected a mapping such as {share: 50%}, or off, found "yes"',
    ),
    Case(
        "exempt",
        """\
server:
  rate_limit: {responses_per_second: 10, exempt: ["::1", 192.0.2.1/24, mon.example.com, "::ffff:192.0.2.0/120"]}
""",
        '2:58: server.rate_limit.exempt[1]: "192.0.2.1/24" has bits set beyond its prefix; did you mean 192.0.2.0/24?',
        '2:72: server.rate_limit.exempt[2]: "mon.example.com" is not a network; '
        "write it like 192.0.2.0/24 or 2001:db8::/32",
        '2:89: server.rate_limit.exempt[3]: "::ffff:192.0.2.0/120" is a mapped IPv4 network; write 192.0.2.0/24',
    ),
    Case(
        "debug",
        """\
server:
  debug: {allow: [127.0.0.1/8, localhost], deny: []}
""",
        '2:19: server.debug.allow[0]: "127.0.0.1/8" has bits set beyond its prefix; did you mean 127.0.0.0/8?',
        '2:32: server.debug.allow[1]: "localhost" is not a network; write it like 192.0.2.0/24 or 2001:db8::/32',
        '2:44: server.debug.deny: unknown key "deny"; known: allow',
    ),
    Case(
        "debug_for_nobody",
        """\
server: {debug: {}}
""",
        '1:10: server.debug: "allow" is missing',
    ),
    Case(
        "names_of_the_server",
        """\
server: {nsid: "a\\tb", identity: "é", version: ""}
""",
        '1:16: server.nsid: must be printable ASCII, found "a\\tb"',
        '1:34: server.identity: must be printable ASCII, found "é"',
        "1:48: server.version: must not be empty",
    ),
    Case(
        "listen_twice",
        """\
server: {listen: ["[::1]:53", "[0:0::1]:53"]}
""",
        '1:31: server.listen[1]: "[0:0::1]:53" is listed twice',
    ),
    Case(
        "workers",
        """\
server: {workers: 0}
""",
        "1:19: server.workers: expected auto or a number from 1 to 256, found the number 0",
    ),
    Case(
        "geo_mixed",
        """\
geo: {database: [builtin, x.mmdb]}
""",
        '1:17: geo.database: "builtin" cannot be combined with files',
    ),
    Case(
        "network_host_bits",
        """\
geo: {networks: {10.0.0.1/8: {country: DE}}}
""",
        '1:18: geo.networks["10.0.0.1/8"]: "10.0.0.1/8" has bits set beyond its prefix; did you mean 10.0.0.0/8?',
    ),
    Case(
        "network_too_long",
        """\
geo: {networks: {"2001:db8::1/128": {country: DE}}}
""",
        '1:18: geo.networks["2001:db8::1/128"]: "2001:db8::1/128" is longer than /64; the longest that fits is 2001:db8::/64',
    ),
    Case(
        "network_twice",
        """\
geo: {networks: {"2001:db8::/32": {country: DE}, "2001:0db8::/32": {country: DE}}}
""",
        '1:50: geo.networks["2001:0db8::/32"]: 2001:db8::/32 is listed twice',
    ),
    Case(
        "network_nothing",
        """\
geo: {networks: {10.0.0.0/8: {}, 10.1.0.0/16: {lat: 1}, 10.2.0.0/16: {country: FR, subdivision: US-CA}}}
""",
        '1:18: geo.networks["10.0.0.0/8"]: says nothing about the network; give a country, lat and lon, or asn',
        '1:34: geo.networks["10.1.0.0/16"]: "lat" and "lon" go together',
        '1:97: geo.networks["10.2.0.0/16"].subdivision: "US-CA" is a subdivision of US, not of FR',
    ),
    Case(
        "network_mapped",
        """\
geo: {networks: {"::ffff:10.0.0.0/104": {country: DE}}}
""",
        '1:18: geo.networks["::ffff:10.0.0.0/104"]: "::ffff:10.0.0.0/104" is a mapped IPv4 network; write 10.0.0.0/8',
    ),
    Case(
        "check_type",
        """\
checks:
  web: {type: htps}
""",
        '2:15: checks.web.type: expected http, https or tcp, found "htps"; did you mean "https"?',
    ),
    Case(
        "tcp_check",
        """\
checks:
  web: {type: tcp, path: /}
""",
        '2:3: checks.web: "port" is missing; a tcp check has no default port',
        '2:20: checks.web.path: a tcp check has no "path"',
    ),
    Case(
        "tls_on_http",
        """\
checks:
  web: {type: http, tls: {verify: false}}
""",
        '2:21: checks.web.tls: only an https check has "tls", this one is http',
    ),
    Case(
        "signals",
        """\
checks:
  web:
    type: http
    signals:
      lag: {field: x}
      low: {path: /a~2, degraded: 1000, down: "<fast"}
      mix: {path: /a, degraded: ">1", down: "==true", hysteresis: 95%}
  db: {type: tcp, port: 1, signals: {lag: {path: /a}}}
""",
        '5:7: checks.web.signals.lag: "path" is missing',
        '5:13: checks.web.signals.lag.field: unknown key "field"; known: degraded, down, hysteresis, missing, path',
        '6:35: checks.web.signals.low.degraded: this is not a comparison; write it like ">1000", "<=0.5" or "==true"',
        '6:47: checks.web.signals.low.down: "<fast" compares with no number; texts, true and false know == and != only',
        '7:67: checks.web.signals.mix.hysteresis: must be at most 90, found "95%"',
        '8:28: checks.db.signals: a tcp check has no "signals"',
    ),
    Case(
        "signals_meaning",
        """\
checks:
  web:
    type: http
    signals:
      Lag-ms: {path: db}
      low: {path: /a~2}
      mixed: {path: /a, degraded: ">1", down: "==true"}
""",
        "5:7: checks.web.signals.Lag-ms: a signal is named like replication_lag_ms: small letters, digits and _, a letter first",
        '5:22: checks.web.signals.Lag-ms.path: a JSON pointer starts with "/", like /db/lag_ms; found "db"',
        "6:19: checks.web.signals.low.path: in a JSON pointer ~ is written ~0, and / inside a key ~1 (RFC 6901)",
        '7:47: checks.web.signals.mixed.down: compares with another kind of value than "degraded"; one value cannot be both',
    ),
    Case(
        "check_path",
        """\
checks:
  web: {type: http, path: healthz}
""",
        '2:27: checks.web.path: a path starts with "/", found "healthz"',
    ),
    Case(
        "unknown_check",
        """\
checks:
  web: {type: http}
regions:
  us: {location: {lat: 1, lon: 1}, check: wbe, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1}, check: web, endpoints: [{address: 192.0.2.20, check: nope}]}
""",
        '4:43: regions.us.check: unknown check "wbe"; did you mean "web"?',
        '5:89: regions.eu.endpoints[0].check: unknown check "nope"; known: web',
    ),
    Case(
        "endpoint_not_an_address",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.300]}
  eu: {location: {lat: 1, lon: 1}, endpoints: ["192.0.2.20:80", "fe80::1%eth0", 0.0.0.0]}
""",
        '2:48: regions.us.endpoints[0]: "192.0.2.300" is neither an IP address nor a hostname',
        '3:48: regions.eu.endpoints[0]: "192.0.2.20:80" is neither an IP address nor a hostname (the port belongs to the check)',
        '3:65: regions.eu.endpoints[1]: "fe80::1%eth0" has a zone index; leave out everything from the "%"',
        '3:81: regions.eu.endpoints[2]: "0.0.0.0" is not the address of one host',
    ),
    Case(
        "endpoint_twice",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: ["2001:db8::1", "2001:DB8:0::1"]}
  eu: {location: {lat: 1, lon: 1}, endpoints: ["2001:db8::2"]}
""",
        '2:63: regions.us.endpoints[1]: endpoint "2001:DB8:0::1" is listed twice',
    ),
    Case(
        "endpoints_mixed",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.10, lb.example.net]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
""",
        "2:36: regions.us.endpoints: endpoints are all addresses or all hostnames, not both",
    ),
    Case(
        "endpoint_weights",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [{address: 192.0.2.10, weight: 0}]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [{address: 192.0.2.20, weight: -1}], min_healthy: 2}
""",
        "2:36: regions.us.endpoints: at least one endpoint needs a weight above 0",
        "3:78: regions.eu.endpoints[0].weight: must be at least 0, found the number -1",
    ),
    Case(
        "min_healthy",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.10], min_healthy: 2}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
""",
        "2:74: regions.us.min_healthy: is more than the region has endpoints (1)",
    ),
    Case(
        "countries",
        """\
regions:
  us: {location: {lat: 1, lon: 1, country: USA}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1, country: UK}, endpoints: [192.0.2.20]}
""",
        '2:44: regions.us.location.country: unknown country "USA"; did you mean "US" (United States)?',
        '3:44: regions.eu.location.country: unknown country "UK"; did you mean "GB" (United Kingdom)?',
    ),
    Case(
        "norway_and_false",
        """\
regions:
  us: {location: {lat: 1, lon: 1, country: NO}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 1, lon: 1, country: false}, endpoints: [192.0.2.20]}
""",
        '3:44: regions.eu.location.country: expected text, found false; put it in quotes: "false"',
    ),
    Case(
        "service_without_regions",
        """\
services:
  web: {regions: []}
""",
        "2:18: services.web.regions: needs at least one entry",
    ),
    Case(
        "service_unknown_region",
        """\
services:
  web: {regions: [us, ue, us]}
""",
        '2:23: services.web.regions[1]: unknown region "ue"; known: eu, us',
        '2:27: services.web.regions[2]: region "us" is listed twice',
    ),
    Case(
        "when_all_down",
        """\
services:
  web: {regions: [us, eu], when_all_down: serve-all}
""",
        '2:43: services.web.when_all_down: expected serve_all, last_known, servfail or {fallback: [regions]}, found "serve-all"; did you mean "serve_all"?',
    ),
    Case(
        "fallback",
        """\
services:
  web: {regions: [us, eu], when_all_down: {fallback: [eo], mode: x}}
""",
        '2:55: services.web.when_all_down.fallback[0]: unknown region "eo"; known: eu, us',
        '2:60: services.web.when_all_down.mode: unknown key "mode"; known: fallback',
    ),
    Case(
        "step_unknown",
        """\
services:
  web: {regions: [us, eu], chain: [nearset]}
""",
        '2:36: services.web.chain[0]: unknown step "nearset"; did you mean "nearest"?',
    ),
    Case(
        "steps_unknown",
        """\
services:
  web: {regions: [us, eu], chain: [stiky, capacity: {steady_limit: 0}, pin: {directory: t.txt}]}
""",
        '2:36: services.web.chain[0]: unknown step "stiky"; did you mean "sticky"?',
        "2:68: services.web.chain[1].capacity.steady_limit: must be more than 0, found the number 0",
        '2:89: services.web.chain[2].pin.directory: "t.txt" is no tenant file; its name ends with .csv, .json, .db, '
        ".sqlite, .sqlite3",
    ),
    Case(
        "capacity_limits",
        """\
services:
  web: {regions: [us, eu], chain: [capacity: {steady_limit: 120%}]}
""",
        "2:36: services.web.chain[0].capacity: no region of the service has a capacity, so nothing can overflow",
        "2:46: services.web.chain[0].capacity: must not be below steady_limit, 120%; found 100%",
    ),
    Case(
        "step_two_keys",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - nearest: {}
        latency: {}
      - limit
      - failover:
      - [nearest]
""",
        '5:9: services.web.chain[0]: a step is one key such as "- latency: {tolerance: 15ms}", found 2 (nearest, latency)',
        '7:9: services.web.chain[1]: the step "limit" needs parameters',
        '8:9: services.web.chain[2].failover: the step "failover" needs parameters',
        '9:9: services.web.chain[3]: a step is one key such as "- latency: {tolerance: 15ms}", found a list',
    ),
    Case(
        "step_twice",
        """\
services:
  web: {regions: [us, eu], chain: [nearest, nearest: {tolerance: 1km}]}
""",
        '2:45: services.web.chain[1].nearest: a second "nearest" step cannot act; keep one',
    ),
    Case(
        "failback",
        """\
services:
  web: {regions: [us, eu], chain: [failover: {order: [us, eu], failback: manul}]}
  api: {regions: [us, eu], chain: [failover: {order: [us, eu], failback: {after: 0}}]}
  old: {regions: [us, eu], chain: [failover: {order: [us, eu], failback: [auto]}]}
""",
        "2:74: services.web.chain[0].failover.failback: expected auto, manual or {after: 10m}",
        "3:74: services.api.chain[0].failover.failback: expected auto, manual or {after: 10m}",
        "4:74: services.old.chain[0].failover.failback: expected auto, manual or {after: 10m}",
    ),
    Case(
        "failover_state",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - failover:
          order: [[us, eu]]
          failback: manual
          max_lag: 5
  api: {regions: [us, eu], chain: [failover: {order: [us], failback: manual, beyond_max_lag: serve}]}
  old: {regions: [us, eu], chain: [failover: {order: [us, eu], signal: lag, beyond_max_lag: serve}]}
""",
        '6:18: services.web.chain[0].failover.order: region "eu" has no check with the signal "replication_lag_ms"',
        "6:19: services.web.chain[0].failover.order[0]: one region at a time is active: a step with more than an order has no equal regions",
        '6:19: services.web.chain[0].failover.order[0]: region "us" has no check with the signal "replication_lag_ms"',
        "9:47: services.api.chain[0].failover.order: must name every region of the service: eu could never take over",
        '9:78: services.api.chain[0].failover.beyond_max_lag: says nothing without "max_lag"',
        "10:64: services.old.chain[0].failover.signal: says nothing without choose: least_lag or max_lag",
        "10:77: services.old.chain[0].failover.beyond_max_lag: says nothing without max_lag",
    ),
    Case(
        "failover_hooks",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - failover:
          order: [us, eu]
          failback: manual
          promote:
            url: ftp://a.example
            ca_file: ca.pem
            headers: {Host: x, "a b": y, X-Emoji: "\u263a", X-Fine: {file: t, text: u}}
            on_refusal: panic
          notify: {url: "https://ada:secret@a.example/", body: {id: 5, from: x}}
  api:
    regions: [us, eu]
    chain:
      - failover:
          order: [us, eu]
          failback: manual
          promote: {url: "http:///x", ca_file: ca.pem, headers: {Host: x, "a b": y, X-Emoji: "\u263a"}}
          notify: {url: "https://ada:secret@a.example/", body: {from: x}}
""",
        "11:64: services.web.chain[0].failover.promote.headers.X-Fine: expected text or {file: path}, found a mapping",
        '12:25: services.web.chain[0].failover.promote.on_refusal: expected stay or switch, found "panic"',
        "13:69: services.web.chain[0].failover.notify.body.id: expected text or {file: path}, found the number 5",
        "20:26: services.api.chain[0].failover.promote.url: expected a URL like https://control.example.net/promote",
        "20:39: services.api.chain[0].failover.promote.ca_file: is for https:// only",
        "20:66: services.api.chain[0].failover.promote.headers.Host: is set by georouter itself",
        '20:75: services.api.chain[0].failover.promote.headers["a b"]: is not the name of a header field',
        "20:94: services.api.chain[0].failover.promote.headers.X-Emoji: must be printable ASCII",
        "21:25: services.api.chain[0].failover.notify.url: a secret does not belong into a URL; use headers with {file: ...}",
        "21:65: services.api.chain[0].failover.notify.body.from: is set by georouter itself",
    ),
    Case(
        "bias",
        """\
services:
  web: {regions: [us, eu], chain: [nearest: {bias: {us: 120, eo: 5}}]}
""",
        "2:57: services.web.chain[0].nearest.bias.us: must be at most 99, found the number 120",
    ),
    Case(
        "bias_region",
        """\
services:
  web: {regions: [us, eu], chain: [nearest: {bias: {eo: 5%}}]}
""",
        '2:53: services.web.chain[0].nearest.bias.eo: unknown region "eo"; known: eu, us',
    ),
    Case(
        "weights_zero",
        """\
services:
  web: {regions: [us, eu], chain: [weighted: {weights: {us: 0, eu: 0}}]}
""",
        "2:47: services.web.chain[0].weighted.weights: at least one region needs a weight above 0",
    ),
    Case(
        "ramp_backwards",
        """\
services:
  web: {regions: [us, eu], chain: [weighted: {weights: {eu: 1}, ramp: {region: eu, from: 5%, to: 3%, over: 1h}}]}
""",
        '2:57: services.web.chain[0].weighted.weights.eu: the ramp says what "eu" gets; leave its weight out',
        "2:98: services.web.chain[0].weighted.ramp.to: must be above from, 5%; found 3%",
    ),
    Case(
        "ramp_to_nowhere",
        """\
services:
  web: {regions: [us, eu], chain: [weighted: {ramp: {region: us2, over: 1h}}]}
""",
        '2:62: services.web.chain[0].weighted.ramp.region: unknown region "us2"; did you mean "us"?',
    ),
    Case(
        "ramp_alone_and_unheard",
        """\
services:
  web:
    regions: [us]
    chain:
      - weighted: {ramp: {region: us, over: 1h, pause_if: {signals: {errors: ">1"}}, step_back: {after: 1m, to: 9%}}}
""",
        "5:35: services.web.chain[0].weighted.ramp.region: there is no other region to move clients from: "
        "a ramp needs one",
        '5:70: services.web.chain[0].weighted.ramp.pause_if.signals.errors: region "us" has no check with the '
        'signal "errors"',
        "5:113: services.web.chain[0].weighted.ramp.step_back.to: must not be above from, 1%; found 9%",
    ),
    Case(
        "weighted_empty",
        """\
services:
  web: {regions: [us, eu], chain: [weighted: {}]}
""",
        '2:36: services.web.chain[0].weighted: says nothing without "weights" or "ramp"',
    ),
    Case(
        "region_of_other_service",
        """\
services:
  web: {regions: [us, eu], chain: [failover: {order: [us, eu]}]}
  api: {regions: [us], chain: [failover: {order: [us, eu, us]}]}
""",
        '3:55: services.api.chain[0].failover.order[1]: region "eu" is not among the regions of service "api"',
        '3:59: services.api.chain[0].failover.order[2]: region "us" is listed twice',
    ),
    Case(
        "residency_no_region",
        """\
services:
  web: {regions: [us, eu], chain: [residency: {clients: {group: [EU]}, regions: {labels: {law: CH}}}]}
""",
        '2:72: services.web.chain[0].residency.regions: no region of service "web" has the labels {law: CH}',
    ),
    Case(
        "residency_names",
        """\
services:
  web: {regions: [us], chain: [residency: {clients: {group: [EU]}, regions: [eu]}]}
""",
        '2:78: services.web.chain[0].residency.regions[0]: region "eu" is not among the regions of service "web"',
    ),
    Case(
        "residency_nobody",
        """\
services:
  web: {regions: [us, eu], chain: [residency: {clients: {}, regions: [eu], unplaced: refuse}]}
""",
        '2:86: services.web.chain[0].residency.unplaced: expected allow, restrict or deny, found "refuse"',
    ),
    Case(
        "match_nobody",
        """\
services:
  web: {regions: [us, eu], chain: [residency: {clients: {}, regions: [eu]}]}
""",
        "2:48: services.web.chain[0].residency.clients: matches nobody; name at least one of network, asn, city, subdivision, country, continent, group",
    ),
    Case(
        "match_networks",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - geo:
          - {match: {network: [10.0.0.0/33, "2001:db8::/65", 10.0.0.1/24]}, regions: [us]}
""",
        '6:32: services.web.chain[0].geo[0].match.network[0]: "10.0.0.0/33" is not a network; write it like 192.0.2.0/24 or 2001:db8::/32',
        '6:45: services.web.chain[0].geo[0].match.network[1]: "2001:db8::/65" is longer than /64; the longest that fits is 2001:db8::/64',
        '6:62: services.web.chain[0].geo[0].match.network[2]: "10.0.0.1/24" has bits set beyond its prefix; did you mean 10.0.0.0/24?',
    ),
    Case(
        "tiers",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - geo: [{regions: [[us, eu], us]}]
      - failover: {order: [us, []]}
""",
        '5:36: services.web.chain[0].geo[0].regions[1]: region "us" is listed twice',
        "6:32: services.web.chain[1].failover.order[1]: a tier needs at least one region",
    ),
    Case(
        "hostnames_and_limit",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [us.example.net]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [192.0.2.20]}
services:
  web: {regions: [us, eu], chain: [limit: {regions: 2}]}
""",
        '5:53: services.web.chain[0].limit.regions: region "us" has hostnames, and an answer holds only one; use 1',
    ),
    Case(
        "codes_of_places",
        """\
services:
  web:
    regions: [us, eu]
    chain:
      - geo:
          - {match: {country: [EU, de, US-CA, Germani, AS, OC]}, regions: [us]}
          - {match: {subdivision: [us-ca, DE, XX-1, US-XX, ON]}, regions: [us]}
          - {match: {continent: [EEA, EUR, XY]}, regions: [us]}
          - {match: {group: [DE, EFTTA, OC]}, regions: [us]}
""",
        '6:32: services.web.chain[0].geo[0].match.country[0]: "EU" is a group of countries; write group: [EU]',
        '6:36: services.web.chain[0].geo[0].match.country[1]: unknown country "de"; did you mean "DE" (Germany)?',
        '6:40: services.web.chain[0].geo[0].match.country[2]: "US-CA" is a subdivision; write subdivision: [US-CA]',
        '6:47: services.web.chain[0].geo[0].match.country[3]: unknown country "Germani"; did you mean "DE" (Germany)?',
        '6:60: services.web.chain[0].geo[0].match.country[5]: "OC" is a continent; write continent: [OC]',
        '7:36: services.web.chain[0].geo[1].match.subdivision[0]: unknown subdivision "us-ca"; did you mean "US-CA"?',
        '7:43: services.web.chain[0].geo[1].match.subdivision[1]: "DE" is a country; write country: [DE]',
        '7:47: services.web.chain[0].geo[1].match.subdivision[2]: unknown subdivision "XX-1"; there is no country "XX"',
        '7:53: services.web.chain[0].geo[1].match.subdivision[3]: unknown subdivision "US-XX"; use ISO 3166-2 such as US-CA',
        '7:60: services.web.chain[0].geo[1].match.subdivision[4]: unknown subdivision "ON"; did you mean CA-ON (Ontario) or NA-ON (Oshana) or NG-ON (Ondo)?',
        '8:34: services.web.chain[0].geo[2].match.continent[0]: "EEA" is a group of countries; write group: [EEA]',
        '8:39: services.web.chain[0].geo[2].match.continent[1]: unknown continent "EUR"; did you mean "EU"?',
        '8:44: services.web.chain[0].geo[2].match.continent[2]: unknown continent "XY"; known: AF, AN, AS, EU, NA, OC, SA',
        '9:30: services.web.chain[0].geo[3].match.group[0]: "DE" is a country; write country: [DE]',
        '9:34: services.web.chain[0].geo[3].match.group[1]: unknown group "EFTTA"; did you mean "EFTA"?',
        '9:41: services.web.chain[0].geo[3].match.group[2]: "OC" is a continent; write continent: [OC]',
    ),
    Case(
        "later_features",
        """\
checks:
  web: {type: dns}
zones:
  example.com: {ns: [ns.example.net], records: {www: [{service: web}, {HTTPS: {service: web}}]}}
""",
        "2:15: checks.web.type: dns checks are not available in this version",
        '4:79: zones["example.com"].records.www[1].HTTPS: HTTPS data is text here; steered HTTPS records are written at the service',
    ),
    Case(
        "admin",
        """\
server: {admin: 8053, state_dir: ""}
""",
        '1:17: server.admin: expected an address such as "127.0.0.1:8053", or false, found the number 8053',
        "1:34: server.state_dir: must not be empty",
    ),
)
