"""What the figures were measured on: a figure without its machine says nothing."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("ai-edge-litert", "flask", "keras", "numpy", "onnxruntime", "pillow", "scikit-learn", "tensorflow-cpu")
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "amx_int8", "asimddp", "i8mm")  # that decide an engine's speed
ROOT = Path(__file__).parents[1]
CORES = len(os.sched_getaffinity(0))


def describe_machine() -> dict[str, object]:
    model, flags = _processor()
    return {
        "processor": model,
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "cores": CORES,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),  # of the section before too
        "python": platform.python_version(),
        "libraries": _libraries(),
    }


def _processor() -> tuple[str, set[str]]:
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags") or fields.get("Features") or ""
    return fields.get("model name") or platform.machine(), set(flags.split())


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
