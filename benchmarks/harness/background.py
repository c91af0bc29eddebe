"""Something that works in a thread of its own for as long as a `with` lasts."""

import socket
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Background(ABC):
    """Has a UDP socket, closed at the end. `work` returns soon after `stopped` is set."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self.work, daemon=True)

    @abstractmethod
    def work(self) -> None:
        """What the thread does."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._thread.join()
        self.socket.close()
