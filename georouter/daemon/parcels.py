"""Objects through a pipe between two of our processes, large blocks from buffer to buffer.

    head | a `Block` for each large block | pickle | the blocks

Range maps of hundreds of MiB are no part of the pickle: they are written from the arrays they are in and
read into those they stay in. What both sides have from the last build does not travel again (`Common`).
"""

import gc
import io
import pickle
import struct
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeAlias, cast

from georouter.answers.tables import RangeMap
from georouter.compiler.steering import Table
from georouter.control.orders import Built

HEAD = struct.Struct("!QI")
"""Octets of the pickle, number of blocks."""
BLOCK = struct.Struct("!cQ")
"""Type code of an array, or `OCTETS`, and the number of items."""
OCTETS = b"*"
LARGE_BYTES = 64 * 1024
"""Arrays and bytes from here on are blocks."""
MANY_BYTES = 8 * 1024 * 1024
"""A pickle from here on makes so many objects that walking them again and again would be felt."""

Block: TypeAlias = "array[Any] | bytes"


class Common:
    """The large parts of the last build that the child finished: both sides have them.

    They are pickled by name: ranking anew, or explaining an answer, does not send a million names to and fro,
    and a new policy sends no range maps of chains and no records of zones that it shares with the old one.
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
                **{f"text {number}": file.text for number, file in enumerate(result.files)},
                **{f"records {name}": zone.records for name, zone in result.policy.zones.items()},
                **{f"content {name}": content for name, content in plan.contents.items()},
                **dict(_tables(plan.steered.tables)),
            }
            self._names = {id(part): name for name, part in self._parts.items()}

    def send(self, stream: BinaryIO, value: object) -> None:
        """Write `value`. OSError when nobody reads any more."""
        parcel = io.BytesIO()
        pickler = _Pickler(parcel, self._names)
        pickler.dump(value)
        blocks = pickler.blocks
        stream.write(HEAD.pack(len(parcel.getbuffer()), len(blocks)))
        stream.write(b"".join(BLOCK.pack(_code(block), len(block)) for block in blocks))
        stream.write(parcel.getbuffer())
        stream.writelines(memoryview(block).cast("B") for block in blocks)
        stream.flush()

    def receive(self, stream: BinaryIO) -> Any:
        """The value that comes next. EOFError when the stream ends before it has."""
        size, count = HEAD.unpack(_read(stream, HEAD.size))
        heads = [BLOCK.unpack(_read(stream, BLOCK.size)) for _ in range(count)]
        data = _read(stream, size)
        blocks = [_read_block(stream, code, items) for code, items in heads]
        with _undisturbed(size):
            return _Unpickler(data, self._parts, blocks).load()


def _tables(tables: tuple[Table, ...]) -> Iterator[tuple[str, Table | RangeMap]]:
    for number, table in enumerate(tables):
        yield f"table {number}", table
        yield f"map {number}", table.map


class _Pickler(pickle.Pickler):
    def __init__(self, stream: BinaryIO, names: dict[int, str]) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self.blocks: list[Block] = []
        self._names = names
        self._numbers: dict[int, int] = {}

    def persistent_id(self, obj: object) -> str | int | None:
        """The name of what both have, the number of a block, None for all else."""
        if type(obj) is bytes:
            return self._number(obj) if len(obj) >= LARGE_BYTES else None
        if type(obj) is array:
            return self._number(obj) if len(obj) * obj.itemsize >= LARGE_BYTES else None
        return self._names.get(id(obj))

    def _number(self, block: Block) -> int:
        if id(block) not in self._numbers:
            self._numbers[id(block)] = len(self.blocks)
            self.blocks.append(block)
        return self._numbers[id(block)]


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, parts: dict[str, object], blocks: list[Block]) -> None:
        super().__init__(io.BytesIO(data))
        self._parts, self._blocks = parts, blocks

    def persistent_load(self, pid: Any) -> object:
        """The inverse of `persistent_id`."""
        return self._blocks[pid] if isinstance(pid, int) else self._parts[pid]


def _code(block: Block) -> bytes:
    return OCTETS if isinstance(block, bytes) else block.typecode.encode()


def _read(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the other side has ended")
    return data


def _read_block(stream: BinaryIO, code: bytes, items: int) -> Block:
    if code == OCTETS:
        return _read(stream, items)
    block = array(code.decode(), [0]) * items
    room = memoryview(block).cast("B")
    if cast("io.BufferedReader", stream).readinto(room) < len(room):  # a buffered stream fills it
        raise EOFError("the other side has ended")
    return block


@contextmanager
def _undisturbed(size: int) -> Iterator[None]:
    """With the cycle collector off: it would walk the growing heap again and again.

    What was made stays for long; collections to come need not walk it either.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if size >= MANY_BYTES:
            gc.freeze()
        if enabled:
            gc.enable()
