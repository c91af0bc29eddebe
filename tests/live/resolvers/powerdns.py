"""PowerDNS Recursor. It does not mix cases, it passes those of the client on."""

from tests.live.resolvers.site import OURS, Site, Way

NAME, PROGRAM, PACKAGE = "powerdns", "pdns_recursor", "pdns-recursor"
PASSES_SUBNETS = True

CONFIG = """\
config-dir={site.folder}
socket-dir={site.folder}
local-address={site.listen[0]}:{site.listen[1]}
query-local-address={sources}
allow-from=0.0.0.0/0
dont-query=
threads=1
pdns-distributes-queries=no
security-poll-suffix=
serve-rfc1918=no
disable-syslog=yes
daemon=no
write-pid=no
edns-subnet-allow-list={ours}
use-incoming-edns-subnet=yes
ecs-add-for=0.0.0.0/0
"""
LENIENT = "qname-minimization=no\nedns-outgoing-bufsize=4096\nroot-nx-trust=no\nnothing-below-nxdomain=no\n"
STRICT = "qname-minimization=yes\nedns-outgoing-bufsize=512\nroot-nx-trust=yes\nnothing-below-nxdomain=yes\n"


def config(site: Site) -> str:
    """Its configuration file."""
    sources = f"{site.source}, {site.source6}" if site.source6 else site.source
    text = CONFIG.format(site=site, sources=sources, ours=",".join(OURS)) + (
        STRICT if site.strict else LENIENT
    )
    text += f"hint-file={site.hints or 'no'}\n"
    text += f"dnssec={'validate' if site.anchor else 'off'}\n"
    if site.anchor:
        script = site.folder / "anchor.lua"
        script.write_text(f'readTrustAnchorsFromFile("{site.anchor}", 0)\n')
        text += f"lua-config-file={script}\n"
    authority = f"{site.authority[0]}:{site.authority[1]}"
    match site.way:
        case Way.ROOT:
            pass
        case Way.STUB:  # all else is forwarded to us too, so that nobody else is asked
            text += f"forward-zones=example.com={authority}\nforward-zones-recurse=.={authority}\n"
        case Way.FORWARD:
            text += f"forward-zones-recurse=.={authority}\n"
    return text


def command(program: str, path: str) -> list[str]:
    """What starts it in the foreground; it looks for `recursor.conf` in its folder."""
    return [program, f"--config-dir={path.rpartition('/')[0]}"]
