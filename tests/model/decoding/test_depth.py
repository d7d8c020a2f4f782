"""Colours of 16 bits of which only the upper eight are at hand: too many samples to read all bits, or lossy ones."""

import pytest
from PIL import Image

from model.decoding.depth import from_dark
from model.decoding.header import Header
from model.errors import UnsupportedImage

UPPER_ONLY = Header(64, 64, 0, b"", bits=16)


@pytest.mark.parametrize(
    ("mode", "upper", "meant"),
    [
        ("RGB", (15, 0, 7), (255, 8, 123)),
        ("RGBA", (15, 0, 7, 15), (255, 8, 123, 255)),  # 4,095 is opaque
        ("RGBA", (15, 0, 7, 255), (255, 8, 123, 255)),
        ("RGBA", (15, 0, 7, 0), (255, 8, 123, 0)),
        ("RGBA", (200, 0, 7, 128), (200, 0, 7, 128)),
        ("CMYK", (15, 0, 8, 0), (255, 0, 136, 0)),
        ("CMYK", (200, 0, 8, 0), (200, 0, 8, 0)),
    ],
)
def test_upper_bits_are_stretched_and_alpha_and_inks_with_them(
    mode: str, upper: tuple[int, ...], meant: tuple[int, ...]
) -> None:
    found = from_dark(Image.new(mode, (64, 64), upper), UPPER_ONLY, None).getpixel((5, 5))
    assert all(abs(value - wanted) <= 1 for value, wanted in zip(found, meant, strict=True)), found


def test_too_few_upper_bits_are_refused_by_their_number() -> None:
    with pytest.raises(UnsupportedImage, match="uses 10 bits of its 16-bit samples"):
        from_dark(Image.new("RGB", (64, 64), (3, 1, 0)), UPPER_ONLY, None)


def test_dark_colours_that_alpha_multiplied_are_refused_where_not_all_bits_are_at_hand() -> None:
    header = Header(64, 64, 0, b"", bits=16, associated=True)
    with pytest.raises(UnsupportedImage, match="uses 12 bits"):
        from_dark(Image.new("RGBA", (64, 64), (255, 128, 0, 15)), header, None)
