"""Forms, as multipart/form-data or in the address's own form, taken apart in memory: nothing is written to a disk."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from werkzeug.datastructures import Headers
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from serving.errors import MalformedRequest

MOST_FIELDS = 100  # of a form in the address's own form
STEP = 16 * 2**10  # bytes given to the decoder at a time; it also bounds the header of a part
HOW = "let the client itself write Content-Type: multipart/form-data; boundary=…, as curl -F image=@photo.jpg does"
BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]*)"|([^;,"]*))', re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    name: str
    is_file: bool  # it has a file name
    data: bytes


class _Decoder(MultipartDecoder):
    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        """A file's name may come in whatever its computer writes."""
        return super()._parse_headers(data.decode("utf-8", "replace").encode())


def parse_multipart(body: bytes, content_type: str, max_parts: int | None) -> list[Part]:
    """The parts that have a name, in order. Raises MalformedRequest, or RequestEntityTooLarge for too many parts."""
    boundary = _boundary(content_type)
    if not boundary:
        raise MalformedRequest(f"the form's Content-Type names no boundary: {HOW}")
    border = boundary.encode("latin-1", "replace")
    if b"--" + border not in body:
        raise MalformedRequest(f"the form is not divided by the boundary that its Content-Type names: {HOW}")
    try:
        return list(_parts(_Decoder(border, 2 * STEP, max_parts=max_parts), body))
    except ValueError as error:
        raise MalformedRequest(
            "the form is cut off or malformed: each part begins after the boundary with its Content-Disposition, and the "
            f"last boundary ends it; {HOW}"
        ) from error


def _boundary(content_type: str) -> str:
    """Java's clients write ----=_Part_1_2.3 without quotation marks, where RFC 2045 asks for them and werkzeug cuts it off."""
    found = BOUNDARY.search(content_type)
    return (found[1] or found[2] or "").strip() if found else ""


def parse_urlencoded(body: bytes) -> list[Part]:
    """Fields like `image=<base64>`; a plus sign is meant even where it was not escaped. Raises MalformedRequest."""
    fields = [field.partition(b"=") for field in body.split(b"&", MOST_FIELDS)]
    if len(fields) > MOST_FIELDS:
        raise MalformedRequest(f"the form has more than {MOST_FIELDS} fields")
    return [
        Part(_unescaped(name).decode("utf-8", "replace"), False, _unescaped(value)) for name, _, value in fields if name
    ]


def _unescaped(text: bytes) -> bytes:
    """In one pass of C: urllib makes an object of every escape, gigabytes of a form of nothing else."""
    return binascii.a2b_qp(text.replace(b"=", b"=3D").replace(b"%", b"=")) if b"%" in text else text


def _parts(decoder: MultipartDecoder, body: bytes) -> Iterator[Part]:
    part: File | Field | None = None
    data = bytearray()
    for event in _events(decoder, body):
        if isinstance(event, File | Field):
            part, data = event, bytearray()
        elif isinstance(event, Data) and part is not None:
            data += event.data
            if not event.more_data and isinstance(part.name, str):  # it is None where none is given
                yield Part(part.name, isinstance(part, File), bytes(data))


def _events(decoder: MultipartDecoder, body: bytes) -> Iterator[object]:
    for start in range(0, len(body), STEP):
        decoder.receive_data(body[start : start + STEP])
        while not isinstance(event := decoder.next_event(), NeedData):
            yield event
    decoder.receive_data(None)
    while not isinstance(event := decoder.next_event(), Epilogue):
        yield event
