"""The serials of zones are on disk before anybody is answered with them.

One that somebody has seen is never another content's, whatever happens to the daemon in between.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from georouter.compiler.serials import Numbered
from georouter.sources import serial_file
from georouter.words.errors import SourceError
from georouter.words.ids import ZoneName


class Numbering:
    """Starts with what `directory` has; `failed` hears of what could not be written."""

    def __init__(self, directory: Path, failed: Callable[[str], None]) -> None:
        self._directory = directory
        self._failed = failed
        self._kept: Mapping[ZoneName, Numbered] = serial_file.load(directory)

    async def keep(self, serials: Mapping[ZoneName, Numbered]) -> None:
        """Write the serials of a plan, if they are not there yet."""
        if serials == self._kept:
            return
        try:
            await asyncio.to_thread(serial_file.save, self._directory, serials)
        except SourceError as error:
            self._failed(str(error))
        self._kept = serials
