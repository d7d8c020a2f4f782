"""Less machine than there is: a process in a control group of so much memory and so many CPUs, as containers and Lambda make it.

It writes to Linux's control groups, version 2 or 1, so it needs to be root; elsewhere these figures are not measured.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
PERIOD = 100_000  # µs; the kernel's own, and Docker's
MB = 2**20


@dataclass(frozen=True)
class Limit:
    memory_mb: int
    cpus: float  # of one core's time; 0.5 runs half of each tenth of a second


class Cgroup:
    """The control groups of one limit. What is put in stays within them, and ends when it is closed."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders

    def enter(self) -> None:
        """Put the calling process in; what it starts stays in, too."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text("0")  # whoever writes it

    def close(self) -> None:
        for folder in self._folders:
            for pid in (folder / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        for folder in self._folders:
            _remove(folder)


@contextmanager
def limited(limit: Limit, groups: Path = GROUPS) -> Iterator[Cgroup]:
    """Raises OSError where this user may make no control groups."""
    folders = []
    try:
        for folder, settings in settings_of(limit, groups, f"bench-{os.getpid()}").items():
            folder.mkdir()
            folders.append(folder)
            for name, value in settings.items():
                (folder / name).write_text(value)
        yield Cgroup(folders)
    finally:
        Cgroup(folders).close()


def why_not() -> str:
    """Why no limit can be set here; empty where it can."""
    try:
        with limited(Limit(512, 1)):
            return ""
    except OSError as error:
        return f"needs control groups that this user may write (root): {error}"


def settings_of(limit: Limit, groups: Path, name: str) -> dict[Path, dict[str, str]]:
    memory, quota = str(limit.memory_mb * MB), str(int(limit.cpus * PERIOD))
    if (groups / "cgroup.controllers").exists():  # version 2
        return {groups / name: {"memory.max": memory, "memory.swap.max": "0", "cpu.max": f"{quota} {PERIOD}"}}
    return {
        groups / "memory" / name: {"memory.limit_in_bytes": memory},
        groups / "cpu" / name: {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": quota},
    }


def _remove(folder: Path) -> None:
    for _ in range(100):
        try:
            folder.rmdir()
        except OSError:  # its last process is still going
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"{folder} still holds a process")
