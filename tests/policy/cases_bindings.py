"""HTTPS and SVCB records of services that make no sense, or not the sense they seem to."""
# ruff: noqa: E501 - messages stand here whole

from tests.policy.cases import Case


def _case(name: str, keys: str, *findings: str) -> Case:
    return Case(f"bindings_{name}", f"services:\n  web: {{regions: [us, eu], {keys}}}\n", *findings)


CASES: tuple[Case, ...] = (
    _case("valid", 'https: [{alpn: h2}, "2 .", {priority: 3, target: a.b.}], svcb: null'),
    _case(
        "unknown_key",
        "https: {alpn: h2, prot: 1}",
        '2:46: services.web.https.prot: unknown key "prot"; did you mean "port"?',
    ),
    _case(
        "kinds_of_values",
        'https: {alpn: [h2, ""], priority: 0, port: 70000, no_default_alpn: 1}',
        "2:47: services.web.https.alpn[1]: must not be empty",
        "2:62: services.web.https.priority: must be at least 1, found the number 0",
        "2:71: services.web.https.port: must be at most 65535, found the number 70000",
        "2:95: services.web.https.no_default_alpn: expected true or false, found the number 1",
    ),
    _case(
        "odd_values",
        'https: {alpn: ["h2,h3"], target: a..b, ech: "%"}',
        '2:43: services.web.https.alpn[0]: "h2,h3" is not a protocol ID such as h2; odd ones are written as text',
        "2:61: services.web.https.target: 'a..b' has an empty label",
        "2:72: services.web.https.ech: is not base64 (RFC 9848): an ECHConfigList as one text",
    ),
    _case(
        "ech",
        "https: {ech: AAAA}",
        "2:35: services.web.https: '1 . ech=AAAA' is not HTTPS data: invalid ECHConfigList",
    ),
    _case(
        "no_default_alpn_alone",
        "https: {no_default_alpn: true}",
        '2:36: services.web.https.no_default_alpn: needs "alpn": without the default protocol there must be others (RFC 9460 7.1.1)',
    ),
    _case(
        "params",
        'https: {params: {no-default-alpn: , key4: x, "a b": x, port: 1}}',
        '2:45: services.web.https.params.no-default-alpn: has a key of its own: write "no_default_alpn" beside "params"',
        "2:64: services.web.https.params.key4: the addresses are those of the decision; leave out ipv4hint and ipv6hint",
        '2:73: services.web.https.params["a b"]: "a b" is not the name of a parameter',
        '2:83: services.web.https.params.port: has a key of its own: write "port" beside "params"',
    ),
    _case(
        "unknown_param",
        "svcb: {params: {nosuch: x}}",
        "2:34: services.web.svcb: '1 . nosuch=\"x\"' is not SVCB data: Unknown SVCB ParamKey",
    ),
    _case(
        "mandatory_and_missing",
        "svcb: {params: {mandatory: alpn}}",
        "2:34: services.web.svcb: '1 . mandatory=\"alpn\"' is not SVCB data: key 1 declared mandatory but not present",
    ),
    _case(
        "texts",
        'https: ["0 a.example.", "1 www", "1 . alpn", "1 . ipv6hint=::1", 7, [], "1 . port=1", {port: 1}]',
        "2:36: services.web.https[0]: priority 0 (AliasMode) follows no decision; write it as HTTPS record of the zone",
        '2:52: services.web.https[1]: the target "www" is absolute here; write the whole name, or "." for the owner',
        "2:61: services.web.https[2]: '1 . alpn' is not HTTPS data: value cannot be empty",
        "2:73: services.web.https[3]: the addresses are those of the decision; leave out ipv4hint and ipv6hint",
        '2:93: services.web.https[4]: expected {alpn: [h2, h3]} or text such as "1 . alpn=h2,h3", found the number 7',
        '2:96: services.web.https[5]: expected {alpn: [h2, h3]} or text such as "1 . alpn=h2,h3", found a list',
        "2:114: warning: services.web.https[7]: the same record stands here twice",
    ),
    _case(
        "empty",
        "https: [], svcb: true",
        '2:35: services.web.https: the list is empty; remove it or write {alpn: [h2, h3]} or text such as "1 . alpn=h2,h3"',
        '2:45: services.web.svcb: expected {alpn: [h2, h3]} or text such as "1 . alpn=h2,h3", found true',
    ),
    _case(
        "hints_of_another_name",
        "https: {target: x.example.net, hints: true}, svcb: [{target: WWW.example.com, hints: true}]",
        '2:59: warning: services.web.https.hints: are addresses of this service, which does not answer the target "x.example.net"',
    ),
    Case(
        "bindings_of_hostnames",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [us.example.net]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [eu.example.net]}
services:
  web: {regions: [us, eu], https: {alpn: h2}}
""",
        "5:28: warning: services.web.https: has no effect: the regions have hostnames, whose CNAME answers every type",
    ),
    Case(
        "bindings_beside_records",
        """\
services:
  web: {regions: [us, eu], https: {alpn: h2}}
  old: {regions: [us, eu]}
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: [{service: web}, {HTTPS: 1 . alpn=h3}, {SVCB: 1 .}]
      old: [{service: old}, {HTTPS: 1 . alpn=h3}]
      "@": [{service: old}, {HTTPS: 0 www}, {SVCB: 1 . ipv6hint=2001:db8::1}]
""",
        '8:30: zones["example.com"].records.www[1].HTTPS: HTTPS records cannot stand beside a service with "https", which gives them',
        '10:52: warning: zones["example.com"].records["@"][2].SVCB: these address hints do not follow the decision of the service beside them; write the record as "svcb" at service "old"',
    ),
    Case(
        "bindings_tests",
        """\
tests:
  - {name: www.example.com, client: 192.0.2.1, type: AAAA, expect: us}
  - {name: www.example.com, client: 192.0.2.1, type: HTTPS, expect: us}
  - {name: www.example.com, client: 192.0.2.1, type: https, expect: us}
""",
        '3:54: tests[1].type: its service has no "https", so nobody may answer',
        '4:54: tests[2].type: expected A, AAAA, HTTPS or SVCB, found "https"; did you mean "HTTPS"?',
    ),
)
