"""The bytes that a client meant: a content coding undone within the limit, text recognised where an image should be.

Gateways, proxies and clients change bodies on their way. What can be undone without a guess is undone, the rest is said. It
knows neither schemas nor what is in an image.
"""

import codecs

from flask import Request
from werkzeug.exceptions import HTTPException

from model.errors import UnsupportedImage
from model.image import image_format
from serving.errors import MalformedBase64, MalformedRequest, UnsupportedEncoding
from serving.http.base64_text import decode_base64

ACCEPTED_CODINGS = "gzip, deflate, identity"
MARKS = (  # byte order marks, the longer first
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LAYERS = 3  # of text around an image that are undone: a client's own base64, a library's and a gateway's
REPLACED = "\ufffd"  # what stands where bytes were taken for text
LOST_ON_ITS_WAY = (
    "the image was turned into text on its way and cannot be restored: the gateway must list its type as a binary media type; "
    "or send it as base64 in JSON"
)
LOST_BEFORE = (
    "the image was turned into text before it was encoded as base64 and cannot be restored: read the file as bytes before you "
    "encode it"
)


def read_body(request: Request) -> bytes:
    """All of the body, its content coding undone. Raises MalformedRequest, UnsupportedEncoding or BodyTooLarge."""
    body = _received(request)
    named = [coding.strip().lower() for coding in request.headers.get("Content-Encoding", "").split(",")]
    codings = [coding for coding in named if coding not in ("", "identity")]
    if not codings:
        return body
    from serving.codings import WINDOWS, inflated

    if len(codings) > 1 or codings[0] not in WINDOWS:
        raise UnsupportedEncoding(
            f"Content-Encoding: {', '.join(codings)[:40]!r} is not understood; send the body as it is, or by one of "
            f"{ACCEPTED_CODINGS}"
        )
    return inflated(body, codings[0], request.max_content_length or len(body))


def without_mark(body: bytes) -> bytes:
    """Text as UTF-8 without a byte order mark; whatever else as it is."""
    for mark, encoding in MARKS:
        if body.startswith(mark):
            try:
                return body.decode(encoding).encode()
            except UnicodeError:
                return body
    return body


def image_bytes(data: bytes) -> bytes:
    """The image as it was before it was taken for text, if it was. Raises MalformedRequest where that cannot be undone."""
    return _undone(data, LAYERS, LOST_ON_ITS_WAY)


def image_of_base64(text: str) -> bytes:
    """The image that base64 stands for, as it was before it was taken for text. Raises MalformedBase64 or MalformedRequest."""
    return _undone(decode_base64(text), LAYERS, LOST_BEFORE)


def _undone(data: bytes, layers: int, lost: str) -> bytes:
    if not layers:
        return data
    try:
        text = without_mark(data).decode()
    except UnicodeDecodeError:  # at the first bytes of nearly every image
        return data
    from serving.http import charsets

    if REPLACED in text or (text.isascii() and charsets.is_lost(data)):
        raise MalformedRequest(lost)
    if text[:64].lstrip()[:5].lower() == "data:":
        return _undone(decode_base64(text), layers - 1, LOST_BEFORE)
    original = _from_base64(text) if text.isascii() else charsets.restored(text)
    if original and not is_image(original):
        original = _undone(original, layers - 1, LOST_BEFORE)  # base64 of what was text already
    return original if is_image(original) else data


def is_image(data: bytes) -> bool:
    """Whether it begins as an image does."""
    try:
        return bool(image_format(data))
    except UnsupportedImage:
        return False


def _from_base64(text: str) -> bytes:
    try:
        return decode_base64(text)
    except MalformedBase64:
        return b""


def _received(request: Request) -> bytes:
    try:
        return request.get_data(cache=False)
    except (HTTPException, MemoryError):
        raise
    except Exception as error:  # each server has its own for chunks that are none and for clients that hang up
        raise MalformedRequest("the body did not come whole: it was cut off, or its chunks are malformed") from error
