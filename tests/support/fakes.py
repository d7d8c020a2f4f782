"""Stand-ins for the model and the telemetry, and pictures to send."""

import base64
from io import BytesIO

import numpy as np
from flask import Flask
from numpy.typing import NDArray
from PIL import Image

from model.classifier import Classifier
from model.manifest import FileEntry, Manifest
from serving.http.app import create_app
from serving.model_loader import ModelLoader
from serving.settings import Settings
from serving.telemetry import Entry

LABELS = ("blue", "green", "red")


class ColourEngine:
    """Scores an image by how much of each colour it holds."""

    name = "litert"

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        amounts = images.mean(axis=(1, 2), dtype=np.float32)[:, ::-1]  # (N, 3): blue, green, red
        return amounts / amounts.sum(axis=1, keepdims=True)


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


def colour_classifier() -> Classifier:
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
    )
    return Classifier(ColourEngine(), manifest, version=3)


def colour_app(settings: Settings = Settings(), **collaborators) -> Flask:
    collaborators.setdefault("telemetry", ListTelemetry())
    return create_app(settings, ModelLoader(colour_classifier), **collaborators)


def picture(colour: str = "red", size: tuple[int, int] = (64, 48), format: str = "JPEG") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, format)
    return buffer.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()
