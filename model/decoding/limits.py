"""What an image may be, and may cost, before it is refused."""

from dataclasses import dataclass

from model.errors import ImageOutOfBounds

MB = 2**20
MOST_PROFILE = 2**22  # bytes of an ICC profile, inflated; a press profile has 0.5–3 MB
MOST_EXACT = 80_000_000  # samples of 16-bit colours, of which all bits are read; of more only the upper eight
SECONDS_FOR = 8_000_000  # pixels; a larger picture gets its time once for each


@dataclass(frozen=True)
class Limits:
    """The defaults fit a function of 512 MB that holds a compiled model (about 130 MB)."""

    max_bytes: int = 20 * 2**20  # the largest file; phone photos are 2–8 MB
    max_pixels: int = 50_000_000  # width × height; a 48-megapixel phone photo passes
    min_side: int = 16  # px; below it there is nothing to recognise
    max_decode_mb: int = 256  # MB that decoders hold at their peak, all threads together, beyond the file itself
    max_decode_seconds: float = 1.0  # s of one CPU, for each 8 megapixels or less, where no header bounds the decoder

    def seconds(self, pixels: int) -> float:
        return self.max_decode_seconds * max(1.0, pixels / SECONDS_FOR)


def megabytes(count: int) -> str:
    """Write a number of bytes for a person."""
    return f"{count / MB:,.1f} MB ({count:,} bytes)" if count >= MB else f"{count:,} bytes"


def check_size(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels:
        raise ImageOutOfBounds(
            f"the image is {width} × {height} px; at most {limits.max_pixels:,} pixels are decoded: scale it down"
        )
    if min(width, height) < limits.min_side:
        raise ImageOutOfBounds(
            f"the image is {width} × {height} px; its smaller side must have at least {limits.min_side} px"
        )


def check_cost(cost: int, limits: Limits) -> None:
    if cost > limits.max_decode_mb * MB:
        raise ImageOutOfBounds(
            f"decoding the image takes {cost / MB:,.0f} MB of memory; at most {limits.max_decode_mb:,} MB are lent to "
            "it: scale it down, or send it as a plain JPEG"
        )


def check_count(found: int, most: int, of: str) -> None:
    if found > most:
        raise ImageOutOfBounds(f"the image has more than {most:,} {of}: save it anew with an image editor")
