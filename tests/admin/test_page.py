"""The page at `/`: everything on it, everything escaped, nothing loaded from elsewhere."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from georouter.admin.page import render
from georouter.admin.style import CONTENT_SECURITY_POLICY
from tests.admin.desks import STATUS

VOID = {"meta", "br"}


class Outline(HTMLParser):
    """Checks that tags are closed in order; collects texts and links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It closes the one opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remember it."""
        if self.open and self.open[-1] != "style" and data.strip():
            self.texts.append(data.strip())


def outline(status: dict[str, Any], not_ready: str | None = None) -> Outline:
    """Parse a page; it must be well formed."""
    parser = Outline()
    parser.feed(render(status, not_ready))
    parser.close()
    assert parser.open == []
    return parser


MOMENTS = "confirmed +1.2 s, chosen +1.2 s, promoting +1.2 s, promoted +3.5 s, switched +3.5 s"


def test_everything_is_on_it() -> None:
    """Regions with their three states, endpoints and reasons, services, overrides, events, attribution."""
    page = outline(STATUS)
    for text in (
        "us-east",
        "drained",
        "connection refused",
        "replication_lag_ms 1,200",
        "Failovers",
        "us-east took over, as ap-south is down; failback is manual, so it stays",
        f"last: failover ap-south -> us-east, detected 2026-02-02 02:43:20 UTC, {MOMENTS}",
        "Ramps",
        "1.0% of 100%",
        "stepped back",
        "us-east is degraded, for 600 s",
        "81.2 ms",
        "failover",
        "all down for some clients",
        "kernel update",
        "2026-02-02 03:11:40 UTC",
        "ap-south: timeout",
        "/etc/georouter/georouter.yaml",
        "serving",
    ):
        assert any(text in found for found in page.texts), text
    assert "https://db-ip.com" in page.links


def test_nothing_is_loaded_or_run() -> None:
    """Links only; no script, image, style sheet or form."""
    page = outline(STATUS)
    assert not page.tags & {"script", "img", "link", "iframe", "form", "object"}
    assert set(page.links) == {"/metrics", "/v1/status", "https://db-ip.com"}


def test_the_policy_lets_our_style_through() -> None:
    """The hash in the Content-Security-Policy is that of the style on the page."""
    style = re.search(r"<style>(.*)</style>", render(STATUS, None), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in CONTENT_SECURITY_POLICY


def poisoned(value: Any) -> Any:
    """The same shape with markup in every text."""
    match value:
        case dict():
            return {key: poisoned(item) for key, item in value.items()}
        case list():
            return [poisoned(item) for item in value]
        case str():
            return '<script>alert("1")</script>\'"'
        case _:
            return value


def test_markup_in_any_text_is_escaped() -> None:
    """Names, reasons and errors come from files, operators and probed servers."""
    bad = poisoned(STATUS)
    bad["config"]["last_reload"] = {"ok": False, "at": 0.0, "error": "<b>", "problems": ["<script>"]}
    page = outline(bad, "<script>")
    assert "script" not in page.tags
    assert "b" not in page.tags


def test_alarms() -> None:
    """Not ready, a failed reload with its problems, a saved policy in use, dropped queries."""
    status = STATUS | {
        "config": {
            "path": "p",
            "last_reload": {
                "ok": False,
                "at": 1.0,
                "error": "2 problems",
                "problems": ["a.yaml:3:1: regions: empty"],
            },
            "serving_last_good": True,
        },
        "server": {"listen": [], "drops": 1200, "queries_total": 0, "restart_needed": ["listen", "admin"]},
    }
    text = " ".join(outline(status, "waiting").texts)
    for part in (
        "not ready",
        "waiting",
        "a.yaml:3:1",
        "saved policy",
        "1,200 queries",
        "a restart: listen, admin",
    ):
        assert part in text
    assert "saved policy" not in " ".join(outline(STATUS).texts)


def test_a_frozen_node_says_so() -> None:
    """Answers that do not follow the checks are an alarm, with why and until when."""
    brake = STATUS["brake"] | {"frozen": True, "until": 1770000300.0, "fallen": ["us-east", "ap-south"]}
    text = " ".join(outline(STATUS | {"brake": brake}).texts)
    assert "frozen until 2026-02-02 02:45:00 UTC" in text
    assert "us-east, ap-south" in text
    assert "frozen" not in " ".join(outline(STATUS).texts)


@pytest.mark.parametrize(
    ("health", "rtt_ms", "shown"),
    [(0.5, 81.24, ("at 50%", "81.2 ms")), (1.0, 0.02, ("", "< 0.1 ms")), (0.0, None, ("", "-"))],
)
def test_a_region_at_a_glance(health: float, rtt_ms: float | None, shown: tuple[str, str]) -> None:
    """Graded health only where it is between all and nothing; a round trip on one machine is not 0.0 ms."""
    region = STATUS["regions"][0] | {"health": health, "rtt_ms": rtt_ms}
    texts = outline(STATUS | {"regions": [region]}).texts
    graded, trip = shown
    assert [text for text in texts if text.startswith("at ") and text.endswith("%")] == [graded] * bool(
        graded
    )
    assert trip in texts


def test_events_are_newest_first() -> None:
    """Whatever order the daemon keeps them in."""
    texts = outline(STATUS | {"recent": [{"at": 1.0, "event": "old"}, {"at": 2.0, "event": "new"}]}).texts
    assert texts.index("new") < texts.index("old")


def test_before_anything_is_known() -> None:
    """An empty status still makes a page."""
    text = " ".join(outline({}, "starting").texts)
    assert "No regions." in text
    assert "nothing yet" in text


def test_aliases() -> None:
    """Targets outside our zones with what is wrong; nothing where there are none."""
    (good,) = STATUS["aliases"]
    lost = good | {
        "target": "cdn.example.org",
        "state": "stale",
        "confirmed_at": None,
        "reason": "no such name",
    }
    texts = outline(STATUS | {"aliases": [good, lost]}).texts
    begin = texts.index("Alias targets")
    assert texts.index("cdn.example.org", begin) < texts.index("lb.example.net", begin)
    assert "never" in texts
    assert "no such name" in texts
    assert "Alias targets" not in outline(STATUS | {"aliases": []}).texts
