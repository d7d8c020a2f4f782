"""A PNG's chunks, read before Pillow does (W3C PNG, third edition): what is not needed for its pixels is left out.

Text, private chunks, compressed metadata of any size and ancillary chunks with a wrong checksum never reach the decoder.
"""

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from model.decoding.header import BLACK_AND_WHITE, GREY, PALETTE, PALETTE_ALPHA, RGB, RGBA, SIXTEEN, Header
from model.decoding.limits import MOST_EXACT, MOST_PROFILE, check_count
from model.decoding.orientation import RAW_PROFILES
from model.errors import CorruptImage

if TYPE_CHECKING:
    from PIL import Image

    from model.decoding.samples import Rows

MOST_CHUNKS = 50_000  # libpng writes 8 KiB in each IDAT: 2,600 of them in 20 MB
MOST_SIXTEEN = 5_000_000  # pixels of 16 bits that are decoded in this process: each may be read twice, and stretched

COLOUR = {b"PLTE", b"tRNS"}  # critical, or as good as that: a wrong checksum there is damage
ANCILLARY = {b"eXIf", b"iCCP", b"cICP"}  # of use, where they are sound
FULL_RANGE_RGB = (0, 1)  # of a cICP chunk; others are of video
PIXELS = {b"IHDR", b"IDAT", b"IEND"} | COLOUR
TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
ORIENTED = tuple(f"{name}\0".encode() for name in (*RAW_PROFILES, "XML:com.adobe.xmp"))  # texts: which way is up
ANIMATION = {b"acTL", b"fcTL", b"fdAT"}  # left out: the first picture is what is read


class Chunk(NamedTuple):
    kind: bytes
    start: int  # of its length
    end: int  # of its checksum


def read_header(data: bytes) -> Header:
    chunks = list(read_chunks(data))
    if not chunks or chunks[0].kind != b"IHDR":
        raise CorruptImage("the PNG image cannot be decoded (it does not begin with its header)")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    transparent = next((data[c.start + 8 : c.end - 4] for c in chunks if c.kind == b"tRNS"), None)
    cost = width * height * _bytes_a_pixel(depth, colour, transparent is not None)
    wide = depth == 16
    if wide and colour == 2 and transparent is None and 3 * width * height < MOST_EXACT:
        cost += width * height * RGB  # all 16 bits may be read once more
    useful = _useful(data, chunks)
    needed = _needed(data, chunks, useful)
    return Header(
        width,
        height,
        cost,
        needed,
        alone=wide and width * height > MOST_SIXTEEN,
        bits=depth,
        profile=_profile(data, useful),
        transparent=_key(transparent, colour) if wide and transparent else (),
        deep=partial(_samples, needed) if wide else None,
    )


def _key(transparent: bytes, colour: int) -> tuple[int, ...]:
    """Return the samples of what is transparent; none where the decoder is to refuse the chunk."""
    count = {0: 1, 2: 3}.get(colour, 0)
    return struct.unpack(f">{count}H", transparent[: 2 * count]) if len(transparent) >= 2 * count else ()


def _samples(data: bytes, reader: Any, picture: "Image.Image") -> "Rows":
    from model.decoding.samples import of_png

    return of_png(data, reader, picture)


def read_chunks(data: bytes) -> Iterator[Chunk]:
    position, found = 8, 0
    while position + 12 <= len(data):
        found += 1
        check_count(found, MOST_CHUNKS, "chunks")
        end = position + 12 + int.from_bytes(data[position : position + 4])
        kind = data[position + 4 : position + 8]
        yield Chunk(kind, position, end)
        if kind == b"IEND":
            return
        position = end


def _bytes_a_pixel(depth: int, colour: int, transparent: bool) -> int:
    if colour == 3:
        return PALETTE_ALPHA if transparent else PALETTE
    if colour in {4, 6}:
        return RGBA
    if transparent:
        return RGB + RGBA
    if colour == 2:
        return RGB
    return SIXTEEN if depth == 16 else GREY if depth == 8 else BLACK_AND_WHITE


