"""Base64 in every form that people send: standard, URL-safe, unpadded, broken into lines, as a `data:` URI."""

import re

import pybase64

from serving.errors import MalformedBase64

URL_SAFE = bytes.maketrans(b"-_", b"+/")  # RFC 4648, section 5
BLANKS = b" \t\r\n"
FOREIGN = re.compile(rb"[^A-Za-z0-9+/]")


def decode_base64(text: str) -> bytes:
    """Raises MalformedBase64, saying what is wrong and where."""
    try:
        return pybase64.b64decode(text, validate=True)  # nearly always; what follows copies megabytes
    except ValueError:
        return _decode_other_forms(text)


def _decode_other_forms(text: str) -> bytes:
    if text.startswith("data:"):
        media_type, _, text = text.partition(",")
        if not media_type.endswith(";base64"):
            raise MalformedBase64("the data: URI is not base64: it must begin like data:image/jpeg;base64,")
    compact = text.encode("utf-8", "replace").translate(URL_SAFE, BLANKS).rstrip(b"=")
    try:
        return pybase64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except ValueError as error:
        raise MalformedBase64(_complaint(compact)) from error


def _complaint(compact: bytes) -> str:
    foreign = FOREIGN.search(compact)
    if foreign:
        return f"this is not base64: character {foreign.start() + 1:,} of {len(compact):,} is {foreign[0].decode('latin-1')!r}"
    return f"the base64 is cut off: its {len(compact):,} characters are not whole bytes; send all of it"
