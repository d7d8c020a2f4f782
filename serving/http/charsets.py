"""Images that were taken for text on their way: the bytes that their characters stood for, where each stood for one byte.

It knows the two encodings that lose nothing, and what an encoding leaves that cannot write a byte. It knows no schemas.
"""

import codecs
import re

from model.errors import UnsupportedImage
from model.image import image_format

# The Encoding standard's windows-1252, which browsers read as where latin1 is asked for: five bytes are control characters.
UNDEFINED = b"\x81\x8d\x8f\x90\x9d"
WINDOWS_1252 = codecs.charmap_build(
    "".join(chr(byte) if byte in UNDEFINED else bytes([byte]).decode("cp1252") for byte in range(256))
)
QUESTIONED = re.compile(  # how JPEG, PNG and JP2 begin with ? for each byte that is not ASCII; no text holds NUL or SUB
    rb"\?{4}(\0|..(Exif|ICC_P|http))|\?PNG\r?\n\x1a|\0\0\0\x0cjP  \r?\n\?", re.DOTALL
)
COMPRESSED = ("GIF", "WEBP", "AVIF", "HEIC")  # they begin in ASCII and do not go on in it
TGA_END, TGA_FOOTER = b"TRUEVISION-XFILE.\0", 26  # the footer's end, and its bytes
PNM_HEAD = re.compile(rb"P([56])(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,5})\s")


def restored(text: str) -> bytes:
    """The image that was read as latin-1 or windows-1252; empty where it was none, or where `text` is one as it is."""
    for encode in (_latin1, _windows_1252):
        try:
            data = encode(text)
        except UnicodeEncodeError:
            continue
        return data if _format(data) and not _is_whole(text.encode()) else b""
    return b""


def is_lost(data: bytes) -> bool:
    """Whether these bytes, all of ASCII, are an image of which ? stands for each byte that was not."""
    return b"?" in data and (QUESTIONED.match(data) is not None or _format(data) in COMPRESSED)


def _latin1(text: str) -> bytes:
    return text.encode("latin-1")


def _windows_1252(text: str) -> bytes:
    return codecs.charmap_encode(text, "strict", WINDOWS_1252)[0]


def _is_whole(data: bytes) -> bool:
    """Whether it is an uncompressed image of just the length that its header says: its own bytes may be text by chance."""
    format = _format(data)
    if format == "BMP":
        return int.from_bytes(data[2:6], "little") == len(data)
    if format == "TGA":  # without its footer, and unpacked, its length is what makes it one
        return data[2] < 9 and _format(data[:-TGA_FOOTER] if data.endswith(TGA_END) else data) == "TGA"
    if format == "PNM" and (head := PNM_HEAD.match(data[:4096])):
        samples = int(head[2]) * int(head[3]) * (3 if head[1] == b"6" else 1)
        return head.end() + samples * (2 if int(head[4]) > 255 else 1) == len(data)
    return False


def _format(data: bytes) -> str:
    try:
        return image_format(data)
    except UnsupportedImage:
        return ""
