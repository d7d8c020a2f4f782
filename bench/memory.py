"""How much memory a function takes: its peak through a first answer and large images, and the least limit it works in."""

from bisect import bisect_left
from functools import partial

from bench.candidates import Candidate, candidates
from bench.cgroup import Limit, limited, why_not
from bench.images import KINDS, SMALL
from bench.machine import CORES
from bench.process import Died, run
from bench.section import Comparison, Found, Goal, Section, Setup, say
from bench.tables import figure, versus

MEASURED = ("ours", "ours_tensorflow", "tensorflow", "onnx")
LIMITED = ("ours", "tensorflow")
LIMITS = (96, 128, 192, 256, 512, 768, 1024)  # MB
ANSWERS = 5  # of each kind of image
MOST_FOR_US = 250  # MB; the goal
LEAST_FOR_US = 512  # MB; the goal
FIRST, ALL, WORKS = "peak, first answer", "peak, all kinds of images", "works in a limit of"


def measure(setup: Setup) -> Found:
    everyone, rows, reason = candidates(setup.material), {}, why_not()
    for name in MEASURED:
        rows[name] = _peaks(setup, everyone[name])
        if name in LIMITED and not reason:
            rows[name][WORKS] = _least(setup, everyone[name])
        say(f"{name}: {rows[name]}")
    return {"peaks": rows} | ({"not_measured": reason} if reason else {})


def _peaks(setup: Setup, candidate: Candidate) -> Found:
    with run(candidate, setup.material.event(SMALL)) as process:
        peaks = [process.answer(setup.material.event(kind), ANSWERS).peak_mb for kind in KINDS]
        return {FIRST: process.first.peak_mb, ALL: max(peaks), WORKS: None}


def _least(setup: Setup, candidate: Candidate) -> int | None:
    enough = bisect_left(LIMITS, True, key=partial(_survives, setup, candidate))
    return LIMITS[enough] if enough < len(LIMITS) else None


def _survives(setup: Setup, candidate: Candidate, memory_mb: int) -> bool:
    """Whether it answers every kind of image within the limit; swap does not count."""
    try:
        with (
            limited(Limit(memory_mb, CORES)) as cgroup,
            run(candidate, setup.material.event(SMALL), enter=cgroup.enter) as process,
        ):
            for kind in KINDS:
                process.answer(setup.material.event(kind), 1)
    except Died:
        return False
    return True


def headline(found: Found) -> Comparison:
    ours, theirs = (found["peaks"][name][FIRST] for name in ("ours", "tensorflow"))
    return Comparison("peak memory, through a first answer", ours, "TensorFlow container handler", theirs, "MB")


def goals(found: Found) -> list[Goal]:
    ours = found["peaks"]["ours"]
    goals = [
        Goal(
            "peak memory ≤ 1/4 of the usual TensorFlow container handler's",
            versus(headline(found)),
            headline(found).ratio >= 4,
        ),
        Goal(
            f"peak memory under {MOST_FOR_US} MB, photos of 12 megapixels included",
            f"{figure(ours[ALL])} MB",
            ours[ALL] < MOST_FOR_US,
            "a photo of 12 megapixels comes as 4 MB of text, then 3 MB of bytes, then its decoded picture",
        ),
    ]
    if ours[WORKS]:
        goals.append(Goal(f"works in {LEAST_FOR_US} MB", f"works in {ours[WORKS]} MB", ours[WORKS] <= LEAST_FOR_US))
    return goals


MEMORY = Section(
    "Memory",
    {"peaks": "MB"},
    f"Peak resident memory of the process. The limit is the least of {', '.join(map(str, LIMITS))} MB in which it answers every "
    "kind of image; files that are only mapped do not count in full there, so it can lie below the peak.",
    measure,
    goals,
    headline,
)
