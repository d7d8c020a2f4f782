"""gunicorn's worker of threads, with a loop that reads whole requests and writes answers itself: slow clients cost no thread.

gthread reads heads and bodies in its threads, so that as many half requests as it has threads silence it. Here a thread gets a
request when all of it is in memory, and leaves an answer that its client does not take to the loop. It leans on gthread's inner
parts, whose version serving/requirements.txt pins; tests/runtime/test_wire.py holds it to what it promises.
"""

import contextlib
import errno
import os
import selectors
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec
from gunicorn.workers.gthread import ThreadWorker

from serving.errors import SettingsError
from serving.http.framing import Frame
from serving.http.gunicorn_connection import STEP, Connection
from serving.problems import PROBLEM_TYPE, RETRY_AFTER
from serving.schemas import Problem
from serving.settings import Settings

HEAD_SECONDS = 10.0  # for a whole head, from its first byte
SILENT_SECONDS = 20.0  # without a byte of a body, or without a byte taken of an answer
TOTAL_SECONDS = 120.0  # for a whole request; 32 MB in it are 2.2 Mbit/s
BODILESS_THREADS = 4  # for requests without a body: health is told while images keep all the other threads at work
PATIENT_SECONDS = 5.0  # a request that comes for longer makes room where there is none
LINGER_SECONDS = 2.0  # for a client to read the last answer before its connection is gone
BODIES = 4  # of the largest size that one process may hold, coming and at work

