"""The boxes of a HEIC or AVIF file: its size, its crop, and of how many pictures it is composed (ISO/IEC 14496-12, 23008-12).

What the boxes say need not be what the bitstreams hold, so these two are decoded in a process of its own, with as much
memory and time as is fair for the size they state.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from model.decoding.code_points import profile_in
from model.decoding.formats import ISO_BRANDS, STRUCTURAL, image_format, iso_brands
from model.decoding.header import RGB, RGBA, Crop, Header
from model.decoding.iso import boxes
from model.decoding.limits import check_count
from model.errors import CorruptImage, ImageOutOfBounds

PLAIN = 3 + 3 + 3 + RGB  # bytes a pixel: planes, the interleaved picture, Pillow's copies of it
DEEP = 3  # more, where samples have more than 8 bits
ALPHA = 1 + 1 + 1 + RGBA  # more, where there is a picture of alpha
MOST_BOXES = 4_000
MOST_PARTS = 1_024  # tiles of a grid and layers of an overlay; 48 megapixels of an iPhone are 192
MOST_LISTED = 50_000  # references and properties
MOST_DEPTH = 8
FAIR = 4  # times its own area that a picture may be composed of
SPARE = 2**22  # pixels: small ones may be composed of more

FULL = 4  # bytes of version and flags


@dataclass
class Items:
    """What the `meta` box tells of the pictures in the file."""

    primary: int = 0
    sources: dict[int, list[int]] = field(default_factory=dict)  # a derived picture → what it is made of
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    owned: dict[int, list[int]] = field(default_factory=dict)  # a picture → its properties, counted from 1
    alpha: bool = False  # some picture is another's alpha, or depth
    boxes: int = 0  # that were walked so far
    listed: int = 0  # references and properties that were read so far

    def all_of(self, item: int, kind: bytes) -> list[bytes]:
        owned = (self.properties[i - 1] for i in self.owned.get(item, []) if 0 < i <= len(self.properties))
        return [content for name, content in owned if name == kind]

    def property(self, item: int, kind: bytes) -> bytes | None:
        return next(iter(self.all_of(item, kind)), None)

    def is_deep(self, item: int) -> bool:
        """Say whether samples may have more than 8 bits; they may where the file does not tell."""
        stated = self.property(item, b"pixi")
        return stated is None or any(bits > 8 for bits in stated[5:])

    def size(self, item: int) -> tuple[int, int]:
        stated = self.property(item, b"ispe")
        if stated is None or len(stated) < 12:
            return 0, 0
        width, height = struct.unpack(">II", stated[4:12])
        return width, height

    @cached_property
    def parts(self) -> dict[int, tuple[int, int]]:
        """Remember for each picture how many are decoded for it, and of how many pixels together."""
        return {}

    def measure(self, item: int, depth: int = 0) -> tuple[int, int]:
        if item not in self.parts:
            if depth > MOST_DEPTH:
                raise ImageOutOfBounds(
                    f"the image is composed of pictures in more than {MOST_DEPTH} layers: save it anew"
                )
            width, height = self.size(item)
            below = [self.measure(source, depth + 1) for source in self.sources.get(item, [])]
            count = sum(n for n, _ in below) or 1
            self.parts[item] = count, width * height + sum(area for _, area in below)
        return self.parts[item]


def read_header(data: bytes) -> Header:
    items, sequence = Items(), (0, 0)
    for kind, start, end in _boxes(data, 0, len(data), items):
        if kind == b"meta":
            _read_meta(data, start + FULL, end, items)
        elif kind == b"moov":
            sequence = _sequence_size(data, start, end)
    width, height = max(items.size(items.primary), sequence, key=lambda size: size[0] * size[1])
    if not width or not height:
        raise CorruptImage("the image cannot be decoded (its boxes name no picture)")
    count, area = items.measure(items.primary)
    check_count(count, MOST_PARTS, "pictures that it is composed of")
    if area > FAIR * (width * height + SPARE):
        raise ImageOutOfBounds(f"the image is composed of pictures of {area:,} pixels in all: save it anew")
    pixel = PLAIN + DEEP * items.is_deep(items.primary) + ALPHA * items.alpha
    return Header(
        width,
        height,
        width * height * pixel,
        _branded(data),
        alone=True,
        crop=_crop(items, width, height),
        profile=profile_in(items.all_of(items.primary, b"colr")),
    )


def _branded(data: bytes) -> bytes:
    """Return the file under its codec's own brand, where it has none: libavif reads no other."""
    if any(brand in ISO_BRANDS and brand not in STRUCTURAL for brand in iso_brands(data)):
        return data
    return data[:8] + (b"avif" if image_format(data) == "AVIF" else b"heic") + data[12:]


