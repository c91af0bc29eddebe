"""What does an answer cost: `respond` alone, and the whole way through the kernel?

A snapshot of 10,000 names and as many ranges as a city database has; a new client address for every
steered query. The second part asks a real server over loopback with dnsperf, where that is installed.
"""

import asyncio
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness.report import Report
from georouter.answers.conduct import Conduct
from georouter.answers.layout import REASONS, Proto
from georouter.answers.limits import Limits
from georouter.answers.ratelimit import Buckets, Rate, RateLimiter
from georouter.answers.respond import Responder
from georouter.answers.tables import SLOT_A, SLOT_AAAA, Group, RangeMap, RangeTable, Snapshot
from georouter.server.server import Server
from tests.answers.ask import query
from tests.answers.build import Builder, address_answer, one_each, runs

NAMES = 10_000
RANGES_4, RANGES_6 = 180_000, 90_000
QUERIES, REPEATS = 2_000, 40
PLAIN_US, STEERED_US = 2.5, 4.0
FLOOD_TIMES = 2.0
SWITCH_INTERVAL_S = 0.0005
DNSPERF_S = 5
RESOLVER = 0xC6336435


def table(code: str, starts: Sequence[int]) -> RangeTable:
    """Sorted ranges whose neighbours have different values below 3."""
    ordered = sorted({0, *starts})
    return RangeTable(array(code, ordered), array("I", [index % 3 for index in range(len(ordered))]))


def snapshot() -> Snapshot:
    """Names of every sort, `www` steered with one candidate, `mix` with three."""
    chance = random.Random(1)
    made = Builder(services=[("web", ("a", "b", "c"))])
    zone = made.zone("example.com")
    for number in range(NAMES):
        made.static(f"host{number}.example.com", zone, "A", address_answer("192.0.2.1"))
    thirds = runs([[(region, region * REASONS, 1.0) for region in range(3)]] * 3)
    ranges = RangeMap(
        table("I", [chance.randrange(2**24) << 8 for _ in range(RANGES_4)]),
        table("Q", [0x2000 << 48 | chance.randrange(2**32) << 29 for _ in range(RANGES_6)]),
    )
    made.maps.append(ranges)
    for alternatives in (one_each(3), thirds):
        made.groups.append(Group(0, 30, None, (alternatives, alternatives, alternatives)))
    v4 = [address_answer(f"192.0.2.{region}") for region in (1, 2, 3)]
    v6 = [address_answer(f"2001:db8::{region}") for region in (1, 2, 3)]
    for group, name in enumerate(("www", "mix")):
        made.steered(f"{name}.example.com", zone, group, "web", {"A": v4, "AAAA": v6})
    assert (SLOT_A, SLOT_AAAA) == (0, 1)
    return made.snapshot()


def mixes() -> dict[str, tuple[list[bytes], float | None]]:
    """Queries by what they are, and what one may cost."""
    chance = random.Random(2)

    def host() -> str:
        return f"host{chance.randrange(NAMES)}.example.com"

    def client4() -> str:
        return f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.0/24"

    def client6() -> str:
        return f"2{chance.randrange(4096):03x}:{chance.randrange(65536):x}:{chance.randrange(65536):x}::/56"

    def many(make: object) -> list[bytes]:
        return [make() for _ in range(QUERIES)]  # type: ignore[operator]

    def mixed() -> bytes:
        part = chance.random()
        cookie = chance.random() < 0.3
        if part < 0.05:
            return query(f"nope{chance.random()}.example.com", cookie=cookie)
        if part < 0.65:
            return query("WwW.eXaMpLe.CoM", subnet=client4(), cookie=cookie)
        return query(host(), cookie=cookie)

    return {
        "static A": (many(lambda: query(host())), PLAIN_US),
        "static A, EDNS": (many(lambda: query(host(), edns=True)), PLAIN_US),
        "static A, cookie": (many(lambda: query(host(), cookie=True)), None),
        "static A, client subnet": (many(lambda: query(host(), subnet=client4())), None),
        "steered A, resolver's address": (many(lambda: query("www.example.com")), STEERED_US),
        "steered A, client subnet": (many(lambda: query("www.example.com", subnet=client4())), STEERED_US),
        "steered AAAA, IPv6 client subnet": (
            many(lambda: query("www.example.com", "AAAA", subnet=client6())),
            None,
        ),
        "steered A, client subnet, three to choose from": (
            many(lambda: query("mix.example.com", subnet=client4())),
            None,
        ),
        "steered A, client subnet and cookie": (
            many(lambda: query("www.example.com", subnet=client4(), cookie=True)),
            None,
        ),
        "missing name": (many(lambda: query(f"nope{chance.random()}.example.com")), None),
        "name outside our zones": (many(lambda: query(f"nope{chance.random()}.example.net")), None),
        "mixed: 60 % steered, 30 % cookies, 5 % missing": (many(mixed), None),
    }


