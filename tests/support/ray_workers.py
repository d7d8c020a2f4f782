"""The processes of actors of the Ray that this process started, by Linux's /proc."""

import os
from pathlib import Path


def ray_workers(kind: str) -> list[int]:
    """Those of actors of that class; Ray's own agents have such titles too."""
    found = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [
        int(path.name)
        for path in found
        if _title(path).startswith(f"ray::{kind}") and _grandparent(path) == os.getpid()
    ]


def _title(process: Path) -> str:
    try:
        return (process / "cmdline").read_text()
    except OSError:  # it has ended
        return ""


def _grandparent(process: Path) -> int:
    """The process that started the raylet which started this one."""
    try:
        raylet = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        return int(Path(f"/proc/{raylet}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
