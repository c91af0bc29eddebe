"""A stub resolver for alias targets: asks the name servers that the policy, or the system, names.

The recursive server follows CNAMEs; what it says is read here and judged in `facts.aliases`. Two ways back to
ourselves are noticed: a name server that is this server, and a target that leads to an alias of ours, whose
answer we would believe to be the target's own for ever.
"""

import asyncio
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdatatype
import dns.resolver

from georouter.facts.aliases import Reply
from georouter.policy.model import Resolver
from georouter.probes.reasons import bounded
from georouter.wire.names import name_text, parent

SYSTEM_FILE = Path("/etc/resolv.conf")
TRIES = 2
"""Each of the servers is asked this often before a round has failed."""
PAYLOAD = 1232
DENIED_TTL_S = 3600
"""That a name does not exist is news only beside addresses of the other family; those set the pace."""

_TYPES = {4: dns.rdatatype.A, 6: dns.rdatatype.AAAA}

Address: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Servers:
    """A dnspython resolver, and what it was made from."""

    resolver: dns.asyncresolver.Resolver
    changed_at: int
    own: tuple[str, ...]


class Stub:
    """Asks for both families of a name at once. Results are values; nothing but cancelling raises.

    `is_own` tells whether we listen on an address; such a name server is left out.
    """

    def __init__(
        self, settings: Resolver, is_own: Callable[[Address], bool], system_file: Path = SYSTEM_FILE
    ) -> None:
        self._settings = settings
        self._is_own = is_own
        self._system_file = system_file
        self._servers: _Servers | None = None

    @property
    def patience_s(self) -> float:
        """How long a round may take: every server `TRIES` times."""
        servers = self._servers.resolver.nameservers if self._servers else self._settings.addresses
        return self._settings.timeout_s * TRIES * max(1, len(servers))

    async def ask(self, name: bytes, owners: Collection[bytes] = ()) -> dict[int, Reply]:
        """What is said of `name` (wire format), by family. `owners` are our aliases to names outside."""
        try:
            servers = self._current()
        except Exception as error:  # noqa: BLE001 - whatever is in the system's file, it may be mended
            failure = Reply(failure=bounded(f"no name servers: {error}"))
            return dict.fromkeys(_TYPES, failure)
        if not servers.resolver.nameservers:
            failure = Reply(failure=bounded(f"the name servers are this server: {', '.join(servers.own)}"))
            return dict.fromkeys(_TYPES, failure)
        replies = await asyncio.gather(
            *(self._ask(servers.resolver, name, family, owners) for family in _TYPES)
        )
        return dict(zip(_TYPES, replies, strict=True))

    async def _ask(
        self, resolver: dns.asyncresolver.Resolver, name: bytes, family: int, owners: Collection[bytes]
    ) -> Reply:
        patience_s = self.patience_s
        try:
            async with asyncio.timeout(patience_s + 1.0):  # dnspython goes by the wall clock, which may jump
                answer = await resolver.resolve(
                    dns.name.from_wire(name, 0)[0],
                    _TYPES[family],
                    raise_on_no_answer=False,
                    search=False,
                    lifetime=patience_s,
                )
            return _read(answer, owners)
        except dns.resolver.NXDOMAIN:
            return Reply(ttl_s=DENIED_TTL_S, failure="no such name", denied=True)
        except dns.resolver.NoNameservers as error:
            return Reply(failure=bounded(_refusals(error)))
        except (dns.exception.Timeout, TimeoutError):
            return Reply(failure=f"timeout after {patience_s:g} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is asked again, and others go on
            return Reply(failure=bounded(f"{type(error).__name__}: {error}"))

    def _current(self) -> _Servers:
        """The servers to ask; the system's are read again when its file changes."""
        if self._settings.addresses:
            if self._servers is None:
                self._servers = self._make(self._settings.addresses, 0)
            return self._servers
        changed_at = self._system_file.stat().st_mtime_ns
        if self._servers is None or self._servers.changed_at != changed_at:
            system = dns.resolver.Resolver(str(self._system_file))
            self._servers = self._make([(str(item), 53) for item in system.nameservers], changed_at)
        return self._servers

    def _make(self, addresses: Collection[Address], changed_at: int) -> _Servers:
        made = dns.asyncresolver.Resolver(configure=False)
        others = [address for address in addresses if not self._is_own(address)]
        made.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in others]
        made.timeout = self._settings.timeout_s
        made.use_edns(0, 0, PAYLOAD)
        return _Servers(made, changed_at, tuple(f"{host} port {port}" for host, port in addresses))


def is_local(host: str) -> bool:
    """Whether an address is one of this machine: only then can a socket have it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def _read(answer: dns.resolver.Answer, owners: Collection[bytes]) -> Reply:
    chain = answer.chaining_result
    for name in (*(cname.name for cname in chain.cnames), chain.canonical_name):
        wire = name.to_digestable()
        if _among(wire, owners):
            return Reply(failure=bounded(f"leads back to {name_text(wire)}, an alias of this server"))
    ttl_s = int(chain.minimum_ttl)
    if answer.rrset is None:
        return Reply(ttl_s=ttl_s, failure="no addresses", denied=True)
    return Reply(tuple(rdata.to_wire() for rdata in answer.rrset), ttl_s)


def _among(name: bytes, owners: Collection[bytes]) -> bool:
    """Whether it is one of them, or a wildcard of theirs may cover it."""
    if name in owners:
        return True
    while name != b"\0":
        name = parent(name)
        if b"\x01*" + name in owners:
            return True
    return False


def _refusals(error: dns.resolver.NoNameservers) -> str:
    """`SERVFAIL from 192.0.2.1 port 53, timeout from 192.0.2.2 port 53`."""
    found: dict[str, None] = {}
    for server, _, _, problem, response in error.kwargs.get("errors", ()):
        said = dns.rcode.to_text(response.rcode()) if response is not None else str(problem) or "nothing"
        where = str(server).removeprefix("Do53:").replace("@", " port ")  # as dnspython writes it
        found[f"{said} from {where}"] = None
    return ", ".join(found) or "no name server answers"
