"""What to start with: the current policy, or the saved last good one when the current one is invalid."""

import gc
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from georouter.compiler.serials import Numbered
from georouter.control.orders import BuildRequest, Built, Failed
from georouter.daemon.kept import take
from georouter.sources import policy_files, serial_file, state_files
from georouter.telemetry.logs import event
from georouter.words.errors import PolicyError, SourceError
from georouter.words.ids import RegionName, ZoneName

log = logging.getLogger("georouter")


@dataclass(frozen=True, slots=True)
class Start:
    """`refused` says why `built` is not the current policy, where it is the last good one.

    `rtt_ms` are the round trips that `built` was ranked by.
    """

    built: Built
    state_dir: Path
    refused: Failed | None = None
    rtt_ms: Mapping[RegionName, float] = field(default_factory=dict)


def first_build(config: Path, state_dir: Path | None, *, strict: bool) -> Start:
    """What the last run kept, if nothing has changed since; else built in this process: nothing is served
    yet, so there is nobody to disturb. Where only a large database is newer, answers come from the last
    good map meanwhile: whoever watches the files finds the newer one, and loads it in the child process.

    A database that cannot be used is replaced by what it was when it was last good, a policy that
    cannot be used by the last good one.

    Raises PolicyError or SourceError when neither the current policy nor (unless `strict`) a saved
    one can be used.
    """
    gc.disable()  # a build allocates much and drops little; collecting costs a third of its time
    try:
        return _build(config, state_dir, strict=strict)
    finally:
        gc.enable()


def _build(config: Path, state_dir: Path | None, *, strict: bool) -> Start:
    """As `first_build`."""
    folder = (state_dir or _guess(config)) / "cache"
    kept = take(folder, config, patient=strict)
    if kept is not None and _in_step(kept.built, serial_file.load(folder.parent)):
        if kept.newer:
            event(log, "start.last_map", newer=", ".join(kept.newer))
        return _started(kept.built, state_dir, kept.rtt_ms)
    from georouter.daemon.build import Builder  # noqa: PLC0415 - it costs more than a start from what was kept

    builder = Builder(
        cache_dir=str(state_dir / "cache") if state_dir else None,
        state_dir=str(state_dir) if state_dir else None,
    )
    result = builder.build(BuildRequest(str(config)))
    if isinstance(result, Built):
        builder.keep()
        return _started(result, state_dir, {})
    place = state_dir or state_files.guess_state_dir(config, result.files).absolute()
    if not strict:
        # the current files, if it is only a database that went bad; else those that were good last
        current = () if result.diagnostics else result.files
        for files in filter(None, (current, state_files.load_last_good(place))):
            good = builder.build(BuildRequest(str(config), files))
            if isinstance(good, Built):
                return Start(good, place, result)
    if result.diagnostics:
        raise PolicyError(result.diagnostics)
    raise SourceError(result.message)


def _started(built: Built, state_dir: Path | None, rtt_ms: Mapping[RegionName, float]) -> Start:
    for warning in built.warnings:
        event(log, "policy.warning", level=logging.WARNING, problem=str(warning))
    return Start(built, state_dir or Path(built.policy.server.state_dir), rtt_ms=rtt_ms)


def _in_step(built: Built, known: Mapping[ZoneName, Numbered]) -> bool:
    """Whether the zones of a kept build have the serials that they had last: none may fall back."""
    return all(known.get(name, item) == item for name, item in built.plan.serials.items())


def _guess(config: Path) -> Path:
    """Where the policy at `config` most likely keeps its state, without understanding it."""
    try:
        files = policy_files.read_policy(config)
    except (SourceError, PolicyError):
        files = ()
    return state_files.guess_state_dir(config, files).absolute()
