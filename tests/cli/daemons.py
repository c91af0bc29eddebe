"""A daemon's admin door in a thread of its own, for commands that block."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from georouter.admin.app import start
from tests.admin.desks import FakeDesk


@contextmanager
def open_door(desk: FakeDesk, token: str | None = None) -> Iterator[int]:
    """The port of a door on 127.0.0.1 with `desk` behind it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        admin = asyncio.run_coroutine_threadsafe(start("127.0.0.1", 0, desk, token), loop).result(10)
        try:
            yield admin.port
        finally:
            asyncio.run_coroutine_threadsafe(admin.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
