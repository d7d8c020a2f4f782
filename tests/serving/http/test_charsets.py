"""Which characters stood for which bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.http.charsets import is_lost, restored
from tests.support.fakes import picture

PAIRS = (0xC3, 0xA9, 0x60)  # "é`" in UTF-8, for each pixel


@given(data=st.binary(max_size=200))
def test_a_jpeg_of_any_bytes_is_restored(data):
    image = b"\xff\xd8\xff" + data
    browsers = "".join(
        bytes([byte]).decode("latin-1" if byte in (129, 141, 143, 144, 157) else "cp1252") for byte in image
    )
    assert restored(image.decode("latin-1")) == restored(browsers) == image


@pytest.mark.parametrize("format", ["BMP", "PPM", "TGA"])
def test_an_image_whose_own_bytes_are_text_stays_as_it_is(format):
    for colour in (PAIRS, PAIRS[::-1]):
        image = picture(colour, (64, 48), format)
        try:
            text = image.decode()
        except UnicodeDecodeError:
            continue
        assert restored(text) == b""


@pytest.mark.parametrize("text", ["", "naïve", "日本", "“quoted”", "BMé", "P6 é", "P6\n9 9\n255\né"])
def test_other_text_is_no_image_or_one_that_is_cut_off(text):
    assert restored(text) in (b"", text.encode("latin-1", "ignore"))


@pytest.mark.parametrize("text", [b"", b"?", b"????", b"what?", b"GIF89a", b'{"a": "?"}', b"?PNG", b"BM?\0\0"])
def test_a_question_is_no_image(text):
    assert not is_lost(text)
