"""Colours that a file names by numbers instead of a profile (ITU-T H.273): AVIF and HEIC in `nclx`, PNG in `cICP`.

Of primaries, those of phones and of HDR are told from sRGB's; of transfer functions, those that look nothing like sRGB's. Brightness is
that of a screen that shows a white page at 203 cd/m² (ITU-R BT.2408): what is brighter in HDR is white.
"""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp

from model.decoding.srgb import COLORANTS, decoded

PRIMARIES = {  # red, green and blue in XYZ, adapted to D50
    9: ((0.6735, 0.2790, -0.0019), (0.1657, 0.6753, 0.0300), (0.1251, 0.0456, 0.7972)),  # BT.2020
    12: ((0.5151, 0.2412, -0.0010), (0.2920, 0.6922, 0.0419), (0.1572, 0.0666, 0.7844)),  # Display P3
}
LINEAR, PQ, HLG = 8, 16, 18
WHITE = 203.0  # cd/m²
PQ_PEAK, HLG_PEAK = 10_000.0, 1_000.0  # cd/m²
HLG_GAMMA = 1.2  # of a screen with that peak (ITU-R BT.2100)
STEPS = 256  # of a curve; pixels have eight bits
D50 = (0.9642, 1.0, 0.8249)
TAGS = (b"rXYZ", b"gXYZ", b"bXYZ")


def _pq(signal: float) -> float:
    """Return cd/m² over those of white (SMPTE ST 2084)."""
    root = signal ** (1 / 78.84375)
    return (
        PQ_PEAK / WHITE * float((max(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125))
    )


def _hlg(signal: float) -> float:
    """Return cd/m² over those of white (ITU-R BT.2100), each colour by itself."""
    scene = signal**2 / 3 if signal <= 0.5 else (exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return HLG_PEAK / WHITE * float(scene**HLG_GAMMA)


TRANSFERS: dict[int, Callable[[float], float]] = {LINEAR: float, PQ: _pq, HLG: _hlg}


def profile_in(boxes: Sequence[bytes]) -> bytes | None:
    """Return a profile for what a picture's `colr` boxes hold; an ICC profile among them is the decoder's to give."""
    stated = {box[:4]: box for box in boxes}
    points = stated.get(b"nclx", b"")
    return profile_of(*struct.unpack(">HH", points[4:8])) if len(stated) == 1 and len(points) >= 8 else None


@lru_cache(maxsize=16)
def profile_of(primaries: int, transfer: int) -> bytes | None:
    """Return an ICC profile of these colours; None where sRGB's is as good."""
    if primaries not in PRIMARIES and transfer not in TRANSFERS:
        return None
    colorants = PRIMARIES.get(primaries) or tuple(COLORANTS[name] for name in TAGS)
    to_light = TRANSFERS.get(transfer, decoded)
    light = [min(1.0, max(0.0, to_light(step / (STEPS - 1)))) for step in range(STEPS)]
    curve = struct.pack(f">4s4xI{STEPS}H", b"curv", STEPS, *(round(65535 * value) for value in light))
    contents = {name: _xyz(values) for name, values in zip(TAGS, colorants, strict=True)} | {b"wtpt": _xyz(D50)}
    return _written(contents | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def _xyz(values: tuple[float, ...]) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(value * 2**16) for value in values))


def _written(contents: dict[bytes, bytes]) -> bytes:
    """Write a profile of version 2 (ICC.1:2001-04, 6.1 and 6.2)."""
    start, entries, data = 128 + 4 + 12 * len(contents), [], b""
    for name, content in contents.items():
        entries.append(struct.pack(">4sII", name, start + len(data), len(content)))
        data += content
    head = struct.pack(
        ">I4x4s4s4s4s12x4s28x3i48x",
        start + len(data),
        b"\2\x40\0\0",
        b"mntr",
        b"RGB ",
        b"XYZ ",
        b"acsp",
        *(round(value * 2**16) for value in D50),
    )
    return b"".join([head, struct.pack(">I", len(contents)), *entries, data])
