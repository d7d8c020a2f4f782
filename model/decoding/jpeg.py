"""A JPEG's header: its segments up to the first scan, and how many scans follow (ITU-T T.81, annex B).

Pillow walks the segments byte by byte in Python, so they are counted here first, and what it does not need is left out
where there is much of it. libjpeg decodes a single scan row by row; more of them need every coefficient in memory and
cost one pass over the picture each.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from model.decoding.header import GREY, RGB, SIDE, Header
from model.decoding.limits import check_count
from model.decoding.orientation import orientation_of
from model.errors import CorruptImage, UnreadFormat

MOST_SEGMENTS = 2_000  # before the first scan; an ICC profile has at most 255, a phone photo about 20
MOST_SCANS = 100  # libjpeg's own script has 10, the longest of known encoders 64; one takes up to 20 ms
MOST_TABLES = 5_000  # segments between scans; each scan may have eight tables
MUCH = 2**18  # bytes of metadata that are left out, since they are read in Python

NEXT = re.compile(rb"\xff+[^\xff\x00]")  # a marker, with the fill bytes before it
LATER = re.compile(rb"\xff[^\xff\x00\xd0-\xd7]")  # one that is neither data nor a restart
SOF = {0xC0 + i for i in range(16)} - {0xC4, 0xC8, 0xCC}
HUFFMAN = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive: what nearly every file is
DHT, SOS, EOI, APP1, JPEG_LS = 0xC4, 0xDA, 0xD9, 0xE1, 0xF7
NEEDED = {*SOF, 0xC4, 0xCC, 0xDB, 0xDD, 0xE0, 0xE2, 0xEE}  # frame, tables, JFIF, ICC profile, Adobe's colour transform
ICC = b"ICC_PROFILE\0"
FIELDS = {  # marker → its name, and the bytes that it has at least
    0xE0: (b"", 14),
    0xE2: (ICC, 14),
    0xEE: (b"Adobe", 12),
}
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"


class Segment(NamedTuple):
    marker: int
    start: int  # of the marker's 0xFF
    end: int
    gap: int  # bytes before it that belong to nothing


def read_header(data: bytes) -> Header:
    segments = list(segments_of(data))
    frame = next((s for s in segments if s.marker in SOF), None)
    if frame is None and any(s.marker == JPEG_LS for s in segments):
        raise UnreadFormat("this is an image of the format JPEG-LS, which is not read: send a JPEG")
    if frame is None or segments[-1].marker != SOS:
        raise CorruptImage("the JPEG image cannot be decoded (it ends before its first scan)")
    width, height, samples = _frame(data, frame)
    scan = segments[-1]
    cost = _stored(width, height, data[frame.start + 9])
    components = data[frame.start + 9]
    if frame.marker not in {0xC0, 0xC1, 0xC9} or data[scan.start + 4] < components:  # more scans than one
        _count_scans(data, scan.end)
        cost += 2 * samples  # libjpeg keeps coefficients of 16 bits
    return Header(
        width,
        height,
        cost,
        _needed(data, segments),
        alone=frame.marker not in HUFFMAN,  # arithmetic coding makes millions of decisions of a few bytes
        orientation=orientation_of(_metadata(data, segments, EXIF), _metadata(data, segments, XMP)),
    )


def segments_of(data: bytes) -> Iterator[Segment]:
    """Yield the segments before the first scan's data; the last one is the start of that scan, if there is one."""
    position, found = 2, 0
    while match := NEXT.search(data, position):
        found += 1
        check_count(found, MOST_SEGMENTS, "segments before its pixels")
        start, marker = match.end() - 2, data[match.end() - 1]
        gap = start - position
        if 0xD0 <= marker <= 0xD8 or marker == 0x01:  # they stand alone
            position = match.end()
            continue
        if marker == EOI:
            return
        position = match.end() + int.from_bytes(data[match.end() : match.end() + 2])
        yield Segment(marker, start, position, gap)
        if marker == SOS:
            return


def _frame(data: bytes, frame: Segment) -> tuple[int, int, int]:
    """Return the width, the height and the number of samples that the frame's blocks hold."""
    at = frame.start + 5
    height, width, components = int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4]), data[at + 4]
    factors = [(b >> 4, b & 15) for b in data[at + 6 : at + 5 + 3 * components : 3]]
    most_h, most_v = max(h for h, _ in factors), max(v for _, v in factors)
    if not all(0 < n <= 4 for pair in factors for n in pair):
        raise CorruptImage("the JPEG image cannot be decoded (its sampling factors are none)")
    units = -(-width // (8 * most_h)) * -(-height // (8 * most_v))
    return width, height, units * 64 * sum(h * v for h, v in factors)


def _stored(width: int, height: int, components: int) -> int:
    scale = next(s for s in (8, 4, 2, 1) if s == 1 or min(width, height) // SIDE >= s)  # as Pillow's draft chooses
    return -(-width // scale) * -(-height // scale) * (GREY if components == 1 else RGB)


def _count_scans(data: bytes, after: int) -> None:
    check_count(data.count(b"\xff\xda", after) + 1, MOST_SCANS, "scans")
    for found, _ in enumerate(LATER.finditer(data, after)):
        check_count(found, MOST_TABLES, "segments between its scans")


def _metadata(data: bytes, segments: list[Segment], name: bytes) -> bytes | None:
    """Return the first segment of this name that holds more than it: some tools leave an empty one in front."""
    found = (data[s.start + 4 : s.end] for s in segments if s.marker == APP1 and data.startswith(name, s.start + 4))
    return next((content for content in found if len(content) > len(name)), None)


def _needed(data: bytes, segments: list[Segment]) -> bytes:
    """Return the file itself, or without what only costs time: fill bytes, comments, thumbnails, empty JFIF segments."""
    dropped = [s for s in segments if not _is_needed(data, s)]
    waste = sum(s.end - s.start for s in dropped) + sum(s.gap for s in segments)
    if waste < MUCH and len(dropped) < 100 and not any(_is_short(data, s) for s in dropped):
        return data
    kept = b"".join(data[s.start : s.end] for s in segments[:-1] if s not in set(dropped))
    return data[:2] + kept + data[segments[-1].start :]


def _is_needed(data: bytes, segment: Segment) -> bool:
    if segment.marker == 0xE2:
        return data.startswith(ICC, segment.start + 4) and not _is_short(data, segment)
    return (segment.marker in NEEDED or segment.marker == SOS) and not _is_short(data, segment)


def _is_short(data: bytes, segment: Segment) -> bool:
    """Say that it lacks its fields: it says nothing then, libjpeg passes it over, and Pillow would fail."""
    name, length = FIELDS.get(segment.marker, (b"", 0))
    return segment.end - segment.start - 4 < length and data.startswith(name, segment.start + 4)
