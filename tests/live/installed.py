"""What the Dockerfile makes, made without a container engine: its steps, one by one, in a machine of ours.

What stands in for the base image is this machine with a Python of the system.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.live.image import Stage, Step, filled, read
from tests.live.machine import PATH, Machine

HIDDEN = ("PYTHON", "VIRTUAL_ENV", "GEOROUTER", "PATH", "PYENV")
"""Beginnings of variables that would change what is built."""


@dataclass(frozen=True, slots=True)
class Installed:
    """`binds` is what the image holds beyond its base, which `base` makes of a machine; the others are how it
    runs.
    """

    base: str
    binds: dict[str, Path]
    environment: dict[str, str]
    user: tuple[str, str]
    stage: Stage


def find_python() -> str | None:
    """A Python that can make environments and that a stranger may run; None where there is none."""
    for python in (f"{sys.base_prefix}/bin/python3", "/usr/bin/python3", "/usr/local/bin/python3"):
        code = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
        command = ["setpriv", "--reuid=5300", "--regid=5300", "--clear-groups", python, "-c", code]
        if (
            not python.startswith(("/root", "/home"))
            and not subprocess.run(command, capture_output=True, timeout=20, check=False).returncode
        ):
            return python
    return None


def install(repository: Path, folder: Path, python: str) -> Installed:
    """Carry out the Dockerfile. RuntimeError with everything that was printed when a step fails."""
    build, final = read(repository / "Dockerfile")
    user, _, group = final.last("USER").rest.partition(":")
    binds = {"/opt/georouter": folder / "opt", final.last("VOLUME").rest: folder / "volume"}
    context = folder / "context"
    send_context(repository, context)
    for outside in binds.values():
        outside.mkdir(parents=True)
    environment = {"PATH": PATH}
    script = ["set -ex", *carried_out(build, environment), *carried_out(final, environment)]
    passed = {key: value for key, value in os.environ.items() if not key.startswith(HIDDEN)}
    base = f"mount -t tmpfs tmpfs /usr/local/lib; ln -sf {python} /usr/local/bin/python"
    machine = Machine(
        folder / "build",
        "\n".join(script),
        prepare=base,
        binds={**binds, "/context": context},
        environment=passed,
        alone=False,
    )
    with machine:
        if machine.finish() != 0:
            raise RuntimeError(machine.output())
    return Installed(base, binds, environment, (user, group), final)


def send_context(repository: Path, context: Path) -> None:
    """What `docker build` would get: all that .dockerignore names after its `*`."""
    lines = (repository / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    if patterns[0] != "*" or patterns[-1] != "**/__pycache__":
        raise ValueError(".dockerignore is written in another way than this reads")
    context.mkdir()
    for name in patterns[1:-1]:
        source = repository / name.removeprefix("!")
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, context / source.name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(source, context / source.name)


def carried_out(stage: Stage, environment: dict[str, str]) -> Iterator[str]:
    """The stage as lines of shell; its ENV is added to `environment`."""
    folder = "/"
    for step in stage.steps:
        if step.word == "ENV":
            set_here = {key: filled(value, environment) for key, value in step.pairs.items()}
            environment |= set_here
            yield from (f"export {key}='{value}'" for key, value in set_here.items())
        elif step.word == "WORKDIR":
            folder = step.rest
            yield f"mkdir -p {folder}; cd {folder}"
        elif step.word == "COPY":
            yield copied(step, folder)
        elif step.word == "RUN":
            yield step.rest


def copied(step: Step, folder: str) -> str:
    """COPY as a line of shell. Stages share their files here, so that --from must not move anything."""
    *sources, target = step.rest.split()
    if "from" in step.flags:
        if sources != [target]:
            raise ValueError(f"COPY --from {step.rest} moves something")
        return f"test -e {target}"
    named = " ".join(f"/context/{source}" + ("/." if source == "." else "") for source in sources)
    return f"mkdir -p {target}; cp -a {named} {target if target != '.' else folder}"
