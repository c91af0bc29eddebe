"""The `server:` section."""

from collections.abc import Collection

from georouter.answers.networks import NOBODY
from georouter.answers.ratelimit import Rate
from georouter.facts.rules import AliasRule, BrakeRule
from georouter.policy.model import Location, Resolver, Server
from georouter.policy.nodes import Path
from georouter.policy.resolve import places, sockets, transfer
from georouter.policy.resolve.context import Context
from georouter.policy.written_server import BrakeFile, RateLimitFile, ResolverFile, ServerFile


def resolve(written: ServerFile, context: Context) -> Server:
    """Sockets parsed, file names absolute."""
    limits = written.limits
    token, secret = written.admin_token_file, written.cookie_secret_file
    location: Location | None = None
    if written.location is not None:
        location = places.location(written.location, ("server", "location"), context)
    admin = None
    if written.admin != "off":
        admin = _socket(written.admin, ("server", "admin"), context)
    listen = _listen(written.listen, context)
    if admin is not None and admin in listen:
        context.report.error(
            ("server", "admin"), "is one of the addresses in listen; give it a port of its own"
        )
    return Server(
        listen=listen,
        admin=admin,
        admin_token_file=context.absolute(token, ("server", "admin_token_file")) if token else None,
        state_dir=context.absolute(written.state_dir, ("server", "state_dir")),
        workers=written.workers,
        path=written.path,
        python_queue=limits.python_queue,
        location=location,
        udp_payload_limit=limits.udp_payload,
        receive_buffer_bytes=limits.receive_buffer,
        tcp_connections=limits.tcp_connections,
        tcp_connections_per_client=limits.tcp_connections_per_client,
        tcp_idle_timeout_s=limits.tcp_idle_timeout,
        tcp_lifetime_s=limits.tcp_lifetime,
        seed=written.seed,
        cookies=written.cookies,
        cookie_secret_file=context.absolute(secret, ("server", "cookie_secret_file")) if secret else None,
        nsid=written.nsid or "",
        identity=written.identity or "",
        version=written.version or "",
        keys=transfer.keys(written, context),
        transfers=limits.transfers,
        transfers_per_client=limits.transfers_per_client,
        rate_limit=_rate(written.rate_limit, context) if written.rate_limit else None,
        debug=places.source_networks(written.debug.allow, ("server", "debug", "allow"), context)
        if written.debug
        else NOBODY,
        resolver=_resolver(written.resolver, listen, context),
        brake=_brake(written.brake),
    )


def _rate(written: RateLimitFile, context: Context) -> Rate:
    return Rate(
        responses_per_second=written.responses_per_second,
        slip=written.slip,
        window_s=written.window,
        ipv4=written.ipv4,
        ipv6=written.ipv6,
        exempt=places.source_networks(written.exempt, ("server", "rate_limit", "exempt"), context),
    )


def _brake(written: BrakeFile | None) -> BrakeRule | None:
    if written is None:
        return None
    return BrakeRule(written.share / 100.0, written.min_regions, written.window, written.max_freeze)


def _resolver(written: ResolverFile, listen: Collection[tuple[str, int]], context: Context) -> Resolver:
    path: Path = ("server", "resolver")
    found: dict[tuple[str, int], None] = {}
    for index, text in enumerate(written.addresses):
        where = (*path, "addresses", index)
        try:
            address = sockets.parse_server(text)
        except ValueError as error:
            context.report.error(where, str(error))
            continue
        if sockets.is_own(address, listen):
            context.report.error(
                where, f'"{text}" is where this server listens; name one that resolves names'
            )
        elif address in found:
            context.report.error(where, f'"{text}" is listed twice')
        found[address] = None
    if written.min_ttl > written.max_ttl:
        context.report.error((*path, "min_ttl"), "is longer than max_ttl")
    if written.max_ttl == 0:
        context.report.error((*path, "max_ttl"), "must be at least 1s")
    rule = AliasRule(min_ttl_s=max(1, written.min_ttl), max_ttl_s=written.max_ttl)
    return Resolver(addresses=tuple(found), timeout_s=written.timeout, rule=rule)


def _listen(written: list[str], context: Context) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    for index, text in enumerate(written):
        path = ("server", "listen", index)
        address = _socket(text, path, context)
        if address in found:
            context.report.error(path, f'"{text}" is listed twice')
        elif address is not None:
            found.append(address)
    return tuple(found)


def _socket(text: str, path: Path, context: Context) -> tuple[str, int] | None:
    try:
        return sockets.parse(text)
    except ValueError as error:
        context.report.error(path, str(error))
        return None
