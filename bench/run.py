"""Measure one section, in this process, and keep what it found: `python -m bench.run SECTION [--quick]`."""

import sys
import time
from importlib import import_module

from bench.machine import ROOT, describe_machine
from bench.material import get_material
from bench.results import DRY, RESULTS, write_result
from bench.section import Setup


def main(section: str, *options: str) -> None:
    quick = "--quick" in options
    print(f"{section} …", flush=True)
    machine, material = describe_machine(), get_material(quick)
    started = time.monotonic()
    found = import_module(f"bench.{section}").measure(Setup(material, quick))
    seconds = time.monotonic() - started
    path = write_result(DRY if quick else RESULTS, section, found, machine, material.source, seconds)
    print(f"{section}: {seconds:.0f} s, {path.relative_to(ROOT)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
