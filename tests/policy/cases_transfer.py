"""Keys and secondaries that make no sense."""
# ruff: noqa: E501 - messages stand here whole

from tests.policy.cases import Case

ZONE = "zones: {example.com: {ns: [ns.example.net], records: {www: {service: web}}, transfer: "

CASES: tuple[Case, ...] = (
    Case(
        "transfer_to_nobody",
        ZONE + "{notify: 192.0.2.1}}}\n",
        '1:77: zones["example.com"].transfer: nobody may copy the zone; name networks in "allow" or keys in "keys"',
    ),
    Case(
        "transfer_networks",
        ZONE + '{allow: [192.0.2.1/24, here, "2001:db8::1"]}}}\n',
        '1:96: zones["example.com"].transfer.allow[0]: "192.0.2.1/24" has bits set beyond its prefix; did you mean 192.0.2.0/24?',
        '1:110: zones["example.com"].transfer.allow[1]: "here" is not a network; write it like 192.0.2.0/24 or 2001:db8::/32',
    ),
    Case(
        "transfer_unknown_key",
        "server: {keys: {xfr.example: {secret_file: k}}}\n"
        + ZONE
        + "{keys: [XFR.example., xfr.exampel], notify: [{address: 192.0.2.1, key: other}]}}}\n",
        '2:109: zones["example.com"].transfer.keys[1]: unknown key "xfr.exampel"; did you mean "xfr.example"?',
        '2:158: zones["example.com"].transfer.notify[0].key: unknown key "other"; known: xfr.example',
    ),
    Case(
        "notify_addresses",
        ZONE
        + '{allow: 192.0.2.1, notify: [192.0.2.0/24, "[::1]", "ns1:53", "192.0.2.1:0", 192.0.2.1, "192.0.2.1:53"]}}}\n',
        '1:115: zones["example.com"].transfer.notify[0]: "192.0.2.0/24" is a network; name the address of one server',
        '1:129: zones["example.com"].transfer.notify[1]: "[::1]" has no port; write it like "127.0.0.1:5300" or "[::1]:5300"',
        '1:138: zones["example.com"].transfer.notify[2]: "ns1" is not an IP address; write it like "127.0.0.1:5300" or "[::1]:5300"',
        '1:148: zones["example.com"].transfer.notify[3]: a port is a number from 1 to 65535, found 0',
        '1:174: zones["example.com"].transfer.notify[5]: "192.0.2.1:53" is listed twice',
    ),
    Case(
        "transfer_steered",
        ZONE + "{allow: 192.0.2.1, steered: no}}}\n",
        '1:115: zones["example.com"].transfer.steered: expected default or refuse, found "no"',
    ),
    Case(
        "transfer_alias",
        "zones: {example.com: {ns: [ns.example.net], records: {a: {service: web}, b: {alias: a}, c: {alias: lb.example.net.}}, transfer: {allow: 192.0.2.1}}}\n",
        '1:119: warning: zones["example.com"].transfer: the alias "c.example.com" is left out of copies of the zone: the addresses of "lb.example.net" are known while answering only; secondaries deny the name where it has nothing else; steered: refuse keeps the zone back',
    ),
    Case(
        "key_names",
        "server: {keys: {a..b: {secret_file: k}}}\n",
        "1:17: server.keys[\"a..b\"]: 'a..b' has an empty label",
    ),
    Case(
        "keys",
        "server: {keys: {x: {secret_file: k, algorithm: hmac-md5}, X.: {secret_file: k, algorithm: sha256}, y: {secret: abcd}}}\n",
        "1:48: server.keys.x.algorithm: hmac-md5 must not be used any more (RFC 8945 6); use hmac-sha256",
        '1:91: server.keys["X."].algorithm: "sha256" is not an algorithm of TSIG; there are hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha256-128, hmac-sha384, hmac-sha384-192, hmac-sha512, hmac-sha512-256',
        '1:100: server.keys.y: "secret_file" is missing',
        '1:104: server.keys.y.secret: unknown key "secret"; did you mean "secret_file"?',
    ),
    Case(
        "keys_twice",
        "server: {keys: {x: {secret_file: k}, X.: {secret_file: k}}}\n",
        '1:38: server.keys["X."]: is the same key as "x"',
    ),
    Case(
        "copies_without_a_steered_name",
        """\
services: {web: {regions: [us, eu], chain: [{residency: {clients: {country: [DE]}, regions: [eu], unplaced: deny}}]}}
zones: {example.com: {ns: [ns.example.net], records: {www: {service: web}, "*.app": {service: web}}, transfer: {allow: 192.0.2.1}}}
""",
        '2:102: warning: zones["example.com"].transfer: residency or tenants leave service "web" no region for every client: its names are left out of copies of the zone, and secondaries deny them; steered: refuse keeps it back',
    ),
)