TIMEOUT = Problem(
    "Request Timeout", 408, "http_408", "The request did not come whole in time: send it again, or a smaller one."
)
LARGE_HEAD = Problem(
    "Request Header Fields Too Large", 431, "http_431", "The request's header fields are larger than 64 kB."
)
FULL = Problem("Too Many Requests", 429, "busy", "Too many requests are coming in here: try again in a moment.")


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_body = Settings.from_environment(os.environ).max_body_bytes
        self.waiting: dict[Connection, None] = {}  # for bytes to come or to go, the longest first
        self.held = 0
        self.looked = 0.0

    def init_process(self) -> None:
        self.bodiless = ThreadPoolExecutor(BODILESS_THREADS)
        super().init_process()  # it runs until the process ends

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if cfg.is_ssl:
            raise SettingsError("this worker speaks no TLS: let it end at the load balancer or proxy in front")
        super().check_config(cfg, log)

    def accept(self, listener: Any) -> bool:
        """Take in a client; False where there was none to take."""
        try:
            sock, client = listener.accept()
        except OSError as error:  # another process was faster, or the client is gone, or there is no more room
            if error.errno in (errno.EMFILE, errno.ENFILE) and self.waiting:
                self._drop(next(iter(self.waiting)))
            return False
        if self.nr_conns >= self.worker_connections - 1 and self.waiting:
            self._drop(next(iter(self.waiting)))
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, sock, client, listener.getsockname()))
        return True

    def enqueue_req(self, conn: Connection) -> None:
        """Begin to read a request; gthread calls it for new connections and for kept ones over which something comes."""
        self._attend(conn, self._begin)

    def _begin(self, conn: Connection) -> None:
        conn.frame, conn.began = Frame(self.max_body), time.monotonic()
        conn.deadline = conn.began + self.cfg.keepalive
        self.waiting[conn] = None
        ahead = conn.ahead()
        if ahead:
            self._take(conn, ahead)
        else:
            self._receive(conn)
        if conn in self.waiting and not conn.polled:
            self._wait(conn, selectors.EVENT_READ, self._receive)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        req._expected_100_continue = False  # noqa: SLF001  the loop said it, or all has come without
        if conn.frame is not None and conn.frame.cut:
            req.force_close()
        return super().handle_request(req, conn)

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        """Go on with a connection whose request was answered, once its client has taken the answer."""
        self._attend(conn, partial(self._answered, fs=fs))

    def _answered(self, conn: Connection, fs: "Future[Any]") -> None:
        self.held -= conn.held
        conn.held = 0
        after = partial(self._go_on, conn, fs)
        if not conn.box.unsent:
            after()
            return
        conn.began = time.monotonic()
        conn.deadline = conn.began + SILENT_SECONDS
        self._wait(conn, selectors.EVENT_WRITE, partial(self._send, after=after))

    def murder_pending(self) -> None:
        """End what waits for too long; gthread calls it with each turn of its loop."""
        now = time.monotonic()
        if now < self.looked + 1:
            return
        self.looked = now
        for conn in [conn for conn in self.waiting if conn.deadline < now]:
            self._attend(conn, self._give_up)

    def _give_up(self, conn: Connection) -> None:
        if conn.frame is not None and conn.frame.data and not conn.parting and not conn.box.unsent:
            self._refuse(conn, TIMEOUT)
        else:
            self._drop(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        # take in who is connected already; then the system refuses all others at once, as no process listens
        for listener in [listener for listener in self.sockets if listener.sock is not None]:
            while self.nr_conns < self.worker_connections and self.accept(listener):
                pass
            listener.close()

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        for conn in self.waiting:
            if conn.frame is not None and not conn.frame.data:
                conn.deadline = min(conn.deadline, deadline)

    def _attend(self, conn: Connection, turn: Any) -> None:
        """Give a connection its turn in the loop, which all of them share: what goes wrong in it ends this one alone."""
        try:
            turn(conn)
        except OSError as error:
            self.log.debug("a client is gone: %s", error)
            self._drop(conn)
        except Exception:
            self.log.exception("a connection failed")
            self._drop(conn)

    def _receive(self, conn: Connection) -> None:
        try:
            data = conn.raw.recv(STEP)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(conn, data)
        else:
            self._drop(conn)

    def _take(self, conn: Connection, data: bytes) -> None:
        frame, now = conn.frame, time.monotonic()
        assert frame is not None
        if not frame.data:
            conn.began = now
        frame.add(data)
        self.held += len(data)
        conn.held += len(data)
        if frame.whole:
            self._hand_over(conn)
            return
        conn.deadline = (
            min(now + SILENT_SECONDS, conn.began + TOTAL_SECONDS) if frame.head else conn.began + HEAD_SECONDS
        )
        if frame.head and frame.expects:
            frame.expects = False
            conn.box.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self.held > BODIES * self.max_body:
            self._make_room(conn, now)

    def _hand_over(self, conn: Connection) -> None:
        """Give the request, whole or not worth reading on, to a thread."""
        frame = conn.frame
        assert frame is not None
        if frame.cut and not frame.head:
            self._refuse(conn, LARGE_HEAD)
            return
        self._stop_waiting(conn)
        conn.box.arrived = memoryview(frame.data)
        pool = self.tpool if len(frame.data) > frame.head else self.bodiless
        at_work = pool.submit(self.handle, conn)
        at_work.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def _make_room(self, conn: Connection, now: float) -> None:
        """End the largest of those that come for long already; where there is none, the one that asks for more."""
        slow = [other for other in self.waiting if other.held and now - other.began > PATIENT_SECONDS]
        if slow:
            self._refuse(max(slow, key=lambda other: other.held), TIMEOUT)
        else:
            self._refuse(conn, FULL)

    def _send(self, conn: Connection, after: Any) -> None:
        try:
            conn.box.send_more()
        except OSError:
            self._drop(conn)
            return
        conn.deadline = min(time.monotonic() + SILENT_SECONDS, conn.began + TOTAL_SECONDS)
        if not conn.box.unsent:
            self._stop_waiting(conn)
            after()

    def _go_on(self, conn: Connection, fs: "Future[Any]") -> None:
        if fs.cancelled() or fs.exception() is not None or not fs.result():
            self._part(conn)
            return
        conn.parser.unreader.unread(conn.ahead())  # where gthread looks for it
        super().finish_request(conn, fs)

    def _refuse(self, conn: Connection, problem: Problem) -> None:
        self.log.warning("%s: %s", conn.client[0] if conn.client else "", problem.detail)
        body = msgspec.json.encode(problem)
        head = [f"HTTP/1.1 {problem.status} {problem.title}", "Connection: close", f"Content-Type: {PROBLEM_TYPE}"]
        head += [f"Content-Length: {len(body)}", "Cache-Control: no-store"]
        head += [f"Retry-After: {RETRY_AFTER}", "", ""] if problem is FULL else ["", ""]
        with contextlib.suppress(OSError):
            conn.box.sendall("\r\n".join(head).encode() + body)
        self._stop_waiting(conn)
        self._part(conn)

    def _part(self, conn: Connection) -> None:
        """Close so that the last answer can still be read (RFC 9112, section 9.6), and without waiting for it."""
        self.held -= conn.held
        conn.held, conn.frame, conn.parting = 0, None, True
        conn.deadline = time.monotonic() + LINGER_SECONDS
        try:
            conn.raw.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        self._wait(conn, selectors.EVENT_READ, self._listen_on)

    def _listen_on(self, conn: Connection) -> None:
        try:
            if conn.raw.recv(STEP):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._drop(conn)

    def _wait(self, conn: Connection, events: int, then: Any) -> None:
        def turn(_: object) -> None:
            if conn.turn is turn:  # else what came with the same look at the poller ended its wait
                self._attend(conn, then)

        self.waiting[conn], conn.polled, conn.turn = None, True, turn
        self.poller.register(conn.sock, events, turn)

    def _stop_waiting(self, conn: Connection) -> None:
        self.waiting.pop(conn, None)
        if conn.polled:
            conn.polled, conn.turn = False, None
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        if conn.gone:
            return
        conn.gone = True
        self._stop_waiting(conn)
        self.held -= conn.held
        conn.held = 0
        self.nr_conns -= 1
        conn.close()
