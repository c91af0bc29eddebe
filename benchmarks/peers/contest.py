"""The contest: every server in turn, several rounds, the same questions; then each at half of what it can.

Before anything is measured each must answer a sample of the questions as the database says, found out by
another reader. Servers take turns within a round, so that a disturbance hits all of them alike, and ratios
are taken within a round.
"""

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.harness.report import Report
from benchmarks.harness.wait import free_port
from benchmarks.peers import database, echo, gdnsd, georouter, knot, packets, powerdns
from benchmarks.peers.native import Asked
from benchmarks.peers.peer import Peer
from benchmarks.peers.run import Asker, Round, Running
from benchmarks.peers.truth import Truth, open_truth, steered
from benchmarks.peers.world import Site
from georouter.geo.store import decode

SERVERS: tuple[Peer, ...] = (
    georouter.NATIVE_PEER,
    georouter.NO_LIMIT,
    georouter.PYTHON,
    gdnsd.PEER,
    knot.PEER,
    powerdns.PEER,
    echo.PEER,
)
"""Ours first."""
OTHERS = (echo.PEER, gdnsd.PEER, knot.PEER, powerdns.PEER)
WARM_S = 0.5
SAMPLE = 400
"""Questions that every server must answer rightly first."""
NOISE = 1.03
"""What two equal servers may differ by within a run."""
TABLE_WIDTH = 155
"""Columns it needs where nothing says how wide the terminal is."""
LOST_US = 900_000.0
"""Latencies from here on are those of lost queries (load.c)."""
MAP = Path(__file__).parents[2] / "data" / "builtin.geomap"


@dataclass(frozen=True, slots=True)
class Ground:
    """What all of it is measured on: a folder, the database, the questions and who knows the answers."""

    folder: Path
    database: Path
    queries: tuple[bytes, ...]
    file: Path
    truth: Truth

    def site(self, name: str) -> Site:
        """A place for a server of its own."""
        own = self.folder / name
        own.mkdir()
        return Site(own, free_port(), self.database)


@dataclass(slots=True)
class Results:
    """Per server the rounds of both kinds."""

    full: dict[str, list[Round]] = field(default_factory=dict)
    half: dict[str, list[Asked]] = field(default_factory=dict)

    def rates(self, name: str) -> list[float]:
        """Queries per second of each round."""
        return [one.rate for one in self.full[name]]

    def costs(self, name: str) -> list[float]:
        """Processor time per query of each round, microseconds."""
        return [one.cpu_us for one in self.full[name]]

    def tails(self, name: str) -> list[float]:
        """p99.9 at half load of each round, microseconds."""
        return [one.p999_us for one in self.half[name]]

    def user_us(self, name: str) -> float:
        """Time outside the kernel per query. Over all rounds: the kernel tells it in ticks of 10 ms or so."""
        rounds = self.full[name]
        answered = [one.busy_s / one.cpu_us * 1e6 for one in rounds]
        return sum(one.user_us * count for one, count in zip(rounds, answered, strict=True)) / sum(answered)


def prepare(folder: Path) -> Ground:
    """Write the database and the questions."""
    path, file = folder / "country.mmdb", folder / "queries"
    database.write(decode(MAP.read_bytes()), path)
    queries = packets.packets()
    packets.write(file, queries)
    return Ground(folder, path, tuple(queries), file, open_truth(str(path)))


def installed() -> list[Peer]:
    """The servers that are there; the others are named."""
    found = []
    for server in SERVERS:
        absent = server.absent()
        if absent is None:
            found.append(server)
        else:
            print(f"left out: {server.name} ({absent})")
    return found


@contextmanager
def started(servers: Sequence[Peer], ground: Ground) -> Iterator[list[Running]]:
    """All of them, once they answer rightly."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(Running(server, ground.site(f"server-{number}")))
            for number, server in enumerate(servers)
        ]
        for server in running:
            server.wait_ready(steered(ground.queries, ground.truth))
            if server.server.decides:
                agree(server, ground.queries[:SAMPLE], ground.truth)
        deciding = ", ".join(server.name for server in running if server.server.decides)
        print(f"{deciding}: {SAMPLE} questions answered alike", flush=True)
        yield running


def agree(server: Running, queries: Sequence[bytes], truth: Truth) -> None:
    """Exit unless the server answers as the database says."""
    for query in queries:
        expected, reply = truth.of(query), server.ask(query)
        if (reply.rcode, reply.addresses) != (expected.rcode, expected.addresses):
            sys.exit(f"{server.name} answers wrongly; expected {expected}, got:\n{reply.message}")


def measure(
    servers: Sequence[Running], file: Path, *, rounds: int, full_s: float, half_s: float, asker: Asker
) -> Results:
    """Rounds in which each server has its turn, after one that warms caches."""
    results = Results({server.name: [] for server in servers}, {server.name: [] for server in servers})
    for server in servers:
        server.measure(file, WARM_S, asker)
    for number in range(rounds):
        for server in servers:
            results.full[server.name].append(server.measure(file, full_s, asker))
        print(f"round {number + 1} of {rounds}", flush=True)
    for number in range(rounds):
        for server in servers:
            rate = statistics.median(results.rates(server.name)) / 2
            results.half[server.name].append(server.at_rate(file, half_s, rate))
        print(f"round {number + 1} of {rounds} at half load", flush=True)
    return results


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Lowest, median and highest of the ratios within a round."""
    each = [one / other for one, other in zip(ours, theirs, strict=True)]
    return min(each), statistics.median(each), max(each)


