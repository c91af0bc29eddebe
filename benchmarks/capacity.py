"""How long do the capacity plans of 50 services in 30 regions take, and do answers notice?

    python -m benchmarks.capacity

Every service asks for a plan; chains, fences and regions differ, demand is divided by the address space of
the built-in map, and what is nearest does not hold it. First the planning alone, in processor time;
then a daemon that plans beside 1,000 queries a second, and one that has nothing to plan.
"""

import pickle
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load, Outcome
from benchmarks.harness.policies import ASHBURN, LONDON, SINGAPORE, SITES, site_address, zone
from benchmarks.harness.report import Report
from benchmarks.harness.wait import until
from georouter.compiler.asking import Crowd
from georouter.facts.world import Effective, RegionFacts, State, World
from georouter.policy.load import PolicyFile, load
from georouter.sources.geo_files import load_map

SERVICES = 50
EUROPE = ("dublin", "london", "madrid", "frankfurt", "stockholm", "warsaw", "milan")
RATE = 1000
CALM_S = 20.0
"""How long answers are timed without plans."""
PATIENCE_S = 300.0


def policy() -> str:
    """Every service with the step; a fifth and a seventh of them with a fence; most use most regions."""
    regions = []
    for number, (name, lat, lon) in enumerate(SITES):
        labels = ", labels: {law: EU}" if name in EUROPE else ""
        regions.append(
            f"  {name}: {{location: {{lat: {lat}, lon: {lon}}}, capacity: {1000 + 37 * number}, "
            f"endpoints: [{site_address(number)}]{labels}}}"
        )
    services = [service(number) for number in range(SERVICES)]
    records = [f"s{number}: {{service: s{number}}}" for number in range(SERVICES)]
    return "\n".join(("regions:", *regions, "services:", *services, zone(records)))


def service(number: int) -> str:
    """One service's line."""
    near = (
        f"nearest: {{tolerance: {4 * number}km}}"
        if number % 2
        else f"latency: {{tolerance: {number % 10}ms}}"
    )
    chain = [near, "capacity: {}"]
    if number % 7 == 3:
        chain.insert(0, "residency: {clients: {country: [CH, NO]}, regions: [frankfurt, stockholm]}")
    if number % 5 == 0:
        chain.insert(0, "residency: {clients: {group: [EU]}, regions: {labels: {law: EU}}}")
    used = [name for index, (name, _, _) in enumerate(SITES) if number % 3 or (index + number) % 11]
    steps = ", ".join(f"{{{step}}}" for step in chain)
    return f"  s{number}: {{regions: [{', '.join(used)}], demand: {300 + 10 * number}, chain: [{steps}]}}"


def alone(report: Report) -> None:
    """The planning itself, as the compiling process does it."""
    rules = load([PolicyFile("capacity.yaml", "version: 1\n" + policy())], root="/").policy
    geo = load_map((), None)
    world = World(regions=dict.fromkeys(rules.regions, RegionFacts(State.UP, Effective.UP)))
    began = time.process_time()
    crowd = Crowd(rules, geo, world)
    asked = time.process_time()
    report.add("who asks, after a change of the policy", asked - began, "s")
    plan = crowd.plan(world, {}, 0.0)
    made = time.process_time()
    report.add("the plan", made - asked, "s")
    report.add("both", made - began, "s", 3.0)
    losses = crowd.losses(world, {}, 0.0, tuple(rules.regions))
    report.add("what to do at the loss of each region", time.process_time() - made, "s", 60.0)
    report.add("rankings that do not go where they would", sum(map(len, plan.now.shares.values())), "")
    report.add("all of it, as it travels", len(pickle.dumps((plan, losses))) / 2**20, "MiB")
    report.add("regions beyond their limit", len(plan.now.overload), "", 0)


def beside(report: Report, folder: Path) -> None:
    """Answers while a daemon plans, and those of one with the same policy that never plans."""
    clients = (LONDON, ASHBURN, SINGAPORE)
    queries = [(f"s{number}.example.com", clients[number % 3]) for number in range(SERVICES)]
    with patient(folder / "plain", policy().replace(", {capacity: {}}", "")) as daemon:
        with Load(daemon.address, queries, RATE) as load:
            time.sleep(CALM_S)
        calm = p99_ms(load.outcomes())
    with patient(folder / "planning", policy()) as daemon:

        def ready() -> bool:
            capacity = daemon.status()["capacity"]
            return bool(capacity["made_at"]) and capacity["losses"] == len(SITES)

        with Load(daemon.address, queries, RATE) as load:
            began = time.monotonic()
            until(lambda: daemon.status()["capacity"]["made_at"], "a plan", PATIENCE_S)
            first = time.monotonic()
            until(ready, "plans for every loss", 2 * PATIENCE_S)
            planned = time.monotonic()
        outcomes = load.outcomes()
        report.add("from the start to the plan, beside answering", first - began, "s")
        report.add("until all losses are planned", planned - began, "s")
        report.add("queries", load.sent, "")
        report.add("lost", load.lost, "", 0)
        report.add("failed", sum(1 for item in outcomes if item.rcode), "", 0)
        report.add("99th percentile while it plans", p99_ms(outcomes), "ms", max(3 * calm, calm + 5.0))
        report.add("99th percentile without plans", calm, "ms")
        report.add("a reload that a plan is in the way of", reload_s(daemon), "s")
        report.add("dropped by the kernel", daemon.metric("georouter_kernel_receive_drops_total"), "", 0)


def patient(folder: Path, text: str) -> Daemon:
    """A daemon that may take its time: compiling 50 services takes a while on a busy machine."""
    daemon = Daemon(folder, text, ready="s0.example.com")
    daemon.patience_s = PATIENCE_S
    return daemon


def reload_s(daemon: Daemon) -> float:
    """How long a reload takes while the plan that it asks for begins, and one right behind it."""
    daemon.post("/v1/reload", {})
    began = time.monotonic()
    daemon.post("/v1/reload", {})
    return time.monotonic() - began


def p99_ms(outcomes: Sequence[Outcome]) -> float:
    """Of all queries."""
    return float(np.percentile([item.received_s - item.sent_s for item in outcomes], 99)) * 1000


def main() -> None:
    """Both."""
    report = Report("capacity")
    alone(report)
    with tempfile.TemporaryDirectory() as folder:
        beside(report, Path(folder))
    report.finish()


if __name__ == "__main__":
    main()
