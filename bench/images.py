"""The images that are sent: of the sizes that people send, tiled from the two photographs that come inside scikit-learn.

They are the same on every machine, and as rich in detail as photographs are: a picture that is merely enlarged decodes faster.
"""

import base64
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.machine import ROOT

EVENT = ROOT / "tests" / "events" / "apigateway-v1-image.json"  # as API Gateway's REST API hands a binary body over
QUALITY = range(95, 40, -1)  # of JPEG and WebP; the best that keeps to the size


@dataclass(frozen=True)
class Kind:
    format: str
    size: tuple[int, int]  # px
    most: int  # bytes


KINDS = {
    "30 kB JPEG": Kind("JPEG", (320, 240), 32_000),
    "300 kB JPEG": Kind("JPEG", (1280, 960), 320_000),
    "3 MB JPEG, 12 MP": Kind("JPEG", (4000, 3000), 3_200_000),
    "PNG": Kind("PNG", (640, 480), 10**6),
    "WebP": Kind("WEBP", (1280, 960), 320_000),
}
SMALL = "30 kB JPEG"  # what a cold start and the comparison with others are measured with


def write_events(folder: Path) -> None:
    """Write the event that carries each kind."""
    folder.mkdir()
    recorded = json.loads(EVENT.read_text())
    for name, kind in KINDS.items():
        body = {"body": base64.b64encode(encode(tile(kind.size), kind)).decode(), "isBase64Encoded": True}
        (folder / f"{name}.json").write_text(json.dumps(recorded | body))


def tile(size: tuple[int, int]) -> Image.Image:
    """Fill the size with the two photographs at half their size, by turns."""
    width, height = size
    first, second = (np.asarray(Image.fromarray(photo).reduce(2)) for photo in _photographs())  # (214, 320, 3)
    row = np.concatenate([first, second, first[:, ::-1], second[:, ::-1]], axis=1)
    rows = np.concatenate([row, row[::-1]])
    times = (-(-height // rows.shape[0]), -(-width // rows.shape[1]), 1)
    return Image.fromarray(np.tile(rows, times)[:height, :width])


def encode(picture: Image.Image, kind: Kind) -> bytes:
    for quality in QUALITY:
        file = BytesIO()
        picture.save(file, kind.format, quality=quality)
        if file.tell() <= kind.most:
            break
    return file.getvalue()


def _photographs() -> list[NDArray[np.uint8]]:
    from sklearn.datasets import load_sample_images

    found: list[NDArray[np.uint8]] = load_sample_images().images  # a temple and a flower, (427, 640, 3) each
    return found
