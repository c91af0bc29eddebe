"""YAML text to nodes: bounded, marked, and by the core schema of YAML 1.2."""

import time

import pytest
import yaml as pyyaml

from georouter.policy import yaml
from georouter.policy.nodes import Node, plain
from georouter.words.errors import Diagnostic


def parse(text: str) -> tuple[object, list[str]]:
    """The plain value (None after a stop) and the findings."""
    found: list[Diagnostic] = []
    node = yaml.parse("f", text, found.append)
    return (None if node is None else plain(node)), [str(item) for item in found]


def value(text: str) -> object:
    """The value of `text` as an entry."""
    whole, found = parse(f"a: {text}\n")
    assert not found
    assert isinstance(whole, dict)
    return whole["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NO", "NO"),
        ("ON", "ON"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("08", 8),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-5", -5),
        ("+5", 5),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.2.3.4", "1.2.3.4"),
        ("2026-05-20", "2026-05-20"),
        ("-", "-"),
        ("=", "="),
        ("30s", "30s"),
        ("-.inf", float("-inf")),
        ("9" * 5000, "9" * 5000),
        ("'true'", "true"),
        ('"8"', "8"),
        ("! 8", "8"),
        ("!!str 8", "8"),
        ("!!int 8", 8),
        ("!!float 8", 8),
        ("!!bool true", True),
        ("|\n  x\n  y\n", "x\ny\n"),
        ("[NO, 1]", ["NO", 1]),
        ("{NO: 1}", {"NO": 1}),
    ],
)
def test_plain_scalars(text: str, expected: object) -> None:
    """Norway stays Norway, and only what looks like a number is one."""
    if text == "-":
        text = "'-'"
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_not_a_number_is_read() -> None:
    """`.nan` is a number (which no key accepts)."""
    assert value(".nan") != value(".nan")


def test_keys_are_text() -> None:
    """Keys are never converted: `NO`, `1` and `true` are names."""
    assert parse("NO: 1\n1: 2\ntrue: 3\n08: 4\n")[0] == {"NO": 1, "1": 2, "true": 3, "08": 4}


def test_marks() -> None:
    """Every value and key knows its file, line and column, counted in characters."""
    top = yaml.parse("f.yaml", "a:\n  é: [x, {y: 1}]\n", lambda item: pytest.fail(str(item)))
    assert top is not None
    inner = top.get("a")
    assert inner is not None
    listed = inner.get("é")
    assert listed is not None
    assert isinstance(listed.value, list)
    mapping = listed.value[1]
    assert [_mark(top), _mark(inner), _mark(inner.keys["é"]), _mark(listed)] == [
        (1, 1),
        (2, 3),
        (2, 3),
        (2, 6),
    ]
    assert (_mark(mapping), _mark(mapping.keys["y"])) == ((2, 10), (2, 11))
    assert mapping.file == "f.yaml"


def _mark(node: Node) -> tuple[int, int]:
    return node.line, node.column


def test_aliases_and_merge_keys() -> None:
    """Anchors work; explicit keys win over merged ones, earlier merges over later ones."""
    text = "b: &b {x: 1, y: 2}\nc: &c {y: 3, z: 4}\na: {<<: [*b, *c], x: 0}\nl: *b\nq: {'<<': 1}\n"
    assert parse(text)[0] == {
        "b": {"x": 1, "y": 2},
        "c": {"y": 3, "z": 4},
        "a": {"x": 0, "y": 2, "z": 4},
        "l": {"x": 1, "y": 2},
        "q": {"<<": 1},
    }


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", 'f:1:1: the file is empty; a policy starts with "version: 1"'),
        ("# only a comment\n", 'f:1:1: the file is empty; a policy starts with "version: 1"'),
        ("- a\n", 'f:1:1: the top level must be a mapping such as "version: 1", found a list'),
        ("hello\n", 'f:1:1: the top level must be a mapping such as "version: 1", found a single value'),
        ("a: 1\n---\nb: 2\n", 'f:2:1: a second document starts here; a file holds one (remove the "---")'),
        ("a: \x07\n", "f:1:4: the control character '\\x07' is not allowed"),
        ("a: \ud800\n", "f:1:4: this character is not valid Unicode text; save the file as UTF-8"),
        ("a: |\n\tb\n", "f:2:1: a tab cannot be used for indentation; use spaces"),
        ("a: &@ 1\n", 'f:1:4: a plain "&" starts an anchor; put it in quotes: "&@"'),
        ("a: `x`\n", 'f:1:4: plain text cannot start with "`"; put it in quotes: "`x`"'),
        ("%YAML 1.3\n---\na: 1\n", "f:1:1: this is not valid YAML: found incompatible YAML document"),
        ("[" * 100, "f:1:65: nested more than 64 levels deep"),
        ("a: !!set {b}\n", 'f:1:4: the tag "!!set" is not supported; remove it'),
    ],
)
def test_what_cannot_be_read(text: str, finding: str) -> None:
    """One clear finding at the right place."""
    assert parse(text)[1][:1] == [finding]


