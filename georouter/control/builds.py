"""When the policy is built anew, and how the last load went.

Rule 1. One build at a time, away from the event loop; reloads asked for meanwhile share the next one.
Rule 2. Round trips drift all the time: rankings follow them at most every `RERANK_PAUSE_S`, with the files
        in use, and only where no reload is due.
Rule 3. A build that fails changes nothing but what is said about it (fail static).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from georouter.control.events import BuildDone, ReloadAsked
from georouter.control.orders import BuildRequest, Built, Failed
from georouter.control.outlets import Outlets
from georouter.words.ids import RegionName

TOLD = 20
"""Problems of a refused policy that are told; `status` and `georouter check` have all of them."""
RERANK_PAUSE_S = 10.0
"""A ranking costs a build; round trips that move all the time must not cost one each."""


@dataclass(frozen=True, slots=True)
class Reload:
    """How the last load of the policy went. `at` is Unix seconds."""

    ok: bool
    at: float
    error: str | None = None
    diagnostics: tuple[str, ...] = ()


class Builds:
    """Owned by the control loop. `post` takes the event that a build has ended."""

    def __init__(self, config: str, outlets: Outlets, post: Callable[[BuildDone], None]) -> None:
        self._config = config
        self._out = outlets
        self._post = post
        self.reload: Reload | None = None
        self.serving_last_good = False
        self.rtt_ms: Mapping[RegionName, float] = {}
        """The round trips that the plan in use was ranked by."""
        self._asked_rtt_ms: Mapping[RegionName, float] = {}
        self._wanted: list[ReloadAsked] = []
        self._task: asyncio.Task[None] | None = None
        self._reranked_at = float("-inf")
        self._rerank_due = False

    def start(self, rtt_ms: Mapping[RegionName, float], last_good_because: Failed | None, now: float) -> None:
        """The first build is in use; `last_good_because` is what is wrong with the current policy, if it is
        the last good one that was built.
        """
        self.rtt_ms = self._asked_rtt_ms = rtt_ms
        self._last_good(last_good_because is not None)
        if last_good_because is None:
            self._reloaded(Reload(ok=True, at=now))
        else:
            self._refused(last_good_because, "start", now)

    def want(self, asked: ReloadAsked) -> None:
        """Somebody wants the files read again."""
        self._wanted.append(asked)

    def drifted(self, rtt_ms: Mapping[RegionName, float], *, matters: bool) -> None:
        """Round trips have changed to these; `matters` where any service is ranked by them."""
        self._rerank_due = matters and rtt_ms != self._asked_rtt_ms

    def wait_s(self, steady: float) -> float | None:
        """How long until a new ranking may be asked for; None while none is due or a build is under way."""
        if not self._rerank_due or self._task is not None:
            return None
        return self._reranked_at + RERANK_PAUSE_S - steady

    def look(self, built: Built, rtt_ms: Mapping[RegionName, float], steady: float) -> None:
        """Ask for a build if one is due. `built` is in use."""
        if self._task is not None:
            return
        serials = built.plan.serials
        if self._wanted:
            asked, self._wanted = tuple(self._wanted), []
            request = BuildRequest(self._config, None, dict(rtt_ms), serials)
            waiting = tuple(item.done for item in asked if item.done is not None)
            cause = ", ".join(dict.fromkeys(item.cause for item in asked))
        elif self._rerank_due and steady >= self._reranked_at + RERANK_PAUSE_S:
            request = BuildRequest(self._config, built.files, dict(rtt_ms), serials)
            waiting, cause = (), "latency"
        else:
            return
        self._rerank_due = False
        self._reranked_at = steady
        self._asked_rtt_ms = request.rtt_ms
        self._task = asyncio.create_task(self._make(request, cause, waiting), name="build")

    async def _make(
        self, request: BuildRequest, cause: str, waiting: "tuple[asyncio.Future[str | None], ...]"
    ) -> None:
        try:
            result = await self._out.build(request)
        except Exception as error:  # noqa: BLE001 - whatever broke, the answers stay and it is said
            result = Failed(f"{type(error).__name__}: {error}")
        self._task = None
        self._post(BuildDone(cause, result, request.rtt_ms, waiting))

    def done(self, event: BuildDone, now: float) -> None:
        """A build has ended, and is in use if it is one: say so to everybody, and to who waits for it."""
        error: str | None = None
        if isinstance(event.result, Failed):
            error = event.result.message
            if event.cause == "latency":
                self._out.tell("rerank.failed", error=error)
            else:
                self._refused(event.result, event.cause, now)
        else:
            self.rtt_ms = event.rtt_ms
            if event.cause != "latency":
                self._loaded(event.result, event.cause, now)
        for future in event.waiting:
            if not future.done():
                future.set_result(error)

    def cancel(self) -> None:
        """Give up what is on its way."""
        if self._task is not None:
            self._task.cancel()

    def _loaded(self, built: Built, cause: str, now: float) -> None:
        self._out.refresh(built.policy)
        self._last_good(False)
        self._reloaded(Reload(ok=True, at=now))
        seconds = round(sum(built.seconds.values()), 3)
        self._out.tell("policy.loaded", cause=cause, warnings=len(built.warnings), seconds=seconds)

    def _refused(self, failed: Failed, cause: str, now: float) -> None:
        lines = tuple(str(item) for item in failed.diagnostics)
        self._reloaded(Reload(ok=False, at=now, error=failed.message, diagnostics=lines))
        self._out.tell(
            "policy.refused",
            cause=cause,
            error=failed.message,
            problems=lines[:TOLD],
            more=len(lines[TOLD:]) or None,
        )

    def _last_good(self, serving: bool) -> None:
        self.serving_last_good = serving
        self._out.metrics.serving_last_good(serving)

    def _reloaded(self, reload: Reload) -> None:
        self.reload = reload
        self._out.metrics.reload(reload.ok, reload.at)
