"""A connection that can be cut: a port that passes all on to the server, until the test cuts what is open."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable

COMMIT = b"\xb0\x12"  # Bolt's message


class Wire(socketserver.ThreadingTCPServer):
    """Listens on a port of its own while it is entered, and passes on to `target` and back."""

    daemon_threads = True

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Line)
        self.target = target
        self.open: set[socket.socket] = set()
        self.losing = False

    @property
    def uri(self) -> str:
        return f"bolt://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Wire:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.cut()
        self.server_close()

    def cut(self) -> None:
        """End all connections on both sides."""
        for end in list(self.open):
            _shut(end)

    def lose_answer(self) -> None:
        """Let the next commit happen, and cut its connection instead of passing on the answer."""
        self.losing = True


class _Line(socketserver.BaseRequestHandler):
    server: Wire

    def handle(self) -> None:
        self._lost = False
        near: socket.socket = self.request
        with socket.create_connection(self.server.target) as far:
            self.server.open |= {near, far}
            back = threading.Thread(target=_pass_on, args=(far, near, self._answer), daemon=True)
            back.start()
            _pass_on(near, far, self._request)
            back.join()
            self.server.open -= {near, far}

    def _request(self, said: bytes) -> bytes:
        if self.server.losing and COMMIT in said:
            self.server.losing, self._lost = False, True
        return said

    def _answer(self, said: bytes) -> bytes:
        return b"" if self._lost else said


def _pass_on(source: socket.socket, target: socket.socket, through: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):
        while said := through(source.recv(65536)):
            target.sendall(said)
    _shut(source)
    _shut(target)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
