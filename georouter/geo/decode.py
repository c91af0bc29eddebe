"""The data section of an MMDB file: many values read at once.

A value begins with a control byte (type and size) and may be a pointer to another value; maps and
arrays are followed by their members (MaxMind DB file format, version 2.0). The functions here take
arrays of offsets and read one header per offset with each numpy operation, so that 700,000 records
decode in about a second. `MISSING` offsets stand for values that are not there.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Positions: TypeAlias = NDArray[np.int64]

MISSING = -1

POINTER, TEXT, DOUBLE, UINT16, UINT32, MAP, INT32, UINT64, ARRAY, BOOLEAN, FLOAT = (
    1, 2, 3, 5, 6, 7, 8, 9, 11, 14, 15,
)  # fmt: skip
"""Type numbers of the format (those above 7 are "extended")."""

NUMBER_FORMATS = {
    DOUBLE: (8, ">f8"),
    FLOAT: (4, ">f4"),
    UINT16: (2, ">u2"),
    UINT32: (4, ">u4"),
    INT32: (4, ">i4"),
    UINT64: (8, ">u8"),
}
"""Numeric types: their full length and how numpy names them."""

WIDEST_MAP = 256
"""More members than any record has: a larger count means the bytes are not a record."""

SKIPPED_VALUES = 2048
"""More values than any record holds, members of members counted."""

PADDING = 16
"""Zeros behind the section, so that the longest header and number can be read before it is checked."""


@dataclass(frozen=True, slots=True, eq=False)
class Headers:
    """What the control bytes say: `body` is where the payload (or the first member) begins.

    `size` is bytes, members of maps and arrays, or a boolean's value. `target` is where a pointer
    leads (only valid where `kind` is `POINTER`).
    """

    kind: NDArray[np.uint8]
    size: Positions
    body: Positions
    target: Positions


class Section:
    """A data section. Every method raises ValueError for bytes that break the format."""

    def __init__(self, data: memoryview) -> None:
        self._size = len(data)
        self._octets = np.zeros(len(data) + PADDING, np.uint8)
        self._octets[: len(data)] = np.frombuffer(data, np.uint8)
        self._bytes = self._octets.data  # not `data`, which is part of a large file

    @property
    def size(self) -> int:
        """Octets."""
        return self._size

    def headers(self, at: Positions) -> Headers:
        """Read the control bytes at `at`."""
        self._inside(at)
        octets = self._octets
        control = octets[at]
        kind = (control >> 5).astype(np.uint8)
        body = at + 1
        extended = kind == 0
        if extended.any():
            more = octets[body]
            if (extended & ((more == 0) | (more > 8))).any():
                raise ValueError("the data section holds an unknown type of value")
            kind = np.where(extended, more + 7, kind).astype(np.uint8)
            body = body + extended
        size = (control & 31).astype(np.int64)
        pointer = kind == POINTER
        long = (size >= 29) & ~pointer
        if long.any():
            size, body = self._long(size, body, long)
        target = np.zeros_like(at)
        if pointer.any():
            target[pointer], body[pointer] = self._pointers(control[pointer], body[pointer])
        return Headers(kind, size, body, target)

    def _long(self, size: Positions, body: Positions, long: NDArray[np.bool_]) -> tuple[Positions, Positions]:
        """Sizes of 29 and more: one, two or three further bytes."""
        size, body = size.copy(), body.copy()
        for code, base in ((29, 29), (30, 285), (31, 65821)):
            rows = long & (size == code)
            extra = code - 28
            values = self._big_endian(body[rows], extra) + base
            # Marked by a negative number, lest a length found here is taken for the next code.
            size[rows] = -values
            body[rows] += extra
        return np.abs(size), body

    def _pointers(self, control: NDArray[np.uint8], body: Positions) -> tuple[Positions, Positions]:
        """Where pointers lead, and where the byte after each is."""
        form = (control >> 3) & 3
        high = (control & 7).astype(np.int64)
        target = np.zeros_like(body)
        for code, base in ((0, 0), (1, 2048), (2, 526336), (3, 0)):
            rows = form == code
            extra = code + 1
            top = high[rows] << (8 * extra) if code < 3 else 0
            target[rows] = self._big_endian(body[rows], extra) + top + base
        return target, body + form + 1

    def _big_endian(self, at: Positions, length: int) -> Positions:
        value = np.zeros(len(at), np.int64)
        for index in range(length):
            value = value << 8 | self._octets[np.minimum(at + index, self._size)]
        return value

    def _inside(self, at: Positions) -> None:
        if len(at) and (int(at.min()) < 0 or int(at.max()) >= self._size):
            raise ValueError("a value lies outside the data section")

    def resolve(self, at: Positions) -> tuple[Positions, Headers]:
        """Follow pointers: the offsets of the values themselves, and their headers."""
        heads = self.headers(at)
        pointer = heads.kind == POINTER
        if not pointer.any():
            return at, heads
        at = np.where(pointer, heads.target, at)
        heads = self.headers(at)
        if (heads.kind == POINTER).any():
            raise ValueError("a pointer in the data section leads to a pointer")
        return at, heads

    def skip(self, at: Positions) -> Positions:
        """Where the next value begins after each (a map or array ends with its last member)."""
        at = at.copy()
        pending = np.ones(len(at), np.int64)
        rows = np.arange(len(at))
        for _ in range(SKIPPED_VALUES):
            if not len(rows):
                return at
            heads = self.headers(at[rows])
            container = (heads.kind == MAP) | (heads.kind == ARRAY)
            plain = ~container & (heads.kind != POINTER) & (heads.kind != BOOLEAN)
            at[rows] = heads.body + np.where(plain, heads.size, 0)
            members = np.where(container, heads.size, 0) << (heads.kind == MAP)
            pending[rows] += members - 1
            rows = rows[pending[rows] > 0]
        raise ValueError("a record holds too many values")

    def fields(self, at: Positions) -> dict[str, Positions]:
        """Members of the maps at `at`: for each key that any has, the offset of its value.

        Rows whose value is not a map have no keys.
        """
        result: dict[str, Positions] = {}
        at, heads = self.resolve(at)
        count = np.where(heads.kind == MAP, heads.size, 0)
        widest = int(count.max()) if len(count) else 0
        if widest > WIDEST_MAP:
            raise ValueError("a record has too many fields")
        cursor = heads.body.copy()
        for index in range(widest):
            rows = np.flatnonzero(count > index)
            keys, names = self.texts(cursor[rows])
            if (keys == MISSING).any():
                raise ValueError("a record has a field whose name is not a text")
            values = self.skip(cursor[rows])
            for number, name in enumerate(names):
                column = result.setdefault(name, np.full(len(at), MISSING, np.int64))
                which = keys == number
                column[rows[which]] = values[which]
            cursor[rows] = self.skip(values)
        return result

    def first_members(self, at: Positions) -> Positions:
        """The first member of the arrays at `at`; MISSING for empty arrays and other values."""
        _, heads = self.resolve(at)
        return np.where((heads.kind == ARRAY) & (heads.size > 0), heads.body, MISSING)

    def texts(self, at: Positions) -> tuple[NDArray[np.int32], list[str]]:
        """Texts at `at` as indices into a list of different ones; -1 for values of another type."""
        at, heads = self.resolve(at)
        text = heads.kind == TEXT
        indices = np.full(len(at), MISSING, np.int32)
        distinct, first, inverse = np.unique(at[text], return_index=True, return_inverse=True)
        body, size = heads.body[text][first], heads.size[text][first]
        if len(distinct) and int((body + size).max()) > self._size:
            raise ValueError("a text runs past the end of the data section")
        numbers: dict[bytes, int] = {}
        ids = [
            numbers.setdefault(bytes(self._bytes[start : start + length]), len(numbers))
            for start, length in zip(body.tolist(), size.tolist(), strict=True)
        ]
        indices[text] = np.array(ids, np.int32)[inverse]
        try:
            return indices, [octets.decode("utf-8") for octets in numbers]
        except UnicodeDecodeError as error:
            raise ValueError("a text in the data section is not UTF-8") from error

    def numbers(self, at: Positions) -> NDArray[np.float64]:
        """Numbers at `at`; NaN for values of another type."""
        _, heads = self.resolve(at)
        result = np.full(len(at), np.nan)
        for kind, (width, form) in NUMBER_FORMATS.items():
            rows = np.flatnonzero(heads.kind == kind)
            if not len(rows):
                continue
            body, size = heads.body[rows], heads.size[rows]
            if (size > width).any() or int((body + size).max()) > self._size:
                raise ValueError("a number in the data section has the wrong length")
            if kind in (DOUBLE, FLOAT) and (size != width).any():
                raise ValueError("a number in the data section has the wrong length")
            result[rows] = self._number(body, size, width, form)
        return result

    def _number(self, body: Positions, size: Positions, width: int, form: str) -> NDArray[np.float64]:
        """Integers may be written shorter than their type: leading zero bytes are left out."""
        place = np.arange(width) - (width - size[:, None])
        octets = np.where(place >= 0, self._octets[np.maximum(body[:, None] + place, 0)], 0)
        raw = np.ascontiguousarray(octets.astype(np.uint8))
        return raw.view(form)[:, 0].astype(np.float64)
