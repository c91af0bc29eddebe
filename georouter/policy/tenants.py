"""Tenant directories: who lives where, in columns that a million tenants fit into.

rows of a file --> label, and a `Tenancy`: what all tenants have in common who live alike (a kind)
    --`pack`--> `answers.tables.Tenants`: label -> kind
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

from georouter.answers.tables import Tenants
from georouter.answers.tenants import look_up
from georouter.words.ids import RegionName

MOST_KINDS = 65535
"""Of one directory: a kind has two octets."""


class TenantState(StrEnum):
    """Whether a tenant stays. Who is `moving` is answered by the old home until the file says otherwise."""

    ACTIVE = "active"
    MOVING = "moving"


@dataclass(frozen=True, slots=True)
class Tenancy:
    """How a tenant lives. `residency` are the only regions it may ever be answered by; None for all.

    `moving_to` is the next home of a tenant in state `moving`.
    """

    home: RegionName
    residency: frozenset[RegionName] | None = None
    state: TenantState = TenantState.ACTIVE
    moving_to: RegionName | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose name was asked for. `tenancy` is None for a label that has no home; `hashed`: by a hash alone."""

    label: str
    tenancy: Tenancy | None
    hashed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TenantDirectory:
    """Who lives where. `counts` has the number of tenants of each kind. Same content, equal directories.

    `mark` is a checksum of the content, which no process knows otherwise.
    """

    name: str
    """The file, for people."""
    kinds: tuple[Tenancy, ...]
    counts: tuple[int, ...]
    tenants: Tenants
    mark: int

    def kind_of(self, label: bytes) -> int:
        """The kind of the tenant with this label (lower case); -1 for nobody."""
        return look_up(self.tenants, label)

    def __len__(self) -> int:
        return len(self.tenants.kind)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TenantDirectory):
            return NotImplemented
        if self.mark != other.mark or self.kinds != other.kinds:
            return False
        return self.tenants is other.tenants or self.tenants == other.tenants

    def __hash__(self) -> int:
        return self.mark


@dataclass(frozen=True, slots=True)
class Packed:
    """`double` has, for each label that was there before, the positions of the first one and of this."""

    tenants: Tenants
    double: list[tuple[int, int]]


def pack(labels: Sequence[bytes], kinds: Sequence[int]) -> Packed:
    """The columns for these labels (lower case) and their kinds. Of equal labels the first counts."""
    bits = max(1, len(labels).bit_length())
    shift = 32 - bits
    keys = [(crc32(label) >> shift).to_bytes(4, "big") + label for label in labels]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    double: list[tuple[int, int]] = []
    start, kind, kept = array("I", [0]), array("H"), []
    counts = array("I", bytes(4 * ((1 << bits) + 1)))
    length, last = 0, -1
    for position in order:
        if last >= 0 and keys[position] == keys[last]:
            double.append((last, position))
            continue
        label = labels[position]
        length += len(label)
        start.append(length)
        kind.append(kinds[position])
        kept.append(label)
        counts[int.from_bytes(keys[position][:4], "big") + 1] += 1
        last = position
    total = 0
    for bucket, count in enumerate(counts):
        total += count
        counts[bucket] = total
    return Packed(Tenants(shift, counts, start, b"".join(kept), kind), double)


def make_directory(name: str, kinds: Sequence[Tenancy], tenants: Tenants) -> TenantDirectory:
    """A directory of these tenants, whose kinds are positions in `kinds`."""
    counts = [0] * len(kinds)
    for kind in tenants.kind:
        counts[kind] += 1
    mark = crc32(tenants.kind.tobytes(), crc32(tenants.labels))
    return TenantDirectory(name, tuple(kinds), tuple(counts), tenants, mark)


EMPTY = make_directory("", (), pack((), ()).tenants)
"""Where the file was not asked for."""


@dataclass(frozen=True, slots=True)
class ReadDirectory:
    """A directory, and the line on which each of its kinds is first."""

    directory: TenantDirectory
    lines: tuple[int, ...] = ()
