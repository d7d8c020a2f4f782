from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.image import Limits
from training.report.thumbnails import SIDE, overlay, thumbnail


def opened(address: str) -> Image.Image:
    assert address.startswith("data:image/webp;base64,")
    return Image.open(BytesIO(b64decode(address.partition(",")[2])))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A wide photo that tells where it was taken, and that lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    picture = Image.fromarray(np.full((300, 600, 3), (200, 30, 30), np.uint8))
    picture.save(tmp_path / "photo.jpg", exif=exif, comment=b"secret", dpi=(300, 300))
    return tmp_path / "photo.jpg"


def test_a_thumbnail_is_small_upright_and_without_metadata(photo: Path) -> None:
    found = thumbnail(photo, Limits())
    assert found
    assert (found.width, found.height) == (SIDE // 2, SIDE)
    small = opened(found.address)
    assert small.size == (found.width, found.height)
    assert not small.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment", "dpi"} & set(small.info)
    data = b64decode(found.address.partition(",")[2])
    assert not [word for word in (b"Maker", b"secret", b"EXIF", b"ICCP", b"XMP") if word in data]


def test_a_file_that_is_gone_or_broken_has_no_thumbnail(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    assert thumbnail(tmp_path / "broken.jpg", Limits()) is None
    assert thumbnail(tmp_path / "gone.jpg", Limits()) is None


def test_a_panorama_keeps_some_height(tmp_path: Path) -> None:
    Image.new("RGB", (2000, 40)).save(tmp_path / "wide.png")
    found = thumbnail(tmp_path / "wide.png", Limits())
    assert found
    assert (found.width, found.height) == (SIDE, SIDE // 4)


def test_evidence_is_orange_where_it_speaks_for_and_blue_where_against(photo: Path) -> None:
    found = thumbnail(photo, Limits())
    assert found
    evidence = np.zeros((8, 8), np.float32)
    evidence[:, 0], evidence[:, 7] = 1, -1
    pixels = np.asarray(opened(overlay(evidence, found)).convert("RGBA"))
    left, middle, right = pixels[20, 1], pixels[20, pixels.shape[1] // 2], pixels[20, -2]
    assert left[0] > left[2]
    assert right[2] > right[0]
    assert middle[3] < 10 < left[3]


def test_no_evidence_covers_nothing(photo: Path) -> None:
    found = thumbnail(photo, Limits())
    assert found
    assert np.asarray(opened(overlay(np.zeros((8, 8), np.float32), found)).convert("RGBA"))[..., 3].max() == 0
