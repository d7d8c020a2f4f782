"""`python -m bench`: measure everything, or the sections that are named, and render the pages from what was found.

python -m bench                      all, about 20 minutes on 2 cores: nothing else should run meanwhile
python -m bench cold warm            these two
python -m bench --quick [SECTION …]  a dry run whose figures mean nothing; it touches neither results nor pages
python -m bench render               README.md and docs/benchmarks.md anew, from bench/results
"""

import os
import subprocess
import sys

from bench.machine import ROOT
from bench.material import get_material
from bench.render import SECTIONS, render


def main(arguments: list[str]) -> int:
    quick = "--quick" in arguments
    names = [argument for argument in arguments if argument != "--quick"]
    if unknown := set(names) - {*SECTIONS, "render"}:
        print(f"{', '.join(unknown)}: no such section; there are {', '.join(SECTIONS)}, and render", file=sys.stderr)
        return 2
    failed = [] if names == ["render"] else _measure(names or list(SECTIONS), quick)
    for name in failed:
        print(f"FAILED: {name}; what it said stands above, and the results of the others are kept", file=sys.stderr)
    if not quick:
        for path in render():
            print(f"rendered {path.relative_to(ROOT)}")
    return int(bool(failed))


def _measure(names: list[str], quick: bool) -> list[str]:
    """Measure each section in a process of its own: it leaves nothing in memory, and when it dies, the others go on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up remarks, which nobody can act on
    get_material(quick)
    failed = []
    for name in names:
        command = [sys.executable, "-m", "bench.run", name, *(["--quick"] if quick else [])]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
