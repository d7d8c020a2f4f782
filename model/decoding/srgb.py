"""Whether an ICC profile describes sRGB, by what it computes (ICC.1, 8.3 to 8.4 and 10.6, 10.18): names and texts lie.

Nearly every profile in the wild is sRGB's, and changes nothing. What is not surely that is left to littleCMS.
"""

import struct
from functools import lru_cache

COLORANTS = {  # sRGB's, adapted to D50
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}
CURVES = {b"RGB ": (b"rTRC", b"gTRC", b"bTRC"), b"GRAY": (b"kTRC",)}
TABLES = {b"A2B0", b"A2B1", b"D2B0", b"D2B1"}  # they come before colorants and curves
SAMPLES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
NEAR = 0.0015  # of 1; profiles round sRGB's colorants differently
STRAIGHT = 0.04045  # below it sRGB's curve is a line (IEC 61966-2-1)
PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}  # a parametric curve's function → how many it has
MOST = 2**16  # bytes; sRGB's profiles have 0.4–8 kB
MOST_TAGS = 100


def is_srgb(profile: bytes) -> bool:
    return len(profile) <= MOST and profile[16:20] in CURVES and _computes_srgb(profile)


@lru_cache(maxsize=16)  # a camera's profile is the same in all its photos
def _computes_srgb(profile: bytes) -> bool:
    try:
        tags = _tags(profile)
        colorants = COLORANTS if profile[16:20] == b"RGB " else {}
        return (
            not TABLES & tags.keys()
            and all(_near(_xyz(tags[name]), meant) for name, meant in colorants.items())
            and all(_is_srgb_curve(tags[name]) for name in CURVES[profile[16:20]])
        )
    except (KeyError, IndexError, struct.error, ArithmeticError, TypeError):
        return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(min(count, MOST_TAGS)))
    return {name: profile[start : start + size] for name, start, size in entries}


def _xyz(tag: bytes) -> tuple[float, ...]:
    return tuple(value / 2**16 for value in struct.unpack_from(">3i", tag, 8))


def _near(found: tuple[float, ...], meant: tuple[float, ...]) -> bool:
    return all(abs(a - b) < NEAR for a, b in zip(found, meant, strict=True))


def _is_srgb_curve(tag: bytes) -> bool:
    return _near(tuple(_linear(tag, x) for x in SAMPLES), tuple(decoded(x) for x in SAMPLES))


def decoded(x: float) -> float:
    """Return the light of an sRGB signal."""
    return float(((x + 0.055) / 1.055) ** 2.4) if x > STRAIGHT else x / 12.92


def _linear(tag: bytes, x: float) -> float:
    return _parametric(tag, x) if tag[:4] == b"para" else _sampled(tag, x)


def _sampled(tag: bytes, x: float) -> float:
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return x
    if count == 1:
        return float(x ** (struct.unpack_from(">H", tag, 12)[0] / 256))
    at = min(int(x * (count - 1)), count - 2)
    low, high = struct.unpack_from(">2H", tag, 12 + 2 * at)
    return float(low + (high - low) * (x * (count - 1) - at)) / 65535


def _parametric(tag: bytes, x: float) -> float:
    function = int.from_bytes(tag[8:10])
    values = [value / 2**16 for value in struct.unpack_from(f">{PARAMETERS[function]}i", tag, 12)]
    g, a, b, c, d, e, f = values + [1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(values) - 1 :]
    if function in {1, 2}:
        d = -b / a
        e, f, c = c, c, 0.0
    return float((a * x + b) ** g + e) if x >= d or function == 0 else float(c * x + f)
