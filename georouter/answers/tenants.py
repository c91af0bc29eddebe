"""Whose name it is: from a name below a wildcard to the tenant's kind."""

from collections.abc import Callable
from typing import TypeAlias
from zlib import crc32

from georouter.answers.choice import settle
from georouter.answers.lookup import below
from georouter.answers.tables import UNKNOWN_CHAIN, UNKNOWN_HASH, Directory, Pin, Tenants

NOBODY = -1
"""The kind of labels that are not in the directory."""


Found: TypeAlias = tuple[int, int, int, int]
"""Node, ref, tenant's kind, counter."""


def look_up(tenants: Tenants, label: bytes) -> int:
    """The kind of the tenant called `label` (lower case), or `NOBODY`.

    One comparison for most labels; in a bucket that somebody filled on purpose the number of its bits.
    """
    bucket = crc32(label) >> tenants.shift
    low, high = tenants.first[bucket], tenants.first[bucket + 1]
    start, labels = tenants.start, tenants.labels
    while low < high:
        middle = (low + high) >> 1
        found = labels[start[middle] : start[middle + 1]]
        if found == label:
            return tenants.kind[middle]
        if found < label:
            low = middle + 1
        else:
            high = middle
    return NOBODY


def label_of(name: bytes, parent: int, label: int) -> bytes:
    """The `label`-th label to the left of the last `parent` octets of a wire name; empty if none."""
    stop = len(name) - parent
    after = 1 + name[0]
    if label == 1 and after == stop:
        return name[1:after]
    starts = [0]
    while after < stop:
        starts.append(after)
        after += 1 + name[after]
    if len(starts) < label:
        return b""
    at = starts[-label]
    return name[at + 1 : at + 1 + name[at]]


def tally_of(pin: Pin, kind: int) -> int:
    """Where a query for this kind of tenant is counted."""
    return pin.counter if 0 <= kind < pin.known else pin.counter + 1


def pinned(directory: Directory, pin: Pin, name: bytes, ref: int) -> tuple[int, int]:
    """What a name (lower-case wire format) below a pin's parent has instead of `ref`, and its tenant's kind.

    The kind is `NOBODY` where the answer does not depend on a tenant.
    """
    label = label_of(name, pin.parent, pin.label)
    kind = look_up(directory.tenants[pin.tenants], label) if label else NOBODY
    if kind >= 0 or pin.unknown == UNKNOWN_CHAIN:
        return ref, kind
    if pin.unknown == UNKNOWN_HASH:
        return ref, settle(pin.homes, label) if label else NOBODY
    return pin.nxdomain if label else pin.nodata, NOBODY


def desk(directory: Directory, node: int) -> Callable[[bytes, int, int], Found]:
    """`lookup.below` and `pinned` in one call for names whose closest encloser is `node`, which has a pin.

    It takes a name, where its second label begins, and the type asked for. The same as the two, with what
    they look at already in hand.
    """
    pin = directory.pins[node]
    tenants, known, counter, parent = directory.tenants[pin.tenants], pin.known, pin.counter, pin.parent
    shift, first, start, labels, kinds = (
        tenants.shift,
        tenants.first,
        tenants.start,
        tenants.labels,
        tenants.kind,
    )
    refs: dict[int, int] = {}
    single = pin.label == 1

    def find(name: bytes, at: int, type_: int) -> Found:
        ref = refs.get(type_)
        if ref is None:
            ref = refs[type_] = below(directory, node, type_)
        if single and len(name) - at == parent:
            label = name[1:at]
            bucket = crc32(label) >> shift
            low = first[bucket]
            if first[bucket + 1] == low + 1 and labels[start[low] : start[low + 1]] == label:
                return node, ref, kinds[low], counter
        ref, kind = pinned(directory, pin, name, ref)
        return node, ref, kind, counter if 0 <= kind < known else counter + 1

    return find
