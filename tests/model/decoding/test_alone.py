"""Decoders in processes of their own: one image ends its own decode, and nothing else."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.decoding import alone
from model.errors import CorruptImage, ImageOutOfBounds
from model.image import Limits, decode
from tests.model.decoding.hostile import avif, bmp, encoded

ROOT = Path(__file__).parents[3]
SLOW = Limits(max_decode_seconds=0.02)  # less than a picture takes that costs half a second


def slow() -> bytes:
    """A sound BMP that Pillow takes half a second to read."""
    return bmp(1_000, 1_000, b"\1\0" * 500_000 + b"\0\1")


def test_a_decode_past_its_time_ends_and_the_next_one_works() -> None:
    with pytest.raises(ImageOutOfBounds, match=r"more than the 0.02 s of a CPU"):
        decode(slow(), SLOW)
    assert decode(avif()).tensor.shape == (299, 299, 3)


def test_a_process_is_used_again() -> None:
    alone.close_all()
    decode(avif())
    [first] = alone._idle
    with pytest.raises(CorruptImage, match="AVIF"):
        decode(avif()[:-20])
    decode(avif())
    assert alone._idle == [first]


def test_a_process_that_died_while_idle_is_replaced() -> None:
    decode(avif())
    alone._idle[-1]._process.kill()
    alone._idle[-1]._process.wait()
    assert decode(avif()).format == "AVIF"


def test_a_process_that_somebody_ends_does_not_cost_a_sound_image_its_decode() -> None:
    alone.close_all()
    decode(avif())
    process = alone._idle[-1]._process
    process.send_signal(signal.SIGSTOP)  # it takes the image and no notice of it
    threading.Timer(0.3, process.kill).start()
    assert decode(avif()).format == "AVIF"


def test_threads_decode_side_by_side_and_bad_images_harm_no_good_ones() -> None:
    good, bad = encoded(Image.new("RGB", (300, 300), (10, 200, 30)), "AVIF"), slow()

    def outcome(number: int) -> str:
        try:
            return str(
                np.median(decode(bad if number % 4 == 0 else good, SLOW if number % 4 == 0 else Limits()).tensor)
            )
        except ImageOutOfBounds:
            return "refused"

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(outcome, range(24)))
    assert found.count("refused") == 6
    assert len(set(found)) == 2


def test_memory_is_shared_by_all_threads() -> None:
    data = encoded(Image.new("RGB", (1500, 1500)), "PNG")  # 9 MB: one at a time
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: decode(data, Limits(max_decode_mb=10)).width, range(8)))
    assert found == [1500] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_starts_its_own() -> None:
    code = (
        "import os, sys; from model.image import decode; data = open(sys.argv[1], 'rb').read(); decode(data);"
        "pid = os.fork(); decode(data);"
        "sys.exit(0 if not pid else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    path = Path(__file__).parents[1] / "four_colours.heic"
    assert subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, check=False, timeout=60).returncode == 0


def test_nothing_is_left_behind_when_the_process_ends() -> None:
    code = (
        "import sys; from model.image import decode; from model.decoding import alone;"
        "decode(open(sys.argv[1], 'rb').read()); print(alone._idle[0]._process.pid)"
    )
    path = Path(__file__).parents[1] / "four_colours.heic"
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_the_decoders_process_does_not_import_numpy() -> None:
    code = "import sys, model.decoding.worker; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_jpeg_imports_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys; from model.image import decode; decode(open(sys.argv[1], 'rb').read());"
        "print(*sorted(set(sys.modules) & {'PIL.ImageCms', 'model.decoding.alone', 'model.decoding.depth',"
        "'model.decoding.colour', 'model.decoding.samples', 'model.decoding.incomplete', 'PIL.PngImagePlugin', 'model.decoding.tiff', 'model.decoding.boxes'}))"
    )
    path = ROOT / "build" / "plain.jpg"
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (640, 480)).save(path)
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
