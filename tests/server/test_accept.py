"""Taking connections: in turns, and past a lack of descriptors."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest

from georouter.server import accept
from georouter.server.accept import TURN, Acceptor


class Listener:
    """A real listening socket whose `accept` fails as told before it does what it is for."""

    def __init__(self, *errors: int) -> None:
        self.errors = list(errors)
        self.real = socket.create_server(("127.0.0.1", 0))
        self.real.setblocking(False)

    def fileno(self) -> int:
        """For the loop."""
        return self.real.fileno()

    def accept(self) -> Any:
        """A connection, or the next error."""
        if self.errors:
            number = self.errors.pop(0)
            raise OSError(number, errno.errorcode[number])
        return self.real.accept()

    def close(self) -> None:
        """Give the port back."""
        self.real.close()


def play(listener: Listener, clients: int, done: Callable[[list[str], int], bool]) -> tuple[list[str], int]:
    """Connect so often; what was taken and how often room was asked for, once that is `done`."""

    async def scene() -> tuple[list[str], int]:
        taken: list[str] = []
        asked: list[None] = []

        def take(sock: socket.socket, host: str) -> None:
            sock.close()
            taken.append(host)

        acceptor = Acceptor(listener, take, lambda: asked.append(None))  # type: ignore[arg-type]
        acceptor.start()
        opened = [socket.create_connection(listener.real.getsockname()) for _ in range(clients)]
        try:
            async with asyncio.timeout(5):
                while not done(taken, len(asked)):  # noqa: ASYNC110 - nobody tells when
                    await asyncio.sleep(0.001)
        finally:
            acceptor.close()
            acceptor.close()
            for sock in opened:
                sock.close()
        return taken, len(asked)

    return asyncio.run(scene())


def test_everybody_is_taken() -> None:
    """More than one turn's worth of connections."""
    count = 2 * TURN + 1
    taken, asked = play(Listener(), count, lambda taken, _: len(taken) == count)
    assert taken == ["127.0.0.1"] * count
    assert asked == 0


@pytest.mark.parametrize("number", [errno.ECONNABORTED, errno.EPROTO, errno.EHOSTUNREACH])
def test_a_connection_that_is_gone_already_costs_nothing(number: int) -> None:
    """The next one is taken in the same turn."""
    taken, asked = play(Listener(number, number), 1, lambda taken, _: bool(taken))
    assert (len(taken), asked) == (1, 0)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO])
def test_without_descriptors_it_asks_for_room_and_tries_again(
    number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once per try, one line in the log for all of them, and the connection that waited is taken."""
    monkeypatch.setattr(accept, "RETRY_S", 0.01)
    with caplog.at_level(logging.WARNING):
        taken, asked = play(Listener(*[number] * 5), 3, lambda taken, _: len(taken) == 3)
    assert (len(taken), asked) == (3, 5)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.records[0].exc_info is None


def test_closing_ends_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried on a listener that was closed."""
    monkeypatch.setattr(accept, "RETRY_S", 60.0)
    taken, asked = play(Listener(errno.EMFILE), 1, lambda _, asked: asked == 1)
    assert (taken, asked) == ([], 1)
