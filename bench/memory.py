"""How much memory a function takes: its peak through a first answer and large images, and the least limit it works in."""

from bisect import bisect_left
from functools import partial

from bench.contenders import Contender, contenders
from bench.images import KINDS, SMALL
from bench.limits import Limit, limited, why_not
from bench.machine import CORES
from bench.process import Died, run
from bench.section import Found, Goal, Setup, say
from bench.tables import figure, section, table

MEASURED = ("ours", "ours_tensorflow", "tensorflow", "keras", "onnx")
BOXED = ("ours", "ours_tensorflow", "tensorflow")
LIMITS = (96, 128, 192, 256, 384, 512, 768, 1024, 1536)  # MB
ANSWERS = 5  # of each kind of image
LAMBDAS_LEAST_FOR_US = 512  # MB; the goal


def measure(setup: Setup) -> Found:
    everyone = contenders(setup.material)
    found: Found = {"peak_mb": {}, "least_mb": {}}
    for name in MEASURED:
        found["peak_mb"][name] = _peaks(setup, everyone[name])
        say(
            f"{everyone[name].title}: "
            + ", ".join(f"{kind} {mb:.0f} MB" for kind, mb in found["peak_mb"][name].items())
        )
    found["titles"] = {name: everyone[name].title for name in MEASURED}
    if reason := why_not():
        return found | {"not_measured": reason}
    for name in BOXED:
        enough = bisect_left(LIMITS, True, key=partial(_survives, setup, everyone[name]))
        found["least_mb"][name] = LIMITS[enough] if enough < len(LIMITS) else None
        say(f"{everyone[name].title}: works in {found['least_mb'][name]} MB")
    return found


def _peaks(setup: Setup, contender: Contender) -> dict[str, float]:
    """The process's peak after each step; it only ever grows."""
    with run(contender, setup.material.event(SMALL)) as process:
        peaks = {"first answer": process.peak_mb()}
        for kind in KINDS:
            process.answer(setup.material.event(kind), ANSWERS)
            peaks[kind] = process.peak_mb()
    return peaks


def _survives(setup: Setup, contender: Contender, memory_mb: int) -> bool:
    """Whether it answers the small image and the one of 12 megapixels within the limit; swap does not count."""
    try:
        with (
            limited(Limit(memory_mb, CORES)) as box,
            run(contender, setup.material.event(SMALL), enter=box.enter) as process,
        ):
            for kind in KINDS:
                process.answer(setup.material.event(kind), 1)
    except Died:
        return False
    return True


def tables(found: Found) -> str:
    rows = [
        [found["titles"][name], figure(peaks["first answer"]), figure(max(peaks.values())), _least(found, name)]
        for name, peaks in found["peak_mb"].items()
    ]
    header = ["MB", "peak, first answer", "peak, all kinds of images", "works in a limit of"]
    note = (
        f"Peak resident memory of the process. The limit is the least of {', '.join(map(str, LIMITS))} MB in which it answers every "
        "kind of image; files that are only mapped do not count in full there, so it can lie below the peak."
    )
    if "not_measured" in found:
        note += f" Limits were not measured here ({found['not_measured']})."
    return section("Memory", table(header, rows), note)


def _least(found: Found, name: str) -> str:
    if name not in found["least_mb"]:
        return "–"
    least = found["least_mb"][name]
    return figure(least) if least else f"more than {LIMITS[-1]:,}"


def goals(found: Found) -> list[Goal]:
    ours, theirs = found["peak_mb"]["ours"]["first answer"], found["peak_mb"]["tensorflow"]["first answer"]
    goals = [
        Goal(
            "peak memory ≤ 1/4 of the usual TensorFlow container handler's",
            f"1/{figure(theirs / ours)} ({figure(ours)} MB against {figure(theirs)} MB)",
            ours <= theirs / 4,
        ),
        Goal(
            "peak memory under 250 MB, photos of 12 megapixels included",
            f"{figure(max(found['peak_mb']['ours'].values()))} MB",
            max(found["peak_mb"]["ours"].values()) < 250,
            "a photo of 12 megapixels comes as 4 MB of text, then 3 MB of bytes, then its decoded picture",
        ),
    ]
    if least := found["least_mb"].get("ours"):
        goals.append(Goal(f"works in {LAMBDAS_LEAST_FOR_US} MB", f"works in {least} MB", least <= LAMBDAS_LEAST_FOR_US))
    return goals
