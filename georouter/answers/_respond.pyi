from array import array
from typing import Literal

from georouter.answers._tables import Tables
from georouter.answers.conduct import Conduct
from georouter.answers.layout import Proto
from georouter.answers.limits import Limits
from georouter.answers.tables import Snapshot

class NativeResponder:
    tables: Tables

    def __init__(
        self,
        snapshot: Snapshot,
        counters: array[int],
        limits: Limits,
        conduct: Conduct,
        previous: Tables | None = None,
    ) -> None: ...
    @property
    def limited(self) -> tuple[int, int]: ...
    @property
    def faults(self) -> int: ...
    def respond(
        self, query: bytes, source: int, family: int, proto: Proto, now: float
    ) -> bytes | Literal[-1] | None: ...
    def expect(self, query: bytes, source: int, family: int) -> None: ...
    def cut_short(self, query: bytes, source: int, family: int, now: float) -> bytes | None: ...
