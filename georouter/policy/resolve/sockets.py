"""Socket addresses as they are written: `127.0.0.1:53`, `[::1]:5300`."""

from collections.abc import Collection
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

DNS_PORT = 53

_EXAMPLE = 'write it like "127.0.0.1:5300" or "[::1]:5300"'


def parse(text: str) -> tuple[str, int]:
    """Host (an IP address in its usual spelling) and port. Raises ValueError with what would be right."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        raise ValueError(f'"{text}" has no port; {_EXAMPLE}')
    if not 1 <= int(port[:6]) <= 65535:
        raise ValueError(f"a port is a number from 1 to 65535, found {port[:20]}")
    if not host or host == "*":
        raise ValueError(f'"{text}" names no address; use 0.0.0.0:{port} or [::]:{port} for all of them')
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(IPv6Address(host[1:-1])), int(port)
        except AddressValueError:
            raise ValueError(f'"{host[1:-1]}" is not an IPv6 address; {_EXAMPLE}') from None
    if ":" in host:
        raise ValueError(f"an IPv6 address needs brackets before the port; {_EXAMPLE}")
    try:
        return str(IPv4Address(host)), int(port)
    except AddressValueError:
        raise ValueError(f'"{host}" is not an IP address; {_EXAMPLE}') from None


def parse_server(text: str) -> tuple[str, int]:
    """As `parse`, for a DNS server: the port may be left out. Raises ValueError likewise."""
    try:
        return str(ip_address(text)), DNS_PORT
    except ValueError:
        return parse(text)


def is_own(address: tuple[str, int], listen: Collection[tuple[str, int]]) -> bool:
    """Whether we listen there. Of the machine's own addresses only loopback is known here."""
    host, port = address
    everywhere = ("0.0.0.0", port) if ip_address(host).version == 4 else ("::", port)
    return address in listen or (ip_address(host).is_loopback and everywhere in listen)
