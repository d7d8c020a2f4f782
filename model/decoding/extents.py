"""Where an AVIF or a HEIC holds its coded pictures: the extents of their items (ISO/IEC 14496-12, 8.11.3 and 8.11.6)."""

from collections.abc import Iterator

from model.decoding.iso import boxes

CODED = {b"av01", b"hvc1"}
FULL = 4  # bytes of version and flags


def coded_extents(data: bytes) -> Iterator[bytes]:
    """Yield the bytes of each extent of each coded picture, its alpha and its thumbnail among them."""
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == b"meta":
            inner = {name: (first, last) for name, first, last in boxes(data, start + FULL, end)}
            if inner.keys() >= {b"iinf", b"iloc"}:
                coded = set(_coded(data, *inner[b"iinf"]))
                places = _places(data, *inner[b"iloc"])
                yield from (data[place : place + length] for item, place, length in places if item in coded)


def _coded(data: bytes, start: int, end: int) -> Iterator[int]:
    """Yield the numbers of the items that are coded pictures."""
    first = start + FULL + (4 if data[start] else 2)
    for kind, begin, _ in boxes(data, first, end):
        width = 4 if data[begin] == 3 else 2
        at = begin + FULL + width + 2
        if kind == b"infe" and data[begin] >= 2 and data[at : at + 4] in CODED:
            yield int.from_bytes(data[begin + FULL : begin + FULL + width])


def _places(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield for each extent in the file itself its item, where it begins and its length."""
    at = start + FULL

    def number(width: int) -> int:
        nonlocal at
        at += width
        return int.from_bytes(data[at - width : at])

    version, sizes = data[start], number(2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)
        origin = number(base)
        for _ in range(number(2)):
            number(index if version else 0)
            place, size = origin + number(offset), number(length)
            if at > end:
                return
            if method == 0:
                yield item, place, size
