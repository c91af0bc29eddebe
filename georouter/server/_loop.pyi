# The native UDP worker: see `_loop.pyx`.

from array import array
from collections.abc import Sequence
from socket import socket

from georouter.answers.native import Tables
from georouter.server.channel import Respond, Take

class Publication:
    counters: array[int]
    def __init__(self, tables: Tables, counters: array[int]) -> None: ...

class Loop:
    unsent: int
    overflowed: int
    punted: int
    round: int
    misreads: int
    rate_limited: tuple[int, int]
    faults: tuple[int, int]
    sampled: list[int]
    sampled_sum_s: float
    counters: list[array[int]]
    def __init__(self, sockets: Sequence[socket], *, places: int, limit: int) -> None: ...
    def run(self) -> None: ...
    def stop(self, grace_s: float) -> None: ...
    def publish(self, publication: Publication) -> None: ...
    def settle(self) -> int: ...
    def set_limit(self, limit: int) -> None: ...

class Punts:
    failed: int
    failure: BaseException | None
    unsent: int
    take: Take | None
    def __init__(self, loop: Loop) -> None: ...
    def fileno(self) -> int: ...
    def turn(self, respond: Respond, now: float) -> int: ...
