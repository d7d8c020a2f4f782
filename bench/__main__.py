"""`python -m bench`: measure everything, or the sections that are named, and render the pages from what was found.

python -m bench                      all, about 15 minutes on 2 cores: nothing else should run meanwhile
python -m bench cold warm            these two
python -m bench growth               training on ten times the photos: some minutes more
python -m bench --quick [SECTION …]  a dry run whose figures mean nothing; it touches neither results nor pages
python -m bench render               README.md and docs/benchmarks.md anew, from bench/results
"""

import os
import sys
import time

from bench.machine import ROOT, describe_machine
from bench.material import get_material
from bench.render import render
from bench.results import DRY, RESULTS, write_result
from bench.section import Setup
from bench.sections import BY_NAME, SECTIONS


def main(arguments: list[str]) -> int:
    quick = "--quick" in arguments
    names = [argument for argument in arguments if argument != "--quick"]
    if unknown := set(names) - {*SECTIONS, "render"}:
        print(f"{', '.join(unknown)}: no such section; there are {', '.join(SECTIONS)}, and render", file=sys.stderr)
        return 2
    if names != ["render"]:
        measure(names or [name for name in SECTIONS if name not in BY_NAME], quick)
    if not quick:
        for path in render():
            print(f"rendered {path.relative_to(ROOT)}")
    return 0


def measure(names: list[str], quick: bool) -> None:
    """Each section's results are written when it is done: what is found is kept, whatever happens to the next."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up remarks, which nobody can act on
    setup = Setup(get_material(quick), quick)
    for name in names:
        print(f"{name} …", flush=True)
        machine, started = describe_machine(), time.monotonic()
        found = SECTIONS[name].measure(setup)
        seconds = time.monotonic() - started
        write_result(DRY if quick else RESULTS, name, found, machine, setup.material.source, seconds)
        print(f"{name}: {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
