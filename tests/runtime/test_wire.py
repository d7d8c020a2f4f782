"""What a container promises on the wire: slow, half and malformed requests harm nobody else, and an end is an end."""

import json
import socket
import struct
import time
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.fakes import picture
from tests.support.server import classify, get, run_server

HEAD = b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
MANY = 64  # connections; a container of one process has 8 threads
SOON = 5  # s; far below any of the worker's own patience, far above what an answer takes on a loaded machine


@pytest.fixture(scope="module")
def server(tiny_model, tmp_path_factory):
    with run_server(tiny_model, 1, tmp_path_factory.mktemp("wire") / "log") as server:
        with server.connect() as connection:
            assert get(connection, "/ready")[0] == 200
        yield server


@contextmanager
def clients(server, count, sent=b""):
    """Connections that have sent so much and no more."""
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SOON)) for _ in range(count)
        ]
        for connection in connections:
            connection.sendall(sent)
        yield connections


def exchange(server, *parts):
    """Send so many parts one after the other; return all that comes until the connection is closed."""
    with clients(server, 1) as [connection]:
        for part in parts:
            connection.sendall(part)
        return read_all(connection)


def read_all(connection):
    connection.settimeout(60)
    answer = b""
    while data := connection.recv(65536):
        answer += data
    return answer


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        b"GET /health HTTP/1.1\r\nHost: x\r\n",
        HEAD + b"Content-Length: 100000\r\n\r\n",
        HEAD + b"Content-Length: 100000\r\n\r\n" + bytes(90_000),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        HEAD + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    ],
    ids=[
        "nothing",
        "a letter",
        "half a head",
        "no body",
        "most of a body",
        "no chunk",
        "half a chunk",
        "an expectation",
    ],
)
def test_others_are_answered_while_many_clients_send_half_a_request(server, sent):
    with clients(server, MANY, sent), server.connect() as bystander:
        bystander.timeout = SOON
        assert get(bystander, "/health")[0] == 200
        assert classify(bystander, picture(), "image/jpeg")[0] == 200


def test_others_are_answered_while_many_clients_do_not_read_their_answers(server):
    questions = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200
    with ExitStack() as stack:
        for _ in range(MANY):
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(("127.0.0.1", server.port))
            deaf.setblocking(False)
            deaf.send(questions)
        bystander = stack.enter_context(server.connect())
        assert get(bystander, "/health")[0] == 200


def test_others_are_answered_while_many_clients_do_not_hang_up(server):
    with (
        clients(server, MANY, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        server.connect() as bystander,
    ):
        bystander.timeout = SOON
        assert get(bystander, "/health")[0] == 200


def test_health_is_told_while_images_keep_every_thread_at_work(server):
    large = picture(size=(4000, 3000), format="PNG")
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(large) + large
    with clients(server, 24, request), server.connect() as bystander:  # three times as many as threads
        bystander.timeout = SOON
        assert get(bystander, "/health")[0] == 200


def test_a_request_that_comes_in_crumbs_is_answered(server):
    request = HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(picture()) + picture()
    crumbs = [request[place : place + 97] for place in range(0, len(request), 97)]
    assert status_of(exchange(server, *crumbs)) == 200


def test_chunks_are_put_together(server):
    data = picture()
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in (data[:100], data[100:]))
    body = chunks + b"0\r\nX-Trailer: 1\r\n\r\n"
    answer = exchange(server, HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n", body[:50], body[50:])
    assert status_of(answer) == 200


def test_requests_that_come_together_are_answered_in_order(server):
    image = HEAD + b"Content-Length: %d\r\n\r\n" % len(picture()) + picture()
    answers = exchange(
        server,
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        + image
        + b"GET /v1/model HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    assert answers.count(b"HTTP/1.1 200") == 3
    assert answers.index(b'"status"') < answers.index(b'"labels":[{') < answers.index(b'"digests"')


@pytest.mark.parametrize(
    "chunks",
    [
        b"-1\r\nabc",
        b"x\r\n",
        b"\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nabc",
        b"3;\x00\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_malformed_chunks_are_the_clients_fault(server, chunks):
    answer = exchange(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert status_of(answer) == 400


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"Content-Length: 40000000\r\n\r\n", 413),
        (b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", 413),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"Content-Length: " + b"0" * 5000 + b"5\r\n\r\nabcde", 400),
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc", 400),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"X: " + b"a" * 70_000, 431),
        (b"SCRIPT_NAME: /x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 400),
    ],
)
def test_what_cannot_be_read_is_refused_at_once_and_the_connection_ends(server, fields, status):
    assert status_of(exchange(server, HEAD + fields)) == status


def test_bytes_behind_a_refused_body_are_no_request(server):
    hidden = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = exchange(server, HEAD + b"Content-Length: 40000000\r\n\r\n" + hidden)
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
        HEAD + b"Content-Length: 1000\r\n\r\n",
        HEAD + b"Content-Length: 40000000\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000,
        b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 20,
    ],
    ids=["an expectation", "no body", "too long", "a large head", "many requests"],
)
def test_clients_that_reset_their_connections_harm_nobody_else(server, sent):
    before = set(server.memory())
    for _ in range(MANY):
        with clients(server, 1, sent) as [connection]:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset
    with server.connect() as connection:
        assert get(connection, "/health")[0] == 200
    assert set(server.memory()) == before  # the same process


def test_half_a_head_is_told_that_it_took_too_long(server):
    answer = exchange(server, b"GET /health HTTP/1.1\r\nHost: x\r\n")
    assert (status_of(answer), json.loads(answer.partition(b"\r\n\r\n")[2])["code"]) == (408, "http_408")


def test_an_end_answers_what_is_half_here_and_refuses_who_comes_later(tiny_model, tmp_path):
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(picture()) + picture()
    with run_server(tiny_model, 2, tmp_path / "log") as server, clients(server, 8, request[:-100]) as halves:
        with server.connect() as connection:
            assert get(connection, "/health")[0] == 200  # the halves came before it
        server.end()
        deadline = time.monotonic() + SOON
        while accepts(server) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not accepts(server)
        for half in halves:
            half.sendall(request[-100:])
        assert [status_of(read_all(half)) for half in halves] == [200] * 8
        assert server.process.wait(30) == 0


def accepts(server):
    try:
        socket.create_connection(("127.0.0.1", server.port), 1).close()
    except OSError:
        return False
    return True


def test_many_waiting_connections_make_room_for_the_next(tiny_model, tmp_path):
    with (
        run_server(tiny_model, 1, tmp_path / "log") as server,
        clients(server, 1100, b"GET /health HTTP/1.1\r\n"),
        server.connect() as bystander,
    ):
        assert get(bystander, "/health")[0] == 200
