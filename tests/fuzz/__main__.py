"""Runs a target for a time, over files, or keeps what it found (see the package)."""

import os
import random
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz import compiled, paths
from tests.fuzz.mutate import mutate
from tests.fuzz.target import CORPUS, NAMES, load

REPOSITORY = Path(__file__).parent.parent.parent
MERGE = (sys.executable, "-m", "tests.fuzz", "merge")
FOUND = REPOSITORY / ".fuzz"
"""Inputs that reached something new, and those that failed; not part of the repository."""
MOST_OCTETS, MOST_FILES = 40 * 1024, 120
"""Of one target's corpus."""
MEMORY_MB = 1500
WATCHED = ("georouter", "dns", "h11")
"""Packages whose branches count as something new."""


def main(arguments: Sequence[str]) -> int:
    """What the package says."""
    match arguments:
        case ["keep", *names] if names and set(names) <= set(NAMES):
            for name in names:
                keep(name)
        case ["merge", name, *options] if name in NAMES:  # by `keep`, and by the fuzzer of itself
            go(name, options)
        case ["paths", count, *seed] if (count + "".join(seed)).isdigit() and len(seed) < 2:
            compare(int(count), int(seed[0]) if seed else 1)
        case [name, seconds] if name in NAMES and seconds.isdigit():
            fuzz(name, int(seconds))
        case [name, *files] if name in compiled.NAMES and files:
            go(name, files)
        case [name, *files] if name in NAMES and files:
            target = load(name)
            for file in files:
                target.run(Path(file).read_bytes())
        case _:
            print(__doc__, f"TARGET is one of {', '.join(NAMES)}.", sep="\n", file=sys.stderr)  # noqa: T201
            return 2
    return 0


def compare(count: int, seed: int) -> None:
    """Both paths over so many packets; an AssertionError shows the first that they do not agree about."""
    answered, punted = paths.run(count, seed)
    print(f"{count:,} packets, {answered:,} answered, {punted:,} left to Python: no difference")  # noqa: T201


def fuzz(name: str, seconds: int) -> None:
    """Run until time is up or an input fails; that input is then in `.fuzz`."""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    options = [str(folder), f"-max_total_time={seconds}", f"-artifact_prefix={folder}-"]
    target = load(name)
    for number, seed in enumerate((*target.seeds, *target.corpus())):
        (folder / f"seed-{number}").write_bytes(seed[: target.about.longest])
    os.chdir(REPOSITORY)
    os.execv(sys.executable, [*MERGE, name, *options])


def keep(name: str) -> None:
    """Of the smallest inputs that reach all that was reached, as many of every size as there is room for."""
    small = FOUND / f"{name}.small"
    small.mkdir(parents=True, exist_ok=True)
    for path in small.iterdir():
        path.unlink()
    subprocess.run([*MERGE, name, "-merge=1", str(small), str(FOUND / name)], cwd=REPOSITORY, check=True)
    (CORPUS / name).mkdir(parents=True, exist_ok=True)
    for path in (CORPUS / name).iterdir():
        path.unlink()
    for path in chosen(sorted(small.iterdir(), key=lambda path: (path.stat().st_size, path.name))):
        (CORPUS / name / path.name[:12]).write_bytes(path.read_bytes())


def chosen(paths: Sequence[Path]) -> Sequence[Path]:
    """Every second, or third, and so on, so that the limits are kept."""
    step = 1
    while len(paths[::step]) > MOST_FILES or sum(path.stat().st_size for path in paths[::step]) > MOST_OCTETS:
        step += 1
    return paths[::step]


def go(name: str, arguments: list[str]) -> None:
    """Give the process to the fuzzer. The target is imported so that its branches are seen."""
    if name in compiled.NAMES:
        compiled.go((*MERGE, name), arguments)
        return
    import atheris

    with atheris.instrument_imports(include=list(WATCHED)):
        target = load(name)
    pool = (*target.seeds, *target.corpus())

    def change(data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.4:
            return bytes(atheris.Mutate(data, longest))
        return mutate(data, target.about, pool, chance)[:longest]

    about = target.about
    options = [
        f"-max_len={about.longest}",
        "-timeout=30",
        f"-rss_limit_mb={MEMORY_MB}",
        "-print_final_stats=1",
    ]
    atheris.Setup([" ".join((*MERGE, name)), *arguments, *options], target.run, custom_mutator=change)
    warnings.simplefilter("error")
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
