"""What this process was granted of its machine; os.cpu_count() and the machine's memory see all of it, whatever a container may use."""

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def granted_cpus(cgroups: Path = CGROUPS) -> int:
    """Whole CPUs, at least one: the control group's quota (version 2 or 1), else the process's affinity."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _cpu_quota(cgroups)
    return max(1, min(cpus, quota // period)) if quota > 0 else cpus


def _cpu_quota(cgroups: Path) -> tuple[int, int]:
    """Quota and period in µs; a quota of 0 or less is none."""
    try:
        if (cgroups / "cpu.max").exists():  # version 2: "quota period", or "max period"
            quota, period = (cgroups / "cpu.max").read_text().split()
            return int(quota), int(period)
        quota, period = ((cgroups / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota), int(period)
    except (OSError, ValueError):
        return 0, 1
