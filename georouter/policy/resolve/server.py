"""The `server:` section."""

from georouter.answers.networks import NOBODY
from georouter.answers.ratelimit import Rate
from georouter.policy.model import Location, Server
from georouter.policy.nodes import Path
from georouter.policy.resolve import places, sockets, transfer
from georouter.policy.resolve.context import Context
from georouter.policy.written import RateLimitFile, ServerFile


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
        location=location,
        udp_payload_limit=limits.udp_payload,
        receive_buffer_bytes=limits.receive_buffer,
        tcp_connections=limits.tcp_connections,
        tcp_connections_per_client=limits.tcp_connections_per_client,
        tcp_idle_timeout_s=limits.tcp_idle_timeout,
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
