"""A YAML document as a tree of `Node`s: plain values that know where they were written."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where a value hangs in the document: mapping keys and list positions from the top."""

Scalar: TypeAlias = str | int | float | bool | None


class Node:
    """One value. `value` is a scalar, a list of nodes, or a mapping of key text to node.

    `line` and `column` count from 1. `text` is a scalar as it was written (without quotes). `keys`
    holds, for a mapping, the node of each key. `size` counts the values below, aliases expanded.
    """

    __slots__ = ("column", "file", "keys", "line", "size", "text", "value")

    def __init__(
        self,
        file: str,
        line: int,
        column: int,
        value: "Scalar | list[Node] | dict[str, Node]" = None,
        text: str = "",
    ) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.value = value
        self.text = text
        self.keys: dict[str, Node] = {} if isinstance(value, dict) else _NO_KEYS
        self.size = 1

    def items(self) -> "Iterator[tuple[str, Node]]":
        """Entries of a mapping; nothing for any other value."""
        return iter(self.value.items()) if isinstance(self.value, dict) else iter(())

    def get(self, key: str) -> "Node | None":
        """The entry `key` of a mapping, else None."""
        return self.value.get(key) if isinstance(self.value, dict) else None


def plain(node: Node, without: Collection[str] = ()) -> object:
    """The value without its marks: what pydantic reads. The top entries `without` are left out."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items() if key not in without}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value


_NO_KEYS: dict[str, Node] = {}
"""Shared by everything that is not a mapping: most nodes are scalars."""


@dataclass(frozen=True, slots=True)
class Found:
    """The nearest existing value to a path: `path` is the part of it that exists."""

    path: Path
    key: Node | None
    """The key it hangs on, where it is the entry of a mapping."""
    node: Node


def find(root: Node, path: Path) -> Found:
    """Follow `path` from `root`, leaving out the parts that do not exist in the document.

    Shorthands are why they may not: `[a]` may have been written `a`.
    """
    node, key, real = root, None, []
    for part in path:
        value = node.value
        if isinstance(value, dict) and isinstance(part, str) and part in value:
            key, node = node.keys.get(part), value[part]
        elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
            key, node = None, value[part]
        else:
            continue
        real.append(part)
    return Found(tuple(real), key, node)


def path_text(path: Path) -> str:
    """`regions.eu-west.endpoints[0]`; keys that are not plain words are quoted in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("-", "_").isidentifier():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def describe(value: object) -> str:
    """What was found, in words: `the number 5`, `"abc"`, `a list`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f'"{value[:40]}{"..." if len(value) > 40 else ""}"'
        case list() | tuple():
            return "a list"
        case _:
            return "a mapping"
