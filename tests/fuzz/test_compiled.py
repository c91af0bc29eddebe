"""What libFuzzer is given; running it takes clang."""

import subprocess
import sys
from pathlib import Path

from tests.fuzz import compiled, native
from tests.fuzz.target import NAMES


def test_driver_fits_the_native_path(tmp_path: Path) -> None:
    """It compares with the declarations that `answer` and its tables have today."""
    source = f"tests/fuzz/{compiled.DRIVER}.pyx"
    command = (
        sys.executable,
        "-m",
        "cython",
        "-3",
        "-Werror",
        "-I",
        ".",
        source,
        "-o",
        str(tmp_path / "driver.c"),
    )
    subprocess.run(command, cwd=compiled.REPOSITORY, check=True)


def test_compiled_targets_are_targets() -> None:
    """So `make test` replays them as well."""
    assert set(compiled.NAMES) <= set(NAMES)


def test_dictionary() -> None:
    """Octets in hexadecimal; no word that libFuzzer would refuse the whole dictionary for."""
    assert list(compiled.entries([b"\0\x29", b"a", b"x" * 65])) == ['"\\x00\\x29"\n']
    assert len(list(compiled.entries(native.words()))) > 100


def test_seeds_say_who_asks() -> None:
    """Every set-up, both families, and much and little space."""
    heads = {seed[0] for seed in native.seeds()}
    assert {head % 8 for head in heads} == set(range(native.SETUPS))
    assert {head & native.IPV6 for head in heads} == {0, native.IPV6}
    assert {head >> 4 for head in heads} == set(range(16))
