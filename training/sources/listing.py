"""The values that every form of a labelled set becomes: which files, under which labels, in which parts."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from platformdirs import user_cache_path

from training.problems import Problem
from training.run import Run

CACHE = user_cache_path("serverless-image-recognition")  # ~/.cache/… on Linux, where XDG_CACHE_HOME names no other


class Part(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"  # chooses the regularisation
    TEST = "test"  # touched once, at the end


class LabelsFrom(StrEnum):
    """Which folder names an image that lies deeper than <label>/<image>."""

    TOP = "top"
    LEAF = "leaf"


@dataclass(frozen=True)
class LabelledFile:
    path: Path
    label: str  # in NFC: one name has one spelling, whichever system wrote it
    part: Part | None = None  # as the user divided the set; None: its content decides


@dataclass(frozen=True)
class Listing:
    root: Path
    layout: str  # what was understood, in one sentence
    files: tuple[LabelledFile, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How a set is to be read."""

    run: Run
    cache: Path  # where archives are unpacked, and objects of a bucket kept
    labels_from: LabelsFrom = LabelsFrom.TOP
    confined: bool = False  # the set came from elsewhere: a table in it names no other file of this machine
    home: str = ""  # the folder in a bucket that a table's paths start at, where it came from there
    images_stay: bool = False  # in the bucket: who reads them reads them there


def shown(root: Path, path: Path) -> str:
    """The path within the folder, or whole where it lies elsewhere; what is no UTF-8 in a name is spelled out."""
    inner = path.relative_to(root) if path.is_relative_to(root) else path
    return str(inner).encode(errors="backslashreplace").decode()
