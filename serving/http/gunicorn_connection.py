"""A client's connection as the worker's threads see it: they read what has come, and never wait for it to take an answer."""

import contextlib
import socket
from typing import Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import TConn

from serving.http.framing import Frame

STEP = 256 * 2**10  # bytes read or sent at a time; each call may wait for Python's lock


class Mailbox:
    """The socket as gunicorn's threads see it: they read what has come and never wait for a client."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.arrived = memoryview(b"")
        self.unsent = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def fileno(self) -> int:
        return self._sock.fileno()

    def setblocking(self, _: bool) -> None:
        """It never blocks."""

    def settimeout(self, _: float | None) -> None:
        """It never blocks."""

    def recv(self, size: int) -> bytes:
        data, self.arrived = bytes(self.arrived[:size]), self.arrived[size:]
        return data

    def sendall(self, data: bytes) -> None:
        sent = 0
        if not self.unsent:
            with contextlib.suppress(BlockingIOError):
                sent = self._sock.send(data)
        self.unsent += memoryview(data)[sent:]

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def send_more(self) -> None:
        """Send what the client takes now. Raises OSError where it is gone."""
        with contextlib.suppress(BlockingIOError):
            del self.unsent[: self._sock.send(self.unsent[:STEP])]


class Connection(TConn):  # type: ignore[misc]  # gunicorn publishes no types
    """A connection, and the request that comes over it."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.sock = self.box = Mailbox(sock)
        self.raw = sock
        self.parser = get_parser(cfg, self.box, client)
        self.initialized = True
        self.frame: Frame | None = None
        self.held = 0  # bytes of its request in memory
        self.began = self.deadline = 0.0
        self.polled = False  # the loop watches it …
        self.turn: Any = None  # … and calls this when it is ready
        self.parting = False  # it was answered for the last time
        self.gone = False  # it is closed

    def ahead(self) -> bytes:
        """What has come behind the request that was answered."""
        rest = self.parser.unreader.take_buffered() + bytes(self.box.arrived)
        self.box.arrived = memoryview(b"")
        return bytes(rest)
