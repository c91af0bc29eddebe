"""Aliases: how they are written, what they stand beside, where they lead; and who is asked for them."""
# ruff: noqa: E501 - a finding is one line

from tests.policy.cases import Case

CASES = (
    Case(
        "alias_forms",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      a: {alias: 5}
      b: {alias: 192.0.2.1}
      c: {alias: "2001:db8::1"}
      d: [{alias: x.example.net.}, {alias: y.example.net.}]
      e: {alias: "."}
      f: {alias: "a..b"}
      g: {alias: x.example.net., ttl: 300}
      h: {ttl: 5m, alais: x.example.net.}
      i: {ANAME: x.example.net.}
      j: {alias: [x.example.net.]}
""",
        '6:18: zones["example.com"].records.a.alias: expected a name, found the number 5',
        '7:18: zones["example.com"].records.b.alias: "192.0.2.1" is an address; write {A: 192.0.2.1}',
        '8:18: zones["example.com"].records.c.alias: "2001:db8::1" is an address; write {AAAA: 2001:db8::1}',
        '9:44: zones["example.com"].records.d[1].alias: a name has at most one alias',
        '10:18: zones["example.com"].records.e.alias: expected a name, found "."',
        "11:18: zones[\"example.com\"].records.f.alias: 'a..b' has an empty label",
        '12:39: zones["example.com"].records.g.ttl: a duration needs a unit: write 300s (or ms, m, h, d)',
        '13:20: zones["example.com"].records.h.alais: unknown record type "alais"; did you mean "alias"?',
        '14:11: zones["example.com"].records.i.ANAME: an alias is written {alias: name}',
        '15:18: zones["example.com"].records.j.alias: expected a name, found a list',
    ),
    Case(
        "alias_beside",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      "@": [{alias: x.example.net.}, {MX: "10 mail"}, {TXT: fine}]
      mail: {alias: x.example.net., HTTPS: "1 . alpn=h2"}
      a: {alias: x.example.net., A: 192.0.2.1}
      b: [{alias: x.example.net.}, {AAAA: "2001:db8::1"}]
      c: {alias: x.example.net., CNAME: www}
      d: {alias: x.example.net., service: web}
      e: {alias: x.example.net., HTTPS: "1 . ipv4hint=192.0.2.1"}
      sub: {NS: ns.example.net.}
      under.sub: {alias: x.example.net.}
      gone: {DNAME: example.net.}
      under.gone: {alias: x.example.net.}
      in.inner: {alias: x.example.net.}
  inner.example.com: {ns: [ns.example.net]}
""",
        '8:34: zones["example.com"].records.a.A: A records cannot stand beside an alias, which gives the addresses',
        '9:37: zones["example.com"].records.b[1].AAAA: AAAA records cannot stand beside an alias, which gives the addresses',
        '10:34: zones["example.com"].records.c.CNAME: a CNAME cannot stand beside an alias',
        '11:11: zones["example.com"].records.d.alias: an alias cannot stand beside a service',
        '12:41: warning: zones["example.com"].records.e.HTTPS: these address hints do not follow the alias beside them; leave out ipv4hint and ipv6hint',
        '14:26: zones["example.com"].records["under.sub"].alias: "sub.example.com" is delegated to other name servers; no alias there',
        '16:7: zones["example.com"].records["under.gone"]: lies below the DNAME of "gone.example.com", which redirects it (RFC 6672 2.4)',
        '17:7: zones["example.com"].records["in.inner"]: belongs into the zone "inner.example.com"',
    ),
    Case(
        "alias_targets",
        """\
zones:
  example.com:
    ns: [ns.example.net]
    records:
      www: {service: web}
      "*.app": {A: 192.0.2.1}
      text: {TXT: nothing else}
      cname: {CNAME: text}
      below.empty: {A: 192.0.2.1}
      sub: {NS: ns.example.net.}
      old: {DNAME: "@"}
      lengthen: {DNAME: longer-and-longer-and-longer.lengthen}
      fine1: {alias: www}
      fine2: {alias: any.app}
      fine3: {alias: fine1}
      fine4: {alias: www.old}
      fine5: {alias: www.sub}
      fine6: {alias: away.example.org.}
      "*.fine7": {alias: www.example.org.}
      a: {alias: missing}
      b: {alias: lb.example.net}
      c: {alias: cname}
      d: {alias: empty}
      e: {alias: missing.old}
      f: {alias: f}
      g: {alias: to-g}
      to-g: {CNAME: g}
      "*.h": {alias: x.h}
      i: {alias: x.lengthen}
      j: {alias: nothing.example.org.}
  example.org:
    ns: [ns.example.net]
    records:
      www: {A: 192.0.2.2}
      away: {CNAME: host.example.net.}
""",
        '20:18: zones["example.com"].records.a.alias: leads to "missing.example.com", which does not exist',
        '21:18: zones["example.com"].records.b.alias: leads to "lb.example.net.example.com", which does not exist; did you mean "lb.example.net."?',
        '22:18: zones["example.com"].records.c.alias: leads to "text.example.com", which has no address',
        '23:18: zones["example.com"].records.d.alias: leads to "empty.example.com", which has no address',
        '24:18: zones["example.com"].records.e.alias: leads to "missing.example.com", which does not exist',
        '25:18: zones["example.com"].records.f.alias: leads back to itself',
        '26:18: zones["example.com"].records.g.alias: leads back to itself',
        '28:22: zones["example.com"].records["*.h"].alias: leads back to itself',
        '29:18: zones["example.com"].records.i.alias: leads to a name that is too long',
        '30:18: zones["example.com"].records.j.alias: leads to "nothing.example.org", which does not exist',
    ),
    Case(
        "aliases_as_hosts",
        """\
zones:
  example.com:
    ns: [ns.example.com]
    records:
      www: {service: web}
      ns: {alias: ns.example.net.}
      "@": {MX: "10 any.mx"}
      "*.mx": {alias: www}
""",
    ),
    Case(
        "resolver",
        """\
server:
  listen: ["127.0.0.1:53", "0.0.0.0:5300"]
  resolver: {addresses: [127.0.0.1, "127.0.0.2:5300", "192.0.2.1:53", 192.0.2.1, nothing, "[::1]:x"], min_ttl: 2h}
""",
        '3:26: server.resolver.addresses[0]: "127.0.0.1" is where this server listens; name one that resolves names',
        '3:37: server.resolver.addresses[1]: "127.0.0.2:5300" is where this server listens; name one that resolves names',
        '3:71: server.resolver.addresses[3]: "192.0.2.1" is listed twice',
        '3:82: server.resolver.addresses[4]: "nothing" has no port; write it like "127.0.0.1:5300" or "[::1]:5300"',
        '3:91: server.resolver.addresses[5]: "[::1]:x" has no port; write it like "127.0.0.1:5300" or "[::1]:5300"',
        "3:112: server.resolver.min_ttl: is longer than max_ttl",
    ),
    Case(
        "resolver_without_time",
        """\
server: {resolver: {min_ttl: 0, max_ttl: 0}}
""",
        "1:42: server.resolver.max_ttl: must be at least 1s",
    ),
)
