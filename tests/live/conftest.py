"""The daemon and the tools that the live tests share."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import three_regions

RECORDS = (
    "alias: {CNAME: www.example.com.}",
    "alone: {CNAME: www.elsewhere.test.}",
    '"*.app": {service: web}',
    "below.empty: {A: 192.0.2.77}",
    "mail: {A: 192.0.2.60, AAAA: '2001:db8::60'}",
    '"@": [{service: web}, {MX: "10 mail.example.com."}]',
    "many: {TXT: [" + ", ".join(f'"{number:02} {"x" * 180}"' for number in range(20)) + "]}",
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon per module: three regions without checks, and records of several kinds."""
    with Daemon(tmp_path_factory.mktemp("daemon"), three_regions(records=RECORDS)) as running:
        yield running


@pytest.fixture(scope="session")
def dig(need: Callable[[str], str]) -> Callable[..., str]:
    """`dig(address, *words)` gives what dig prints."""
    program = need("dig")

    def run(address: tuple[str, int], *words: str) -> str:
        command = [program, f"@{address[0]}", "-p", str(address[1]), "+time=2", "+tries=1", "+norecurse"]
        done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=20, check=False)
        return done.stdout

    return run
