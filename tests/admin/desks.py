"""A desk with nothing behind it."""

from typing import Any

from georouter.admin.desk import Change, Failback, Question, RampChange, Unfreeze

RAMP: dict[str, Any] = {
    "region": "us-east",
    "phase": "stepped_back",
    "part": 0.01,
    "from": 0.01,
    "to": 1.0,
    "over_s": 7200.0,
    "started_at": 1770000000.0,
    "since": 1770000200.0,
    "left_s": None,
    "why": "us-east is degraded, for 600 s",
}
"""A ramp as `status` shows it."""
FAILOVER: dict[str, Any] = {
    "active": "us-east",
    "phase": "steady",
    "since": 1770000203.5,
    "held": False,
    "why": "us-east took over, as ap-south is down; failback is manual, so it stays",
    "sequence": None,
    "last": {
        "id": "failover/ap-south/us-east/1770000200000/1",
        "kind": "failover",
        "from": "ap-south",
        "to": "us-east",
        "why": "ap-south is down",
        "detected_at": 1770000200.0,
        "confirmed_at": 1770000201.25,
        "chosen_at": 1770000201.25,
        "promoting_at": 1770000201.25,
        "promoted_at": 1770000203.5,
        "switched_at": 1770000203.5,
        "notified_at": None,
        "asked": 1,
        "reply": "accepted",
        "said": "200 done",
        "notice": "failed",
        "by_hand": False,
    },
}

STATUS: dict[str, Any] = {
    "version": "1.2.3",
    "generation": 7,
    "started_at": 1770000000.0,
    "now": 1770000300.0,
    "config": {
        "path": "/etc/georouter/georouter.yaml",
        "last_reload": {"ok": True, "at": 1770000000.0, "error": None, "problems": []},
        "serving_last_good": False,
        "warnings": [],
    },
    "server": {
        "listen": ["127.0.0.1:5300", "[::1]:5300"],
        "path": "native",
        "workers": 2,
        "workers_living": 2,
        "drops": 0,
        "queries_total": 1234567,
        "restart_needed": [],
    },
    "geo": {
        "database": "builtin",
        "build_epoch_s": 1769000000,
        "attribution": "IP Geolocation by DB-IP",
        "maps": [
            {
                "service": "web",
                "services": 2,
                "rankings": 6,
                "ranges_ipv4": 81234,
                "ranges_ipv6": 60321,
                "size_bytes": 1373724,
            }
        ],
    },
    "regions": [
        {
            "name": "us-east",
            "observed": "up",
            "forced": None,
            "effective": "up",
            "health": 1.0,
            "rtt_ms": 81.25,
            "endpoints": [
                {
                    "address": "192.0.2.10",
                    "state": "up",
                    "reason": "200",
                    "since": 1770000000.0,
                    "check": "web",
                    "signals": [],
                }
            ],
            "override": None,
        },
        {
            "name": "eu-west",
            "observed": "up",
            "forced": "drained",
            "effective": "drained",
            "health": 1.0,
            "rtt_ms": 9.5,
            "endpoints": [
                {
                    "address": "192.0.2.20",
                    "state": "up",
                    "reason": "200",
                    "since": 1770000000.0,
                    "check": "web",
                    "signals": [
                        {
                            "name": "replication_lag_ms",
                            "value": 1200.0,
                            "read_at": 1770000297.0,
                            "grade": "degraded",
                        }
                    ],
                },
                {
                    "address": "192.0.2.21",
                    "state": "down",
                    "reason": "connection refused",
                    "since": 1770000050.0,
                    "check": "web",
                    "signals": [],
                },
            ],
            "override": {
                "kind": "drain",
                "region": "eu-west",
                "reason": "kernel update",
                "author": "ada",
                "created_at": 1770000100.0,
                "expires_at": 1770001900.0,
                "starts_at": None,
            },
        },
        {
            "name": "ap-south",
            "observed": "down",
            "forced": None,
            "effective": "down",
            "health": 0.0,
            "rtt_ms": None,
            "endpoints": [
                {
                    "address": "192.0.2.30",
                    "state": "down",
                    "reason": "timeout",
                    "since": 1770000200.0,
                    "check": "web",
                    "signals": [],
                }
            ],
            "override": None,
        },
    ],
    "services": [
        {
            "name": "web",
            "answering": ["us-east"],
            "ttl": {"seconds": 10, "because": "down"},
            "failover_active": True,
            "all_down": False,
            "failover": None,
            "ramp": None,
        },
        {
            "name": "write",
            "answering": ["us-east"],
            "ttl": {"seconds": 30, "because": "steady"},
            "failover_active": False,
            "all_down": False,
            "failover": FAILOVER,
            "ramp": RAMP,
        },
        {
            "name": "lonely",
            "answering": [],
            "failover_active": True,
            "all_down": True,
            "failover": None,
            "ramp": None,
        },
    ],
    "capacity": {
        "made_at": 1_760_000_000.0,
        "problem": None,
        "loads": {"us-east": 1005.0},
        "overload": {"us-east": 1.5},
        "losses": 3,
    },
    "brake": {"frozen": False, "since": None, "until": None, "fallen": [], "of": None, "acts_on": {}},
    "transfers": {
        "active": 0,
        "zones": [
            {
                "zone": "example.com",
                "serial": 1770000000,
                "differences": 3,
                "notify": [
                    {
                        "address": "192.0.2.54:53",
                        "serial": 1770000000,
                        "state": "acknowledged",
                        "attempts": 1,
                        "reason": "",
                    }
                ],
            }
        ],
    },
    "aliases": [
        {
            "target": "lb.example.net",
            "names": ["example.com"],
            "state": "fresh",
            "addresses": ["198.51.100.1"],
            "ttl_s": 60,
            "confirmed_at": 1770000290.0,
            "age_s": 10.0,
            "changed_at": 1770000000.0,
            "failures": 0,
            "reason": "",
        }
    ],
    "overrides": [
        {
            "kind": "drain",
            "region": "eu-west",
            "reason": "kernel update",
            "author": "ada",
            "created_at": 1770000100.0,
            "expires_at": 1770001900.0,
            "starts_at": None,
        }
    ],
    "recent": [
        {"at": 1770000200.0, "event": "region.down", "text": "ap-south: timeout"},
        {"at": 1770000100.0, "event": "override.set", "text": "eu-west drained by ada: kernel update"},
    ],
}


