"""Unbound."""

from tests.live.resolvers.site import OURS, Site, Way

NAME, PROGRAM, PACKAGE = "unbound", "unbound", "unbound"
PASSES_SUBNETS = True

CONFIG = """\
server:
  directory: "{site.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  interface: {site.listen[0]}@{site.listen[1]}
  access-control: 0.0.0.0/0 allow
  outgoing-interface: {site.source}
  do-daemonize: no
  use-syslog: no
{family6}  num-threads: 1
  do-not-query-localhost: no
  module-config: "subnetcache {validator}iterator"
{subnets}  client-subnet-always-forward: yes
"""
LENIENT = """\
  qname-minimisation: no
  harden-glue: no
  edns-buffer-size: 4096
"""
STRICT = """\
  qname-minimisation: yes
  qname-minimisation-strict: yes
  use-caps-for-id: yes
  harden-glue: yes
  harden-dnssec-stripped: yes
  harden-below-nxdomain: yes
  harden-referral-path: yes
  harden-algo-downgrade: yes
  harden-large-queries: yes
  harden-short-bufsize: yes
  aggressive-nsec: yes
  unwanted-reply-threshold: 10000
  val-clean-additional: yes
  minimal-responses: yes
  edns-buffer-size: 512
"""
FORWARD = 'forward-zone:\n  name: "."\n  forward-addr: {site.authority[0]}@{site.authority[1]}\n'
STUB = 'stub-zone:\n  name: "example.com"\n  stub-addr: {site.authority[0]}@{site.authority[1]}\n'
WAYS = {Way.ROOT: "", Way.STUB: STUB + FORWARD, Way.FORWARD: FORWARD}
"""With a stub zone, all else is forwarded to us too, so that nobody else is asked."""
TAIL = "remote-control:\n  control-enable: no\n"


def config(site: Site) -> str:
    """Its configuration file."""
    subnets = "".join(f"  send-client-subnet: {network}\n" for network in OURS)
    family6 = "  do-ip6: no\n"
    if site.source6:
        family6 = f"  prefer-ip6: yes\n  outgoing-interface: {site.source6}\n"
    validator = "validator " if site.anchor else ""
    text = CONFIG.format(site=site, family6=family6, subnets=subnets, validator=validator)
    text += STRICT if site.strict else LENIENT
    if site.hints:
        text += f'  root-hints: "{site.hints}"\n'
    if site.anchor:
        text += f'  trust-anchor-file: "{site.anchor}"\n'
    return text + WAYS[site.way].format(site=site) + TAIL


def command(program: str, path: str) -> list[str]:
    """What starts it in the foreground."""
    return [program, "-d", "-c", path]
