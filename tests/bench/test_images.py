from io import BytesIO

import pytest
from PIL import Image

from bench.images import KINDS, encode, tile


@pytest.mark.parametrize("name", KINDS)
def test_images_are_of_the_size_and_format_that_they_claim(name):
    kind = KINDS[name]
    data = encode(tile(kind.size), kind)
    assert 0.4 * kind.most < len(data) <= kind.most
    with Image.open(BytesIO(data)) as picture:
        assert (picture.format, picture.size) == (kind.format, kind.size)
