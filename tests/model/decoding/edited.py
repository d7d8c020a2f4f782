"""ISO base media files (AVIF, HEIC), edited: under other brands, and cropped by a box that says so."""

import struct

from tests.model.decoding.hostile import box


def branded(data: bytes, major: bytes, *others: bytes) -> bytes:
    """The same file under other brands, of the same length in all."""
    brands = b"".join(others).ljust(int.from_bytes(data[:4]) - 16, b"\0")
    return data[:8] + major + data[12:16] + brands + data[16 + len(brands) :]


def cropped(data: bytes, width: int, height: int, right: int, below: int) -> bytes:
    """The same AVIF with a `clap` box: what remains, and how far its middle lies from the picture's."""
    clap = box(b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, right, 1, below, 1))
    shift = len(clap) + 1
    edited = bytearray(data)
    for kind, added in ((b"ipco", len(clap)), (b"ipma", 1), (b"iprp", shift), (b"meta", shift)):
        at = data.index(kind) - 4
        edited[at : at + 4] = struct.pack(">I", struct.unpack(">I", data[at : at + 4])[0] + added)
    place = data.index(b"iloc") + 8
    first = place + 4  # an item, its reference, its count of extents; then offset and length
    offset = first + 6
    edited[offset : offset + 4] = struct.pack(">I", struct.unpack(">I", data[offset : offset + 4])[0] + shift)
    owned = data.index(b"ipma") + 4 + 4 + 4 + 2
    count = data[owned]
    properties = _count_boxes(data, data.index(b"ipco") + 4, data.index(b"ipma") - 4)
    edited[owned] = count + 1
    edited[owned + 1 + count : owned + 1 + count] = bytes([0x80 | (properties + 1)])
    end = data.index(b"ipma") - 4
    edited[end:end] = clap
    return bytes(edited)


def _count_boxes(data: bytes, at: int, end: int) -> int:
    found = 0
    while at < end:
        at += struct.unpack(">I", data[at : at + 4])[0]
        found += 1
    return found
