"""A machine of our own, made of Linux namespaces: this one's files under a layer that is thrown away.

Nothing that happens inside is seen outside, except in the folders that are bound into it. `init` runs as
process 1 inside, as in a container; the machine ends with it. Needs root, and the right to make
namespaces and mounts: `why_not` says what is in the way.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.harness.wait import until

NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--cgroup")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SECONDS = 300
"""For a command to end by itself: building the image takes half a minute where nobody else is at work."""
CLONE_NEWNET = 0x40000000
STOP_S = 20.0

SETUP = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$HERE/layer"
mkdir "$HERE/layer/upper" "$HERE/layer/work"
R=$HERE/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$HERE/layer/upper,workdir=$HERE/layer/work" "$R"
mount -t proc proc "$R/proc"
mount -t sysfs -o ro sysfs "$R/sys"
mount -t tmpfs -o mode=755 tmpfs "$R/dev"
for node in null zero full random urandom tty; do
    touch "$R/dev/$node"
    mount --bind "/dev/$node" "$R/dev/$node"
done
mkdir "$R/dev/shm" "$R/dev/pts"
ln -s /proc/self/fd "$R/dev/fd"
ln -s pts/ptmx "$R/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$R/tmp"
if [ -n "$ALONE" ]; then
    ip link set lo up
    mount -t tmpfs -o mode=755 tmpfs "$R/run"
else
    mount --rbind /run "$R/run" # resolv.conf may lead there
fi
printf '%s\n' "$BINDS" | while read -r outside inside how; do
    [ -n "$outside" ] || continue
    mkdir -p "$R$inside"
    mount --bind "$outside" "$R$inside"
    mount -o "remount,bind,$how" "$R$inside"
done
cd "$R"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
eval "$PREPARE"
touch /tmp/.prepared
unset HERE R ALONE BINDS PREPARE
eval "$INIT"
"""
"""`HERE` is a folder of ours; `ALONE` is set for a network of its own; `PREPARE` and `INIT` run inside."""


def why_not() -> str | None:
    """What keeps us from making machines; None when nothing does."""
    if os.geteuid() != 0:
        return "only root can make a machine of namespaces"
    for command in ("unshare", "nsenter", "setpriv", "ip"):
        if shutil.which(command, path=PATH) is None:
            return f"a machine of namespaces needs {command}"
    try_it = ["unshare", *NAMESPACES, "--net", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    done = subprocess.run(try_it, capture_output=True, text=True, timeout=20, check=False)
    return f"this system lets nobody make namespaces: {done.stderr.strip()}" if done.returncode else None


def socket_beside(pid: int, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
    """A socket in the network of a process: setns(2) moves a thread, and what that opens stays there."""

    def make() -> socket.socket:
        with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return socket.socket(family, kind)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(make).result()


class Machine:
    """One machine. `binds` maps folders inside to folders outside; those in `read_only` cannot be written.

    `alone` gives it a network with nothing but a loopback. `environment` is all that `init` gets.
    """

    def __init__(
        self,
        folder: Path,
        init: str,
        *,
        prepare: str = "",
        binds: Mapping[str, Path] | None = None,
        read_only: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        alone: bool = True,
    ) -> None:
        for name in ("root", "layer"):
            (folder / name).mkdir(parents=True)
        self._log = folder / "log"
        self._environment = {"PATH": PATH, **(environment or {})}
        lines = [
            f"{outside} {inside} {'ro' if inside in read_only else 'rw'}"
            for inside, outside in (binds or {}).items()
        ]
        network = ("--net",) if alone else ()
        setting = {
            "HERE": str(folder),
            "ALONE": "yes" if alone else "",
            "BINDS": "\n".join(lines),
            "PREPARE": prepare,
            "INIT": init,
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["unshare", *NAMESPACES, *network, "--fork", "--kill-child", "bash", "-c", SETUP],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment | setting,
            )

    def __enter__(self) -> Self:
        try:
            until(self._prepared, f"a machine to be prepared\n{self.output()}", 20)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()  # --kill-child takes process 1 with it, and that everything inside
            self._process.wait(STOP_S)

    @property
    def pid(self) -> int:
        """Of its process 1, as seen from outside."""
        parent = self._process.pid
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])

    def _prepared(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"the machine ended with {self._process.returncode}:\n{self.output()}")
        try:
            return Path(f"/proc/{self.pid}/root/tmp/.prepared").exists()
        except (OSError, IndexError):  # it is not there yet
            return False

    def output(self) -> str:
        """What `init` has printed."""
        return self._log.read_text(errors="replace")

    def finish(self, timeout_s: float = SECONDS) -> int:
        """Wait for `init` to end by itself; its exit code."""
        return self._process.wait(timeout_s)

    def stop(self) -> int:
        """SIGTERM to process 1, as a container engine sends it; its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.finish(STOP_S)

    def socket(self, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
        """A socket of ours in its network."""
        return socket_beside(self.pid, family, kind)

    def run(self, *command: str, timeout_s: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root."""
        enter = ["nsenter", "--target", str(self.pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]
        return subprocess.run(
            [*enter, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=self._environment,
        )
