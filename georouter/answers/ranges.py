"""Where an address falls in a sorted range table, and how wide the answer may be cached."""

from bisect import bisect_right

from georouter.answers.tables import RangeTable


def locate(table: RangeTable, address: int) -> int:
    """Index of the range that holds `address` (IPv4 as 32 bits, IPv6 by its top 64 bits)."""
    return bisect_right(table.starts, address) - 1


def scope(table: RangeTable, index: int, address: int, bits: int) -> int:
    """Length of the shortest prefix round `address` that lies inside range `index`.

    `bits` is the width of an address, 32 or 64. The prefix has to leave out the last address of the
    range before (`starts[index] - 1`) and the first of the range after (`starts[index + 1]`); an
    address shares `bits - bit_length(a ^ b)` leading bits with another, so one bit more leaves it
    out. Scopes made this way never overlap: each is a maximal prefix of its own range.
    """
    starts = table.starts
    shortest = bits + 1
    if index:
        shortest = (address ^ (starts[index] - 1)).bit_length()
    elif len(starts) == 1:
        return 0
    if index + 1 < len(starts):
        after = (address ^ starts[index + 1]).bit_length()
        shortest = min(shortest, after)
    return bits + 1 - shortest
