"""What addresses does a name outside our zones have? What a resolver said last, and how good that is.

Rule 1. Addresses are believed at once. Those of IPv4 and IPv6 are believed one by one.
Rule 2. That a name has no addresses of a family is believed only together with addresses of the other.
Rule 3. Everything else is a failure: no answer, an error, a name that does not exist or has nothing. What
        was known stays and is called stale: nobody outside empties what the policy did not empty.
Rule 4. Before anything was known of a family there is no answer, not an empty one.
Rule 5. Addresses are asked for again when their TTL (within the bounds of the rule) is over; after
        failures soon, then ever more slowly.

    unknown --addresses--> fresh --failure--> stale --addresses--> fresh
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from math import isfinite
from typing import Any, TypeAlias

from georouter.facts.rules import AliasRule
from georouter.wire.names import lower, name_text, parse_name

FAMILIES = (4, 6)
_SIZE = {4: 4, 6: 16}
MOST_ADDRESSES = 100
"""Of one family; what is beyond is left out. A message holds more, and nobody reads them."""
STALE_TTL_S = 30
"""Stale addresses are cached no longer than this (RFC 8767 4)."""
RETRY_S = 1.0
"""After a first failure; doubled with every further one."""
RETRY_MOST_S = 60.0
"""A target that returns is answered again within this."""
KEPT_FACTOR = 2
"""Resolvers tell the rest of a TTL. A published one stays until that differs by more than this factor."""


class AliasState(StrEnum):
    """How good what we know of a target is."""

    UNKNOWN = "unknown"
    """Of one of the families nothing is known yet."""
    FRESH = "fresh"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking for one family: packed addresses, or in a few words why there are none.

    `denied`: whoever answered says that there are none, or no such name.
    """

    addresses: tuple[bytes, ...] = ()
    ttl_s: int = 0
    failure: str = ""
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Addresses:
    """What is answered for one family: packed addresses in order, for `ttl_s`."""

    addresses: tuple[bytes, ...]
    ttl_s: int
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What we believe of one target. Times are Unix seconds, None: never.

    `known` holds the families of which something is known. `confirmed_at` is when all families were
    told last, `changed_at` when the addresses became what they are. `failures` counts those in a row,
    `reason` is the last one's own words.
    """

    known: Mapping[int, Addresses] = field(default_factory=dict)
    confirmed_at: float | None = None
    changed_at: float | None = None
    failures: int = 0
    reason: str = ""

    @property
    def state(self) -> AliasState:
        """The worst that is true."""
        if len(self.known) < len(FAMILIES):
            return AliasState.UNKNOWN
        stale = any(held.stale for held in self.known.values())
        return AliasState.STALE if stale else AliasState.FRESH


UNKNOWN = Target()

AliasKey: TypeAlias = tuple[bytes, int]
"""A target (lower-case wire format) and a family."""


def observe(target: Target, replies: Mapping[int, Reply], rule: AliasRule, now: float) -> Target:
    """The belief after a resolver was asked for both families; the replies arrived at `now`."""
    usable = {family: _usable(reply, rule) for family, reply in replies.items()}
    some = any(item.addresses for item in usable.values())
    known: dict[int, Addresses] = {}
    reasons: list[str] = []
    for family in FAMILIES:
        old, new = target.known.get(family), usable[family]
        if not new.addresses and not (some and replies[family].denied):
            reasons.append(replies[family].failure or "only addresses that are nobody's")
            if old is not None:
                known[family] = replace(old, stale=True, ttl_s=min(old.ttl_s, STALE_TTL_S))
        else:
            known[family] = _settle(old, new)
    moved = any(_differ(target.known.get(family), known.get(family)) for family in FAMILIES)
    return Target(
        known=known,
        confirmed_at=target.confirmed_at if reasons else now,
        changed_at=now if moved else target.changed_at,
        failures=target.failures + 1 if reasons else 0,
        reason=reasons[0] if reasons else "",
    )


def next_in_s(target: Target, rule: AliasRule) -> float:
    """How long after a round the next one begins (before any jitter)."""
    ttls_s = [held.ttl_s for held in target.known.values() if not held.stale]
    steady = float(max(rule.min_ttl_s, min(ttls_s, default=rule.max_ttl_s)))
    if not target.failures:
        return steady
    return min(steady, RETRY_MOST_S, RETRY_S * 2.0 ** min(target.failures - 1, 16))


def restored(target: Target, now: float) -> Target:
    """A saved belief at a start: stale where it is older than its TTL, as nobody asked meanwhile."""
    age_s = now - target.confirmed_at if target.confirmed_at is not None else float("inf")
    known = {
        family: held
        if 0 <= age_s < held.ttl_s
        else replace(held, stale=True, ttl_s=min(held.ttl_s, STALE_TTL_S))
        for family, held in target.known.items()
    }
    return replace(target, known=known, failures=0)


def _usable(reply: Reply, rule: AliasRule) -> Addresses:
    """The addresses in a fixed order, without those that are nobody's; resolvers rotate them."""
    found = sorted(address for address in set(reply.addresses) if _is_host(address))
    return Addresses(tuple(found[:MOST_ADDRESSES]), max(rule.min_ttl_s, min(rule.max_ttl_s, reply.ttl_s)))


def _settle(old: Addresses | None, new: Addresses) -> Addresses:
    """The old one while only its TTL differs, and not by much: resolvers count it down."""
    if old is None or old.stale or old.addresses != new.addresses:
        return new
    return old if old.ttl_s <= new.ttl_s * KEPT_FACTOR and new.ttl_s <= old.ttl_s * KEPT_FACTOR else new


def _differ(old: Addresses | None, new: Addresses | None) -> bool:
    return (old.addresses if old else None) != (new.addresses if new else None)


def _is_host(packed: bytes) -> bool:
    """Not unspecified (what blocking resolvers say) and not multicast."""
    address = ip_address(packed)
    return not (address.is_unspecified or address.is_multicast)


def encode(name: bytes, target: Target) -> dict[str, Any]:
    """A JSON-able object that `decode` reads. What is stale is not said: a restart finds out."""
    return {
        "target": name_text(name),
        "confirmed_at": target.confirmed_at,
        "changed_at": target.changed_at,
        "known": {
            str(family): {
                "addresses": [str(ip_address(address)) for address in held.addresses],
                "ttl_s": held.ttl_s,
            }
            for family, held in target.known.items()
        },
    }


def decode(value: object) -> tuple[bytes, Target]:
    """The inverse of `encode`. ValueError for what it would not have written."""
    match value:
        case {"target": str(name), "confirmed_at": confirmed, "changed_at": changed, "known": dict(known)}:
            return lower(parse_name(name)), Target(
                known={
                    family: _decode(family, known[str(family)]) for family in FAMILIES if str(family) in known
                },
                confirmed_at=_time(confirmed),
                changed_at=_time(changed),
            )
    raise ValueError("not an alias target")


def _decode(family: int, value: object) -> Addresses:
    match value:
        case {"addresses": list(texts), "ttl_s": int(ttl_s)} if 0 < ttl_s < 2**31:
            found = tuple(ip_address(text).packed for text in texts if isinstance(text, str))
            if len(found) == len(texts) <= MOST_ADDRESSES and {len(item) for item in found} <= {
                _SIZE[family]
            }:
                return Addresses(found, ttl_s)
    raise ValueError(f"not addresses of family {family}")


def _time(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError("not a time")
    return float(value)