def show(results: Results) -> None:
    """Two tables: what each did, and ours beside theirs."""
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    console.print(_figures(results))
    print(
        "CPU: µs of processor time per query, all threads, kernel included; user: of it outside the kernel;"
    )
    print("busy: share of its processor that the server used; latency in µs, at half of the queries/s")
    console.print(_ratios(results))


def _spread(values: Sequence[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def _tail(values: Sequence[float]) -> str:
    return "lost" if statistics.median(values) >= LOST_US else _spread(values, ".0f")


def _figures(results: Results) -> Table:
    made = Table(title="one worker each: median (lowest-highest) of the rounds", box=box.SIMPLE)
    headings = (
        "",
        "k queries/s",
        "CPU",
        "user",
        "busy",
        "p50",
        "p99",
        "p99.9",
        "lost",
        "lost at half",
        "MiB",
    )
    for heading in headings:
        made.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, rounds in results.full.items():
        half = results.half[name]
        made.add_row(
            name,
            _spread([one.rate / 1000 for one in rounds], ".1f"),
            _spread(results.costs(name), ".2f"),
            f"{results.user_us(name):.2f}",
            f"{statistics.median(one.busy for one in rounds):.0%}",
            f"{statistics.median(one.p50_us for one in half):.0f}",
            f"{statistics.median(one.p99_us for one in half):.0f}",
            _tail([one.p999_us for one in half]),
            str(sum(one.lost for one in rounds)),
            str(sum(one.lost for one in half)),
            f"{rounds[-1].memory_mib:.0f}",
        )
    return made


def _ratios(results: Results) -> Table:
    made = Table(title="ratios within a round: median (lowest-highest)", box=box.SIMPLE)
    for heading in ("", "to", "queries/s", "CPU per query", "p99.9 at half load"):
        made.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for ours in (georouter.NATIVE_PEER.name, georouter.PYTHON.name):
        for other in (peer.name for peer in OTHERS):
            if ours in results.full and other in results.full:
                made.add_row(
                    ours,
                    other,
                    *(
                        "{1:.2f} ({0:.2f}-{2:.2f})".format(*ratios(of(ours), of(other)))
                        for of in (results.rates, results.costs, results.tails)
                    ),
                )
    return made


def judge(report: Report, results: Results) -> None:
    """What must hold, as rows of the report."""
    native, python, gdnsd_, knot_, powerdns_, echo_ = (
        peer.name
        for peer in (
            georouter.NATIVE_PEER,
            georouter.PYTHON,
            gdnsd.PEER,
            knot.PEER,
            powerdns.PEER,
            echo.PEER,
        )
    )

    def compare(
        what: str,
        of: Callable[[str], list[float]],
        ours: str,
        other: str,
        limit: float,
        *,
        least: bool = False,
    ) -> None:
        if ours in results.full and other in results.full:
            middle = ratios(of(ours), of(other))[1]
            report.add(f"{ours}: {what}, of {other}'s", middle, "x", limit, at_least=least)

    compare("CPU per query", results.costs, native, echo_, 1.10)
    compare("CPU per query", results.costs, native, gdnsd_, NOISE)
    compare("CPU per query", results.costs, native, knot_, 0.75)
    compare("queries/s", results.rates, native, gdnsd_, 1 / NOISE, least=True)
    compare("queries/s", results.rates, native, knot_, 1 / NOISE, least=True)
    compare("queries/s", results.rates, python, powerdns_, 1.2, least=True)
    peers = [name for name in (gdnsd_, knot_, powerdns_) if name in results.half]
    if native in results.full:
        report.add(f"{native}: µs per query outside the kernel", results.user_us(native), "µs", 0.25)
        report.add(f"{native}: lost", sum(one.lost for one in results.full[native]), "queries", 0)
        report.add(
            f"{native}: lost at half load", sum(one.lost for one in results.half[native]), "queries", 0
        )
        if peers:
            best = min(peers, key=lambda name: statistics.median(results.tails(name)))
            compare("p99.9 at half load", results.tails, native, best, NOISE)