class FakeDesk:
    """Remembers what it was asked to do."""

    def __init__(self) -> None:
        self.shown: dict[str, Any] = STATUS
        self.not_ready: str | None = None
        self.changes: list[Change] = []
        self.failbacks: list[Failback] = []
        self.ramps: list[RampChange] = []
        self.unfrozen: list[Unfreeze] = []
        self.reloads = 0
        self.accepts: list[str] = []
        self.questions: list[Question] = []
        self.reload_result: dict[str, Any] = {"ok": True, "error": None, "warnings": [], "generation": 8}

    def status(self) -> dict[str, Any]:
        """`shown`."""
        return self.shown

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """An empty scrape."""
        self.accepts.append(accept)
        return b"# EOF\n", "text/plain; version=0.0.4; charset=utf-8"

    def ready(self) -> str | None:
        """`not_ready`."""
        return self.not_ready

    async def explain(self, question: Question) -> dict[str, Any]:
        """Refuses the client `nonsense`."""
        self.questions.append(question)
        if question.client == "nonsense":
            raise ValueError("'nonsense' is not an address or network")
        return {"name": question.name, "answer": ["192.0.2.10"]}

    async def change(self, command: Change) -> dict[str, Any]:
        """Refuses unknown regions, and us-east."""
        regions: dict[str, dict[str, Any]] = {region["name"]: region for region in self.shown["regions"]}
        if command.region not in regions:
            raise LookupError(f"no region {command.region!r}; did you mean 'eu-west'?")
        if command.region == "us-east":
            raise ValueError("us-east is the last region that is up")
        self.changes.append(command)
        return regions[command.region]

    async def fail_back(self, command: Failback) -> dict[str, Any]:
        """Knows `write` and `web`, and refuses the latter."""
        if command.service == "web":
            raise ValueError("service web has no failover step that could be failed back")
        if command.service != "write":
            raise LookupError(f"there is no service {command.service!r}; did you mean write?")
        self.failbacks.append(command)
        return {"service": "write", "failover": FAILOVER}

    async def ramp(self, command: RampChange) -> dict[str, Any]:
        """Knows `write` and `web`, and refuses the latter."""
        if command.service == "web":
            raise ValueError("service web has no ramp")
        if command.service != "write":
            raise LookupError(f"there is no service {command.service!r}; did you mean write?")
        self.ramps.append(command)
        return {"service": "write", "ramp": RAMP}

    async def unfreeze(self, command: Unfreeze) -> dict[str, Any]:
        """Only the first time."""
        if self.unfrozen:
            raise ValueError("answers are not frozen")
        self.unfrozen.append(command)
        return {"brake": STATUS["brake"]}

    async def reload(self) -> dict[str, Any]:
        """`reload_result`."""
        self.reloads += 1
        return self.reload_result
