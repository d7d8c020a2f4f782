"""Images that cost their decoder more than they look: each kind of lie in each format, small, made here and now."""

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.model.decoding.overlays import overlays

PNG = b"\x89PNG\r\n\x1a\n"
MB = 2**20
LARGE = 7_000  # px; squared it is 49 megapixels, within the limit of pixels
HEIC = Path(__file__).parents[1] / "four_colours.heic"


def encoded(picture: Image.Image, format: str, **options) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zeros(count: int) -> bytes:
    """A zlib stream of so many zeros, a thousandth of their size."""
    packer = zlib.compressobj(1)
    blocks = [packer.compress(bytes(min(MB, count - done))) for done in range(0, count, MB)]
    return b"".join([*blocks, packer.flush()])


def png(
    width: int, height: int, depth: int, colour: int, pixels: bytes, extra: bytes = b"", interlaced: int = 0
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return PNG + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def png_with(extra: bytes) -> bytes:
    return png(64, 64, 8, 2, zeros((64 * 3 + 1) * 64), extra)


def jpeg(side: int = 64, **options) -> bytes:
    return encoded(Image.new("RGB", (side, side), "red"), "JPEG", **options)


def jpeg_with(extra: bytes) -> bytes:
    return jpeg()[:2] + extra + jpeg()[2:]


def segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def scans(side: int, count: int, between: bytes = b"") -> bytes:
    """A progressive grey JPEG of so many empty scans, ten bytes each."""

    def table(kind: int) -> bytes:
        return segment(0xC4, bytes([kind << 4]) + bytes([1] + [0] * 15) + bytes([0]))

    def scan(first: int, last: int) -> bytes:
        return segment(0xDA, b"\x01\x01\x00" + bytes([first, last, 0]))

    size = segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00")
    tables = segment(0xDB, b"\0" + bytes([1] * 64)) + size + table(0) + table(1)
    return b"\xff\xd8" + tables + scan(0, 0) + between + scan(1, 63) * (count - 1) + b"\xff\xd9"


def arithmetic(side: int) -> bytes:
    """A JPEG of one arithmetically coded scan without data: every decision is made up."""
    size = segment(0xC9, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00")
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
    return b"\xff\xd8" + segment(0xDB, b"\0" + bytes([1] * 64)) + size + scan + b"\xff\xd9"


def gif(screen: tuple[int, int], frame: tuple[int, int], before: bytes = b"") -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6)
    return head + before + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x4c\x01\0;"


def bmp(width: int, height: int, data: bytes, compression: int = 1, bits: int = 8) -> bytes:
    colours = bytes(1024) if bits == 8 else b""
    start = 54 + len(colours)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + colours + data


def tiff(tags: dict[int, tuple[int, list[int]]], data: bytes = b"", *, big: bool = False, order: str = "<") -> bytes:
    """A TIFF of these tags: number → (type, values). An offset of -1 stands for where `data` begins."""
    letters = {1: "B", 3: "H", 4: "I", 16: "Q"}
    first, entry, inline = (16, 20, 8) if big else (8, 12, 4)
    values_at = first + (8 if big else 2) + entry * len(tags) + inline
    sizes = {tag: struct.calcsize(f"={len(v)}{letters[k]}") for tag, (k, v) in tags.items()}
    data_at = values_at + sum(size for size in sizes.values() if size > inline)
    entries, outside = b"", b""
    for tag, (kind, values) in sorted(tags.items()):
        raw = struct.pack(f"{order}{len(values)}{letters[kind]}", *(data_at if v == -1 else v for v in values))
        if len(raw) > inline:
            place, outside = values_at + len(outside), outside + raw
            raw = struct.pack(f"{order}{'Q' if big else 'I'}", place)
        entries += struct.pack(f"{order}HH{'Q' if big else 'I'}", tag, kind, len(values)) + raw.ljust(inline, b"\0")
    mark = b"II" if order == "<" else b"MM"
    head = mark + (struct.pack(f"{order}HHHQ", 43, 8, 0, 16) if big else struct.pack(f"{order}HI", 42, 8))
    count = struct.pack(f"{order}{'Q' if big else 'H'}", len(tags))
    return head + count + entries + bytes(inline) + outside + data


def strip_tags(
    width: int, height: int, bits: int, samples: int, size: int, **others: int
) -> dict[int, tuple[int, list[int]]]:
    named = {"compression": 8, "photometric": 2 if samples >= 3 else 1, "format": 1} | others
    return {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [bits] * samples),
        259: (3, [named["compression"]]),
        262: (3, [named["photometric"]]),
        273: (4, [-1]),
        277: (3, [samples]),
        278: (4, [height]),
        279: (4, [size]),
        339: (3, [named["format"]] * samples),
    }


