"""Addresses and hostnames of endpoints."""

from ipaddress import IPv6Address, ip_address

from georouter.wire import names


def parse(text: str) -> tuple[str, int]:
    """An address in its usual spelling with its family, or a lower-case hostname with 0.

    Raises ValueError with what would be right.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return _hostname(text), 0
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise ValueError(f'"{text}" has a zone index; leave out everything from the "%"')
        if address.ipv4_mapped is not None:
            raise ValueError(f'"{text}" is a mapped IPv4 address; write {address.ipv4_mapped}')
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f'"{text}" is not the address of one host')
    return str(address), address.version


def _hostname(text: str) -> str:
    if ":" in text or "/" in text or text.rstrip(".").replace(".", "").isdigit():
        hint = " (the port belongs to the check)" if text.count(":") == 1 else ""
        raise ValueError(f'"{text}" is neither an IP address nor a hostname{hint}')
    wire = names.lower(names.parse_name(text))
    for label in names.labels(wire):
        if not all(chr(octet).isalnum() or octet in b"-_" for octet in label) or max(label) > 0x7F:
            raise ValueError(f'"{text}" is not a hostname: it may hold letters, digits, "-" and "_"')
    if wire == b"\0":
        raise ValueError('"." is not a hostname')
    return names.name_text(wire)
