"""The child process that compiles: requests and results as pickles over its standard streams.

The packet path of the pure-Python server shares the interpreter lock with everything in its process.
A compile of seconds therefore happens next door; what comes back are finished arrays. The child lives
as long as its standard input: when the daemon goes, for whatever reason, it reads end-of-file and ends.
What both sides have from the last build does not travel again (`Common`). Both ends are ours and the
streams are private pipes, which is what makes pickle safe here.
"""

from __future__ import annotations

import asyncio
import gc
import io
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

from georouter.control.orders import Built
from georouter.daemon import signals
from georouter.daemon.memory import give_back, offer_to_be_killed
from georouter.telemetry.logs import LogFormat, form_in_use, set_up
from georouter.words.errors import SourceError

HEADER = struct.Struct("!Q")
TIME_LIMIT_S = 300.0
"""A request that takes longer is given up and the child replaced: 100 times the largest build measured."""
LARGE_BYTES = 8 * 1024 * 1024
"""A pickle from here on makes so many objects that walking them again and again would be felt."""
GONE_S = 1.0
"""How long a child whose streams have ended may take to end itself."""


class Common:
    """The large parts of the last build that the child finished: both sides have them.

    They are pickled by name: ranking anew, or explaining an answer, does not send a million names to and fro.
    """

    def __init__(self) -> None:
        self._parts: dict[str, object] = {}
        self._names: dict[int, str] = {}

    def learn(self, result: object) -> None:
        """Take over the parts of a result that was sent or received. Nothing else is a build."""
        if isinstance(result, Built):
            plan = result.plan
            self._parts = {
                "files": result.files,
                "policy": result.policy,
                "directory": plan.directory,
                "contents": plan.contents,
            }
            self._names = {id(part): name for name, part in self._parts.items()}

    def dumps(self, value: object) -> bytes:
        """Pickle `value`."""
        stream = io.BytesIO()
        pickler = _Pickler(stream, protocol=pickle.HIGHEST_PROTOCOL)
        pickler.names = self._names
        pickler.dump(value)
        return stream.getvalue()

    def loads(self, data: bytes) -> Any:
        """Unpickle with the cycle collector off: it would walk the growing heap again and again.

        What was made stays for long; collections to come need not walk it either.
        """
        enabled = gc.isenabled()
        gc.disable()
        try:
            unpickler = _Unpickler(io.BytesIO(data))
            unpickler.parts = self._parts
            return unpickler.load()
        finally:
            if len(data) >= LARGE_BYTES:
                gc.freeze()
            if enabled:
                gc.enable()


class _Pickler(pickle.Pickler):
    names: dict[int, str]

    def persistent_id(self, obj: object) -> str | None:
        return self.names.get(id(obj))


class _Unpickler(pickle.Unpickler):
    parts: dict[str, object]

    def persistent_load(self, pid: str) -> object:
        return self.parts[pid]


class Workshop:
    """One child process, started at the first request and again whenever it died."""

    def __init__(self, *, cache_dir: str | None, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._cache_dir = cache_dir
        self._time_limit_s = time_limit_s
        self._process: asyncio.subprocess.Process | None = None
        self._common = Common()
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process else None

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
        process = await self._running()
        assert process.stdin is not None  # noqa: S101 - both pipes were asked for
        assert process.stdout is not None  # noqa: S101
        common = self._common
        data = common.dumps(request)
        process.stdin.write(HEADER.pack(len(data)))
        process.stdin.write(data)
        await process.stdin.drain()
        (size,) = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
        # in a thread: the event loop has health checks to take in while a million names come back to life
        result = await asyncio.to_thread(common.loads, await process.stdout.readexactly(size))
        common.learn(result)
        return result

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._common = Common()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "georouter.daemon.workshop",
                self._cache_dir or "",
                form_in_use().value,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # a terminal's Ctrl-C is for the daemon, which then ends this
            )
        return self._process

    async def _gone(self) -> None:
        """The child closed its streams: let asyncio notice its end, which a kill would keep it from."""
        if self._process is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), GONE_S)
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def serve(
    handle: Callable[[object], object],
    requests: BinaryIO,
    results: BinaryIO,
    *,
    afterwards: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests one after the other until end-of-file, in the middle of one too.

    `afterwards` is called after every answer, while nobody waits.
    """
    common = Common()
    while len(header := requests.read(HEADER.size)) == HEADER.size:
        (size,) = HEADER.unpack(header)
        request = requests.read(size)
        if len(request) < size:
            return
        gc.disable()  # a build allocates much and drops little; collecting costs a third of its time
        result = handle(common.loads(request))
        data = common.dumps(result)
        gc.enable()
        results.write(HEADER.pack(len(data)))
        results.write(data)
        results.flush()
        common.learn(result)
        del result, data, request  # nothing of it is needed while waiting
        afterwards()


def main() -> None:
    """The child: stdout carries results, so everything that prints goes to stderr."""
    from georouter.daemon.build import Builder  # noqa: PLC0415 - only the child pays for it

    give_back()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals.ignore()
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as results:  # the daemon may be gone
        os.dup2(2, 1)
        os.nice(5)  # answering comes before compiling
        set_up(LogFormat(sys.argv[2]))
        offer_to_be_killed()
        builder = Builder(cache_dir=sys.argv[1] or None)
        serve(builder.handle, sys.stdin.buffer, results, afterwards=builder.keep)


if __name__ == "__main__":
    main()
