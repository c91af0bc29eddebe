"""The daemon and the tools that the live tests share."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import three_regions
from tests.live.installed import Installed, find_python, install
from tests.live.machine import why_not

RECORDS = (
    "alias: {CNAME: www.example.com.}",
    "alone: {CNAME: www.elsewhere.test.}",
    '"*.app": {service: web}',
    "secure: {service: secure}",
    '"*.secure": {service: secure}',
    "to-secure: {CNAME: secure}",
    "below.empty: {A: 192.0.2.77}",
    "mail: {A: 192.0.2.60, AAAA: '2001:db8::60'}",
    '"@": [{service: web}, {MX: "10 mail.example.com."}]',
    "many: {TXT: [" + ", ".join(f'"{number:02} {"x" * 180}"' for number in range(20)) + "]}",
)


SERVICES = ("secure: {regions: [us-east, eu-west, ap-south], chain: [nearest], https: {alpn: [h2, h3]}}",)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon per module: three regions without checks, and records of several kinds."""
    with Daemon(
        tmp_path_factory.mktemp("daemon"), three_regions(records=RECORDS, services=SERVICES)
    ) as running:
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


@pytest.fixture(scope="session")
def installed(repository: Path) -> Iterator[Installed]:
    """What the Dockerfile makes (half a minute), for all who run it."""
    python = why_not() or find_python()
    if python is None or not python.startswith("/"):
        reason = python or "no Python that can make environments and that everybody may run"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="georouter-image-"))
    folder.chmod(0o755)  # pytest's own folders are closed to the user that it runs as
    try:
        yield install(repository, folder, python)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
