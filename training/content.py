"""One file → what it holds: read, hashed and decoded once; or what is wrong with it. It knows no labels.

Threads of this machine and workers of a Ray cluster read files by these lines alike.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from model.errors import ImageError, ImageOutOfBounds, ImageTooLarge, UnreadFormat, UnsupportedImage
from model.image import Limits, damage_of, decode, image_format, pixels_digest
from training.pictures import Picture
from training.problems import Severity
from training.sources.names import ARCHIVES, NOT_UNPACKED, SUFFIXES

VIDEOS = {".mov", ".mp4", ".m4v", ".avi"}  # what phones put beside a photo


@dataclass(frozen=True)
class Original:
    """A file, wherever it is to be read."""

    path: Path  # on this machine
    address: str | None = None  # of the object in a bucket that it is a copy of, or will be


@dataclass(frozen=True, eq=False)
class Content:
    digest: str  # SHA-256 of the file's content, hexadecimal
    format: str  # a key of model.image.FORMATS
    picture: Picture | None = None  # None: the content was decoded before
    made: NDArray[Any] | None = (
        None  # of what was decoded: the tensor (299, 299, 3), or where a worker did it the feature (D,)
    )


@dataclass(frozen=True)
class Fault:
    """Why a file is no example; in the words of training/problems.py."""

    severity: Severity
    kind: str
    detail: str


class ReadElsewhere(Protocol):
    """Reads files on other machines, and computes the features of those whose content is not known."""

    def __call__(
        self, originals: Sequence[Original], compiled: Path, known: Iterable[str], limits: Limits
    ) -> Iterator[tuple[int, Content | Fault]]:
        """Yield what each holds with its place among them, in any order. `compiled` is the backbone's file."""
        ...


def content_of(path: Path, read: Callable[[], bytes], known: Container[str], limits: Limits) -> Content | Fault:
    """Read a file and, unless the digest of its content is known, decode it; its name says what it promises to be."""
    try:
        data = read()
        format, digest = image_format(data), sha256(data).hexdigest()
        if digest in known:
            return Content(digest, format)
        image = decode(data, limits)
        picture = Picture(pixels_digest(image), image.width, image.height, damage_of(data))
    except OSError as error:
        return Fault(Severity.ERROR, "unreadable", error.strerror or str(error))
    except ImageError as error:
        return fault_of(error, path, empty=not data)
    return Content(digest, format, picture, image.tensor)


def fault_of(error: ImageError, path: Path, *, empty: bool = False) -> Fault:
    if not isinstance(error, UnsupportedImage):
        return Fault(Severity.ERROR, _kind(error), str(error))
    if path.suffix.lower() in VIDEOS:
        return Fault(Severity.NOTE, "ignored", "a video")
    if path.suffix.lower() in ARCHIVES:
        return Fault(Severity.WARNING, "ignored", NOT_UNPACKED)
    if isinstance(error, UnreadFormat):
        return Fault(Severity.ERROR, "unread", str(error))
    if path.suffix.lower() in SUFFIXES or empty:
        return Fault(Severity.ERROR, "unsupported", str(error))
    return Fault(Severity.NOTE, "ignored", "not an image")


def _kind(error: ImageError) -> str:
    return {ImageTooLarge: "too-large", ImageOutOfBounds: "out-of-bounds"}.get(type(error), "corrupt")
