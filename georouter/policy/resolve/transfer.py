"""`keys:` of the server and `transfer:` of a zone."""

from ipaddress import IPv4Network

from georouter.policy.model import Notify, Transfer, TsigKey
from georouter.policy.nodes import Path
from georouter.policy.resolve import places, sockets
from georouter.policy.resolve.context import Context
from georouter.policy.written_server import ServerFile
from georouter.policy.written_transfer import TransferFile
from georouter.wire import names

PORT = 53


def keys(written: ServerFile, context: Context) -> tuple[TsigKey, ...]:
    """Names parsed, files absolute. Names are compared as DNS does: without case."""
    found: dict[bytes, TsigKey] = {}
    for text, item in written.keys.items():
        path: Path = ("server", "keys", text)
        try:
            name = names.lower(names.parse_name(text))
        except ValueError as error:
            context.report.error(path, str(error), key=True)
            continue
        if name in found:
            context.report.error(path, f'is the same key as "{names.name_text(name)}"', key=True)
        file = context.absolute(item.secret_file, (*path, "secret_file"))
        found[name] = TsigKey(name, item.algorithm, file)
    return tuple(found.values())


def transfer(written: TransferFile, path: Path, context: Context) -> Transfer:
    """Networks, keys and addresses parsed; keys exist."""
    named = [_key(text, (*path, "keys", index), context) for index, text in enumerate(written.keys)]
    if not written.allow and not written.keys:
        message = 'nobody may copy the zone; name networks in "allow" or keys in "keys"'
        context.report.error(path, message, key=True)
    return Transfer(
        networks=places.source_networks(written.allow, (*path, "allow"), context),
        keys=tuple(name for name in named if name is not None),
        notify=_notify(written, (*path, "notify"), context),
        steered=written.steered == "default",
    )


def _notify(written: TransferFile, path: Path, context: Context) -> tuple[Notify, ...]:
    found: dict[tuple[str, int], Notify] = {}
    for index, item in enumerate(written.notify):
        try:
            address = _address(item.address)
        except ValueError as error:
            context.report.error((*path, index), str(error))
            continue
        if address in found:
            context.report.error((*path, index), f'"{item.address}" is listed twice')
        key = _key(item.key, (*path, index, "key"), context) if item.key else None
        found[address] = Notify(address, key)
    return tuple(found.values())


def _address(text: str) -> tuple[str, int]:
    """An address alone means port 53."""
    try:
        network = places.parse_network(text)
    except ValueError:
        return sockets.parse(text)
    if network.num_addresses != 1:
        raise ValueError(f'"{text}" is a network; name the address of one server')
    width = 32 if isinstance(network, IPv4Network) else 128
    assert network.prefixlen == width  # noqa: S101 - one address
    return str(network.network_address), PORT


def _key(text: str, path: Path, context: Context) -> bytes | None:
    try:
        name = names.lower(names.parse_name(text))
    except ValueError as error:
        context.report.error(path, str(error))
        return None
    known = {names.name_text(item): item for item in context.keys}
    return name if context.known("key", names.name_text(name), known, path) else None
