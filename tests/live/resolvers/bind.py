"""BIND 9. Its free editions pass no client subnets on."""

from tests.live.resolvers.site import Site, Way

NAME, PROGRAM, PACKAGE = "bind", "named", "bind9"
PASSES_SUBNETS = False

STATISTICS_PORT = 8053

CONFIG = """\
options {{
    directory "{site.folder}";
    managed-keys-directory "{site.folder}";
    session-keyfile none;
    pid-file none;
    lock-file none;
    port {site.authority[1]};
    listen-on port {site.listen[1]} {{ {site.listen[0]}; }};
    listen-on-v6 {{ none; }};
    query-source address {site.source};
    query-source-v6 address {source6};
    allow-query {{ any; }};
    allow-recursion {{ any; }};
    max-cache-size 32m;
    empty-zones-enable no;
    prefetch 0;
    {settings}
    {forward}
}};
controls {{ }};
{family6}statistics-channels {{ inet {site.listen[0]} port {statistics} allow {{ any; }}; }};
"""
NO_IPV6 = "server ::/0 { bogus yes; };\n"
LENIENT = "qname-minimization off; edns-udp-size 4096; dnssec-validation no;"
STRICT = "qname-minimization strict; edns-udp-size 512; dnssec-validation {validation};"


def config(site: Site) -> str:
    """Its configuration file. `port` is where it sends to; where it listens is told apart from that."""
    settings = STRICT.format(validation="yes" if site.anchor else "no") if site.strict else LENIENT
    forward = f"forward only; forwarders {{ {site.authority[0]} port {site.authority[1]}; }};"
    text = CONFIG.format(
        site=site,
        statistics=STATISTICS_PORT,
        settings=settings,
        forward=forward if site.way is Way.FORWARD else "",
        source6=site.source6 or "::1",
        family6="" if site.source6 else NO_IPV6,
    )
    match site.way:
        case Way.ROOT:
            text += f'zone "." {{ type hint; file "{site.hints}"; }};\n'
        case Way.STUB:
            text += f'zone "." {{ type static-stub; server-addresses {{ {site.authority[0]}; }}; }};\n'
        case Way.FORWARD:
            pass
    if site.anchor:
        flags, protocol, algorithm, *key = site.anchor.read_text().partition(" DNSKEY ")[2].split()
        text += f'trust-anchors {{ . static-key {flags} {protocol} {algorithm} "{"".join(key)}"; }};\n'
    return text


def command(program: str, path: str) -> list[str]:
    """What starts it in the foreground."""
    return [program, "-g", "-n", "1", "-c", path]
