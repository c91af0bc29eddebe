"""A resolver as a process."""

import contextlib
import subprocess
from collections.abc import Iterator
from types import ModuleType

import dns.exception
import dns.flags
import dns.query

from benchmarks.harness.ask import Reply, question, read
from benchmarks.harness.wait import until
from tests.live.resolvers import bind, knot, powerdns, unbound
from tests.live.resolvers.site import Address, Site

RESOLVERS: tuple[ModuleType, ...] = (unbound, bind, knot, powerdns)
START_S, STOP_S = 30.0, 10.0
ANSWER_S = 8.0
"""How long a stub waits: resolvers retry once when something is lost on their way."""


class Resolver:
    """`make` is its module; `asks` is what a stub does."""

    def __init__(self, make: ModuleType, site: Site) -> None:
        self.make, self.site = make, site

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self.site.listen

    @property
    def name(self) -> str:
        """Of its make."""
        return str(self.make.NAME)

    @property
    def passes_subnets(self) -> bool:
        """Whether it tells us the network of its client."""
        return bool(self.make.PASSES_SUBNETS)

    def ask(
        self,
        name: str,
        type_: str = "A",
        client: str | None = None,
        *,
        tcp: bool = False,
        timeout_s: float = ANSWER_S,
    ) -> Reply:
        """What a stub asks that wants to know whether the answer was proven (RFC 6840 5.7)."""
        query = question(name, type_, client, recurse=True)
        query.flags |= dns.flags.AD
        send = dns.query.tcp if tcp else dns.query.udp
        return read(send(query, self.address[0], port=self.address[1], timeout=timeout_s))

    def log(self) -> str:
        """What it has printed."""
        return (self.site.folder / "output").read_text(errors="replace")


@contextlib.contextmanager
def running(make: ModuleType, program: str, site: Site, ready: str = "ns1.example.com") -> Iterator[Resolver]:
    """Start it and wait until it resolves `ready`."""
    site.folder.mkdir()
    config = site.folder / "recursor.conf"
    config.write_text(make.config(site))
    resolver = Resolver(make, site)
    with (site.folder / "output").open("wb") as output:
        process = subprocess.Popen(
            make.command(program, str(config)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=site.folder,
        )

    def answers() -> bool:
        assert process.poll() is None, resolver.log()
        with contextlib.suppress(OSError, dns.exception.Timeout):
            return resolver.ask(ready, timeout_s=0.1).rcode == "NOERROR"
        return False

    try:
        try:
            until(answers, f"{resolver.name} to resolve {ready}", START_S)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{resolver.log()[-4000:]}") from error
        yield resolver
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
