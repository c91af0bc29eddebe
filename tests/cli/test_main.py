"""The command group: complete, lazy, and helpful about mistakes."""

import subprocess
import sys

import click
import pytest

from georouter import __version__
from georouter.cli.main import COMMANDS, Entry, load
from georouter.server.path import available
from tests.cli.conftest import Run


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_is_there(entry: Entry) -> None:
    """Each entry loads, and its line in the overview is the first sentence of the command's own help."""
    command = load(entry)
    assert command.name == entry.name
    assert command.help is not None
    assert " ".join(command.help.partition("\n\n")[0].split()) == entry.help


def test_help(run: Run) -> None:
    """The overview names every command in its order; no arguments show it too, as a usage error."""
    shown = run("--help")
    assert shown.exit_code == 0
    lines = shown.output.partition("Commands:")[2].split("\n")
    named = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert named == [entry.name for entry in COMMANDS]
    assert run("-h").output == shown.output
    assert run().exit_code == 2


def test_help_imports_little() -> None:
    """The overview of a fresh interpreter loads no array, table, HTTP or policy library."""
    code = (
        "import sys; from georouter.cli.main import main; main(['--help'], standalone_mode=False); "
        "print(sorted({'numpy', 'rich', 'httpx', 'pydantic', 'aiohttp', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_mistyped_command(run: Run) -> None:
    """A usage error that names the nearest command, without importing any."""
    done = run("statsu")
    assert done.exit_code == 2
    assert "Did you mean 'status'?" in done.output
    assert "Did you mean" not in run("xyzzy").output


def test_version(run: Run) -> None:
    """`version` says which georouter, which Python and which packet path."""
    said = run("version").output
    assert said.startswith(f"georouter {__version__} (")
    assert said.rstrip().endswith(f"{'native' if available() else 'python'} packet path)")


def test_as_a_module() -> None:
    """`python -m georouter` is the same program."""
    done = subprocess.run(
        [sys.executable, "-m", "georouter", "version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith(f"georouter {__version__}")


def test_what_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that points at something else is a bug, said at once."""
    assert isinstance(load(COMMANDS[-1]), click.Command)
    with pytest.raises(TypeError, match="is not a command"):
        load(Entry("x", "georouter.cli.main", "load", "x"))
