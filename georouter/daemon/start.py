"""What to start with: the current policy, or the saved last good one when the current one is invalid."""

import gc
import logging
from dataclasses import dataclass
from pathlib import Path

from georouter.control.orders import BuildRequest, Built, Failed
from georouter.daemon.build import Builder
from georouter.sources import state_files
from georouter.telemetry.logs import event
from georouter.words.errors import PolicyError, SourceError

log = logging.getLogger("georouter")


@dataclass(frozen=True, slots=True)
class Start:
    """`refused` says why `built` is not the current policy, where it is the last good one."""

    built: Built
    state_dir: Path
    refused: Failed | None = None


def first_build(config: Path, state_dir: Path | None, *, strict: bool) -> Start:
    """Build in this process: nothing is served yet, so there is nobody to disturb.

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
    builder = Builder(cache_dir=str(state_dir / "cache") if state_dir else None)
    result = builder.build(BuildRequest(str(config)))
    if isinstance(result, Built):
        for warning in result.warnings:
            event(log, "policy.warning", level=logging.WARNING, problem=str(warning))
        return Start(result, state_dir or Path(result.policy.server.state_dir))
    kept = state_dir or state_files.guess_state_dir(config, result.files).absolute()
    if not strict:
        # the current files, if it is only a database that went bad; else those that were good last
        current = () if result.diagnostics else result.files
        for files in filter(None, (current, state_files.load_last_good(kept))):
            good = builder.build(BuildRequest(str(config), files))
            if isinstance(good, Built):
                return Start(good, kept, result)
    if result.diagnostics:
        raise PolicyError(result.diagnostics)
    raise SourceError(result.message)
