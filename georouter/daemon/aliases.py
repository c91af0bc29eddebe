"""Alias targets in the daemon: who asks for them, and when a policy that needs them comes into use."""

from collections.abc import Callable, Mapping

from georouter.facts.aliases import Target
from georouter.policy.model import Policy, Resolver, Server
from georouter.policy.resolve.sockets import is_own
from georouter.probes.refresher import Emit, Refresher


class Aliases:
    """Asks for the targets of the policy in use. Without any, nothing of it is even loaded."""

    def __init__(self, emit: Emit, running: Server) -> None:
        """`running` is the server section that the sockets are open by."""
        self._refresher = Refresher(emit)
        self._running = running
        self._settings: Resolver | None = None

    def follow(
        self, policy: Policy, outside: Mapping[bytes, tuple[bytes, ...]], beliefs: Mapping[bytes, Target]
    ) -> None:
        """A policy is in use."""
        self._use(policy.server.resolver, needed=bool(outside))
        self._refresher.follow(outside, beliefs)

    async def first_round(self, policy: Policy) -> None:
        """Ask for what is not known, for one timeout at most."""
        await self._refresher.first_round(policy.server.resolver.timeout_s)

    async def ahead(self, policy: Policy, outside: Mapping[bytes, tuple[bytes, ...]]) -> None:
        """A policy is about to be used: ask for what it adds, so that its names are answered at once."""
        self._use(policy.server.resolver, needed=bool(outside))
        await self._refresher.ahead(outside, policy.server.resolver.timeout_s)

    async def stop(self) -> None:
        """Ask no more."""
        await self._refresher.stop()

    def _use(self, settings: Resolver, *, needed: bool) -> None:
        if not needed or settings == self._settings:
            return
        from georouter.probes.stub import Stub  # noqa: PLC0415 - slow to import, and mostly not needed

        self._settings = settings
        self._refresher.use(Stub(settings, _listener(self._running)), settings.rule)


def _listener(running: Server) -> Callable[[tuple[str, int]], bool]:
    """Whether an address is where we listen, those of this machine behind a wildcard included."""
    from georouter.probes.stub import is_local  # noqa: PLC0415 - as above

    everywhere = {port for host, port in running.listen if host in ("0.0.0.0", "::")}

    def listens(address: tuple[str, int]) -> bool:
        return is_own(address, running.listen) or (address[1] in everywhere and is_local(address[0]))

    return listens
