"""What this process was granted of its machine; os.cpu_count() and the machine's memory see all of it, whatever a container may use."""

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def granted_cpus(cgroups: Path = CGROUPS) -> int:
    """Whole CPUs, at least one: the control group's quota (version 2 or 1), else the process's affinity."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _cpu_quota(cgroups)
    return max(1, min(cpus, quota // period)) if quota > 0 else cpus


def granted_memory_mb(cgroups: Path = CGROUPS) -> int:
    """Megabytes that this process may use: the control group's limit (version 2 or 1), else the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2**33
    return min(machine, _memory_limit(cgroups) or machine) // 2**20


def _memory_limit(cgroups: Path) -> int:
    """Bytes; 0 is none."""
    for path in (cgroups / "memory.max", cgroups / "memory" / "memory.limit_in_bytes"):
        try:
            return int(path.read_text())
        except (OSError, ValueError):  # "max": none
            continue
    return 0


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
