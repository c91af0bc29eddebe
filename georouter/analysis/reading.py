"""Whose addresses an answer holds, and which sets of regions it leaves.

An address that several regions have counts as inside where one of them is: whoever gets it cannot tell.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
from numpy.typing import NDArray

from georouter.analysis.said import Said, read
from georouter.answers.tables import Answer
from georouter.policy.model import Policy

Mask = NDArray[np.bool_]


class Owners:
    """The regions (bits in the order of the policy) that have an address or a hostname."""

    def __init__(self, policy: Policy) -> None:
        self._names = tuple(policy.regions)
        self._addresses: dict[IPv4Address | IPv6Address, int] = {}
        self._hosts: dict[str, int] = {}
        for number, region in enumerate(policy.regions.values()):
            for endpoint in region.endpoints:
                if endpoint.family:
                    key = ip_address(endpoint.address)
                    self._addresses[key] = self._addresses.get(key, 0) | 1 << number
                else:
                    host = endpoint.address.lower()
                    self._hosts[host] = self._hosts.get(host, 0) | 1 << number

    def named(self, regions: int) -> tuple[str, ...]:
        """The names of a set of regions."""
        return tuple(name for number, name in enumerate(self._names) if regions >> number & 1)

    def of(self, said: Said) -> tuple[tuple[str, int], ...]:
        """Every address and hostname in an answer that regions have, and which."""
        held = [(text, self._addresses.get(ip_address(text), 0)) for text in said.addresses]
        held += [(text, self._hosts.get(text, 0)) for text in said.hosts]
        return tuple((text, regions) for text, regions in held if regions)

    def strangers(self, said: Said) -> tuple[str, ...]:
        """Addresses that no region has, where no region's hostname leads to them."""
        if any(host in self._hosts for host in said.hosts):
            return ()
        return tuple(text for text in said.addresses if ip_address(text) not in self._addresses)

    def notes(self, universe: int, masks: Sequence[int]) -> tuple[str, ...]:
        """What a proof over these regions and fences does not say."""
        found = []
        for what, regions in (
            *((str(key), value) for key, value in self._addresses.items()),
            *self._hosts.items(),
        ):
            if regions & universe and any(regions & mask and regions & ~mask for mask in masks):
                names = ", ".join(self.named(regions))
                found.append(f"{what} is shared by {names}, which fences tell apart: it counts as inside")
        for host, regions in self._hosts.items():
            if regions & universe:
                names = ", ".join(self.named(regions & universe))
                found.append(f"{names} is answered as {host}: where that name leads is not proved here")
        return tuple(found)


class Reader:
    """Which answers lie outside which of `masks`. Answers are read once."""

    def __init__(self, owners: Owners, masks: Sequence[int]) -> None:
        self._owners = owners
        self._masks = masks
        self._rows: dict[tuple[bytes, bytes], Mask] = {}
        self._tables: dict[int, tuple[tuple[Answer, ...], Mask]] = {}
        self.strangers: dict[str, None] = {}

    def outside(self, bodies: tuple[Answer, ...]) -> Mask:
        """Whether answer `i` holds anything that nobody inside mask `j` has: shape (answers, masks)."""
        known = self._tables.get(id(bodies))
        if known is None:
            if len(self._tables) >= 64:
                self._tables.clear()
            made = np.stack([self._row(answer) for answer in bodies])
            known = self._tables[id(bodies)] = (bodies, made)
        return known[1]

    def _row(self, answer: Answer) -> Mask:
        key = (answer.head[0], answer.body)
        row = self._rows.get(key)
        if row is None:
            said = read(answer)
            self.strangers |= dict.fromkeys(self._owners.strangers(said))
            held = self._owners.of(said)
            row = np.array([any(not regions & mask for _, regions in held) for mask in self._masks])
            self._rows[key] = row
        return row
