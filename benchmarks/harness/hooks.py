"""A server that stands in for whoever promotes databases: it remembers what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class HookServer:
    """Answers every call with `status` (None: not at all, until it is closed); `asked` holds the calls."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.asked: list[dict[str, Any]] = []
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def calls(self, event: str) -> list[dict[str, Any]]:
        """Those of one event."""
        return [call for call in self.asked if call["event"] == event]

    def release(self) -> None:
        """Hang up on who is still waiting."""
        self._released.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hooks.asked.append({**body, "path": self.path, "headers": dict(self.headers)})
                if hooks.status is None and body["event"] == "promote":
                    hooks._released.wait(30)
                    return
                self.send_response(hooks.status or 200)
                self.end_headers()
                self.wfile.write(b"not in sync\n" if hooks.status == 409 else b"done\n")

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
