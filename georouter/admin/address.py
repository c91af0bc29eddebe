"""The door's address: whether it is to be had, and what to say when it is not."""

import errno
import socket

from georouter.words.errors import SourceError


def try_bind(host: str, port: int) -> None:
    """Find out whether the address is free. SourceError when it is not."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen()
    except OSError as error:
        raise SourceError(why_not(host, port, error)) from error


def why_not(host: str, port: int, error: OSError) -> str:
    """One line for the operator."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"admin address {where} is taken; is another georouter running? server.admin sets it"
    return f"admin address {where} cannot be opened: {error.strerror or error} (server.admin)"
