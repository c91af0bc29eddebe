"""What survives a restart: the beliefs (`state.json`) and the last policy that was good.

Both are written whole and atomically. Zone files of the policy are kept beside it, named by their content:
what was kept before is whole until the new policy is. Reading is forgiving: a file that makes no sense is
as good as none, an entry that makes no sense is left out, and what was lost is said.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from georouter.facts import aliases as alias_values
from georouter.facts import overrides as override_values
from georouter.facts import ramp as ramp_values
from georouter.facts.brake import FREE, Brake
from georouter.facts.endpoints import EndpointKey
from georouter.facts.failover import Failover
from georouter.facts.health import Health
from georouter.facts.latency import Latency
from georouter.facts.overrides import Overrides
from georouter.facts.signals import Grade, Signal
from georouter.facts.world import Known, State
from georouter.policy.files import PolicyFile
from georouter.sources import brake_state, failover_state
from georouter.sources.atomic import write_atomically
from georouter.words.ids import CheckName, RegionName, ServiceName, SignalName

STATE_FILE = "state.json"
LAST_GOOD_FILE = "last-good-policy.json"
LAST_GOOD_ZONES = "last-good-zones"

FORMAT = 1
"""Of both files; raised when an older program could misread a newer file."""

FRESH_S = 600.0
"""Beliefs younger than this are used at once after a restart; older ones are asked about first."""

CLOCK_SLACK_S = 60.0
"""How far in the future a file may claim to be: clocks are set back by a little, now and then."""

SIZE_LIMIT_BYTES = 64 * 1024 * 1024
"""A hundred times what a thousand endpoints or ten thousand names need."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """What was believed at `saved_at` (Unix seconds)."""

    saved_at: float
    healths: Mapping[EndpointKey, Health] = field(default_factory=dict)
    latencies: Mapping[EndpointKey, Latency] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=dict)
    last_known: Mapping[ServiceName, Known] = field(default_factory=dict)
    failovers: Mapping[ServiceName, Failover] = field(default_factory=dict)
    aliases: Mapping[bytes, alias_values.Target] = field(default_factory=dict)
    ramps: Mapping[ServiceName, ramp_values.Ramp] = field(default_factory=dict)
    brake: Brake = FREE


def is_fresh(saved: SavedState, now: float) -> bool:
    """Whether its healths may be used at once. All else holds at any age."""
    return -CLOCK_SLACK_S <= now - saved.saved_at < FRESH_S


def save_state(directory: Path, state: SavedState) -> None:
    """Write `state` (on disk when this returns, so not on an event loop). SourceError when it cannot be."""
    document = {
        "format": FORMAT,
        "saved_at": state.saved_at,
        "healths": [_health_out(key, health) for key, health in state.healths.items()],
        "latencies": [
            {**_key_out(key), "rtt_ms": latency.rtt_ms, "samples": latency.samples}
            for key, latency in state.latencies.items()
        ],
        "overrides": [override_values.encode(override) for override in state.overrides.values()],
        "last_known": {
            service: [{"of": sorted(among), "up": sorted(up)} for among, up in known.items()]
            for service, known in state.last_known.items()
        },
        "failovers": [failover_state.encode(name, item) for name, item in state.failovers.items()],
        "aliases": [alias_values.encode(name, target) for name, target in state.aliases.items()],
        "ramps": [ramp_values.encode(name, ramp) for name, ramp in state.ramps.items()],
        "brake": brake_state.encode(state.brake),
        "frozen_healths": [_health_out(key, health) for key, health in state.brake.acted_on.items()],
    }
    write_atomically(directory / STATE_FILE, _dump(document))


def load_state(directory: Path) -> tuple[SavedState | None, str]:
    """What was saved, and what could not be used of it (empty: nothing). Never raises."""
    document, reason = _load(directory / STATE_FILE)
    if document is None:
        return None, reason
    problems: list[str] = []
    try:
        saved_at = _number(document.get("saved_at"), "saved_at")
    except ValueError as error:
        return None, f"{STATE_FILE}: {error}"
    overrides = _entries(document, "overrides", override_values.decode, problems)
    state = SavedState(
        saved_at=saved_at,
        healths=dict(_entries(document, "healths", _health_in, problems)),
        latencies=dict(_entries(document, "latencies", _latency_in, problems)),
        overrides={override.region: override for override in overrides},
        last_known=dict(_entries(document, "last_known", _last_known_in, problems)),
        failovers=dict(_entries({"failovers": [], **document}, "failovers", failover_state.decode, problems)),
        aliases=dict(_entries({"aliases": [], **document}, "aliases", alias_values.decode, problems)),
        ramps=dict(_entries({"ramps": [], **document}, "ramps", ramp_values.decode, problems)),
        brake=_brake_in(document, problems),
    )
    return state, "; ".join(problems)


def _brake_in(document: Mapping[str, object], problems: list[str]) -> Brake:
    if document.get("brake") is None:
        return FREE
    try:
        return brake_state.decode(
            document["brake"], dict(_entries(document, "frozen_healths", _health_in, problems))
        )
    except ValueError as error:
        problems.append(f"brake: {error}")
        return FREE


def save_last_good(directory: Path, files: Sequence[PolicyFile]) -> None:
    """Keep `files` as the last good policy. SourceError when they cannot be written.

    Their names are kept absolute, because relative paths inside them start from there.
    """
    zones = directory / LAST_GOOD_ZONES
    entries: list[dict[str, str]] = []
    for file in files:
        name = str(Path(file.name).absolute())
        if file.zone:
            entries.append({"name": name, "zone": _keep(zones, file)})
        else:
            entries.append({"name": name, "text": file.text})
    write_atomically(directory / LAST_GOOD_FILE, _dump({"format": FORMAT, "files": entries}))
    _remove_others(zones, {entry["zone"] for entry in entries if "zone" in entry})


def load_last_good(directory: Path) -> tuple[PolicyFile, ...] | None:
    """The last good policy, or None where none was kept or it makes no sense. All of it or nothing."""
    document, _ = _load(directory / LAST_GOOD_FILE)
    if document is None:
        return None
    problems: list[str] = []
    zones = directory / LAST_GOOD_ZONES
    files = _entries(document, "files", lambda entry: _policy_file_in(entry, zones), problems)
    return None if problems or not files else tuple(files)


def guess_state_dir(config: Path, files: Iterable[PolicyFile] = ()) -> Path:
    """Where the state of a policy that cannot be loaded most likely is: what its text says, or `./state`."""
    for file in files:
        for line in () if file.zone else file.text.splitlines():
            found = _STATE_DIR.search(line.partition("#")[0])
            if found:
                return Path(file.name).parent / found[1].strip()
    return (config if config.is_dir() else config.parent) / "state"


_STATE_DIR = re.compile(r"""\bstate_dir["']?\s*:\s*["']?([^"',}]+)""")

Item = TypeVar("Item")


def _dump(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()


def _load(path: Path) -> tuple[dict[str, object] | None, str]:
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            return None, f"{path.name}: larger than {SIZE_LIMIT_BYTES} bytes"
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None, f"{path.name}: not there yet"
    except OSError as error:
        return None, f"{path.name}: {error.strerror or error}"
    except (ValueError, RecursionError) as error:
        return None, f"{path.name}: not JSON: {error}"
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return None, f"{path.name}: not of format {FORMAT}"
    return document, ""


def _entries(
    document: Mapping[str, object], section: str, read: Callable[[object], Item], problems: list[str]
) -> list[Item]:
    """What `read` makes of each entry; those it refuses (ValueError) are counted into `problems`."""
    value = document.get(section)
    items = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(items, list):
        problems.append(f"{section}: missing")
        return []
    found: list[Item] = []
    errors: list[str] = []
    for item in items:
        try:
            found.append(read(item))
        except ValueError as error:
            errors.append(str(error))
    if errors:
        problems.append(f"{section}: {len(errors)} of {len(items)} left out ({errors[0]})")
    return found


def _key_out(key: EndpointKey) -> dict[str, str]:
    return {"region": key.region, "address": key.address, "check": key.check}


def _key_in(entry: Mapping[str, object]) -> EndpointKey:
    return EndpointKey(
        RegionName(_text(entry, "region")), _text(entry, "address"), CheckName(_text(entry, "check"))
    )


def _health_out(key: EndpointKey, health: Health) -> dict[str, object]:
    return {
        **_key_out(key),
        "state": health.state.value,
        "streak": health.streak,
        "since": health.since,
        "checked_at": health.checked_at,
        "reason": health.reason,
        "signals": [
            {
                "name": name,
                "value": signal.value,
                "read_at": signal.read_at,
                "judged": signal.judged.value,
                "degraded": signal.degraded,
                "streak": signal.streak,
            }
            for name, signal in health.signals.items()
        ],
    }


def _health_in(value: object) -> tuple[EndpointKey, Health]:
    entry = _object(value)
    state = _text(entry, "state")
    if state not in tuple(State):
        raise ValueError(f"unknown state {state!r}")
    return _key_in(entry), Health(
        state=State(state),
        streak=_count(entry, "streak"),
        since=_time(entry, "since"),
        checked_at=_time(entry, "checked_at"),
        reason=_text(entry, "reason"),
        signals=dict(map(_signal_in, _list(entry.get("signals", [])))),
    )


def _signal_in(value: object) -> tuple[SignalName, Signal]:
    entry = _object(value)
    judged, last, degraded = _text(entry, "judged"), entry.get("value"), entry.get("degraded")
    if judged not in tuple(Grade):
        raise ValueError(f"unknown grade {judged!r}")
    if not isinstance(degraded, bool):
        raise ValueError("degraded is not true or false")  # noqa: TRY004 -- one error type, for `_entries`
    return SignalName(_text(entry, "name")), Signal(
        value=last if last is None or isinstance(last, bool | str) else _number(last, "value"),
        read_at=_time(entry, "read_at"),
        judged=Grade(judged),
        degraded=degraded,
        streak=_count(entry, "streak"),
    )


def _latency_in(value: object) -> tuple[EndpointKey, Latency]:
    entry = _object(value)
    rtt_ms = _number(entry.get("rtt_ms"), "rtt_ms")
    if rtt_ms < 0:
        raise ValueError("rtt_ms is negative")
    return _key_in(entry), Latency(rtt_ms, max(1, _count(entry, "samples")))


def _last_known_in(value: object) -> tuple[ServiceName, Known]:
    match value:
        case (str(service), list(entries)):
            return ServiceName(service), dict(map(_known_in, entries))
    raise ValueError("not a service and its regions")


def _known_in(value: object) -> tuple[frozenset[RegionName], frozenset[RegionName]]:
    match value:
        case {"of": list(among), "up": list(up)} if all(isinstance(name, str) for name in (*among, *up)):
            return frozenset(among), frozenset(up)
    raise ValueError("not regions and those of them that were up")


def _policy_file_in(value: object, zones: Path) -> PolicyFile:
    entry = _object(value)
    name = _text(entry, "name")
    if "zone" not in entry:
        return PolicyFile(name, _text(entry, "text"))
    digest = _text(entry, "zone")
    try:
        data = (zones / Path(digest).name).read_bytes()
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror or error}") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{name}: not what was kept")
    return PolicyFile(name, data.decode("utf-8", "surrogateescape"), zone=True)


def _keep(folder: Path, file: PolicyFile) -> str:
    """Write a zone file under the hash of its content, unless it is there; the hash."""
    data = file.text.encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(data).hexdigest()
    kept = folder / digest
    try:
        there = kept.stat().st_size == len(data)
    except OSError:
        there = False
    if not there:
        write_atomically(kept, data)
    return digest


def _remove_others(folder: Path, names: Collection[str]) -> None:
    """Zone files of the policies before; what cannot be removed stays."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name not in names:
                path.unlink()


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 -- one error type, for `_entries`
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("not a list")  # noqa: TRY004 -- as above
    return value


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a text")  # noqa: TRY004 -- as above
    return value


def _count(entry: Mapping[str, object], key: str) -> int:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{key} is not a count")
    return value


def _time(entry: Mapping[str, object], key: str) -> float | None:
    value = entry.get(key)
    return None if value is None else _number(value, key)


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} is not a number")  # noqa: TRY004 -- as above
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what} is not a finite number")
    return number
