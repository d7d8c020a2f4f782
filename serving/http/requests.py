"""What a request brings: its images, not read yet, and its options. Body, form or JSON, they leave here alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec
from flask import Request

from serving.errors import BatchTooLarge, MalformedRequest
from serving.http.base64_text import decode_base64
from serving.inference import Read
from serving.schemas import ClassifyRequest, ImageSource, Options, S3Reference

FIELD = "image"  # of a form; it may come several times
MANGLED = b"\xef\xbf\xbd"  # U+FFFD in UTF-8: what stands where bytes were taken for text
SIGNATURE = "X-Amz-"  # query parameters of a presigned call belong to AWS

Body = TypeVar("Body")
ReadObject = Callable[[S3Reference], bytes]


@dataclass(frozen=True)
class ParsedRequest:
    reads: list[Read]
    options: Options
    batch: bool  # the answer is a list, even of one
    source: str  # body, form, base64 or s3; for the log


def parse_request(request: Request, max_batch: int, read_object: ReadObject) -> ParsedRequest:
    """Raises MalformedRequest or BatchTooLarge; what is wrong with one image shows when it is read."""
    if request.mimetype == "multipart/form-data":
        parsed = _form(request)
    else:
        options = _options(request.args)
        body = request.get_data(cache=False)
        # no image begins with a brace, and `curl -d` forgets to say that it sends JSON
        is_json = request.is_json or body[:1] == b"{"
        parsed = _json(body, options, read_object) if is_json else _body(body, options)
    check_batch(len(parsed.reads), max_batch)
    return parsed


def check_batch(images: int, max_batch: int) -> None:
    if images > max_batch:
        raise BatchTooLarge(f"the request holds {images} images; at most {max_batch} are taken: send several requests")


def _options(given: Mapping[str, str]) -> Options:
    fields = {name: value for name, value in given.items() if not name.startswith(SIGNATURE)}
    try:
        return msgspec.convert(fields, Options, strict=False)  # not strict: numbers come as text
    except msgspec.ValidationError as error:
        raise MalformedRequest(f"parameters: {error} (there are top_k and min_score)") from error


def read_json(body: bytes, type: type[Body]) -> Body:
    """Decode and check a JSON body. Raises MalformedRequest, naming the place."""
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        raise MalformedRequest(f"{error}; /docs shows what is understood") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequest(
            f"the body is not JSON ({error}); send an image as it is with Content-Type: image/jpeg"
        ) from error


def _body(body: bytes, options: Options) -> ParsedRequest:
    if not body:
        raise MalformedRequest("the body is empty: send an image, a form with a file `image`, or JSON; /docs shows how")
    if MANGLED in body[:16]:
        raise MalformedRequest(
            "the image was turned into text on its way and cannot be restored: the gateway must list its type as a "
            "binary media type; or send it as base64 in JSON"
        )
    return ParsedRequest([lambda: body], options, batch=False, source="body")


def _form(request: Request) -> ParsedRequest:
    files = request.files.getlist(FIELD)
    if not files:
        raise MalformedRequest(
            f"the form has no file named `{FIELD}`: curl -F {FIELD}=@photo.jpg sends one, and more of them a batch"
        )
    return ParsedRequest([file.read for file in files], _options(request.values), batch=len(files) > 1, source="form")


def _json(body: bytes, options: Options, read_object: ReadObject) -> ParsedRequest:
    asked = read_json(body, ClassifyRequest)
    sources = asked.images or [source for source in [asked.image] if source]
    options = Options(
        top_k=options.top_k if asked.top_k is None else asked.top_k,
        min_score=options.min_score if asked.min_score is None else asked.min_score,
    )
    reads = [_read(source, read_object) for source in sources]
    return ParsedRequest(
        reads, options, asked.images is not None, "s3" if any(source.s3 for source in sources) else "base64"
    )


def _read(source: ImageSource, read_object: ReadObject) -> Read:
    if source.s3 is not None:
        return partial(read_object, source.s3)
    return partial(decode_base64, source.bytes or "")
