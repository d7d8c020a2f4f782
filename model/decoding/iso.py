"""The boxes of ISO files, which HEIC, AVIF and JP2 share: a size, a type, and what is in it (ISO/IEC 14496-12, 4.2)."""

import struct
from collections.abc import Iterator


def boxes(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each box's type, and where its content starts and ends."""
    while position + 8 <= end:
        size, kind = struct.unpack(">I4s", data[position : position + 8])
        start = position + 8
        if size == 1:
            (size,) = struct.unpack(">Q", data[start : start + 8].rjust(8, b"\0"))
            start += 8
        stop = min(position + size, end) if size else end
        if stop < start:
            return
        yield kind, start, stop
        position = stop
