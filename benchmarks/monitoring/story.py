"""A short life of a daemon in which everything happens that the dashboard has a panel for."""

import json
import random
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from math import pi, sin
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dns.message
import dns.query
import dns.rcode
import dns.versioned
import yaml

from benchmarks.harness.ask import question
from benchmarks.harness.background import Background
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.hooks import HookServer
from benchmarks.harness.outside import Outside
from benchmarks.harness.policies import ASHBURN, LONDON, SINGAPORE
from benchmarks.harness.regions import RegionServer
from benchmarks.harness.wait import until

DEMO = Path(__file__).parent.parent.parent / "config/demo.yaml"
STANDBYS = ("eu-west", "us-east", "ap-south")
"""The order of the database."""
NAMES = ("us-east", "eu-west", "ap-south")
BERLIN = "194.25.0.0/24"
CAPACITIES = (1500, 1500, 900)
DEMAND = 2600
"""Two regions cannot take what three can: the loss of one is to be seen as an overload."""

ASKED: tuple[tuple[str, str, str | None, int], ...] = (
    ("www.example.com", "A", ASHBURN, 40),
    ("www.example.com", "A", LONDON, 30),
    ("www.example.com", "A", SINGAPORE, 18),
    ("www.example.com", "AAAA", LONDON, 5),
    ("shop.app.example.com", "A", ASHBURN, 9),
    ("accounts.example.com", "A", BERLIN, 14),
    ("accounts.example.com", "A", ASHBURN, 8),
    ("example.com", "MX", None, 3),
    ("example.com", "TXT", None, 2),
    ("db.example.com", "A", LONDON, 6),
    ("cdn.example.com", "A", None, 4),
    ("acme.tenants.example.com", "A", LONDON, 4),
    ("unknown.tenants.example.com", "A", LONDON, 2),
    ("nothing.example.com", "A", LONDON, 5),
    ("www.elsewhere.test", "A", None, 1),
)
"""Name, type, client network, how often."""


class Crowd(Background):
    """Asks all of `ASKED` at random over UDP, `rate` times a second in the mean, in a slow wave."""

    WAVE_S = 90.0
    TICK_S = 0.02

    def __init__(self, server: tuple[str, int], rate: int) -> None:
        super().__init__()
        self._wires = [question(name, kind, client).to_wire() for name, kind, client, _ in ASKED]
        self._weights = [weight for *_, weight in ASKED]
        self._rate = rate
        self._random = random.Random(1)
        self.socket.connect(server)
        self.socket.setblocking(False)

    def work(self) -> None:
        """Until the end."""
        begin = time.monotonic()
        owed = 0.0
        while not self.stopped.wait(self.TICK_S):
            at = time.monotonic() - begin
            owed += self._rate * self.TICK_S * (1 + 0.35 * sin(2 * pi * at / self.WAVE_S))
            for wire in self._random.choices(self._wires, self._weights, k=int(owed)):
                with suppress(OSError):
                    self.socket.send(wire)
            owed -= int(owed)
            with suppress(BlockingIOError, ConnectionRefusedError):
                while self.socket.recv(4096):
                    pass


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the story goes: the checks' timing (YAML), and the length of one act."""

    check: dict[str, Any]
    act_s: float
    rate: int


DOCUMENTARY = Pace({}, 25.0, 400)
"""With the checks' own timing, for the pictures."""
QUICK = Pace({"interval": "300ms", "timeout": "200ms", "confirm_interval": "100ms"}, 2.0, 100)
"""For a test."""


def health(lag_ms: int) -> str:
    """What a region says of itself."""
    return json.dumps({"db": {"lag_ms": lag_ms}})


class Secondary(Background):
    """Copies a zone of `primary` whenever it is told to, at `address`."""

    def __init__(self, primary: tuple[str, int], zone: str) -> None:
        super().__init__()
        self._primary = primary
        self._zone = dns.versioned.Zone(zone)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def work(self) -> None:
        """Until the end."""
        while not self.stopped.is_set():
            with suppress(OSError):
                told, sender = self.socket.recvfrom(4096)
                response = dns.message.make_response(dns.message.from_wire(told))
                self.socket.sendto(response.to_wire(), sender)
                dns.query.inbound_xfr(self._primary[0], self._zone, port=self._primary[1], timeout=5)


def demo_policy(
    ports: Sequence[int], check: dict[str, Any], hooks: str, back_after: str, secondary: str
) -> str:
    """The demo's policy with checks at these ports, a database, an alias, and a secondary; without
    `version` and `server`.
    """
    policy = yaml.safe_load(DEMO.read_text())
    for key in ("version", "server", "tests"):
        del policy[key]
    for name, port in zip(NAMES, ports, strict=True):
        policy["checks"][f"check-{name}"] |= {
            "port": port,
            "path": "/healthz",
            "signals": {"replication_lag_ms": {"path": "/db/lag_ms", "degraded": ">1000"}},
            **check,
        }
    policy["services"]["db"] = {
        "regions": list(STANDBYS),
        "ttl": "5s",
        "chain": [
            {
                "failover": {
                    "order": list(STANDBYS),
                    "choose": "least_lag",
                    "failback": {"after": back_after},
                    "promote": {"url": hooks, "retry": "1s"},
                    "notify": {"url": hooks},
                }
            }
        ],
    }
    policy["zones"]["example.com"]["records"]["db"] = {"service": "db"}
    ramp = {"region": NAMES[-1], "from": "5%", "over": "5m", "pause_if": {"degraded": [NAMES[-1]]}}
    policy["services"]["canary"] = {"regions": list(NAMES), "chain": [{"weighted": {"ramp": ramp}}]}
    policy["zones"]["example.com"]["records"]["canary"] = {"service": "canary"}
    pinned = {"directory": "tenants.csv", "label": 1}
    policy["services"]["tenants"] = {"regions": list(NAMES), "chain": [{"pin": pinned}, "nearest"]}
    policy["zones"]["example.com"]["records"]["*.tenants"] = {"service": "tenants"}
    policy["zones"]["example.com"]["records"]["cdn"] = {"alias": "lb.vendor.test."}
    for name, capacity in zip(NAMES, CAPACITIES, strict=True):
        policy["regions"][name]["capacity"] = capacity
    policy["services"]["web"]["demand"] = DEMAND
    policy["services"]["web"].setdefault("chain", []).append({"capacity": {}})
    policy["zones"]["example.com"]["transfer"] = {"allow": "127.0.0.1", "notify": secondary}
    return str(yaml.safe_dump(policy, sort_keys=False))


