"""docs/operations.md says what the commands and the admin port do, not what they once did."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from georouter.admin.app import make_app
from georouter.admin.doorkeeper import Doorkeeper
from georouter.admin.guard import Guard
from georouter.cli.main import COMMANDS, load
from tests.admin.desks import STATUS, FakeDesk

PAGE = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
EXAMPLES = [line.partition("#")[0] for line in PAGE.splitlines() if line.startswith("$ georouter ")]
TALKING = ("status", "drain", "undrain", "reload")
"""Commands whose options the page describes; the others have pages of their own."""


def test_every_command_is_listed() -> None:
    """The table of commands is the overview of `georouter --help`."""
    rows = re.findall(r"^\| `georouter (\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(entry.name, entry.help) for entry in COMMANDS]


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_can_be_typed(line: str) -> None:
    """The example lines are accepted by the commands they call."""
    _, name, *args = shlex.split(line.removeprefix("$ "))
    command = next(load(entry) for entry in COMMANDS if entry.name == name)
    assert command.make_context(name, args).command is command


def test_there_are_examples() -> None:
    """The test above has something to look at."""
    assert len(EXAMPLES) >= 4


def test_every_option_is_described() -> None:
    """Each option of the commands that talk to a daemon is on the page, with its variable."""
    for entry in COMMANDS:
        if entry.name not in TALKING:
            continue
        for parameter in load(entry).params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[0] in PAGE, (entry.name, parameter.opts)
                assert str(parameter.envvar or "") in PAGE


def test_every_request_is_listed() -> None:
    """The table of requests is what the application routes."""
    rows = re.findall(r"^\| `(GET|POST) (/[\w/]*)", PAGE, re.MULTILINE)
    routes = make_app(FakeDesk(), Guard(None), Doorkeeper()).router.routes()
    served = {(route.method, route.resource.canonical) for route in routes if route.resource is not None}
    assert set(rows) == {(method, path) for method, path in served if method != "HEAD"}
    assert len(rows) == len(set(rows))


def shape(value: Any) -> Any:
    """Keys of objects and of the first entries of lists."""
    match value:
        case dict():
            return {key: shape(item) for key, item in value.items()}
        case list() if value and isinstance(value[0], dict):
            return [shape(value[0])]
        case _:
            return None


def test_the_status_object() -> None:
    """The example of a status has the shape that the page and the tables are tested with."""
    found = re.search(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    example = json.loads(found[1])
    expected = STATUS | {"regions": STATUS["regions"][1:], "overrides": []}
    assert shape(example) == shape(expected)
