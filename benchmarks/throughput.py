"""How much does one worker answer, beside PowerDNS, Knot and gdnsd answering by country?

All load the same database and have the same names; each must answer a sample of the questions as the
database says before anything is measured. Then they are asked in turn, several rounds, each on the
first processor with dnsperf on the second. A server that is not installed is named and left out.
"""

import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.harness.report import RESULTS, Report
from benchmarks.harness.wait import free_port
from benchmarks.peers import database, gdnsd, georouter, knot, packets, powerdns
from benchmarks.peers.chart import Bar, Panel, draw
from benchmarks.peers.run import Round, Running, is_installed, processors
from benchmarks.peers.truth import Truth, open_truth, steered
from benchmarks.peers.world import Site
from georouter.geo.store import decode

SERVERS: tuple[ModuleType, ...] = (georouter, powerdns, knot, gdnsd)
"""Ours first; then the one that the others are compared to."""
BASELINE = powerdns.NAME
ROUNDS, ROUND_S, WARM_S = 7, 3.0, 1.0
SAMPLE = 400
"""Questions that every server must answer rightly first."""
RATIO = 1.5
TABLE_WIDTH = 120
"""Columns it needs where nothing says how wide the terminal is."""
MAP = Path(__file__).parent.parent / "data" / "builtin.geomap"

Results = dict[str, list[Round]]


def installed() -> list[ModuleType]:
    """The servers that are there; the others are named."""
    found = []
    for server in SERVERS:
        if is_installed(server):
            found.append(server)
        else:
            packages = " ".join(server.PACKAGES)
            print(f"left out: {server.NAME} (apt-get install --no-install-recommends {packages})")
    return found


def agree(server: Running, queries: Sequence[bytes], truth: Truth) -> None:
    """Exit unless the server answers as the database says."""
    for query in queries:
        expected, reply = truth.of(query), server.ask(query)
        if (reply.rcode, reply.addresses) != (expected.rcode, expected.addresses):
            sys.exit(f"{server.name} answers wrongly; expected {expected}, got:\n{reply.message}")


def measure(servers: Sequence[Running], file: Path) -> Results:
    """Rounds in which each server has its turn, after one that warms caches."""
    results: Results = {server.name: [] for server in servers}
    for server in servers:
        server.measure(file, WARM_S)
    for number in range(ROUNDS):
        for server in servers:
            results[server.name].append(server.measure(file, ROUND_S))
        print(f"round {number + 1} of {ROUNDS}", flush=True)
    return results


def bar(name: str, values: Sequence[float]) -> Bar:
    """Median and extremes."""
    return Bar(name, min(values), statistics.median(values), max(values))


def table(results: Results, rates: Sequence[Bar], costs: Sequence[Bar]) -> Table:
    """Medians, extremes, and ratios to the baseline."""
    made = Table(title="one worker each, median (lowest to highest) of the rounds", box=box.SIMPLE)
    for heading in ("", "queries/s", "", "ratio", "CPU µs/query", "", "ratio", "user", "busy", "lost"):
        made.add_column(heading, justify="right" if made.columns else "left", no_wrap=True)
    base_rate, base_cost = (
        next((bar.middle for bar in bars if bar.name == BASELINE), None) for bars in (rates, costs)
    )
    for rate, cost in zip(rates, costs, strict=True):
        rounds = results[rate.name]
        made.add_row(
            rate.name,
            f"{rate.middle / 1000:.0f}k",
            f"({rate.low / 1000:.0f}k to {rate.high / 1000:.0f}k)",
            f"{rate.middle / base_rate:.2f}" if base_rate else "",
            f"{cost.middle:.1f}",
            f"({cost.low:.1f} to {cost.high:.1f})",
            f"{cost.middle / base_cost:.2f}" if base_cost else "",
            f"{statistics.median(one.user_us for one in rounds):.1f}",
            f"{statistics.median(one.busy for one in rounds):.0%}",
            str(sum(one.lost for one in rounds)),
        )
    return made


def main() -> None:
    """Check, measure, tell."""
    if not shutil.which("dnsperf"):
        print("left out: throughput needs dnsperf (apt-get install --no-install-recommends dnsperf)")
        return
    report = Report("throughput")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        file = folder / "queries"
        path = folder / "country.mmdb"
        database.write(decode(MAP.read_bytes()), path)
        queries = packets.packets()
        packets.write(file, queries)
        truth = open_truth(str(path))
        servers = []
        for number, server in enumerate(installed()):
            own = folder / str(number)
            own.mkdir()
            servers.append(stack.enter_context(Running(server, Site(own, free_port(), path))))
        for running in servers:
            running.wait_ready(steered(queries, truth))
            agree(running, queries[:SAMPLE], truth)
        print(f"{', '.join(running.name for running in servers)}: {SAMPLE} questions answered alike")
        results = measure(servers, file)
    rates = [bar(name, [one.rate for one in rounds]) for name, rounds in results.items()]
    costs = [bar(name, [one.cpu_us for one in rounds]) for name, rounds in results.items()]
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    console.print(table(results, rates, costs))
    print(f"ratios to {BASELINE}; user: CPU µs/query outside the kernel;")
    print("busy: share of its processor that the server used; lost: over all rounds")
    for rate, cost in zip(rates, costs, strict=True):
        report.add(f"{rate.name}: queries per second", rate.middle, "q/s")
        report.add(f"{cost.name}: processor time per query, kernel included", cost.middle, "µs")
    base = next((bar for bar in rates if bar.name == BASELINE), None)
    if base:
        ratio = rates[0].middle / base.middle
        report.add(f"queries per second beside {BASELINE}", ratio, "x", RATIO, at_least=True)
    picture = draw(
        (
            Panel("Queries per second", "one worker; more is better", rates, lambda value: f"{value:,.0f}"),
            Panel("CPU µs per query", "kernel included; less is better", costs, lambda value: f"{value:.1f}"),
        ),
        f"Median, lowest and highest of {ROUNDS} interleaved rounds; the same {len(queries):,} questions "
        "and the same country database for all.",
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "throughput.svg").write_text(picture)
    report.finish(
        rounds={name: [asdict(one) for one in rounds] for name, rounds in results.items()},
        pinned=bool(processors()[0]),
    )


if __name__ == "__main__":
    main()
