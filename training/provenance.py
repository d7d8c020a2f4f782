"""Which code made a model: the versions of the libraries that its numbers depend on, and the commit."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("ai-edge-litert", "keras", "numpy", "pillow", "scikit-learn", "tensorflow", "tensorflow-cpu")


def library_versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # tensorflow and tensorflow-cpu are never both there
    return found


def git_commit() -> str | None:
    """The commit of this code, where it runs from a clone."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
