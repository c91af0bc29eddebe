"""Knot Resolver. Version 5 passes no client subnets on."""

from tests.live.resolvers.site import Site, Way

NAME, PROGRAM, PACKAGE = "knot", "kresd", "knot-resolver"
PASSES_SUBNETS = False

CONFIG = """\
{family6}net.listen('{site.listen[0]}', {site.listen[1]}, {{ kind = 'dns' }})
net.outgoing_v4('{site.source}')
cache.open(16 * MB, 'lmdb://{site.folder}/cache')
cache.min_ttl(0)
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
"""
LENIENT = "option('NO_MINIMIZE', true)\noption('NO_0X20', true)\nnet.bufsize(4096)\nmode('permissive')\n"
STRICT = "net.bufsize(512)\nmode('strict')\n"
"""Minimised names and mixed case are what it does by itself."""


def config(site: Site) -> str:
    """Its configuration file."""
    family6 = f"net.outgoing_v6('{site.source6}')\n" if site.source6 else "net.ipv6 = false\n"
    text = CONFIG.format(site=site, family6=family6) + (STRICT if site.strict else LENIENT)
    if site.hints:
        text += f"modules.load('hints')\nhints.root_file('{site.hints}')\n"
    text += (
        f"trust_anchors.add_file('{site.anchor}', true)\n" if site.anchor else "trust_anchors.remove('.')\n"
    )
    authority = f"'{site.authority[0]}@{site.authority[1]}'"
    match site.way:
        case Way.ROOT:
            pass
        case Way.STUB:
            text += f"policy.add(policy.all(policy.STUB({authority})))\n"
        case Way.FORWARD:
            text += f"policy.add(policy.all(policy.FORWARD({authority})))\n"
    return text


def command(program: str, path: str) -> list[str]:
    """What starts it in the foreground."""
    return [program, "-n", "-c", path, path.rpartition("/")[0]]