def _useful(data: bytes, chunks: list[Chunk]) -> dict[bytes, Chunk]:
    """Return the first of each kind of metadata that is of use here, if it is sound."""
    found: dict[bytes, Chunk] = {}
    for chunk in chunks:
        name = _use(data, chunk)
        if name:
            found.setdefault(name, chunk)
    return {name: chunk for name, chunk in found.items() if _is_sound(data, chunk)}


def _profile(data: bytes, useful: dict[bytes, Chunk]) -> bytes | None:
    """Return the ICC profile, inflated: Pillow would refuse one of more than a megabyte. Code points come before it."""
    points = useful.get(b"cICP")
    if points and points.end - points.start == 12 + 4:
        primaries, transfer, *coding = data[points.start + 8 : points.end - 4]
        if tuple(coding) == FULL_RANGE_RGB:
            from model.decoding.code_points import profile_of

            return profile_of(primaries, transfer)
    chunk = useful.get(b"iCCP")
    return _inflated(data[chunk.start + 8 : chunk.end - 4], MOST_PROFILE) if chunk else None


def _needed(data: bytes, chunks: list[Chunk], useful: dict[bytes, Chunk]) -> bytes:
    wanted = {chunk for chunk in useful.values() if _is_small(data, chunk)}
    kept = [chunk for chunk in chunks if _is_critical(chunk) or chunk in wanted]
    changed = _transparency(data, chunks)
    if len(kept) == len(chunks) and not changed:
        return data
    return data[:8] + b"".join(changed.get(chunk) or data[chunk.start : chunk.end] for chunk in kept)


def _transparency(data: bytes, chunks: list[Chunk]) -> dict[Chunk, bytes]:
    """Write anew what Pillow would not read as it is meant: more alphas than colours; a grey of 2 or 4 bits."""
    chunk = next((chunk for chunk in chunks if chunk.kind == b"tRNS"), None)
    if chunk is None or not _is_sound(data, chunk):
        return {}
    depth, kind, content = data[24], data[25], data[chunk.start + 8 : chunk.end - 4]
    colours = sum(chunk.end - chunk.start - 12 for chunk in chunks if chunk.kind == b"PLTE") // 3
    if kind == 3 and len(content) > colours:
        return {chunk: _chunk(b"tRNS", content[:colours])}
    if kind == 0 and depth in {2, 4} and len(content) >= 2:
        grey = int.from_bytes(content[:2]) * 255 // (2**depth - 1)
        return {chunk: _chunk(b"tRNS", grey.to_bytes(4)[2:])}
    return {}


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def _is_critical(chunk: Chunk) -> bool:
    """Say whether pixels depend on it, or whether it says so itself: what nobody knows is for the decoder to refuse."""
    return chunk.kind in PIXELS or (chunk.kind not in ANIMATION and not chunk.kind[:1].islower())


def _use(data: bytes, chunk: Chunk) -> bytes | None:
    if chunk.kind in ANCILLARY:
        return chunk.kind
    texts = (name for name in ORIENTED if data.startswith(name, chunk.start + 8))
    return next(texts, None) if chunk.kind in TEXTS else None


def _is_sound(data: bytes, chunk: Chunk) -> bool:
    return zlib.crc32(data[chunk.start + 4 : chunk.end - 4]) == int.from_bytes(data[chunk.end - 4 : chunk.end])


def _is_small(data: bytes, chunk: Chunk) -> bool:
    """Say that Pillow is to read it: that it inflates to no more than what it takes."""
    content = data[chunk.start + 8 : chunk.end - 4]
    small = len(content) <= 2**20 and (chunk.kind == b"eXIf" or _inflated(content, 2**20) is not None)
    return small and chunk.kind not in {b"iCCP", b"cICP"}


def _inflated(content: bytes, most: int) -> bytes | None:
    """Inflate what follows a keyword and its zeros; None where that is more than `most` bytes, or is broken."""
    start = content.find(b"\x78", content.find(b"\0"))  # zlib's first byte
    if start < 0:
        return content
    try:
        inflating = zlib.decompressobj()
        found = inflating.decompress(content[start:], most + 1)
    except zlib.error:
        return content
    return found if len(found) <= most else None
