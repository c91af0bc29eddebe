"""The child processes that compile and plan: requests and results over their standard streams (`parcels`).

The packet path of the pure-Python server shares the interpreter lock with everything in its process.
A compile of seconds therefore happens next door; what comes back are finished arrays. A child lives
as long as its standard input: when the daemon goes, for whatever reason, it reads end-of-file and ends.
Both ends are ours and the streams are private pipes, which is what makes pickle safe here.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import select
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import StrEnum
from typing import Any, BinaryIO

from georouter.daemon import signals
from georouter.daemon.memory import give_back, offer_to_be_killed, step_back
from georouter.daemon.parcels import Common
from georouter.telemetry.logs import LogFormat, form_in_use, set_up
from georouter.words.errors import SourceError

TIME_LIMIT_S = 300.0
"""A request that takes longer is given up and the child replaced: 100 times the largest build measured."""
PIPE_BYTES = 1 << 20
"""As much as Linux gives to everybody (pipe(7))."""
QUIET_S = 0.2
"""Without a request, before the last build is written to disk."""
GONE_S = 1.0
"""How long a child whose streams have ended may take to end itself."""


class Role(StrEnum):
    """What a child is for."""

    BUILD = "build"
    """Builds and explanations."""
    PLAN = "plan"
    """Capacity plans."""


NICE = {Role.BUILD: 5, Role.PLAN: 10}
"""Answering comes before compiling, and that before planning (nice(2)): of a processor that answers take
whole, a build gets a quarter. With less, who asks for an explanation on a busy machine waits in vain.
"""


class Workshop:
    """One child process, started at the first request and again whenever it died.

    Whoever stops waiting for a result ends the child with it.
    """

    def __init__(
        self, *, cache_dir: str | None, role: Role = Role.BUILD, time_limit_s: float = TIME_LIMIT_S
    ) -> None:
        self._role = role
        self._cache_dir = cache_dir
        self._time_limit_s = time_limit_s
        self._child: _Child | None = None
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "workshop")

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._child.process.pid if self._child else None

    async def ask(self, request: object) -> Any:
        """Send `request`, return the child's result. A child that dies over it is replaced once.

        SourceError when the second one dies too, when one takes too long, or none can be started.
        """
        async with self._turn:
            try:
                return await self._try(request)
            except (OSError, EOFError):  # somebody killed it; nobody else will ask again
                return await self._try_last(request)

    async def _try_last(self, request: object) -> Any:
        try:
            return await self._try(request)
        except (ConnectionError, EOFError) as error:
            raise SourceError("the compiling process ended before it had answered") from error
        except OSError as error:
            raise SourceError(f"no compiling process: {error.strerror or error}") from error

    async def _try(self, request: object) -> Any:
        try:
            return await asyncio.wait_for(self._exchange(request), self._time_limit_s)
        except TimeoutError as error:  # an OSError, too
            await self._end()
            raise SourceError(f"the compile took longer than {self._time_limit_s:g} s") from error
        except (ConnectionError, EOFError):
            await self._gone()
            raise
        except BaseException:
            await self._end()  # an answer left in the pipe would be taken for the next one
            raise

    async def stop(self) -> None:
        """End the child. A request under way fails."""
        await self._end()

    async def _exchange(self, request: object) -> Any:
        child = await self._running()
        # in a thread: the event loop has health checks to take in while a million names come back to life
        return await asyncio.get_running_loop().run_in_executor(self._thread, child.ask, request)

    async def _running(self) -> _Child:
        if self._child is None or self._child.process.returncode is not None:
            self._child = await _start(self._role, self._cache_dir or "")
        return self._child

    async def _gone(self) -> None:
        """The child closed its streams: let asyncio notice its end, which a kill would keep it from."""
        if self._child is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._child.process.wait(), GONE_S)
        await self._end()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.process.returncode is None:
            with suppress(ProcessLookupError):
                child.process.kill()
            await child.process.wait()
        # behind whoever reads what will not come any more
        self._thread.submit(child.close)


class _Child:
    """A process, the streams to and from it, and what it has in common with us."""

    def __init__(self, process: asyncio.subprocess.Process, requests: int, results: int) -> None:
        self.process = process
        self._requests = os.fdopen(requests, "wb")
        self._results = os.fdopen(results, "rb")
        self._common = Common()

    def ask(self, request: object) -> Any:
        """Send and wait. OSError or EOFError when the child ends."""
        self._common.send(self._requests, request)
        result = self._common.receive(self._results)
        self._common.learn(result)
        return result

    def close(self) -> None:
        """Nothing more is asked."""
        for stream in (self._requests, self._results):
            with suppress(OSError):  # what nobody reads cannot be flushed
                stream.close()


async def _start(role: Role, cache_dir: str) -> _Child:
    theirs, requests = os.pipe()
    results, answers = os.pipe()
    try:
        widen(requests)
        widen(results)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "georouter.daemon.workshop",
            role.value,
            cache_dir,
            form_in_use().value,
            stdin=theirs,
            stdout=answers,
            # A terminal's Ctrl-C is for the daemon, which then ends this. A group, and no session: where the
            # kernel schedules by session (sched(7), autogroup) it took half a processor, however nice it is.
            process_group=0,
        )
    except BaseException:
        os.close(requests)
        os.close(results)
        raise
    finally:
        os.close(theirs)
        os.close(answers)
    return _Child(process, requests, results)


def widen(pipe: int) -> None:
    """Fewer turns at the interpreter's lock for hundreds of MiB; a wish, which the kernel may refuse."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def serve(
    handle: Callable[[object], object],
    requests: BinaryIO,
    results: BinaryIO,
    *,
    afterwards: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests one after the other until end-of-file, in the middle of one too.

    `afterwards` is called after an answer, while nobody waits.
    """
    common = Common()
    while True:
        try:
            request = common.receive(requests)
        except EOFError:
            return
        gc.disable()  # a build allocates much and drops little; collecting costs a third of its time
        result = handle(request)
        common.send(results, result)
        gc.enable()
        common.learn(result)
        del result, request  # nothing of it is needed while waiting
        afterwards()


def main() -> None:
    """The child: stdout carries results, so everything that prints goes to stderr."""
    role, cache_dir = Role(sys.argv[1]), sys.argv[2] or None
    give_back()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals.ignore()
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as results:  # the daemon may be gone
        os.dup2(2, 1)
        step_back(NICE[role])
        set_up(LogFormat(sys.argv[3]))
        offer_to_be_killed()
        requests = sys.stdin.buffer
        widen(requests.fileno())
        if role is Role.PLAN:
            from georouter.daemon.planning import Planning  # noqa: PLC0415 - only the child pays for it

            serve(Planning(cache_dir=cache_dir).handle, requests, results)
            return
        from georouter.daemon.build import Builder  # noqa: PLC0415 - as above

        builder = Builder(cache_dir=cache_dir)

        def keep() -> None:
            if not waiting(requests, QUIET_S):
                builder.keep(lambda: waiting(requests))

        serve(builder.handle, requests, results, afterwards=keep)


def waiting(requests: BinaryIO, patience_s: float = 0.0) -> bool:
    """Whether there is another request (or the end) within this time."""
    return bool(select.select([requests], [], [], patience_s)[0])


if __name__ == "__main__":
    main()
