"""What else than the service may answer, or stand at its address."""

import socket
from contextlib import suppress
from threading import Thread

import pytest

from ops.round_trip import UNREACHED, Sample, ask_url, round_trip

SAMPLE = Sample(b"", ["red"], 1, 0)
PAGE = "<html>" + "x" * 100_000


@pytest.mark.parametrize("body", [{}, {"labels": []}, [], {"labels": "x"}, {"labels": [{"name": "red"}]}])
def test_an_answer_of_something_else_is_an_error(body):
    [finding] = round_trip(SAMPLE, lambda image: (200, body))
    assert "answered by something else" in finding.what


@pytest.mark.parametrize("body", [["not", "ours"], None, "no", {"detail": PAGE}, PAGE])
def test_a_refusal_by_something_else_is_an_error_of_a_few_words(body):
    [finding] = round_trip(SAMPLE, lambda image: (201, body))
    assert finding.what.startswith("POST /v1/classify answered 201: ")
    assert len(finding.what) < 1000


@pytest.fixture
def spoken():
    """The address of something that says these bytes to whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak(said):
            def serve():
                client, _ = server.accept()
                with client, suppress(ConnectionError):  # whoever has read enough hangs up
                    client.recv(65536)
                    client.sendall(said)

            Thread(target=serve, daemon=True).start()
            return f"http://127.0.0.1:{server.getsockname()[1]}"

        yield speak


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
        b"HTTP/1.1 503 Slow Down\r\nTransfer-Encoding: chunked\r\n\r\nx",
    ],
    ids=["another protocol", "cut off", "no JSON", "a refusal that is cut off"],
)
def test_an_address_where_something_else_speaks_is_no_such_service(spoken, said):
    url = spoken(said)
    status, body = ask_url(url, None, b"")
    assert status == UNREACHED
    assert body["detail"].startswith(f"{url} cannot be reached, or is no such service (")


def test_no_more_of_an_answer_is_read_than_one_may_have(spoken):
    page = PAGE.encode() * 30
    url = spoken(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))
    status, body = ask_url(url, None, b"")
    assert (status, len(body["detail"]) < len(page)) == (403, True)


@pytest.mark.parametrize("url", ["http://127.0.0.1/a b", "http://127.0.0.1:abc", "no address"])
def test_an_address_that_is_none_is_said(url):
    assert ask_url(url, None, b"")[0] == UNREACHED


@pytest.mark.parametrize("answer", [(UNREACHED, {"detail": "http://x cannot be reached"}), (200, [])])
def test_the_remedy_is_for_every_platform(answer):
    [finding] = round_trip(SAMPLE, lambda image: answer)
    assert "`npx serverless info`" in finding.remedy
    assert "your platform" in finding.remedy
