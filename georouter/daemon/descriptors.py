"""How many files may be open: as many as the system lets us, shared so that TCP clients cannot take all."""

import resource

NEEDED = 700
"""Beside TCP clients: 500 probes under way, 128 admin connections, and what the daemon holds for itself."""
ENOUGH = 1 << 20
"""Where the system sets no limit; Linux lets no process have more by default (fs.nr_open)."""
TCP_SHARE = 0.5
"""Of a limit that is too small for everything."""


def raise_limit() -> int:
    """Raise the process' soft limit to the hard one; how many descriptors there may be then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return ENOUGH
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else hard
    if wanted <= soft:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted


def tcp_connections(wanted: int, limit: int) -> int:
    """How many TCP connections to allow, so that `limit` descriptors last for everything else too."""
    if wanted + NEEDED <= limit:
        return wanted
    return max(1, min(wanted, max(limit - NEEDED, int(limit * TCP_SHARE))))