def cost_us(responder: Responder, messages: list[bytes], *, careful: bool = False) -> float:
    """Microseconds of processor time per query, the best of some rounds: the others were disturbed."""
    respond = responder.respond_carefully if careful else responder.respond
    now = time.time()
    best = float("inf")
    for _ in range(REPEATS):
        began = time.process_time()
        for message in messages:
            respond(message, RESOLVER, 4, Proto.UDP, now)
        best = min(best, time.process_time() - began)
    return best / len(messages) * 1e6


def under_a_flood(report: Report, made: Snapshot, messages: list[bytes]) -> None:
    """What rate limiting costs when every packet claims another source, and when all claim one."""
    chance = random.Random(4)
    plain = [0] * made.directory.layout.size
    limiter = RateLimiter(Rate(10), Buckets(1))
    limited = Responder(made, list(plain), Limits(), Conduct(limiter=limiter))
    free = Responder(made, list(plain), Limits())
    now = time.time()
    for what, sources in (
        ("random sources", [chance.getrandbits(32) for _ in messages]),
        ("one source", [RESOLVER] * len(messages)),
    ):
        best = {limited: float("inf"), free: float("inf")}
        for _ in range(REPEATS):
            for responder, so_far in best.items():
                began = time.process_time()
                for message, source in zip(messages, sources, strict=True):
                    responder.respond(message, source, 4, Proto.UDP, now)
                best[responder] = min(so_far, time.process_time() - began)
        report.add(f"flood from {what}: limited over free", best[limited] / best[free], "times", FLOOD_TIMES)


async def through_the_kernel(report: Report, made: Snapshot, dnsperf: str) -> None:
    """Queries per second and processor time per query of a server that is asked as fast as it answers."""
    server = Server([("127.0.0.1", 0)])
    server.bind()
    server.publish(made)
    await server.start()
    host, port = server.addresses[0]
    chance = random.Random(3)
    names = [f"host{chance.randrange(NAMES)}.example.com A" for _ in range(1000)]
    with tempfile.TemporaryDirectory() as folder:
        for what, lines, options in (
            ("static", names, []),
            (
                "steered, client subnet",
                ["www.example.com A", "mix.example.com A"],
                ["-E", "8:00011800510245"],
            ),
        ):
            file = Path(folder) / "queries"
            file.write_text("\n".join(lines) + "\n")
            load = [dnsperf, "-s", host, "-p", str(port), "-d", str(file), "-l", str(DNSPERF_S)]
            before, began = server.queries_total(), time.process_time()
            done = await asyncio.to_thread(
                subprocess.run,
                [*load, "-c", "8", "-q", "500", *options],
                capture_output=True,
                text=True,
                check=True,
            )
            spent, answered = time.process_time() - began, server.queries_total() - before
            rate = re.search(r"Queries per second:\s+([\d.]+)", done.stdout)
            lost = re.search(r"Queries lost:\s+(\d+)", done.stdout)
            assert rate
            assert lost
            report.add(f"{what}: queries per second", float(rate[1]), "q/s")
            report.add(f"{what}: processor time per query, kernel included", spent / answered * 1e6, "µs")
            report.add(f"{what}: lost", float(lost[1]), "queries", 0)
    report.add("kernel receive drops", server.drops(), "datagrams", 0)
    await server.stop(1.0)


def main() -> None:
    """Both parts."""
    report = Report("responder")
    made = snapshot()
    responder = Responder(made, [0] * made.directory.layout.size, Limits())
    for what, (messages, limit) in mixes().items():
        report.add(what, cost_us(responder, messages), "µs", limit)
        if what.startswith("mixed"):
            report.add(f"{what}, the careful way", cost_us(responder, messages, careful=True), "µs")
    under_a_flood(report, made, mixes()["static A"][0])
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    dnsperf = shutil.which("dnsperf")
    if dnsperf:
        asyncio.run(through_the_kernel(report, made, dnsperf))
    report.finish()


if __name__ == "__main__":
    main()
