"""Zones, records and policy tests that make no sense."""
# ruff: noqa: E501 - messages stand here whole

from tests.policy.cases import Case

CASES: tuple[Case, ...] = (
    Case(
        "zone_twice",
        """\
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}}}
  EXAMPLE.com.: {ns: [ns.example.net]}
""",
        '3:3: zones["EXAMPLE.com."]: is the same zone as "example.com"',
    ),
    Case(
        "zone_without_ns",
        """\
zones:
  example.com: {records: {www: {service: web}}}
""",
        '2:3: zones["example.com"]: "ns" is missing',
    ),
    Case(
        "ns_relative",
        """\
zones:
  example.com: {ns: [ns1], records: {www: {service: web}}}
""",
        '2:22: zones["example.com"].ns[0]: "ns1" is absolute here; did you mean "ns1.example.com"?',
    ),
    Case(
        "ns_without_address",
        """\
zones:
  example.com: {ns: [ns1.example.com], records: {www: {service: web}}}
""",
        '2:22: zones["example.com"].ns[0]: "ns1.example.com" is in a zone of this policy but has no address; add an A or AAAA record',
    ),
    Case(
        "soa",
        """\
zones:
  example.com: {soa: {rname: "@example.com", serial: -1}, ns: [ns.example.net], records: {www: {service: web}}}
""",
        '2:54: zones["example.com"].soa.serial: must be at least 0, found the number -1',
    ),
    Case(
        "unknown_service",
        """\
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: wbe}}}
""",
        '2:64: zones["example.com"].records.www.service: unknown service "wbe"; did you mean "web"?',
    ),
    Case(
        "out_of_zone",
        """\
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}, www.example.org.: {A: 192.0.2.1}}}
""",
        '2:70: zones["example.com"].records["www.example.org."]: is not in the zone "example.com"; a key that ends with a dot is absolute',
    ),
    Case(
        "long_label",
        """\
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {A: 192.0.2.1}}}
""",
        "2:70: zones[\"example.com\"].records.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' has a label of 64 octets; 63 is the limit",
    ),
    Case(
        "record_forms",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      a: 192.0.2.1
      b: web
      c: {}
      d: []
      e: {a: 192.0.2.1}
      f: {AAA: "::1"}
      g: {A: {x: 1}}
      h: {ttl: 5m, service: web}
      i: {SOA: x}
      j: {ALIAS: x, RRSIG: z, TYPE48: "\\\\# 0", TYPE6: x, OPT: x, TYPE200: x}
      k: [{service: web}, {service: web}]
      l: {service: 5}
      m: {A: 192.0.2.1, ttl: 300}
""",
        '6:10: zones["example.com"].records.a: expected a record, found "192.0.2.1"; write {A: 192.0.2.1}',
        '7:10: zones["example.com"].records.b: expected a record, found "web"; write {service: web} or {TYPE: data}',
        '8:10: zones["example.com"].records.c: holds no record; write {A: 192.0.2.1} or {service: name}',
        '9:10: zones["example.com"].records.d: the list is empty; remove the name or give it a record',
        '10:11: zones["example.com"].records.e.a: record types are written in capitals: "A"',
        '11:11: zones["example.com"].records.f.AAA: unknown record type "AAA"; did you mean "AAAA"?',
        '12:14: zones["example.com"].records.g.A: expected A data as text, found a mapping',
        '13:11: zones["example.com"].records.h.ttl: the TTL of a steered name is that of its service',
        '14:11: zones["example.com"].records.i.SOA: the SOA record is made from the zone\'s "soa" key',
        '15:11: zones["example.com"].records.j.ALIAS: an alias is written {alias: name}',
        '15:21: zones["example.com"].records.j.RRSIG: RRSIG records are made by a signer, and DNSSEC is not available in this version',
        '15:31: zones["example.com"].records.j.TYPE48: DNSKEY records are made by a signer, and DNSSEC is not available in this version',
        '15:48: zones["example.com"].records.j.TYPE6: the SOA record is made from the zone\'s "soa" key',
        '15:58: zones["example.com"].records.j.OPT: OPT is not a type of stored records',
        '15:66: zones["example.com"].records.j.TYPE200: TYPE200 is not a type of stored records',
        '16:37: zones["example.com"].records.k[1].service: the name is already answered by service "web"',
        '17:20: zones["example.com"].records.l.service: expected the name of a service, found the number 5',
        '18:30: zones["example.com"].records.m.ttl: a duration needs a unit: write 300s (or ms, m, h, d)',
    ),
    Case(
        "record_text",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      a: {A: [192.0.2.1, 192.0.2.256]}
      b: {MX: mail.example.com.}
      c: {CAA: 0 issue}
      d: {TYPE65536: x}
""",
        "6:26: zones[\"example.com\"].records.a.A[1]: '192.0.2.256' is not an IPv4 address",
        "7:15: zones[\"example.com\"].records.b.MX: 'mail.example.com.' is not 'PREFERENCE HOST', such as '10 mail.example.com.'",
        "8:16: zones[\"example.com\"].records.c.CAA: '0 issue' is not CAA data: expecting a string",
        '9:11: zones["example.com"].records.d.TYPE65536: unknown record type "TYPE65536"',
    ),
    Case(
        "cname",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      "@": {CNAME: www}
      www: {service: web}
      a: [{CNAME: www}, {A: 192.0.2.1}]
      b: {CNAME: [www, www2]}
      c: [{CNAME: www}, {service: web}]
""",
        '5:13: zones["example.com"].records["@"].CNAME: a CNAME cannot stand at the top of a zone',
        '7:12: zones["example.com"].records.a[0].CNAME: a CNAME cannot stand beside other records (A)',
        '8:24: zones["example.com"].records.b.CNAME[1]: a name has at most one CNAME',
        '9:12: zones["example.com"].records.c[0].CNAME: a CNAME cannot stand beside a service',
    ),
    Case(
        "service_beside",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: [{service: web}, {A: 192.0.2.1}]
      w2: [{service: web}, {HTTPS: 1 . ipv4hint=192.0.2.1}]
""",
        '5:30: zones["example.com"].records.www[1].A: A records cannot stand beside a service, which gives the addresses',
        '6:36: warning: zones["example.com"].records.w2[1].HTTPS: these address hints do not follow the decision of the service beside them; write the record as "https" at service "web"',
    ),
    Case(
        "hostname_service",
        """\
regions:
  us: {location: {lat: 1, lon: 1}, endpoints: [us.example.net]}
  eu: {location: {lat: 1, lon: 1}, endpoints: [eu.example.net]}
zones:
  example.com:
    ns: [ns.example.net]
    records:
      "@": {service: web}
      www: [{service: web}, {TXT: x}]
""",
        '8:22: zones["example.com"].records["@"].service: service "web" answers with a CNAME (region "us" has hostnames), which cannot stand at the top of a zone',
        '9:23: zones["example.com"].records.www[0].service: service "web" answers with a CNAME (region "us" has hostnames), which cannot stand beside other records (TXT)',
    ),
    Case(
        "rrset_ttl",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      a: [{A: 192.0.2.1, ttl: 5m}, {A: 192.0.2.2}]
""",
        '6:40: zones["example.com"].records.a[1].A: records of one name and type share one TTL (RFC 2181): 5m and 1h',
    ),
    Case(
        "apex_ns",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      "@": {NS: ns2.example.net.}
""",
        '6:17: zones["example.com"].records["@"].NS: the zone\'s own name servers belong in its "ns" key',
    ),
    Case(
        "below_cut",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      sub: [{NS: ns.sub}, {TXT: x}]
      a.sub: {service: web}
""",
        '6:18: zones["example.com"].records.sub[0].NS: "ns.sub.example.com" lies in the delegated zone; add its A or AAAA record as glue',
        '6:28: warning: zones["example.com"].records.sub[1].TXT: is never answered: "sub.example.com" is delegated to other name servers',
        '7:24: zones["example.com"].records["a.sub"].service: "sub.example.com" is delegated to other name servers; no service there',
    ),
    Case(
        "inner_zone",
        """\
zones:
  example.com: {ns: [ns.example.net], records: {www: {service: web}, a.sub: {A: 192.0.2.1}}}
  sub.example.com: {ns: [ns.example.net]}
""",
        '2:70: zones["example.com"].records["a.sub"]: belongs into the zone "sub.example.com"',
    ),
    Case(
        "beside_a_child_zone",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      sub: [{NS: ns.example.net.}, {TXT: x}]
      a.sub: [{A: 192.0.2.1}, {TXT: x}]
      b.sub: {service: web}
      deep.x: {A: 192.0.2.1}
      "@": {DS: 1 8 2 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}
  sub.example.com: {ns: [ns.example.net]}
  x.example.com: {ns: [ns.example.net]}
""",
        '6:7: zones["example.com"].records.sub: belongs into the zone "sub.example.com"',
        '7:7: zones["example.com"].records["a.sub"]: belongs into the zone "sub.example.com"',
        '8:7: zones["example.com"].records["b.sub"]: belongs into the zone "sub.example.com"',
        '9:7: zones["example.com"].records["deep.x"]: belongs into the zone "x.example.com"',
        '10:13: zones["example.com"].records["@"].DS: the DS records of a zone belong into the zone above it',
    ),
    Case(
        "aliases_as_targets",
        """\
zones:
  example.com:
    ns: [ns1.example.com, ns.example.net]
    records:
      www: {service: web}
      ns1: {CNAME: www}
      "@": {MX: [10 ns1, 0 www, 20 host.away]}
      _a._tcp: {SRV: [0 0 1 ns1, 0 0 0 .]}
      sub: {NS: ns1}
      away: {DNAME: example.net.}
""",
        '3:10: zones["example.com"].ns[0]: "ns1.example.com" is an alias; a name server must have addresses (RFC 2181)',
        '7:18: zones["example.com"].records["@"].MX[0]: "ns1.example.com" is an alias; a mail host must have addresses (RFC 2181)',
        '7:33: zones["example.com"].records["@"].MX[2]: "host.away.example.com" is an alias; a mail host must have addresses (RFC 2181)',
        '8:23: zones["example.com"].records["_a._tcp"].SRV[0]: "ns1.example.com" is an alias; an SRV target must have addresses (RFC 2782)',
        '9:17: zones["example.com"].records.sub.NS: "ns1.example.com" is an alias; a name server must have addresses (RFC 2181)',
    ),
    Case(
        "dname",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      a: [{DNAME: b}, {CNAME: c}]
      x.b: {A: 192.0.2.1}
      y.b: {service: web}
      b: [{DNAME: c}, {TXT: fine}, {service: web}]
      c: {DNAME: [d, e]}
      d: [{DNAME: e}, {NS: ns.example.net.}]
      "*.e": {DNAME: f}
      "*.g": {NS: ns.example.net.}
""",
        '6:24: zones["example.com"].records.a[1].CNAME: a CNAME cannot stand beside other records (DNAME)',
        '7:7: zones["example.com"].records["x.b"]: lies below the DNAME of "b.example.com", which redirects it (RFC 6672 2.4)',
        '8:7: zones["example.com"].records["y.b"]: lies below the DNAME of "b.example.com", which redirects it (RFC 6672 2.4)',
        '10:22: zones["example.com"].records.c.DNAME[1]: a name has at most one DNAME (RFC 6672)',
        '11:12: zones["example.com"].records.d[0].DNAME: a DNAME cannot stand at a delegation (RFC 6672 2.3)',
        '12:15: zones["example.com"].records["*.e"].DNAME: a wildcard DNAME would not redirect what it matches (RFC 6672 3.3); name the names',
        '13:15: zones["example.com"].records["*.g"].NS: nobody can say what a wildcard NS means (RFC 4592 4.2); name the delegated names',
    ),
    Case(
        "delegations_in_a_circle",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      a: {NS: ns.b}
      b: {NS: [ns.c, ns.b]}
      ns.b: {TXT: no address}
      c: {NS: [ns.a.example.com., x.b]}
      d: {NS: [ns.a, ns.example.net.]}
      e: {NS: [ns.f]}
      f: {NS: [ns.e, g.f]}
      g.f: {A: 192.0.2.1}
""",
        '6:15: zones["example.com"].records.a.NS: no server can be found: all of them lie in "b.example.com", and theirs in turn depend on this one; add the address of one as glue',
        '7:16: zones["example.com"].records.b.NS[0]: no server can be found: all of them lie in "c.example.com", and theirs in turn depend on this one; add the address of one as glue',
        '7:22: zones["example.com"].records.b.NS[1]: "ns.b.example.com" lies in the delegated zone; add its A or AAAA record as glue',
        '8:14: warning: zones["example.com"].records["ns.b"].TXT: is never answered: "b.example.com" is delegated to other name servers',
        '9:16: zones["example.com"].records.c.NS[0]: no server can be found: all of them lie in "a.example.com", "b.example.com", and theirs in turn depend on this one; add the address of one as glue',
    ),
    Case(
        "targets_that_are_slips",
        """\
regions:
  cdn: {location: {lat: 1, lon: 2}, endpoints: [cdn.example.net]}
  us: {location: {lat: 39, lon: -77.5, country: US}, endpoints: [192.0.2.10]}
services:
  web: {regions: [us]}
  by-name: {regions: [cdn]}
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      edge: {service: by-name}
      a: {CNAME: 192.0.2.1}
      b: {MX: ["0 .", 10 www]}
      c: {MX: 10 edge, SRV: 1 2 3 Edge.Example.com.}
      d: {NS: edge}
      e: {CNAME: 192.0.2.1.example.net.}
      f: {DNAME: 192.0.2.1.}
      g: {CNAME: 1.2.3}
      h: {CNAME: 256.0.2.1, }
      i: {MX: 0 .}
  2.0.192.in-addr.arpa:
    ns: [ns.example.net]
    records:
      "1": {CNAME: 1.0.0.0}
""",
        '13:18: warning: zones["example.com"].records.a.CNAME: "192.0.2.1" is an address, and a name is expected; it was read as "192.0.2.1.example.com"',
        '14:16: zones["example.com"].records.b.MX[0]: an MX record for "." says that there is no mail, and stands alone (RFC 7505 3)',
        '15:15: zones["example.com"].records.c.MX: "edge.example.com" is answered with a CNAME; a mail host must have addresses (RFC 2181)',
        '15:29: zones["example.com"].records.c.SRV: "Edge.Example.com" is answered with a CNAME; an SRV target must have addresses (RFC 2782)',
        '16:15: zones["example.com"].records.d.NS: "edge.example.com" is answered with a CNAME; a name server must have addresses (RFC 2181)',
        '18:18: warning: zones["example.com"].records.f.DNAME: "192.0.2.1" is an address, and a name is expected; it was read as "192.0.2.1"',
    ),
    Case(
        "ttls",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      a: {A: 192.0.2.1, ttl: 2147483648s}
      b: {A: 192.0.2.1, ttl: 1.5s}
      c: [{A: 192.0.2.1, ttl: 1h}, {AAAA: "::1", ttl: 2h}, {A: 192.0.2.1, ttl: 2h}]
""",
        '6:30: zones["example.com"].records.a.ttl: a TTL is at most 2147483647s (RFC 2181)',
        '7:30: zones["example.com"].records.b.ttl: a TTL counts whole seconds; write it like 30s, 5m or 1h',
        '8:64: zones["example.com"].records.c[2].A: records of one name and type share one TTL (RFC 2181): 1h and 2h',
    ),
    Case(
        "file_missing",
        """\
zones:
  example.com: {file: nowhere.zone, records: {www: {service: web}}}
""",
        '2:23: zones["example.com"].file: /etc/nowhere.zone cannot be read: it was not there',
    ),
    Case(
        "tests_section",
        """\
tests:
  - {name: www.example.com, client: 8.8.8.8, expect: ue}
  - {name: ww.example.com, client: 8.8.8.0/24, expect: us}
  - {name: www.example.com, client: 8.8.8.8/24, expect: us, down: xx}
  - {name: www.example.com, client: london, expect: us}
  - {name: www.example.com, expect: us}
""",
        '2:54: tests[0].expect: unknown region "ue"; known: eu, us',
        '3:12: tests[1].name: no service answers the name "ww.example.com"; did you mean "www.example.com"?',
        '4:37: tests[2].client: "8.8.8.8/24" has bits set beyond its prefix; did you mean 8.8.8.0/24?',
        '4:67: tests[2].down: unknown region "xx"; known: eu, us',
        '5:37: tests[3].client: "london" is neither an IP address nor a network',
        '6:5: tests[4]: "client" is missing',
    ),
    Case(
        "tests_of_health_time_and_shares",
        """\
tests:
  - {name: www.example.com, client: 8.8.8.8, expect: refusd}
  - {name: www.example.com, client: 8.8.8.8, expect: {shares: {us: 75%, uu: 25%}}}
  - {name: www.example.com, client: 8.8.8.8, expect: {shares: {us: 75%, eu: 20%}}}
  - {name: www.example.com, client: 8.8.8.8, expect: {regions: us, within: 2%}}
  - {name: www.example.com, client: 8.8.8.8, expect: {share: {us: 100%}}}
  - {name: www.example.com, client: 8.8.8.8, expect: us, degraded: {uss: 0.5}}
  - {name: www.example.com, client: 8.8.8.8, expect: us, degraded: {us: 5}}
  - {name: www.example.com, client: 8.8.8.8, expect: us, degraded: {us: 0.5}, down: us}
  - {name: www.example.com, client: 8.8.8.8, expect: us, at: yesterday}
  - {name: www.example.com, client: 8.8.8.8, expect: us, at: ["2026-05-01T12:00:00"]}
  - {name: www.example.com, client: 8.8.8.8, at: "2026-05-01T12:00:00Z", expect: {shares: {us: 100%}}}
""",
        '2:54: tests[0].expect: unknown region "refusd"; did you mean "refused"?',
        '3:73: tests[1].expect.shares.uu: unknown region "uu"; known: eu, us',
        "4:55: tests[2].expect.shares: add up to 95%, not to 100%",
        "5:68: tests[3].expect.within: says how far off `shares` may be: name those",
        '6:55: tests[4].expect.share: unknown key "share"; did you mean "shares"?',
        '7:69: tests[5].degraded.uss: unknown region "uss"; did you mean "us"?',
        "8:73: tests[6].degraded.us: this is no health; write it like 0.5 or 50%, from 0 to 1",
        '9:69: tests[7].degraded.us: "us" is down; a region is degraded or down, not both',
        '10:62: tests[8].at: "yesterday" is no instant; write it like 2026-05-01T12:00:00Z',
        '11:63: tests[9].at[0]: "2026-05-01T12:00:00" is no instant; write it like 2026-05-01T12:00:00Z',
        "12:46: tests[10].at: shares are of all client networks, whenever they ask: leave this out",
    ),
    Case(
        "rname",
        """\
zones:
  example.com: {soa: {rname: "@example.com", mname: a..b}, ns: [ns.example.net], records: {www: {service: web}}}
""",
        '2:30: zones["example.com"].soa.rname: "@example.com" is not a mail address',
        "2:53: zones[\"example.com\"].soa.mname: 'a..b' has an empty label",
    ),
    Case(
        "asterisks",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      "*": {A: 192.0.2.1}
      "*.*.x": {A: 192.0.2.1}
      "a.*.x": {A: 192.0.2.1}
      "*y": {A: 192.0.2.1}
""",
        '7:7: warning: zones["example.com"].records["*.*.x"]: only the first "*" is a wildcard: this covers names below "*.x.example.com", taken literally',
        '8:7: warning: zones["example.com"].records["a.*.x"]: a wildcard is a first label that is just "*"; this one is literal',
        '9:7: warning: zones["example.com"].records["*y"]: a wildcard is a first label that is just "*"; this one is literal',
    ),
)
