"""The address a query came from, as `respond` wants it."""

import socket

_MAPPED_LOW = 0xFFFF


def source_of(host: str) -> tuple[int, int]:
    """(family 4 or 6, the address as a number) of a numeric address.

    IPv4-mapped IPv6 addresses are IPv4.
    """
    if ":" not in host:
        return 4, int.from_bytes(socket.inet_aton(host), "big")
    value = int.from_bytes(socket.inet_pton(socket.AF_INET6, host.partition("%")[0]), "big")
    if value >> 32 == _MAPPED_LOW:
        return 4, value & 0xFFFFFFFF
    return 6, value
