"""Runs a command beside our daemons, below a signed root, in a network of its own.

    python -m tests.live.resolvers zonemaster-cli --hints @HINTS example.com

@HINTS is a file that says where the root is, @ANCHOR one with its key. Needs root's rights and NSD.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.live.resolvers.network import PATH, own_network, why_not
from tests.live.resolvers.parents import parents
from tests.live.resolvers.world import ADDRESSES, served


def main(words: list[str]) -> int:
    """The command's exit code."""
    nsd = shutil.which("nsd", path=PATH)
    reason = why_not() or (None if nsd else "nsd is not installed") or (None if words else __doc__)
    if nsd is None or reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    with (
        tempfile.TemporaryDirectory(prefix="georouter-") as folder,
        own_network(ADDRESSES),
        parents(nsd, Path(folder) / "above") as above,
        served(Path(folder)),
    ):
        files = {"@HINTS": str(above.hints), "@ANCHOR": str(above.anchor)}
        return subprocess.run([files.get(word, word) for word in words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
