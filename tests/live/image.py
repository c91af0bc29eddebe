"""The Dockerfile as data, enough of its language to check it and to carry it out without an engine."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction. `flags` are its leading `--key=value`; `rest` is what follows them."""

    word: str
    flags: Mapping[str, str]
    rest: str

    @property
    def command(self) -> list[str]:
        """The exec form; ValueError when it is written in shell form."""
        value = json.loads(self.rest)
        if not isinstance(value, list):
            raise ValueError(f"{self.word} is not in exec form")  # noqa: TRY004 - wrong text, not a wrong type
        return [str(item) for item in value]

    @property
    def pairs(self) -> dict[str, str]:
        """`KEY=value ...` of LABEL, ENV and ARG."""
        return dict(word.partition("=")[::2] for word in shlex.split(self.rest))


@dataclass(slots=True)
class Stage:
    """From one FROM to the next."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def all(self, word: str) -> list[Step]:
        """The instructions of this kind."""
        return [step for step in self.steps if step.word == word]

    def last(self, word: str) -> Step:
        """The one that counts."""
        return self.all(word)[-1]


def read(file: Path) -> list[Stage]:
    """The stages of a Dockerfile, with the ARGs before the first FROM put in."""
    before: dict[str, str] = {}
    stages: list[Stage] = []
    for step in _steps(file.read_text()):
        if step.word == "FROM":
            base, _, name = step.rest.partition(" AS ")
            stages.append(Stage(filled(base, before), name))
        elif stages:
            stages[-1].steps.append(step)
        else:
            before |= step.pairs
    return stages


def filled(text: str, values: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` replaced; KeyError for what has no value."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], text)


def _steps(text: str) -> Iterator[Step]:
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in kept.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            flags: dict[str, str] = {}
            while word != "RUN" and (found := re.match(r"\s*--([\w-]+)=(\S+)", rest)):
                flags[found[1]] = found[2]
                rest = rest[found.end() :]
            yield Step(word, flags, re.sub(r"\s+", " ", rest).strip())
