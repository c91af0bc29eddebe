"""Run every benchmark, each in a process of its own; fails when one of them does."""

import subprocess
import sys

BENCHMARKS = (
    "peers",
    "startup",
    "city",
    "tcp",
    "failover",
    "reload",
    "reload_storm",
    "names",
    "proof",
    "capacity",
    "tenants",
    "scraping",
    "geo_truth",
)


def main() -> None:
    """One after the other, because they measure time."""
    failed = []
    for name in BENCHMARKS:
        print(f"\n{name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"\ndoes not hold, or did not run: {', '.join(failed)}")


if __name__ == "__main__":
    main()
