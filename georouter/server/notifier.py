"""Tells secondaries that a zone has a new serial (NOTIFY, RFC 1996), until they say that they know.

Each is asked on a socket of its own, so that answers come from whom they were asked of, and none of it
passes through the sockets that answer queries. A secondary that does not answer is asked again, with
longer and longer pauses (RFC 1996 3.6), and then left to its own refresh timer. A newer serial begins anew.
"""

import asyncio
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING

from georouter.wire.names import name_text
from georouter.wire.tsig import Key

if TYPE_CHECKING:
    import dns.message

Address = tuple[str, int]

WAITS_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0)
"""How long each attempt waits for an answer; four minutes altogether."""
AT_ONCE = 50
"""Secondaries asked at the same time: a start with thousands of zones is no flood."""
DATAGRAM = 4096


@dataclass(frozen=True, slots=True)
class News:
    """A zone that has changed: its apex (lower-case wire form), serial, SOA data and TTL."""

    apex: bytes
    serial: int
    soa: bytes
    ttl_s: int

    @property
    def zone(self) -> str:
        """The zone's name."""
        return name_text(self.apex)


@dataclass(frozen=True, slots=True)
class Told:
    """How one secondary stands. `state` is `asking`, `acknowledged`, `refused` (it said no: `reason`) or
    `unanswered` (we gave up).
    """

    zone: str
    address: Address
    serial: int
    state: str = "asking"
    attempts: int = 0
    reason: str = ""


class Notifier:
    """Asks on the event loop that it is used on. `heard` hears of every end of asking."""

    def __init__(
        self,
        listen: Sequence[Address],
        heard: Callable[[Told], None],
        *,
        waits_s: Sequence[float] = WAITS_S,
    ) -> None:
        """`listen` is where we answer: a secondary knows us by such an address."""
        self._listen = tuple(listen)
        self._heard = heard
        self._waits_s = tuple(waits_s)
        self._told: dict[tuple[str, Address], Told] = {}
        self._tasks: dict[tuple[str, Address], asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    @property
    def told(self) -> Mapping[tuple[str, Address], Told]:
        """Every secondary by zone and address."""
        return MappingProxyType(self._told)

    def announce(self, news: News, targets: Collection[tuple[Address, Key | None]]) -> None:
        """Tell these, each with the key to sign with. What they were being told of the zone before ends."""
        self.forget(
            lambda zone, address: zone == news.zone and address not in {where for where, _ in targets}
        )
        for address, key in targets:
            where = (news.zone, address)
            self._end(where)
            self._told[where] = Told(news.zone, address, news.serial)
            self._tasks[where] = asyncio.create_task(self._tell(news, address, key), name="notify")

    def forget(self, gone: Callable[[str, Address], bool]) -> None:
        """Stop telling those that are secondaries no more."""
        for where in [where for where in self._told if gone(*where)]:
            self._end(where)
            del self._told[where]

    async def stop(self) -> None:
        """Tell nobody any more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, where: tuple[str, Address]) -> None:
        task = self._tasks.pop(where, None)
        if task is not None:
            task.cancel()

    async def _tell(self, news: News, address: Address, key: Key | None) -> None:
        where = (news.zone, address)
        state, reason = "unanswered", ""
        for attempt, wait_s in enumerate(self._waits_s, 1):
            self._told[where] = replace(self._told[where], attempts=attempt, reason=reason)
            try:
                async with self._room:
                    rcode = await _ask(news, key, address, source_for(address, self._listen), wait_s)
            except TimeoutError:
                reason = "no answer"
            except OSError as error:  # nobody is there, or no way leads there
                reason = error.strerror or type(error).__name__
                await asyncio.sleep(wait_s)
            else:
                state, reason = ("acknowledged", "") if rcode == "NOERROR" else ("refused", rcode)
                break
        told = self._told[where] = replace(self._told[where], state=state, reason=reason)
        del self._tasks[where]
        self._heard(told)


def source_for(target: Address, listen: Sequence[Address]) -> Address | None:
    """The address to ask from, with any port: the first that we answer on and that reaches `target`.

    None where we answer on all addresses: then the way that leads there decides.
    """
    there = ip_address(target[0])
    for host, _ in listen:
        here = ip_address(host)
        alike = here.version == there.version and here.is_loopback == there.is_loopback
        if alike and not here.is_unspecified:
            return host, 0
    return None


async def _ask(news: News, key: Key | None, address: Address, source: Address | None, wait_s: float) -> str:
    """Send one NOTIFY and wait for its answer: the response code. TimeoutError, OSError."""
    query = _message(news, key)
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        if source is not None:
            sock.bind(source)
        sock.connect(address)
        async with asyncio.timeout(wait_s):
            await loop.sock_sendall(sock, query.to_wire())
            while True:
                rcode = _answer(query, await loop.sock_recv(sock, DATAGRAM))
                if rcode is not None:
                    return rcode


def _message(news: News, key: Key | None) -> "dns.message.Message":
    """A NOTIFY with the new SOA as a hint (RFC 1996 3.7)."""
    import dns.flags  # noqa: PLC0415 - only who has secondaries pays for it
    import dns.message  # noqa: PLC0415
    import dns.name  # noqa: PLC0415
    import dns.opcode  # noqa: PLC0415
    import dns.rdata  # noqa: PLC0415
    import dns.rdataclass  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415
    import dns.rrset  # noqa: PLC0415

    from georouter.wire.signing import made  # noqa: PLC0415

    name = dns.name.from_wire(news.apex, 0)[0]
    query = dns.message.make_query(name, dns.rdatatype.SOA)
    query.set_opcode(dns.opcode.NOTIFY)
    query.flags = query.flags & ~dns.flags.RD | dns.flags.AA
    soa = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.SOA, news.soa, 0, len(news.soa))
    query.answer.append(dns.rrset.from_rdata(name, news.ttl_s, soa))
    if key is not None:
        query.use_tsig(made(key))
    return query


def _answer(query: "dns.message.Message", data: bytes) -> str | None:
    """The response code of an answer to this query; None for anything else, an unproven answer too."""
    import dns.exception  # noqa: PLC0415 - as above
    import dns.message  # noqa: PLC0415
    import dns.rcode  # noqa: PLC0415

    try:
        answer = dns.message.from_wire(data, keyring=query.keyring, request_mac=query.mac)
    except (dns.exception.DNSException, ValueError):
        return None
    if not query.is_response(answer) or (query.keyring is not None and not answer.had_tsig):
        return None
    return dns.rcode.to_text(answer.rcode())
