"""A GIF's blocks up to its first picture (GIF89a): comments and extensions are left out, since Pillow reads them in Python."""

from collections.abc import Iterator

from model.decoding.header import PALETTE, PALETTE_ALPHA, RGBA, Crop, Header
from model.decoding.limits import MOST_PROFILE, check_count
from model.errors import CorruptImage

MOST_BLOCKS = 100_000  # 255 bytes each; some editors write megabytes of XMP
CONTROL = 0xF9  # the extension that names the transparent colour
PROFILE = b"\x0bICCRGBG1012"  # the name of the application extension that holds an ICC profile (ICC.1, B.7)


def read_header(data: bytes) -> Header:
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    start = 13 + _colours(data[10])
    control, profile, picture = b"", b"", start
    for kind, begin, end in _extensions(data, start):
        control = data[begin:end] if kind == CONTROL and end - begin == 8 else control
        if data.startswith(PROFILE, begin + 2) and end - begin < MOST_PROFILE:
            profile = b"".join(_blocks(data, begin + 2 + len(PROFILE)))
        picture = end
    if data[picture : picture + 1] != b",":
        raise CorruptImage("the GIF image cannot be decoded (it holds no picture)")
    left, top, across, down = (int.from_bytes(data[picture + i : picture + i + 2], "little") for i in (1, 3, 5, 7))
    width, height = max(width, left + across), max(height, top + down)
    frame = Crop(left, top, left + across, top + down)
    covered = None if frame == (0, 0, width, height) else frame
    pixel = PALETTE_ALPHA + RGBA if covered else PALETTE_ALPHA if control and control[3] & 1 else PALETTE
    needed = data if picture - start <= 1024 else data[:start] + control + data[picture:]
    cost = width * height * pixel + across * down
    return Header(width, height, cost, needed, profile=profile or None, covered=covered)


def _colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: bytes, position: int) -> Iterator[bytes]:
    while data[position]:
        yield data[position + 1 : position + 1 + data[position]]
        position += 1 + data[position]


def _extensions(data: bytes, position: int) -> Iterator[tuple[int, int, int]]:
    """Yield the kind, start and end of each extension."""
    blocks = 0
    while data[position : position + 1] == b"!":
        begin, kind = position, data[position + 1]
        position += 2
        while data[position]:
            position += 1 + data[position]
            blocks += 1
            check_count(blocks, MOST_BLOCKS, "blocks of comments before its picture")
        position += 1
        yield kind, begin, position
        blocks += 1
        check_count(blocks, MOST_BLOCKS, "blocks of comments before its picture")
