"""Where a request ends, held against gunicorn's own parser."""

from itertools import pairwise

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from gunicorn.http.errors import NoMoreData, ParseException
from hypothesis import given
from hypothesis import strategies as st

from serving.http.framing import MAX_HEAD, Frame

LIMIT = 1000  # bytes of a body
HEAD = b"POST /v1/classify HTTP/1.1\r\nHost: x\r\n"
SOUND = {
    "no body": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a length": HEAD + b"Content-Length: 5\r\n\r\nabcde",
    "a length of nothing": HEAD + b"content-length:0\r\n\r\n",
    "a length behind zeros": HEAD + b"Content-Length: " + b"0" * 40 + b"5\r\n\r\nabcde",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA ;x=y\r\n0123456789\r\n0\r\n\r\n",
    "chunks with trailers": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\n\r\n0\r\n0\r\nX: 1\r\nY: 2\r\n\r\n",
    "a coding that is none, and a length": HEAD + b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nabcde",
    "no chunk": HEAD + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
}
CUT = {
    "a length that is none": HEAD + b"Content-Length: x\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "a length that Python cannot read": HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "too long": HEAD + b"Content-Length: 1001\r\n\r\n",
    "a chunk that is none": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a coding without end": HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    "chunks inside another coding": HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
    "lines that end in LF alone": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
    "a size without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 9000,
    "trailers without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a" * 9000,
    "chunks without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"3\r\nabc\r\n" * 9000,
    "crumbs": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 600 + b"0\r\n\r\n",
    "a head without end": HEAD + b"X: " + b"a" * MAX_HEAD,
}


def framed(*parts):
    frame = Frame(LIMIT)
    for part in parts:
        frame.add(part)
    return frame


@pytest.mark.parametrize("request_", SOUND.values(), ids=SOUND)
def test_a_request_is_whole_with_its_last_byte_and_not_before(request_):
    for end in range(len(request_)):
        assert not framed(request_[:end]).whole
    frame = framed(request_)
    assert (frame.whole, frame.cut) == (True, False)


@pytest.mark.parametrize("request_", SOUND.values(), ids=SOUND)
def test_an_empty_line_before_a_request_is_passed_by(request_):
    for frame in (framed(b"\r\n" + request_), framed(b"\r", b"\n" + request_[:3], request_[3:])):
        assert (frame.whole, frame.cut, bytes(frame.data)) == (True, False, request_)


@pytest.mark.parametrize("request_", CUT.values(), ids=CUT)
def test_what_is_not_worth_reading_on_is_cut(request_):
    frame = framed(request_)
    assert (frame.whole, frame.cut) == (True, True)


@given(st.sampled_from(list(SOUND.values())), st.lists(st.integers(0, 200)))
def test_it_does_not_matter_in_what_parts_it_comes(request, places):
    places = sorted({0, len(request), *(place for place in places if place < len(request))})
    frame = framed(*(request[start:end] for start, end in pairwise(places)))
    assert (frame.whole, frame.cut, bytes(frame.data)) == (True, False, request)


@given(st.data())
def test_gunicorns_parser_never_wants_more_than_what_is_whole(data):
    request = bytearray(data.draw(st.sampled_from(list(SOUND.values()))))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(request)))
        request[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"\r\n", b"0", b"9", b":", b" ", b"\r", b"\n", b"a", b";", b"Content-Length: 3\r\n"])
        )
    frame = framed(bytes(request))
    if not frame.whole or frame.cut:
        return
    try:
        read = next(get_parser(Config(), iter([bytes(request)]), ("127.0.0.1", 1))).body.read()
    except (ParseException, NoMoreData) as error:
        assert not isinstance(error, NoMoreData), bytes(request)
    else:
        assert isinstance(read, bytes)
