"""How a run reads images: within which limits, on how many threads, shown by what."""

import os
from dataclasses import dataclass

from model.image import Limits
from training.progress import Progress, Silent

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Run:
    progress: Progress = Silent()  # noqa: RUF009 - it has no state
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    workers: int = CORES  # threads; one a core
