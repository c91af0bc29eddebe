"""YAML text to a `Node` tree: the whole file or every reason why not.

Reads the event stream itself, so that nesting, aliases and sizes are bounded, duplicate keys are
errors, and plain scalars follow YAML 1.2 (`scalars`). Anchors, aliases and merge keys (`<<`) work.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import yaml as pyyaml

from georouter.policy import scalars
from georouter.policy.nodes import Node
from georouter.policy.yaml_errors import explain, place_of
from georouter.words.errors import Diagnostic

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: slower, same events
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

LARGEST_TEXT = 32 * 1024 * 1024
"""Characters in one file; a policy of 100,000 names has about 8 million."""
LARGEST_EXPANSION = 5_000_000
"""Values in one file after aliases are expanded; stops "billion laughs" documents."""
LARGEST_ALIASED = 200_000
"""Values that aliases alone may add; a policy repeats a few lists, not itself."""
DEEPEST_NESTING = 64
"""Levels; the policy itself needs about ten."""

_TAG = "tag:yaml.org,2002:"


def parse(file: str, text: str, report: Callable[[Diagnostic], None]) -> Node | None:
    """The top mapping of `text`, or None after something that ends the reading was reported.

    Duplicate keys and unsupported tags are reported without ending it.
    """
    composer = _Composer(file, report)
    try:
        return composer.compose(text)
    except _Stopped:
        return None
    except pyyaml.YAMLError as error:
        report(explain(file, text, error))
        return None


class _Stopped(Exception):  # noqa: N818 - not an error of its own: the finding has been reported
    """Reading cannot go on."""


class _Frame:
    """A list or mapping that is being read."""

    __slots__ = ("anchor", "key", "merges", "node")

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: Node | None = None
        self.merges: list[Node] = []


class _Composer:
    def __init__(self, file: str, report: Callable[[Diagnostic], None]) -> None:
        self.file = file
        self.report = report
        self.stack: list[_Frame] = []
        self.anchors: dict[str, Node | None] = {}
        self.aliased = 0
        self.top: Node | None = None

    def compose(self, text: str) -> Node:
        if len(text) > LARGEST_TEXT:
            self.stop(
                1, 1, f"the file is larger than {LARGEST_TEXT // 1024 // 1024} MiB; split it into a folder"
            )
        text = text.removeprefix("\ufeff")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            line, column = place_of(text, error.start)
            self.stop(line, column, "this character is not valid Unicode text; save the file as UTF-8")
        loader = _Loader(text)
        try:
            self.read(loader)
        finally:
            loader.dispose()
        if self.top is None:
            self.stop(1, 1, 'the file is empty; a policy starts with "version: 1"')
        if not isinstance(self.top.value, dict):
            what = "a list" if isinstance(self.top.value, list) else "a single value"
            self.stop(
                self.top.line,
                self.top.column,
                f'the top level must be a mapping such as "version: 1", found {what}',
            )
        return self.top

    def read(self, loader: "pyyaml.CSafeLoader | pyyaml.SafeLoader") -> None:
        """Every event in turn; scalars are most of them."""
        while True:
            event: Any = loader.get_event()  # what its class says it is is checked next
            kind = type(event)
            if kind is pyyaml.ScalarEvent:
                self.scalar(event)
            elif kind is pyyaml.MappingStartEvent:
                self.start(event, {})
            elif kind is pyyaml.SequenceStartEvent:
                self.start(event, [])
            elif kind in (pyyaml.MappingEndEvent, pyyaml.SequenceEndEvent):
                self.end()
            elif kind is pyyaml.AliasEvent:
                self.alias(event)
            elif kind is pyyaml.DocumentStartEvent and self.top is not None:
                self.stop(
                    *_position(event), 'a second document starts here; a file holds one (remove the "---")'
                )
            elif kind is pyyaml.StreamEndEvent:
                return

    def scalar(self, event: pyyaml.ScalarEvent) -> None:
        text, tag = event.value, event.tag
        line, column = _position(event)
        node = Node(self.file, line, column, text, text)
        if tag is None:
            if event.implicit[0]:
                frame = self.stack[-1] if self.stack else None
                is_key = frame is not None and frame.key is None and type(frame.node.value) is dict
                node.value = text if is_key else scalars.read(text)
                if is_key and text == "<<":
                    node.value = None  # tells a plain merge key from a quoted "<<"
        elif tag not in ("!", f"{_TAG}str"):
            node.value = scalars.read(text)
            self.check_tag(tag, node)
        self.place(node, event.anchor)

    def check_tag(self, tag: str, node: Node) -> None:
        kinds: dict[str, tuple[type, ...]] = {
            f"{_TAG}int": (int,),
            f"{_TAG}float": (int, float),
            f"{_TAG}bool": (bool,),
            f"{_TAG}null": (type(None),),
        }
        short = tag.replace(_TAG, "!!")
        if tag not in kinds:
            self.found(node.line, node.column, f'the tag "{short}" is not supported; remove it')
        elif not isinstance(node.value, kinds[tag]):
            self.found(node.line, node.column, f'"{node.text[:40]}" is not what its tag "{short}" says')

    def start(
        self,
        event: "pyyaml.MappingStartEvent | pyyaml.SequenceStartEvent",
        value: "dict[str, Node] | list[Node]",
    ) -> None:
        line, column = _position(event)
        node = Node(self.file, line, column, value)
        if len(self.stack) >= DEEPEST_NESTING:
            self.stop(node.line, node.column, f"nested more than {DEEPEST_NESTING} levels deep")
        own = f"{_TAG}map" if isinstance(value, dict) else f"{_TAG}seq"
        if event.tag not in (None, "!", own):
            short = event.tag.replace(_TAG, "!!")
            self.found(node.line, node.column, f'the tag "{short}" is not supported; remove it')
        if self.stack and isinstance(self.stack[-1].node.value, dict) and self.stack[-1].key is None:
            self.stop(
                node.line, node.column, 'a key must be plain text; put it in quotes, as in "[::1]:5300"'
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.stack.append(_Frame(node, event.anchor))

    def end(self) -> None:
        frame = self.stack.pop()
        for merged in frame.merges:
            self.merge(frame.node, merged)
        self.place(frame.node, frame.anchor)

    def alias(self, event: pyyaml.AliasEvent) -> None:
        name = event.anchor
        line, column = _position(event)
        if name not in self.anchors:
            self.stop(
                line,
                column,
                f'"*{name}" refers to an anchor that is not defined above; for plain text put it in quotes',
            )
        node = self.anchors[name]
        if node is None:
            self.stop(line, column, f'"*{name}" stands inside the value it refers to')
        self.aliased += node.size
        if self.aliased > LARGEST_ALIASED:
            self.stop(line, column, f"aliases expand to more than {LARGEST_ALIASED:,} values")
        self.place(node, None)

    def place(self, node: Node, anchor: str | None) -> None:
        """Hang a finished value where it belongs."""
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.stack:
            self.top = node
            return
        frame = self.stack[-1]
        parent = frame.node
        if type(parent.value) is dict:
            if frame.key is None:
                if isinstance(node.value, dict | list):
                    self.stop(node.line, node.column, "a key must be plain text, not a list or mapping")
                frame.key = node
                return
            key, frame.key = frame.key, None
            self.entry(frame, key, node)
        elif type(parent.value) is list:
            parent.value.append(node)
        parent.size += node.size
        if parent.size > LARGEST_EXPANSION:
            self.stop(node.line, node.column, f"the file holds more than {LARGEST_EXPANSION:,} values")

    def entry(self, frame: _Frame, key: Node, node: Node) -> None:
        parent = frame.node
        name = key.text
        if name == "<<" and key.value is None:
            several = node.value if isinstance(node.value, list) else [node]
            for merged in several:
                if isinstance(merged.value, dict):
                    frame.merges.append(merged)
                else:
                    self.found(
                        node.line, node.column, 'a merge key "<<" needs a mapping or a list of mappings'
                    )
        elif name in parent.keys:
            first = parent.keys[name]
            self.found(
                key.line, key.column, f'the key "{name}" stands here twice; the first is on line {first.line}'
            )
        elif isinstance(parent.value, dict):
            parent.keys[name] = key
            parent.value[name] = node

    def merge(self, into: Node, merged: Node) -> None:
        if isinstance(into.value, dict) and isinstance(merged.value, dict):
            for name, node in merged.value.items():
                if name not in into.value:
                    into.value[name] = node
                    into.keys[name] = merged.keys[name]

    def found(self, line: int, column: int, message: str) -> None:
        self.report(Diagnostic(self.file, line, column, "", message))

    def stop(self, line: int, column: int, message: str) -> NoReturn:
        self.found(line, column, message)
        raise _Stopped


def _position(event: pyyaml.Event) -> tuple[int, int]:
    """Line and column, from 1; events of the parsers always have a mark."""
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
