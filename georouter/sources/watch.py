"""Notices that files changed: a policy folder, a database, a zone.

Directories are watched, never single files: editors and config managers replace a file by rename, and a
Kubernetes ConfigMap swaps a symbolic link two levels up. A change is only a hint; whoever is told reads
the files again and compares content.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles import Change

ANYWAY_MS = 2000
"""How often to look although nothing was reported."""


def directories(paths: Iterable[Path]) -> frozenset[Path]:
    """The existing directories in which a change may mean that one of `paths` has other content now.

    For a symbolic link that is the link's folder and the folder of everything it leads through.
    """
    found: set[Path] = set()
    for path in paths:
        at = path.absolute()
        for _ in range(40):  # as many links as the kernel follows (path_resolution(7))
            found.add(at if at.is_dir() and not at.is_symlink() else at.parent)
            # a link anywhere on the way counts: `..data/policy.yaml` behind `policy.yaml`
            found.update(parent.parent for parent in at.parents if parent.is_symlink())
            if not at.is_symlink():
                break
            at = at.parent / at.readlink()
        end = Path(os.path.realpath(path))  # unlike Path.resolve, ends for links in a circle
        found.add(end if end.is_dir() else end.parent)
    return frozenset(folder for folder in found if folder.is_dir())


async def changes(
    paths: Iterable[Path], *, stop: asyncio.Event, ignore: Iterable[Path] = (), settle_ms: int = 100
) -> AsyncIterator[frozenset[str]]:
    """Yield the paths that changed in the folders around `paths`, until `stop`.

    Now and then an empty set: hints get lost, on network file systems and before the watch stands.
    `ignore` are folders whose changes do not count (our own state). `settle_ms` is how long a burst of
    changes must be quiet before it is reported; a burst is reported after 1 s at the latest.
    """
    from watchfiles import awatch  # noqa: PLC0415 - it brings anyio along, and answers come first

    folders = directories(paths)
    ignored = tuple(str(folder.resolve()) for folder in ignore)

    def counts(_change: "Change", path: str) -> bool:
        return not any(path == folder or path.startswith(folder + "/") for folder in ignored)

    async for batch in awatch(
        *folders,
        watch_filter=counts,
        stop_event=stop,
        step=settle_ms,
        debounce=1000,
        recursive=False,
        ignore_permission_denied=True,
        rust_timeout=ANYWAY_MS,
        yield_on_timeout=True,
    ):
        yield frozenset(path for _change, path in batch)
