"""Whose answer it is: the block of addresses a client subnet names."""

from georouter.wire.edns import FAMILY_IPV4, FAMILY_IPV6, MAPPED_BITS, MAPPED_PREFIX, ClientSubnet

NO_SUBNET = -1
"""The SOURCE prefix length of a client that we know only by its resolver's address."""


def block_of(subnet: ClientSubnet) -> tuple[int, int, int, int]:
    """(first address, family 4 or 6, prefix length, bits to add to a scope) of a client subnet.

    IPv6 addresses are their top 64 bits, and so is the prefix length. An IPv4-mapped IPv6 block is the
    IPv4 block inside, whose scopes count from bit 96. The prefix length is `NO_SUBNET` where the
    option gives no address: then the transport's source decides (RFC 7871 7.1.2: SOURCE 0 asks for
    privacy, and MUST NOT be refused).
    """
    size = len(subnet.address)
    value = int.from_bytes(subnet.address)
    if subnet.family == FAMILY_IPV4 and subnet.source:
        return value << (32 - 8 * size), 4, subnet.source, 0
    if subnet.family == FAMILY_IPV6 and subnet.source:
        if subnet.address.startswith(MAPPED_PREFIX):
            bits = subnet.source - MAPPED_BITS
            address = (value << (128 - 8 * size)) & 0xFFFFFFFF
            return address, 4, bits or NO_SUBNET, MAPPED_BITS
        return value << (128 - 8 * size) >> 64, 6, min(subnet.source, 64), 0
    return 0, 0, NO_SUBNET, 0
