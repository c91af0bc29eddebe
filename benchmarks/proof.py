"""How long does the proof take that no residency fence is crossed?

    python -m benchmarks.proof

One service with 12 regions, everywhere on the built-in map, every combination of regions down; with chains
that differ in how much there is to walk. Seconds are of processor time.
"""

import time

from benchmarks.harness.policies import SITES, site_address, zone
from benchmarks.harness.report import Report
from georouter.analysis.proof import MOST_EXHAUSTIVE, prove
from georouter.policy.load import PolicyFile, load
from georouter.sources.geo_files import load_map

CHAINS = {
    "nearest": ["nearest"],
    "latency, tolerance": ["latency: {tolerance: 15ms}"],
    "latency, sticky, weights": ["latency: {tolerance: 15ms}", "sticky", "weighted: {weights: {dublin: 3}}"],
    "latency, two regions an answer": ["latency: {tolerance: 15ms}", "limit: {regions: 2}"],
}
FENCES = (
    "residency: {clients: {group: [EU]}, regions: {labels: {law: EU}}}",
    "residency: {clients: {country: [CH]}, regions: [dublin, frankfurt, milan]}",
)
EUROPE = ("dublin", "london", "madrid", "frankfurt", "milan")
ELSEWHERE = ("ashburn", "portland", "sao-paulo", "mumbai", "singapore", "tokyo", "sydney")


def policy(chain: list[str]) -> str:
    """Twelve regions with addresses of both families, two fences that overlap, then the chain."""
    regions = []
    for number, (name, lat, lon) in enumerate(SITES):
        if name in EUROPE + ELSEWHERE:
            labels = ", labels: {law: EU}" if name in EUROPE else ""
            addresses = f"[{site_address(number)}, '2001:db8::{number + 1:x}']"
            regions.append(
                f"  {name}: {{location: {{lat: {lat}, lon: {lon}}}, endpoints: {addresses}{labels}}}"
            )
    steps = "".join(f"      - {step}\n" for step in (*FENCES, *chain))
    names = ", ".join(EUROPE + ELSEWHERE)
    service = f"  web:\n    regions: [{names}]\n    https: ['1 . alpn=h2']\n    chain:\n{steps}"
    return "\n".join(
        ("version: 1", "regions:", *regions, "services:", service + zone(["www: {service: web}"]))
    )


def main() -> None:
    """Each chain once, from the loaded map to the verdict."""
    report = Report("proof")
    geo = load_map((), None)
    walked = {}
    for name, chain in CHAINS.items():
        rules = load([PolicyFile("proof.yaml", policy(chain))], root="/").policy
        began = time.process_time()
        ((verdict,),) = prove(rules, geo)
        report.add(name, time.process_time() - began, "s", 30.0)
        if not verdict.proved or verdict.walked.combinations != 1 << MOST_EXHAUSTIVE:
            raise SystemExit(f"{name}: {verdict}")
        found = verdict.walked
        walked[name] = {"ranges": found.ranges, "blocks": found.blocks, "answers": found.answers}
        print(f"    {found.ranges:,} ranges, {found.blocks:,} blocks, {found.answers:,} answers")
    report.finish(walked=walked)


if __name__ == "__main__":
    main()
