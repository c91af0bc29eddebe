"""What the documents promise exists: commands, links, metrics, decisions."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from georouter.cli.main import main as georouter
from georouter.demo.run import CLIENTS

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))


def name(path: Path) -> str:
    """A short test id."""
    return str(path.relative_to(ROOT))


def code(text: str) -> Iterator[str]:
    """Lines of fenced blocks and inline code spans."""
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def test_the_documents_are_there() -> None:
    """Nothing below passes by finding nothing."""
    assert all(path.read_text().strip() for path in DOCUMENTS)
    assert DECISIONS


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_make_targets_exist(document: Path) -> None:
    """Every `make X` of a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word for line in code(document.read_text()) for word in re.findall(r"^(?:\$ )?make ([a-z]+)", line)
    }
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_commands_and_flags_exist(document: Path) -> None:
    """Every `georouter X --flag` of a document is one that the program knows."""
    for line in code(document.read_text()):
        words = re.match(r"(?:\$ )?(?:\.venv/bin/)?georouter ((?:[a-z][a-z-]*)(?: .*)?)$", line)
        if not words:
            continue
        for alternative in re.split(r" \| (?:georouter )?", words[1].split(" #")[0]):
            check_command(alternative.split(), f"{name(document)}: {line}")


def check_command(words: list[str], where: str) -> None:
    """Follow `words` down the command tree; every flag must belong to the command reached."""
    command: click.Command = georouter
    while words and isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"{where}: no command {words[0]}"
        command, words = found, words[1:]
    flags = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    unknown = {word.split("=")[0] for word in words if word.startswith("--")} - flags - {"--help"}
    assert not unknown, f"{where}: {unknown}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link of a document is a file of the repository."""
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text())
    broken = [link for link in links if not (document.parent / link).exists()]
    assert not broken


@pytest.mark.parametrize("position", range(len(DECISIONS)))
def test_decisions_are_numbered(position: int) -> None:
    """0001, 0002, ... without gaps, each with its title, status and the usual three parts."""
    path = DECISIONS[position]
    text = path.read_text()
    assert path.name.startswith(f"{position + 1:04}-")
    assert text.startswith(f"# {position + 1:04} ")
    assert re.search(r"^Status: (accepted|superseded by \d{4})$", text, re.MULTILINE)
    for part in ("## Why", "## What we decided", "## What follows"):
        assert part in text


def test_the_policy_of_the_readme_is_valid_and_passes_its_tests(tmp_path: Path) -> None:
    """What a newcomer copies from there works."""
    (policy,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "georouter.yaml"
    file.write_text(policy)
    result = CliRunner().invoke(georouter, ["check", "--strict", "--config", str(file)])
    assert result.exit_code == 0, result.output


def test_the_readme_asks_as_the_demo_does() -> None:
    """The same client networks, so that the reader recognises the lines."""
    asked = re.findall(r"\+subnet=(\S+)", (ROOT / "README.md").read_text())
    assert asked == [network for _, network in CLIENTS]
