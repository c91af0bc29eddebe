"""The `server` section in use, as the server and the admin door take it; renewed by every reload.

policy.server --read anew--> cookie secrets, keys, admin token
              --adopt------> server.Settings               (everything that needs no new socket)
              --compare----> `waiting`                     (what a running process cannot change)
"""

import logging
from dataclasses import replace
from pathlib import Path

from georouter.answers.copies import Copies
from georouter.answers.limits import Limits
from georouter.daemon.conduct import make_conduct, renewed
from georouter.daemon.descriptors import raise_limit, tcp_connections
from georouter.daemon.keys import read_keys, renew_keys
from georouter.policy.model import Server as ServerPolicy
from georouter.server.sending import TransferLimits
from georouter.server.server import Settings as ServerSettings
from georouter.server.tcp import TcpLimits
from georouter.sources import reading
from georouter.telemetry.logs import event
from georouter.words.errors import SourceError

log = logging.getLogger("georouter")

RESTART = ("listen", "admin", "state_dir", "workers", "path")
"""Keys of the section that bind sockets or are open files: only a restart changes them."""


class Settings:
    """What is in use. `current` is for the server, `token` for the admin door, `copies` has the keys.

    `waiting` names the keys whose values in the policy differ from those the process was started with.
    """

    def __init__(self, policy: ServerPolicy, state_dir: Path, *, fixed_state_dir: bool = False) -> None:
        """SourceError when a secret file cannot be used. `fixed_state_dir`: the policy's does not count."""
        self.waiting: tuple[str, ...] = ()
        self._started = self._policy = policy
        self._state_dir = state_dir
        self._keys = tuple(key for key in RESTART if key != "state_dir" or not fixed_state_dir)
        self._open_files = raise_limit()
        self._conduct = make_conduct(policy, state_dir)
        self.copies = Copies(keys=read_keys(policy.keys))
        self.token = read_token(policy.admin_token_file)
        self.current = self._made()

    def adopt(self, policy: ServerPolicy) -> None:
        """A reload brought `policy`. A secret that cannot be read stays what it was, and that is said."""
        self._conduct = renewed(self._conduct, self._policy, policy, self._state_dir)
        self._policy = policy
        self.copies.keys = renew_keys(policy.keys, self.copies.keys)
        try:
            self.token = read_token(policy.admin_token_file)
        except SourceError as error:
            event(log, "admin.token_unreadable", level=logging.ERROR, error=str(error))
        self.current = self._made()
        self.waiting = tuple(key for key in self._keys if getattr(self._started, key) != getattr(policy, key))

    def _made(self) -> ServerSettings:
        policy = self._policy
        return ServerSettings(
            limits=Limits(udp_payload=policy.udp_payload_limit),
            conduct=replace(self._conduct, copies=self.copies),
            rate=policy.rate_limit,
            debug=policy.debug,
            receive_buffer_bytes=policy.receive_buffer_bytes,
            waiting=policy.python_queue,
            tcp=TcpLimits(
                self._connections(),
                policy.tcp_connections_per_client,
                policy.tcp_idle_timeout_s,
                policy.tcp_lifetime_s,
            ),
            transfers=TransferLimits(policy.transfers, policy.transfers_per_client),
        )

    def _connections(self) -> int:
        """As many as the policy wants, or as the system's limit of open files leaves."""
        wanted = self._policy.tcp_connections
        connections = tcp_connections(wanted, self._open_files)
        if connections < wanted:
            event(
                log,
                "server.few_descriptors",
                level=logging.WARNING,
                open_files=self._open_files,
                tcp_connections=connections,
                wanted=wanted,
                hint="raise the limit of open files: LimitNOFILE= in systemd, ulimit -n in a shell",
            )
        return connections


def read_token(file: str | None) -> str | None:
    """The admin token, which is the file's content; None without a file. SourceError when it is none."""
    if file is None:
        return None
    try:
        token = reading.secret(file).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot read the admin token file {file}: {error}") from error
    if not token:
        raise SourceError(f"the admin token file {file} is empty")
    return token
