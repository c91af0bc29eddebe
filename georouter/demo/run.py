"""The demo: the daemon on the example policy, stand-ins for its regions, and somebody to explain it all."""

import asyncio
import shutil
import sys
import tempfile
import termios
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from georouter.daemon.life import Daemon
from georouter.daemon.options import Options
from georouter.demo.regions import Mode, StandIns
from georouter.policy.load import load
from georouter.policy.model import Policy
from georouter.sources import policy_files
from georouter.words.errors import SourceError

DOOR = ("127.0.0.1", 18080)
"""Where `georouter demo down REGION` knocks."""

CLIENTS: tuple[tuple[str, str], ...] = (
    ("London", "81.2.69.0/24"),
    ("Ashburn", "3.80.0.0/24"),
    ("Singapore", "165.21.0.0/24"),
)
"""Client networks to ask as."""


async def run(config: Path, console: Console) -> None:
    """Run until stopped by Ctrl-C, SIGTERM or `q`."""
    policy = load(policy_files.read(config)).policy
    stand_ins = StandIns(check_addresses(policy))
    state = Path(tempfile.mkdtemp(prefix="georouter-demo-"))
    try:
        await stand_ins.start(DOOR)
        screen = Screen(console, policy)
        daemon = Daemon(Options(config=config, state_dir=state, tell=screen.event, ready=screen.welcome))
        keys = {str(number): name for number, name in enumerate(policy.regions, start=1)}
        with _keyboard(lambda key: _pressed(key, keys, stand_ins, daemon)):
            await daemon.run()
    finally:
        await stand_ins.stop()
        shutil.rmtree(state, ignore_errors=True)


def check_addresses(policy: Policy) -> dict[str, tuple[str, int]]:
    """Where each region's check connects: one local address per region, or SourceError."""
    found: dict[str, tuple[str, int]] = {}
    for region in policy.regions.values():
        checks = [policy.checks[item.check] for item in region.endpoints if item.check is not None]
        local = {(check.address, check.port) for check in checks if check.address is not None}
        if len(local) != 1:
            raise SourceError(
                f"region {region.name}: the demo needs one check with a local address, found {len(local)}"
            )
        host, port = local.pop()
        found[region.name] = (str(host), port)
    return found


class Screen:
    """What the demo shows: a welcome, then one line per change of health or answer."""

    def __init__(self, console: Console, policy: Policy) -> None:
        self._console = console
        self._policy = policy

    def welcome(self) -> None:
        """What to try."""
        host, port = self._policy.server.listen[0]
        name = next(iter(self._policy.tests)).name.rstrip(".")
        show = self._console.print
        show("\n[bold]georouter demo[/]: three regions, one name, and you decide what fails.\n")
        for number, (region, shape) in enumerate(self._policy.regions.items(), start=1):
            addresses = ", ".join(item.address for item in shape.endpoints)
            show(f"  [bold]{number}[/] {region:10} answers {addresses}", highlight=False)
        show("\nAsk it as a client in …", highlight=False)
        for place, network in CLIENTS:
            show(f"  {place:10} dig @{host} -p {port} {name} +short +subnet={network}", highlight=False)
        show("\nTake a region down, and bring it back:", highlight=False)
        if _has_keyboard():
            numbers = ", ".join(f"[bold]{number}[/]" for number in range(1, len(self._policy.regions) + 1))
            show(f"  press {numbers} here (again to bring it back), [bold]q[/] to quit", highlight=False)
        first = next(iter(self._policy.regions))
        us = _command()
        show(f"  {us} demo down {first}      {us} demo up {first}", highlight=False)
        if self._policy.server.admin:
            admin_host, admin_port = self._policy.server.admin
            show(f"\nMetrics and status: http://{admin_host}:{admin_port}/   Stop: Ctrl-C", highlight=False)
        show("IP Geolocation by DB-IP (https://db-ip.com)\n", highlight=False, style="dim")

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        """One line for what a person wants to see."""
        text = _line(name, fields)
        if text is not None:
            self._console.print(text, highlight=False)


def _command() -> str:
    """How this program was called, so that the lines shown can be pasted."""
    called = Path(sys.argv[0])
    if shutil.which(called.name):
        return called.name
    here = Path.cwd()
    return str(called.relative_to(here) if called.is_relative_to(here) else called)


COLOURS = {"up": "green", "down": "red", "drained": "yellow", "unknown": "yellow"}


def _line(name: str, fields: Mapping[str, object]) -> str | None:
    subject, _, what = name.partition(".")
    reason = f" ({escape(str(fields['reason']))})" if fields.get("reason") else ""
    match subject, what:
        case "endpoint", state:
            return (
                f"  check   {fields['region']} {fields['endpoint']} is [{COLOURS[state]}]{state}[/]{reason}"
            )
        case "region", state:
            return f"  region  {fields['region']} is [{COLOURS[state]}]{state}[/], was {fields['was']}"
        case "answers", "changed":
            return f"  answer  {fields['service']}: {_moved(fields)}"
        case "policy", "refused":
            return f"  policy  [red]refused[/]: {escape(str(fields['error']))}"
        case "policy", "loaded":
            return "  policy  loaded again"
        case "override", _:
            return f"  override {what}: {fields['region']}{reason}"
    return None


def _moved(fields: Mapping[str, object]) -> str:
    """`a, b -> b`, and for how much of the address space."""
    was, now, share = _names(fields["was"]), _names(fields["now"]), fields.get("moved")
    where = f"[bold]{now}[/]" if was == now else f"{was} -> [bold]{now}[/]"
    return f"{where} ({share:.0%} of IPv4 moved)" if isinstance(share, float) else where


def _names(value: object) -> str:
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, list | tuple) else str(value)


def _pressed(key: str, keys: Mapping[str, str], stand_ins: StandIns, daemon: Daemon) -> None:
    if key in {"q", "\x03", "\x04"}:
        daemon.stop()
    elif key in keys:
        region = stand_ins.regions[keys[key]]
        mode = Mode.DOWN if region.mode is Mode.UP else Mode.UP
        stand_ins.later(region.turn(mode))


def _has_keyboard() -> bool:
    """Standard input is None in a process that was started with it closed."""
    return sys.stdin is not None and sys.stdin.isatty()


@contextmanager
def _keyboard(pressed: Callable[[str], None]) -> Iterator[None]:
    """Single key presses while standard input is a terminal; nothing otherwise."""
    if not _has_keyboard():
        yield
        return
    handle = sys.stdin.fileno()
    saved = termios.tcgetattr(handle)
    loop = asyncio.get_running_loop()
    try:
        tty.setcbreak(handle)
        loop.add_reader(handle, lambda: pressed(sys.stdin.read(1)))
        yield
    finally:
        loop.remove_reader(handle)
        with suppress(termios.error):
            termios.tcsetattr(handle, termios.TCSADRAIN, saved)