def test_a_byte_order_mark_is_no_text() -> None:
    """Files saved by some editors begin with one."""
    assert parse("\ufeffa: 1\n") == ({"a": 1}, [])


def test_billion_laughs() -> None:
    """Exponential aliases are refused at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    start = time.perf_counter()
    whole, found = parse("\n".join(lines))
    assert time.perf_counter() - start < 5
    assert whole is None
    assert len(found) == 1
    assert found[0].endswith("aliases expand to more than 200,000 values")


def test_too_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound on values, aliases or not."""
    monkeypatch.setattr(yaml, "LARGEST_EXPANSION", 100)
    assert parse(f"a: [{', '.join('x' * 200)}]")[1] == ["f:1:302: the file holds more than 100 values"]


def test_too_large_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound on text."""
    monkeypatch.setattr(yaml, "LARGEST_TEXT", 10)
    assert parse("a: 12345678")[1] == ["f:1:1: the file is larger than 0 MiB; split it into a folder"]


def test_deep_nesting_is_refused_early() -> None:
    """A parser that recursed would overflow."""
    assert parse("[" * 1_000_000)[1] == ["f:1:65: nested more than 64 levels deep"]
    deep = "".join(" " * level + "a:\n" for level in range(2000))
    assert parse(deep)[1] == ["f:65:65: nested more than 64 levels deep"]


def test_duplicate_keys_do_not_stop() -> None:
    """The first one counts, and every further one is reported."""
    whole, found = parse("a: 1\nb: 2\na: 3\nb: 4\n")
    assert whole == {"a": 1, "b": 2}
    assert found == [
        'f:3:1: the key "a" stands here twice; the first is on line 1',
        'f:4:1: the key "b" stands here twice; the first is on line 2',
    ]


def test_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's own loader gives the same document."""
    text = "a: &x [NO, 08, true]\nb: {<<: {c: 1}, d: *x}\n"
    fast = parse(text)
    monkeypatch.setattr(yaml, "_Loader", pyyaml.SafeLoader)
    assert parse(text) == fast
    assert parse("a: \x07\n")[1] == ["f:1:4: the control character '\\x07' is not allowed"]
    assert parse("*: 1\n")[1] == ['f:1:1: a plain "*" starts an alias; put it in quotes: "*"']


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb: {c: [1], d", (2, 14)),  # it ends too early, and not on a third line
        ("\ufeffa\x01", (1, 2)),
        ("a: 1\u2028b: \x01", (2, 4)),
        ("a: 1\r\nb: 2\rc: \x01", (3, 4)),
        ("a: 1\x85b: \ud800", (2, 4)),
        ("a: 1\u2029b: 2\u2029]", (3, 1)),
    ],
)
def test_places_are_where_an_editor_goes(text: str, place: tuple[int, int]) -> None:
    """Lines end where YAML says so (YAML 1.1, 4.1.4), and no error is behind the last one."""
    found: list[Diagnostic] = []
    assert yaml.parse("f", text, found.append) is None
    assert [(item.line, item.column) for item in found] == [place]
