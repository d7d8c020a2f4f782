"""Whatever the bytes, decoding ends, soon, within the memory that it was lent."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bench.cgroup import Limit, limited, why_not
from model.decoding.header import read_header
from model.errors import ImageError, ImageOutOfBounds
from model.image import Limits, decode, image_format
from tests.model.decoding.hostile import MB, REFUSED, SURVIVED, encoded, hostile

ROOT = Path(__file__).parents[3]
ATTACKS = ROOT.parent / "shared" / "cases" / "attack"
NO_LIMIT = Limits(max_pixels=10**9, max_decode_mb=10**6)

DECODE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from model.errors import ImageError
from model.image import Limits, decode
ballast = bytearray(int(sys.argv[1]) * 2**20)  # what a loaded model takes
ballast[::4096] = b"1" * len(ballast[::4096])
def attempt(path):
    try:
        decode(Path(path).read_bytes())
    except ImageError:
        pass
for path in sys.argv[2:]:
    attempt(path)
with ThreadPoolExecutor(4) as threads:
    list(threads.map(attempt, sys.argv[2:]))
"""
PEAK = """
import sys
from pathlib import Path
from model.errors import ImageError
from model.image import Limits, decode
data = Path(sys.argv[1]).read_bytes()
field = lambda name: int(open("/proc/self/status").read().partition(name)[2].split()[0])
import numpy, PIL.ImageFile
decode(Path(sys.argv[2]).read_bytes())
open("/proc/self/clear_refs", "w").write("5")
before = field("VmRSS:")
decode(data, Limits(max_pixels=10**9, max_decode_mb=10**6))
print(field("VmHWM:") - before)
"""


@pytest.mark.parametrize("name", REFUSED)
def test_what_costs_more_than_it_looks_is_refused(name: str) -> None:
    with pytest.raises(ImageError) as refusal:
        decode(REFUSED[name]())
    assert str(refusal.value)
    assert "Error" not in str(refusal.value)


@pytest.mark.parametrize("name", SURVIVED)
def test_sound_pixels_in_hostile_company_are_read_without_it(name: str) -> None:
    assert decode(SURVIVED[name]()).tensor.shape == (299, 299, 3)


@pytest.mark.parametrize("name", ["heic-overlay-30.heic", "webp-49mp-36-bytes.webp", "tiff-float32-50mp.tif"])
def test_known_attacks_are_refused(name: str) -> None:
    if not ATTACKS.is_dir():
        pytest.skip(f"needs the known attacks at {ATTACKS}")
    with pytest.raises(ImageOutOfBounds):
        decode((ATTACKS / name).read_bytes())


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_a_function_of_512_mb_with_a_model_survives_every_input(tmp_path: Path) -> None:
    paths = []
    sound = [encoded(large("RGB"), format) for format in ("PNG", "TIFF", "WEBP")]
    for number, data in enumerate([*(data for _, data in hostile()), *sound]):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(data)
    with limited(Limit(512, 2)) as box:
        done = subprocess.run(
            [sys.executable, "-c", DECODE, "100", *map(str, paths)],
            cwd=ROOT,
            preexec_fn=box.enter,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]


def large(mode: str) -> Image.Image:
    picture = Image.linear_gradient("L").resize((2200, 2200)).convert({"RGBA": "RGB", "LAB": "RGB"}.get(mode, mode))
    if mode == "RGBA":
        picture.putalpha(100)
    return Image.merge("LAB", picture.split()) if mode == "LAB" else picture


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("1", "PNG", {}),
        ("L", "PNG", {}),
        ("P", "PNG", {}),
        ("P", "PNG", {"transparency": 3}),
        ("RGB", "PNG", {}),
        ("RGB", "PNG", {"transparency": (1, 2, 3)}),
        ("RGBA", "PNG", {}),
        ("I;16", "PNG", {}),
        ("RGB", "WEBP", {"method": 0}),
        ("RGBA", "WEBP", {"lossless": True, "method": 0, "quality": 0}),
        ("P", "GIF", {}),
        ("P", "GIF", {"transparency": 3}),
        ("RGB", "BMP", {}),
        ("RGBA", "BMP", {}),
        ("RGB", "TGA", {"compression": "tga_rle"}),
        ("RGB", "PPM", {}),
        ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
        ("CMYK", "JPEG", {"progressive": True}),
    ],
)
def test_a_decode_holds_no_more_than_its_header_promised(mode: str, format: str, options: dict, tmp_path: Path) -> None:
    picture = large(mode)
    data = encoded(picture, format, **options)
    (tmp_path / "image").write_bytes(data)
    (tmp_path / "warm").write_bytes(encoded(picture.resize((64, 64)), format, **options))
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "image", tmp_path / "warm"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    promised = read_header(image_format(data), data, NO_LIMIT)
    assert not promised.alone
    assert int(done.stdout) * 1024 < promised.cost + 2 * len(data) + 16 * MB  # 16 MB: rows on their way to 8 bits


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("RGB", "AVIF", {"speed": 10}),
        ("RGBA", "AVIF", {"speed": 10}),
        ("L", "AVIF", {"speed": 10}),
        ("RGB", "JPEG2000", {}),
        ("RGB", "TIFF", {"compression": "tiff_lzw"}),
        ("RGBA", "TIFF", {"compression": "tiff_lzw"}),
        ("CMYK", "TIFF", {"compression": "tiff_lzw"}),
        ("LAB", "TIFF", {"compression": "tiff_lzw"}),
        ("F", "TIFF", {"compression": "tiff_deflate"}),
        ("I;16", "TIFF", {"compression": "tiff_deflate"}),
        ("1", "TIFF", {"compression": "group4"}),
        ("RGB", "TIFF", {"compression": "jpeg"}),
        ("RGB", "TIFF", {"compression": "zstd"}),
        ("I;16", "TIFF", {}),
        ("RGB", "TIFF", {}),
    ],
)
def test_what_is_fair_for_its_size_is_enough_for_a_sound_image(mode: str, format: str, options: dict) -> None:
    data = encoded(large(mode), format, **options)
    assert read_header(image_format(data), data, NO_LIMIT).alone
    assert decode(data).width == 2200


def test_memory_for_decoding_is_a_limit_with_a_unit() -> None:
    data = encoded(Image.new("RGB", (1000, 1000)), "PNG")
    with pytest.raises(ImageOutOfBounds, match=r"takes 4 MB of memory; at most 3 MB"):
        decode(data, Limits(max_decode_mb=3))
    assert decode(data, Limits(max_decode_mb=4)).width == 1000


def test_time_follows_the_size_that_is_stated() -> None:
    assert Limits(max_decode_seconds=0.5).seconds(64 * 64) == 0.5
    assert Limits(max_decode_seconds=0.5).seconds(48_000_000) == 3.0


def test_a_header_that_lies_to_the_decoder_is_told_so() -> None:
    data = encoded(Image.new("RGB", (64, 64)), "PNG")
    header = read_header("PNG", data, Limits())
    from model.decoding.picture import read_picture

    with pytest.raises(ImageOutOfBounds, match="says that it is 16 × 16 px and holds 64 × 64"):
        read_picture("PNG", replace(header, width=16, height=16))