def tiled(side: int, tile: int) -> bytes:
    tags = strip_tags(side, side, 8, 3, 100)
    places = {322: (4, [tile]), 323: (4, [tile]), 324: (4, [-1]), 325: (4, [100])}
    return tiff({tag: value for tag, value in tags.items() if tag not in {273, 278, 279}} | places, bytes(100))


def webp(kind: bytes, width: int, height: int) -> bytes:
    if kind == b"VP8X":
        body = bytes([0x10]) + bytes(3) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    else:
        body = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(8)
    content = b"WEBP" + kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def resized_boxes(data: bytes, width: int, height: int) -> bytes:
    """The same HEIC or AVIF, whose boxes state another size than its bitstream."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def avif(side: int = 64) -> bytes:
    return encoded(Image.new("RGB", (side, side), "red"), "AVIF")


def jp2(side: int, tile: int) -> bytes:
    data = encoded(Image.new("RGB", (64, 64), "red"), "JPEG2000")
    at = data.index(b"\xff\x4f\xff\x51") + 8
    return data[:at] + struct.pack(">8I", side, side, 0, 0, tile, tile, 0, 0) + data[at + 32 :]


REFUSED: dict[str, Callable[[], bytes]] = {  # too dear by their headers, or at the bounds of their own process
    "AVIF of 16 px that says 7,000": lambda: resized_boxes(avif(16), LARGE, LARGE),
    "AVIF of a million boxes": lambda: avif()[:32] + box(b"free", b"") * 10**6 + avif()[32:],
    "BigTIFF of 300,000 tags": lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 300_000) + bytes(20 * 300_000),
    "BMP, RLE, 16 × 3,125,000": lambda: bmp(3_125_000, 16, b"\1\0\0\0" * 16 + b"\0\1"),
    "BMP, RLE, ten million runs": lambda: bmp(2_000, 2_000, b"\1\0" * 9_000_000 + b"\0\1"),
    "BMP of 32 bits, 49 megapixels": lambda: bmp(LARGE, LARGE, b"", 0, 32),
    "GIF, a million comments": lambda: gif((64, 64), (64, 64), b"!\xfe\1a\0" * 10**6),
    "GIF, a frame larger than its canvas": lambda: gif((16, 16), (65_535, 65_535)),
    "GIF, a canvas larger than its frame": lambda: gif((65_535, 762), (16, 16)),
    "HEIC, 2 ** 30 overlays": lambda: overlays(30, 2),
    "HEIC, 10 ** 5 overlays": lambda: overlays(5, 10),
    "HEIC, 1,000 overlays": lambda: overlays(1, 1_100),
    "HEIC of 64 px that says 7,000": lambda: resized_boxes(HEIC.read_bytes(), LARGE, LARGE),
    "JPEG 2000, 49 megapixels": lambda: jp2(LARGE, LARGE),
    "JPEG 2000, tiles of one pixel": lambda: jp2(2_000, 1),
    "JPEG, 2,000 scans": lambda: scans(LARGE, 2_000),
    "JPEG, a million comments": lambda: jpeg_with(segment(0xFE, b"") * 10**6),
    "JPEG, a million tables": lambda: jpeg_with(segment(0xDB, b"\0" + bytes([1] * 64)) * 10**5),
    "JPEG, 10,000 comments between two scans": lambda: scans(64, 2, segment(0xFE, b"") * 10_000),
    "JPEG, 300,000 Photoshop segments": lambda: jpeg_with(segment(0xED, b"Photoshop 3.0\0") * 300_000),
    "PNG, a million empty chunks": lambda: png_with(chunk(b"prVt", b"") * 10**6),
    "PNG, a million texts": lambda: png_with(chunk(b"tEXt", b"a\0") * 10**6),
    "PNG, a million empty IDATs": lambda: png_with(chunk(b"IDAT", b"") * 10**6),
    "PNG, interlaced, 16-bit, 49 megapixels": lambda: png(LARGE, LARGE, 16, 6, zeros(10), interlaced=1),
    "PNG, a transparent palette, 49 megapixels": lambda: png(
        LARGE, LARGE, 8, 3, zeros(10), chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(256))
    ),
    "PNM, 49 megapixels": lambda: b"P6 7000 7000 255\n",
    "PNM in text, 4 megapixels": lambda: b"P3 2000 2000 255\n" + b"1 " * (2_000 * 2_000 * 2),
    "TGA, 49 megapixels in 2 kB": lambda: (
        struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, LARGE, LARGE, 32, 8) + bytes(2_000)
    ),
    "TIFF, forty tags that are all of the file": lambda: tiff(
        strip_tags(64, 64, 8, 1, 4096)
        | {tag: (1, [0] * 200_000) for tag in (*range(512, 522), *range(529, 533))}
        | {34675: (1, [0] * 6_000_000), 347: (1, [0] * 6_000_000)}
    ),
    "HEIC, ten million references": lambda: (
        HEIC.read_bytes()[: int.from_bytes(HEIC.read_bytes()[:4])]
        + box(b"meta", bytes(4) + box(b"iref", bytes(4) + box(b"dimg", b"\0\1\x03\xe8" + bytes(2000)) * 3_000))
    ),
    "AVIF, ten million properties": lambda: (
        avif()[:32]
        + box(
            b"meta",
            bytes(4) + box(b"iprp", box(b"ipma", bytes(4) + b"\0\0\x0f\x00" + (b"\0\1\xff" + bytes(255)) * 3_800) * 3),
        )
    ),
    "TIFF, a tile of 26,000 px in a picture of 64": lambda: tiled(64, 26_000),
    "TIFF, floats, 49 megapixels": lambda: tiff(strip_tags(LARGE, LARGE, 32, 1, 10, format=3), zeros(10)),
    "TIFF, 16-bit RGBA, 49 megapixels": lambda: tiff(strip_tags(LARGE, LARGE, 16, 4, 10), zeros(10)),
    "TIFF, CMYK, 49 megapixels": lambda: tiff(strip_tags(LARGE, LARGE, 8, 4, 10, photometric=5), zeros(10)),
    "TIFF, 2.4 million strips": lambda: tiff(
        strip_tags(16, 600_000, 8, 1, 10, compression=1)
        | {273: (4, [8] * 600_000), 278: (3, [1]), 279: (4, [16] * 600_000)}
    ),
    "WebP, lossless, 36 bytes": lambda: webp(b"VP8L", LARGE, LARGE),
    "WebP, an empty canvas": lambda: webp(b"VP8X", LARGE, LARGE),
}
SURVIVED: dict[str, Callable[[], bytes]] = {  # sound pixels in hostile company: read without it
    "PNG, 4,000 texts of 1 MB": lambda: png_with(chunk(b"zTXt", b"Raw profile type exif\0\0" + zeros(MB)) * 4_000),
    "PNG, 16-bit grey, 3,000,000 px wide": lambda: png(3_000_000, 16, 16, 0, zeros((6_000_000 + 1) * 16)),
    "JPEG, 100 scans of 49 megapixels": lambda: scans(LARGE, 100),
    "JPEG, a profile that is a program": lambda: encoded(
        Image.new("RGB", (64, 64)), "JPEG", icc_profile=bytes(16) + b"RGB " + b"mpet" * 100_000
    ),
    "arithmetic JPEG, 49 megapixels of nothing": lambda: arithmetic(LARGE),
    "AVIF of 3,000 px that says 64": lambda: resized_boxes(avif(3_000), 64, 64),
    "GIF, a comment of 20 MB": lambda: gif_with_comment(19 * MB),
    "JPEG, 20 MB of fill bytes": lambda: jpeg_with(b"\xff" * (19 * MB)),
    "JPEG, 20 MB of EXIF": lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 300),
    "PNG, a profile of 100 MB": lambda: png_with(chunk(b"iCCP", b"x\0\0" + zeros(100 * MB))),
    "PNG, a text of 100 MB": lambda: png_with(chunk(b"zTXt", b"x\0\0" + zeros(100 * MB))),
    "PNG, an international text of 100 MB": lambda: png_with(
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zeros(100 * MB))
    ),
    "PNG, ImageMagick's EXIF, of 100 MB": lambda: png_with(
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zeros(100 * MB))
    ),
}


def gif_with_comment(size: int) -> bytes:
    data = encoded(Image.new("P", (64, 64)), "GIF")
    start = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    return data[:start] + b"!\xfe" + (b"\xff" + bytes(255)) * (size // 256) + b"\0" + data[start:]


def hostile() -> Iterator[tuple[str, bytes]]:
    for name, make in (REFUSED | SURVIVED).items():
        yield name, make()
