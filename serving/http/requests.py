"""What a request brings: its images, not read yet, and its options. Body, form or JSON, they leave here alike."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec
from flask import Request

from serving.errors import BatchTooLarge, MalformedRequest
from serving.http.bodies import image_bytes, image_of_base64, is_image, read_body, without_mark
from serving.inference import Read
from serving.schemas import ClassifyRequest, ImageSource, Options, S3Reference

FIELD = "image"  # of a form; it may come several times
MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"
HAS_IMAGE = re.compile(rb"(?:(?!image=)[\w.~%+-]*=[^&]*+&)*+image=")  # FIELD, in a form of the address's own kind
SIGNATURE = "X-Amz-"  # query parameters of a presigned call belong to AWS
UNCACHED = "_"  # a query parameter by which clients get past caches, jQuery's for one
MOST_VALUES = 2_000_000  # lists, objects and texts of a JSON body, 60 bytes each; 16 images of pixels have 1.4 million
SEND = f"curl -F {FIELD}=@photo.jpg sends one, and more of them a batch"

Body = TypeVar("Body")
ReadObject = Callable[[S3Reference], bytes]


@dataclass(frozen=True)
class ParsedRequest:
    reads: list[Read]
    options: Options
    batch: bool  # the answer is a list, even of one
    source: str  # body, form, base64 or s3; for the log


def parse_request(request: Request, max_batch: int, read_object: ReadObject) -> ParsedRequest:
    """Raises RequestError; what is wrong with one image shows when it is read."""
    options = _options(request.args)
    body = read_body(request)
    if request.mimetype == MULTIPART or (request.mimetype == URLENCODED and HAS_IMAGE.match(body)):
        parsed = _form(request, body)
    else:
        text = without_mark(body)
        first = text[:64].lstrip()[:1]
        if request.is_json and first == b'"':  # base64 as a JSON string
            text, first = read_json(text, str).encode("utf-8", "replace"), b""
        # no image begins with a brace, and `curl -d` forgets to say that it sends JSON
        is_json = first == b"{" or (request.is_json and first != b"" and not _is_other_text(text))
        parsed = _json(text, options, read_object) if is_json else _body(text, options)
    check_batch(len(parsed.reads), max_batch)
    return parsed


def check_batch(images: int, max_batch: int) -> None:
    if images > max_batch:
        raise BatchTooLarge(f"the request holds {images} images; at most {max_batch} are taken: send several requests")


def _options(given: Mapping[str, str]) -> Options:
    fields = {name: value for name, value in given.items() if not name.startswith(SIGNATURE) and name != UNCACHED}
    try:
        return msgspec.convert(fields, Options, strict=False)  # not strict: numbers come as text
    except msgspec.ValidationError as error:
        raise MalformedRequest(f"parameters: {error} (there are top_k, min_score and explain)") from error


def read_json(body: bytes, type: type[Body]) -> Body:
    """Decode and check a JSON body. Raises MalformedRequest, naming the place."""
    if len(body) > 3 * MOST_VALUES and _values(body) > MOST_VALUES:
        raise MalformedRequest(f"the JSON has more than {MOST_VALUES:,} lists, objects and texts: send fewer images")
    try:
        return msgspec.json.decode(without_mark(body), type=type)
    except msgspec.ValidationError as error:
        raise MalformedRequest(f"{error}; /docs shows what is understood") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequest(
            f"the body is not JSON ({error}); send an image as it is with Content-Type: image/jpeg"
        ) from error


def _values(body: bytes) -> int:
    """How many lists, objects and texts there are, at the most."""
    return body.count(b"[") + body.count(b"{") + body.count(b'"') // 2


def _is_other_text(text: bytes) -> bool:
    """Whether what is said to be JSON is a form, or base64 of an image."""
    return _is_form(text) or (text.isascii() and not text.lstrip().startswith(b"[") and is_image(image_bytes(text)))


def _is_form(body: bytes) -> bool:
    return body.startswith(b"--") and b"form-data" in body[:1024]


def _body(body: bytes, options: Options) -> ParsedRequest:
    if not body:
        raise MalformedRequest("the body is empty: send an image, a form with a file `image`, or JSON; /docs shows how")
    if _is_form(body):
        from serving.http.forms import HOW

        raise MalformedRequest(f"the body is a form, but its Content-Type says something else: {HOW}")
    return ParsedRequest([partial(image_bytes, body)], options, batch=False, source="body")


def _form(request: Request, body: bytes) -> ParsedRequest:
    from serving.http import forms

    if request.mimetype == MULTIPART:
        parts = forms.parse_multipart(body, request.headers.get("Content-Type", ""), request.max_form_parts)
    else:
        parts = forms.parse_urlencoded(body)
    images = [part for part in parts if part.name == FIELD]
    if not images:
        raise MalformedRequest(f"the form has no file named `{FIELD}`: {SEND}")
    fields = {part.name: part.data.decode("utf-8", "replace") for part in parts if part.name != FIELD}
    reads: list[Read] = [partial(image_bytes if part.is_file else _image_of_field, part.data) for part in images]
    return ParsedRequest(reads, _options({**fields, **request.args}), batch=len(images) > 1, source="form")


def _image_of_field(data: bytes) -> bytes:
    """An image that came without a file name: as it is, or as base64."""
    image = image_bytes(data)
    if not is_image(image):
        raise MalformedRequest(
            f"the field `{FIELD}` of the form is text, neither a file with a filename nor base64: {SEND}"
        )
    return image


def _json(body: bytes, options: Options, read_object: ReadObject) -> ParsedRequest:
    asked = read_json(body, ClassifyRequest)
    sources = asked.images or [source for source in [asked.image] if source]
    options = Options(
        top_k=options.top_k if asked.top_k is None else asked.top_k,
        min_score=options.min_score if asked.min_score is None else asked.min_score,
        explain=options.explain if asked.explain is None else asked.explain,
    )
    reads = [_read(source, read_object) for source in sources]
    return ParsedRequest(
        reads, options, asked.images is not None, "s3" if any(source.s3 for source in sources) else "base64"
    )


def _read(source: ImageSource, read_object: ReadObject) -> Read:
    if source.s3 is not None:
        return partial(read_object, source.s3)
    return partial(image_of_base64, source.bytes or "")
