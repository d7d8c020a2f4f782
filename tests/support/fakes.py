"""Stand-ins for the model and the telemetry, and pictures to send."""

import base64
from io import BytesIO

import numpy as np
from flask import Flask
from numpy.typing import NDArray
from PIL import Image

from model.classifier import Classifier
from model.decision import Thresholds
from model.engine import Engine, Outputs
from model.manifest import FileEntry, Manifest
from serving.http.app import create_app
from serving.model_loader import ModelLoader
from serving.settings import Settings
from serving.telemetry import Entry

LABELS = ("blue", "green", "red")


class ColourEngine(Engine):
    """Scores an image by how much of each colour it holds; the paler it is, the farther from what was taught."""

    name = "litert"

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        places = images[:, :296, :296, ::-1].reshape(-1, 8, 37, 8, 37, 3).mean(axis=(2, 4), dtype=np.float32)
        amounts = images.mean(axis=(1, 2), dtype=np.float32)[:, ::-1]  # (N, 3): blue, green, red
        scores = amounts / amounts.sum(axis=1, keepdims=True)
        return Outputs(scores, amounts.min(axis=1) / 255, places / 32)


class ListTelemetry:
    def __init__(self) -> None:
        self.lines: list[Entry] = []
        self.uploads: list[Entry] = []
        self.failures: list[tuple[Entry, Exception]] = []
        self.refusals: list[tuple[Entry, Exception]] = []

    def answered(self, entry: Entry) -> None:
        self.lines.append(entry)

    def settled(self, entry: Entry) -> None:
        self.uploads.append(entry)

    def failed(self, entry: Entry, error: Exception) -> None:
        self.failures.append((entry, error))

    def refused(self, entry: Entry, error: Exception) -> None:
        self.refusals.append((entry, error))


# Of a mixture of two colours no label is sure enough; white is none of the three.
THRESHOLDS = Thresholds(precision=0.95, labels=(0.6, 0.6, 0.6), distance=0.9, false_alarms=0.05)


def colour_classifier(thresholds: Thresholds | None = None) -> Classifier:
    """A model as it was made before there were thresholds, or one that has some."""
    manifest = Manifest(
        name="colours",
        created="2026-01-01T00:00:00Z",
        labels=LABELS,
        preprocessing="1",
        backbone={},
        training={},
        metrics={"litert": {"accuracy": 0.9, "n": 30}},
        parity={"agreement": 1.0},
        libraries={},
        git_commit=None,
        files={"assets.extra/labels.txt": FileEntry("0" * 64, 15)},
        thresholds=thresholds,
    )
    return Classifier(ColourEngine(), manifest, version=3)


def colour_app(settings: Settings = Settings(), thresholds: Thresholds | None = None, **collaborators) -> Flask:
    collaborators.setdefault("telemetry", ListTelemetry())
    return create_app(settings, ModelLoader(lambda: colour_classifier(thresholds)), **collaborators)


def picture(colour: str = "red", size: tuple[int, int] = (64, 48), format: str = "JPEG") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, format)
    return buffer.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()
