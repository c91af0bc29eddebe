"""Secondaries of our zones: what they may copy, what changed lately, and who has been told of it.

    build done ─► prepare (in a thread: what differs?) ─► adopt (one store) ─► published ─► announce

The journal of differences lives here, in memory: it outlives reloads and not restarts, after which
secondaries that are behind copy the whole zone.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from georouter.answers.copies import Content, Copies, Copy, Delta, Grant
from georouter.compiler.difference import difference
from georouter.control.orders import Built
from georouter.policy.model import Transfer
from georouter.server.notifier import Address, News, Notifier, Told
from georouter.telemetry.metrics import Metrics
from georouter.telemetry.source import Sent
from georouter.wire.names import name_text
from georouter.wire.serials import is_newer
from georouter.words.ids import ZoneName

MOST_DELTAS = 100
"""Serials back that an IXFR may begin at."""
MOST_OCTETS = 16 * 1024 * 1024
"""Of one zone's differences; nor are they ever more than the zone."""
PER_RECORD = 150
"""Octets of memory that a record takes beside its own."""

Tell = Callable[..., None]


class Secondaries:
    """Owned by the control thread. `copies` is what the packet path reads."""

    def __init__(self, copies: Copies, listen: Sequence[Address], metrics: Metrics, tell: Tell) -> None:
        """`listen` is where we answer."""
        self.copies = copies
        self._metrics = metrics
        self._tell = tell
        self._notifier = Notifier(listen, self._heard)
        self._prepared: tuple[Built, Mapping[bytes, Copy]] | None = None
        self._transfers: Mapping[ZoneName, Transfer] = {}
        self._announced: dict[bytes, int] = {}

    async def prepare(self, built: Built) -> None:
        """Work out what a build changes, before it is adopted."""
        self._prepared = (built, await asyncio.to_thread(_copies, built, self.copies.zones))

    def adopt(self, built: Built) -> None:
        """Hand out these zones from now on."""
        made, self._prepared = self._prepared, None
        prepared = made[1] if made is not None and made[0] is built else _copies(built, self.copies.zones)
        self._transfers = {
            zone.name: zone.transfer for zone in built.policy.zones.values() if zone.transfer is not None
        }
        for apex, copy in prepared.items():
            self._compare(self.copies.zones.get(apex), copy)
        self.copies.zones = prepared
        self._metrics.zone_serials({name_text(apex): copy.content.serial for apex, copy in prepared.items()})

    def announce(self) -> None:
        """Tell secondaries of every zone whose serial they were not told yet."""
        zones = self.copies.zones
        self._announced = {apex: serial for apex, serial in self._announced.items() if apex in zones}
        self._notifier.forget(lambda zone, _: ZoneName(zone) not in self._transfers)
        for apex, copy in zones.items():
            content = copy.content
            transfer = self._transfers.get(ZoneName(name_text(apex)))
            if transfer is None or self._announced.get(apex) == content.serial:
                continue
            self._announced[apex] = content.serial
            targets = [
                (item.address, self.copies.keys.get(item.key) if item.key else None)
                for item in transfer.notify
                if item.key is None or item.key in self.copies.keys
            ]
            news = News(apex, content.serial, content.soa, content.soa_ttl_s)
            self._notifier.announce(news, targets)

    async def stop(self) -> None:
        """Tell nobody any more."""
        await self._notifier.stop()

    def sent(self, sent: Sent) -> None:
        """A transfer has ended."""
        family, number = sent.client
        self._metrics.transferred(sent)
        self._tell(
            f"transfer.{sent.result}",
            zone=sent.zone,
            kind=sent.kind,
            serial=sent.serial,
            client=str(IPv4Address(number) if family == 4 else IPv6Address(number)),
            key=sent.key or None,
            messages=sent.messages,
            octets=sent.octets,
            seconds=round(sent.seconds, 3),
        )

    def status(self, active: int) -> dict[str, Any]:
        """For `georouter status`."""
        told = list(self._notifier.told.values())
        return {
            "active": active,
            "zones": [
                {
                    "zone": zone,
                    "serial": copy.content.serial,
                    "differences": len(copy.deltas),
                    "notify": [_entry(item) for item in told if item.zone == zone],
                }
                for zone, copy in ((name_text(apex), copy) for apex, copy in self.copies.zones.items())
            ],
        }

    def _heard(self, told: Told) -> None:
        self._metrics.notified(told.zone, told.state)
        self._tell(
            f"notify.{told.state}",
            zone=told.zone,
            address=_socket(told.address),
            serial=told.serial,
            attempts=told.attempts,
            reason=told.reason or None,
        )

    def _compare(self, old: Copy | None, new: Copy) -> None:
        """Say what an operator's own serial keeps from secondaries."""
        if old is None or old.content.digest == new.content.digest:
            return
        before, after = old.content.serial, new.content.serial
        if not is_newer(after, before):
            self._tell(
                "zone.serial_stands",
                zone=name_text(new.content.apex),
                serial=after,
                before=before,
                hint="the zone has changed and its serial has not risen: secondaries keep the old zone",
            )


def _copies(built: Built, before: Mapping[bytes, Copy]) -> dict[bytes, Copy]:
    """What may be copied of a build, with the way from what was there before."""
    found: dict[bytes, Copy] = {}
    for name, content in built.plan.contents.items():
        transfer = built.policy.zones[name].transfer
        if transfer is not None:
            grant = Grant(transfer.networks, frozenset(transfer.keys), transfer.steered)
            found[content.apex] = Copy(content, grant, _deltas(before.get(content.apex), content))
    return found


def _deltas(old: Copy | None, content: Content) -> tuple[Delta, ...]:
    """The journal of a zone, one step longer where it has changed."""
    if old is None:
        return ()
    if old.content.digest == content.digest and old.content.serial == content.serial:
        return old.deltas
    if not is_newer(content.serial, old.content.serial):
        return ()  # no client can tell the way
    step = difference(old.content, content)
    if step is None:
        return ()
    deltas = (*old.deltas, step)[-MOST_DELTAS:]
    room = min(content.octets, MOST_OCTETS)
    kept = 0
    for delta in reversed(deltas):
        room -= delta.octets + PER_RECORD * (len(delta.removed) + len(delta.added))
        if room < 0 and kept:
            break
        kept += 1
    return deltas[len(deltas) - kept :]


def _entry(told: Told) -> dict[str, Any]:
    return {
        "address": _socket(told.address),
        "serial": told.serial,
        "state": told.state,
        "attempts": told.attempts,
        "reason": told.reason,
    }


def _socket(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
