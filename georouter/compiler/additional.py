"""What our zone has for the targets of HTTPS and SVCB records, for the additional section (RFC 9460 4.1)."""

from collections.abc import Iterable

from georouter.compiler.records import record_set
from georouter.compiler.tree import Tree
from georouter.policy.model import RecordSet
from georouter.wire import svcb
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_HTTPS, TYPE_SVCB
from georouter.wire.names import lower

NOTHING = b"", 0


def beside(tree: Tree, zone: int, records: RecordSet) -> tuple[bytes, int]:
    """As `of_targets` for a record set; nothing for other types."""
    if records.type not in (TYPE_HTTPS, TYPE_SVCB):
        return NOTHING
    return of_targets(
        tree, zone, records.type, (svcb.parts(rdata)[1] for rdata in records.rdatas), records.owner
    )


def of_targets(
    tree: Tree, zone: int, type_: int, targets: Iterable[bytes], owner: bytes | None = None
) -> tuple[bytes, int]:
    """Addresses, and records of the same type, that the zone holds for the targets, and how many.

    Not for ".", whose addresses resolvers ask for at once, and not the answer again where `owner` is
    a target. Steered addresses depend on who asks: they are not here.
    """
    found, count = b"", 0
    for target in {lower(target): target for target in targets if target != svcb.OWNER}.values():
        sets = tree.near(lower(target), zone)
        for number in (TYPE_A, TYPE_AAAA, type_):
            if number in sets and (number != type_ or lower(target) != owner):
                found += record_set(target, sets[number])
                count += len(sets[number].rdatas)
    return found, count