def write_tenants(folder: Path) -> None:
    """The directory of tenants that the policy names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tenants.csv").write_text("tenant,home\nacme,us-east\n")


class Story:
    """The daemon, its three regions and its clients, in `folder`; `tell` plays all acts."""

    def __init__(self, folder: Path, pace: Pace) -> None:
        self._pace = pace
        self._stack = ExitStack()
        self._servers = [RegionServer(folder / name) for name in NAMES]
        for server, lag_ms in zip(self._servers, (0, 40, 120), strict=True):
            server.say(health(lag_ms))
        self._hooks = HookServer()
        self._outside = Outside("lb.vendor.test. 5 A 198.51.100.1", "lb.vendor.test. 5 A 198.51.100.2")
        resolver = f"resolver: {{addresses: '{self._outside.address}', timeout: 1s}}"
        self.daemon = Daemon(folder / "daemon", "", server=f", {resolver}, brake: {{min_regions: 3}}")
        self._secondary = Secondary(self.daemon.address, "example.com")
        write_tenants(folder / "daemon")
        self._policy = demo_policy(
            [server.port for server in self._servers],
            pace.check,
            self._hooks.url,
            f"{pace.act_s / 2:g}s",
            self._secondary.address,
        )
        self.daemon.write(self._policy)

    def tell(self) -> None:
        """Calm; a region lags behind while an alias target cannot be resolved; a region dies, comes back;
        the other two seem to die at once; a broken policy and its repair; a lasting drain.
        """
        self._act()
        self._lag()
        self._death()
        self._blackout()
        self._broken_policy()
        self._drain()

    def _act(self) -> None:
        time.sleep(self._pace.act_s)

    def _lag(self) -> None:
        self._outside.rcode = dns.rcode.SERVFAIL
        lagging = self._servers[NAMES.index("ap-south")]
        for lag_ms in (600, 2400):
            lagging.say(health(lag_ms))
            time.sleep(self._pace.act_s / 4)
        until(lambda: self._region("ap-south")["health"] < 1, "the region to be degraded", 60.0)
        self._outside.rcode = dns.rcode.NOERROR
        lagging.say(health(90))
        until(lambda: self._region("ap-south")["health"] == 1, "the region to recover", 60.0)

    def _death(self) -> None:
        dying = self._servers[NAMES.index("eu-west")]
        self._hooks.status = 409
        dying.kill()
        until(lambda: self._state("eu-west") == "down", "the region to be down", 60.0)
        until(lambda: len(self._hooks.calls("promote")) > 1, "the promotion to be refused", 60.0)
        self._hooks.status = 200
        self._act()
        dying.start()
        until(lambda: self._state("eu-west") == "up", "the region to come back", 60.0)
        self._act()

    def _blackout(self) -> None:
        lost = [self._servers[NAMES.index(name)] for name in ("us-east", "ap-south")]
        for server in lost:
            server.kill()
        until(lambda: self.daemon.status()["brake"]["frozen"], "the brake", 60.0)
        self._act()
        for server in lost:
            server.start()
        until(lambda: self._state("us-east") == self._state("ap-south") == "up", "the regions", 60.0)
        self._order("unfreeze", {"reason": "the network is mended"})
        self._act()

    def _drain(self) -> None:
        with ExitStack() as open_connections:
            for _ in range(5):
                connection = socket.create_connection(self.daemon.address, timeout=5)
                open_connections.enter_context(connection)
            self._order("drain", {"region": "us-east", "reason": "kernel update"})
            for _ in range(5):
                self.daemon.ask("www.example.com", tcp=True, client=ASHBURN)
            self._act()

    def _broken_policy(self) -> None:
        self.daemon.write(self._policy.replace("nearest", "nearby"))
        until(lambda: self._reloads("failure") >= 1, "the broken policy to be refused", 60.0)
        self._act()
        before = self._reloads("success")
        self.daemon.write(self._policy.replace("ttl: 30s", "ttl: 20s"))
        until(lambda: self._reloads("success") > before, "the repaired policy", 60.0)
        self._act()

    def _order(self, what: str, body: dict[str, str]) -> None:
        code, said = self.daemon.post(f"/v1/{what}", body)
        if code != 200:
            raise RuntimeError(said)

    def _state(self, region: str) -> str:
        return str(self._region(region)["observed"])

    def _region(self, name: str) -> dict[str, Any]:
        (found,) = (item for item in self.daemon.status()["regions"] if item["name"] == name)
        return dict(found)

    def _reloads(self, result: str) -> float:
        return self.daemon.metric("georouter_config_reloads_total", result=result)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for server in self._servers:
                stack.enter_context(server)
            stack.enter_context(self._hooks)
            stack.enter_context(self._secondary)
            stack.enter_context(self._outside)
            stack.enter_context(self.daemon)
            stack.enter_context(Crowd(self.daemon.address, self._pace.rate))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
