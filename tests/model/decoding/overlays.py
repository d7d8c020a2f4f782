"""HEIC files that are composed of pictures, which are composed of pictures: what a billion laughs are in XML."""

import struct
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "four_colours.heic"


def overlays(depth: int, fan: int, kind: bytes = b"iovl") -> bytes:
    """A HEIC of `depth` levels of `fan` overlays, each composed of all `fan` of the level below: fan ** depth decodings."""
    properties, leaf = _parts()
    width, height = struct.unpack(">II", properties[b"ispe"][12:20])
    items = list(range(1, fan * (depth + 1) + 1))

    def below(item: int) -> range:
        first = (item - 1) // fan * fan - fan + 1
        return range(first, first + fan)

    canvas = struct.pack(">BB4H2H", 0, 0, 0, 0, 0, 65535, width, height) + b"\0\0\0\0" * fan
    names = b"".join(
        _full(b"infe", struct.pack(">HH4s", i, 0, b"hvc1" if i <= fan else kind) + b"\0", 2) for i in items
    )
    derived = [i for i in items if i > fan]
    made_of = b"".join(
        _box(b"dimg", struct.pack(">HH", i, fan) + b"".join(struct.pack(">H", j) for j in below(i))) for i in derived
    )
    owned = b"".join(
        struct.pack(">HB", i, 2 if i <= fan else 1) + (b"\x81\x02" if i <= fan else b"\x02") for i in items
    )
    shared = _box(b"ipco", properties[b"hvcC"] + properties[b"ispe"])

    def meta(start: int) -> bytes:
        places = b"".join(
            struct.pack(
                ">HHHHII", i, int(i > fan), 0, 1, start if i <= fan else 0, len(leaf) if i <= fan else len(canvas)
            )
            for i in items
        )
        return _full(
            b"meta",
            _full(b"hdlr", b"\0\0\0\0pict" + bytes(13))
            + _full(b"pitm", struct.pack(">H", items[-1]))
            + _full(b"iinf", struct.pack(">H", len(items)) + names)
            + _full(b"iref", made_of)
            + _box(b"iprp", shared + _full(b"ipma", struct.pack(">I", len(items)) + owned))
            + _full(b"iloc", b"\x44\x00" + struct.pack(">H", len(items)) + places, 1)
            + _box(b"idat", canvas),
        )

    brand = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    return brand + meta(len(brand) + len(meta(0)) + 8) + _box(b"mdat", leaf)


def _parts() -> tuple[dict[bytes, bytes], bytes]:
    """Return the properties of the source's picture, and its bitstream."""
    data = SOURCE.read_bytes()
    at = data.index(b"ipco") + 4
    end = at - 8 + struct.unpack(">I", data[at - 8 : at - 4])[0]
    properties = {}
    while at < end:
        (size,) = struct.unpack(">I", data[at : at + 4])
        properties[data[at + 4 : at + 8]] = data[at : at + size]
        at += size
    stream = data.index(b"mdat")
    return properties, data[stream + 4 : stream - 4 + struct.unpack(">I", data[stream - 4 : stream])[0]]


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def _full(kind: bytes, data: bytes, version: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24) + data)
