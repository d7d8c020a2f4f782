"""Of which kind a file of weights is, by its content: Keras decides by the file's name, and people rename files."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from training.errors import WeightsError

LEGACY = ".h5"  # of Keras 1 and 2, and of Keras's own downloads
CURRENT = ".weights.h5"  # of Keras 3
INNER = "model.weights.h5"  # the weights within a .keras archive


@contextmanager
def named_by_content(path: Path) -> Iterator[Path]:
    """The same weights, under the suffix by which Keras knows how to read them. Raises WeightsError."""
    with TemporaryDirectory() as scratch:
        if zipfile.is_zipfile(path):
            yield _from_archive(path, Path(scratch))
            return
        named = Path(scratch, f"weights{_suffix(path)}")
        try:
            named.symlink_to(path.resolve())
        except OSError:  # Windows asks for a privilege
            shutil.copyfile(path, named)
        yield named


def _from_archive(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        if INNER not in archive.namelist():
            raise WeightsError(_refusal(path, f"an archive without {INNER}"))
        return Path(archive.extract(INNER, folder))


def _suffix(path: Path) -> str:
    import h5py

    if not h5py.is_hdf5(path):
        raise WeightsError(_refusal(path, "it is no HDF5 file"))
    with h5py.File(path) as file:
        if "layer_names" in file.attrs or "model_weights" in file:
            return LEGACY
        if "layers" in file or "_layer_checkpoint_dependencies" in file:
            return CURRENT
    raise WeightsError(_refusal(path, "an HDF5 file of something else"))


def _refusal(path: Path, why: str) -> str:
    return f"{path} does not hold the weights of a Keras Inception v3 without its top ({why})"
