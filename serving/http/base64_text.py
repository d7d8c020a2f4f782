"""Base64 in every form that people send: standard, URL-safe, unpadded, broken into lines, quoted or escaped, as a `data:` URI."""

import re

import pybase64

from serving.errors import MalformedBase64

URL_SAFE = bytes.maketrans(b"-_", b"+/")  # RFC 4648, section 5
BLANKS = b" \t\r\n"
AROUND_BREAKS = re.compile(r"(?<![ \t])[ \t]*+\n[ \t\n]*+")
LINES = (64, 76)  # characters of a line, as PEM and MIME have it
SHORTEST_LINE = 16  # characters
ESCAPED = {  # as in addresses
    "%2b": "+",
    "%2f": "/",
    "%3d": "=",
    "%3a": ":",
    "%3b": ";",
    "%2c": ",",
    "%0a": "\n",
    "%0d": "",
}
FOREIGN = re.compile(rb"[^A-Za-z0-9+/]")


def decode_base64(text: str) -> bytes:
    """Raises MalformedBase64, saying what is wrong and where."""
    try:
        return pybase64.b64decode(text, validate=True)  # nearly always; what follows copies megabytes
    except ValueError:
        return _decode_other_forms(text)


def _decode_other_forms(text: str) -> bytes:
    text = _unescaped(_unquoted(text.lstrip("\ufeff").strip()))
    if text[:5].lower() == "data:":
        media_type, _, text = text.partition(",")
        if not media_type.replace(" ", "").lower().endswith(";base64"):
            raise MalformedBase64("the data: URI is not base64: it must begin like data:image/jpeg;base64,")
    compact = _with_pluses(text.strip()).encode("utf-8", "replace").translate(URL_SAFE, BLANKS).rstrip(b"=")
    try:
        return pybase64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except ValueError as error:
        raise MalformedBase64(_complaint(compact)) from error


def _unquoted(text: str) -> str:
    """What stands in the quotation marks of JSON, or of Python's way to write bytes, where it is in some."""
    inner = text[1:] if text[:2] in ("b'", 'b"') else text
    if len(inner) < 2 or inner[0] not in "'\"" or inner[-1] != inner[0]:
        return text
    return inner[1:-1].replace("\\/", "/").replace("\\r", "").replace("\\n", "")


def _unescaped(text: str) -> str:
    if "%" in text:
        for escape, plain in ESCAPED.items():
            text = text.replace(escape, plain).replace(escape.upper(), plain)
    return text


def _with_pluses(text: str) -> str:
    """With a plus sign for each blank inside a line, as which a form's decoding left it; not where blanks divide equal lines."""
    if " " not in text or "-" in text or "_" in text:  # the URL-safe alphabet has no plus sign
        return text
    if text.count("\n") > len(text) // SHORTEST_LINE:  # millions of breaks would take seconds
        return text
    text = text.replace("\r\n", "\n")
    is_plain = _is_divided(text, "\n") and text.count("\n ") < text.count("\n")  # else it may be indented
    text = text.replace("\n", "") if is_plain else AROUND_BREAKS.sub("", text)
    if _is_divided(text, " ") and (text.count(" ") > 1 or text.index(" ") in LINES):
        return text
    return text.replace(" ", "+")


def _is_divided(text: str, mark: str) -> bool:
    """Whether marks divide it into lines of one length, as encoders do, and a rest that is no longer."""
    length = text.find(mark)
    return length > 0 and length % 4 == 0 and text[length :: length + 1] == mark * text.count(mark)


def _complaint(compact: bytes) -> str:
    foreign = FOREIGN.search(compact)
    if foreign:
        return f"this is not base64: character {foreign.start() + 1:,} of {len(compact):,} is {foreign[0].decode('latin-1')!r}"
    return f"the base64 is cut off: its {len(compact):,} characters are not whole bytes; send all of it"
