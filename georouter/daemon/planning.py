"""Capacity plans, made in a process of their own: no reload waits for one, and one that is of no use any more
is ended with its process.
"""

from pathlib import Path

from georouter.compiler.asking import Crowd
from georouter.control.orders import Failed, Losses, PlanRequest
from georouter.daemon.build import Builder
from georouter.facts.plan import CapacityPlan
from georouter.policy.files import PolicyFile
from georouter.policy.load import load
from georouter.policy.model import Policy
from georouter.words.errors import PolicyError, SourceError


class Planning:
    """Remembers the last policy with its map and who asks; nothing is compiled here."""

    def __init__(self, *, cache_dir: str | None = None) -> None:
        self._builder = Builder(cache_dir=cache_dir)
        self._files: tuple[PolicyFile, ...] = ()
        self._policy: Policy | None = None
        self._crowd: Crowd | None = None
        self._crowd_key: object = None

    def handle(self, request: object) -> object:
        """The process's door: a request in, its result (or `Failed`) out; never raises."""
        try:
            if isinstance(request, PlanRequest):
                return self.plan(request)
        except Exception as error:  # noqa: BLE001 - the daemon must hear of it, whatever it is
            return Failed(f"internal error: {type(error).__name__}: {error}")
        return Failed(f"internal error: unknown request {type(request).__name__}")

    def plan(self, request: PlanRequest) -> CapacityPlan | Losses | Failed:
        """The capacity plan of the policy in use, or what to do at further losses."""
        from georouter.routing.transport import NoSolverError  # noqa: PLC0415 - said when it is asked for

        try:
            crowd = self._crowd_of(request)
            if request.losses is not None:
                return crowd.losses(request.world, request.censuses, request.now, request.losses)
            return crowd.plan(request.world, request.censuses, request.now)
        except (PolicyError, SourceError, OSError, NoSolverError) as error:
            return Failed(str(error))

    def _crowd_of(self, request: PlanRequest) -> Crowd:
        if self._policy is None or self._files != request.files:
            self._policy = load(request.files, root=Path("/"), zone_files=False).policy
            self._files = request.files
        geo = self._builder.map_at_hand(self._policy)
        key = (id(self._policy), id(geo), dict(request.world.rtt_ms))
        if self._crowd is None or self._crowd_key != key:
            self._crowd = None  # the last one need not stay while the next one is made
            self._crowd = Crowd(self._policy, geo, request.world)
            self._crowd_key = key
        return self._crowd
