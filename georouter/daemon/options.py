"""What the command line decides for a daemon."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`tell` hears every event, beside the log; `ready` is called once queries are answered."""

    config: Path
    state_dir: Path | None = None
    strict_start: bool = False
    tell: Callable[[str, dict[str, object]], None] | None = None
    ready: Callable[[], None] | None = None
