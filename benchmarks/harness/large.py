"""What benchmarks of much of something share: files replaced, memory at its most, lookups in this process."""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.harness.report import Report
from georouter.answers.layout import Proto
from georouter.answers.respond import Responder

SOURCE = 0xC0000235
"""Who asks: 192.0.2.53."""


def put(file: Path, text: str) -> None:
    """As an operator's tool would: by rename."""
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


def peak_mib(pid: int) -> float:
    """The most memory that a process ever had resident (VmHWM of proc(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} is gone")


def cost_us(asked: Responder, messages: Sequence[bytes]) -> float:
    """Microseconds of processor time per query."""
    began = time.process_time()
    for message in messages:
        asked.respond(message, SOURCE, 4, Proto.UDP, 1000.0)
    return (time.process_time() - began) / len(messages) * 1e6


def measure(
    what: str,
    count: int,
    serve: Callable[[Report, int, Path], None],
    look_up: Callable[[Report, int], None],
    description: str | None,
) -> None:
    """The daemon first, then lookups; `--WHAT` says how many instead of `count`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(f"--{what}", dest="count", type=int, default=count)
    count = parser.parse_args().count
    report = Report(what)
    with tempfile.TemporaryDirectory() as folder:
        serve(report, count, Path(folder))
    look_up(report, count)
    report.finish(**{what: count})