def _boxes(data: bytes, position: int, end: int, items: Items) -> Iterator[tuple[bytes, int, int]]:
    """Yield each box's type, and where its content starts and ends, as long as the file has no more than is fair."""
    for found in boxes(data, position, end):
        items.boxes += 1
        check_count(items.boxes, MOST_BOXES, "boxes")
        yield found


def _read_meta(data: bytes, start: int, end: int, items: Items) -> None:
    for kind, begin, stop in _boxes(data, start, end, items):
        if kind == b"pitm":
            items.primary = int.from_bytes(data[begin + FULL : begin + (8 if data[begin] else 6)])
        elif kind == b"iref":
            _read_references(data, begin, stop, items)
        elif kind == b"iprp":
            for inner, first, last in _boxes(data, begin, stop, items):
                if inner == b"ipco":
                    items.properties = [(name, data[a:b]) for name, a, b in _boxes(data, first, last, items)]
                elif inner == b"ipma":
                    _read_associations(data, first, last, items)


def _read_references(data: bytes, start: int, end: int, items: Items) -> None:
    width = 4 if data[start] else 2
    for kind, begin, _ in _boxes(data, start + FULL, end, items):
        items.alpha |= kind == b"auxl"
        if kind == b"dimg":
            numbers = [int.from_bytes(data[at : at + width]) for at in (begin, begin + width + 2)]
            count = int.from_bytes(data[begin + width : begin + width + 2])
            check_count(count, MOST_PARTS, "pictures that it is composed of")
            items.listed += count
            check_count(items.listed, MOST_LISTED, "references")
            first = begin + width + 2
            numbers[1:] = [int.from_bytes(data[first + i * width : first + (i + 1) * width]) for i in range(count)]
            items.sources.setdefault(numbers[0], []).extend(numbers[1:])


def _read_associations(data: bytes, start: int, end: int, items: Items) -> None:
    version, wide = data[start], data[start + 3] & 1
    (count,) = struct.unpack(">I", data[start + FULL : start + 8])
    check_count(count, MOST_BOXES, "pictures")
    at, name = start + 8, 4 if version else 2
    for _ in range(count):
        if at + name >= end:
            return
        item, owned = int.from_bytes(data[at : at + name]), data[at + name]
        at += name + 1
        items.listed += owned
        check_count(items.listed, MOST_LISTED, "properties")
        step = 2 if wide else 1
        mask = 0x7FFF if wide else 0x7F
        items.owned.setdefault(item, []).extend(
            int.from_bytes(data[at + i * step : at + (i + 1) * step]) & mask for i in range(owned)
        )
        at += owned * step


def _sequence_size(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the size of an image sequence's track: its sample entry states it (ISO/IEC 14496-12, 12.1.3)."""
    for codec in (b"av01", b"hvc1", b"hev1"):
        at = data.find(codec, start, end)
        if at >= 0 and at + 32 <= end:
            width, height = struct.unpack(">HH", data[at + 28 : at + 32])
            return width, height
    return 0, 0


def _crop(items: Items, width: int, height: int) -> Crop | None:
    """Return what the `clap` box leaves of the primary picture (ISO/IEC 14496-12, 12.1.4.3)."""
    stated = items.property(items.primary, b"clap")
    if stated is None or len(stated) < 32:
        return None
    fractions = struct.unpack(">IIIIiIiI", stated[:32])
    if 0 in fractions[1::2]:
        return None
    across, down, right, below = (a / b for a, b in zip(fractions[::2], fractions[1::2], strict=True))
    left, top = (width - across) / 2 + right, (height - down) / 2 + below
    crop = Crop(round(left), round(top), round(left + across), round(top + down))
    inside = 0 <= crop.left < crop.right <= width and 0 <= crop.top < crop.bottom <= height
    return crop if inside else None
