"""A GIF's blocks up to its first picture (GIF89a): comments and extensions are left out, since Pillow reads them in Python."""

from collections.abc import Iterator

from model.decoding.header import PALETTE, PALETTE_ALPHA, Header
from model.decoding.limits import check_count
from model.errors import CorruptImage

MOST_BLOCKS = 100_000  # 255 bytes each; some editors write megabytes of XMP
CONTROL = 0xF9  # the extension that names the transparent colour


def read_header(data: bytes) -> Header:
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    start = 13 + _colours(data[10])
    control, picture = b"", start
    for kind, begin, end in _extensions(data, start):
        control = data[begin:end] if kind == CONTROL and end - begin == 8 else control
        picture = end
    if data[picture : picture + 1] != b",":
        raise CorruptImage("the GIF image cannot be decoded (it holds no picture)")
    left, top, across, down = (int.from_bytes(data[picture + i : picture + i + 2], "little") for i in (1, 3, 5, 7))
    width, height = max(width, left + across), max(height, top + down)
    pixel = PALETTE_ALPHA if control and control[3] & 1 else PALETTE
    needed = data if picture - start <= 1024 else data[:start] + control + data[picture:]
    return Header(width, height, width * height * pixel + across * down, needed)


def _colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


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
