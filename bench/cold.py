"""How long the first user waits: from the start of a process to its first classified JPEG, through the Lambda handler."""

from collections.abc import Callable
from statistics import median

from bench.candidates import Candidate, candidates
from bench.cgroup import Limit, limited, why_not
from bench.figures import interleaved, spread
from bench.images import SMALL
from bench.machine import CORES
from bench.process import Died, First, run
from bench.section import Comparison, Found, Goal, Section, Setup, say
from bench.tables import figure, ratio, versus

STARTS = 5
LIMITED_STARTS = {"ours": 3, "tensorflow": 1}  # the slow ones take a third of a minute
LATER_ANSWERS = 10
LAMBDA_SIZES = (512, 1769)  # MB
MB_PER_CPU = 1769  # AWS Lambda developer guide, "Configure Lambda function memory"


def measure(setup: Setup) -> Found:
    everyone = candidates(setup.material)
    event = setup.material.event(SMALL)

    def starter(candidate: Candidate) -> Callable[[], First]:
        def start() -> First:
            with run(candidate, event) as process:
                return process.first

        return start

    starters = {name: starter(candidate) for name, candidate in everyone.items()}
    for name, start in starters.items():
        say(f"{name}: {start().total:.2f} s with cold files, which no figure contains")  # and now all files are warm
    starts = interleaved(setup.times(STARTS), starters)
    return {"starts": {name: _row(several) for name, several in starts.items()}} | _in_lambda_sizes(setup, everyone)


def _row(starts: list[First]) -> Found:
    return {
        "function ready": median(start.ready for start in starts),
        "first answer (from – to)": spread([start.total for start in starts]),
    }


def _in_lambda_sizes(setup: Setup, everyone: dict[str, Candidate]) -> Found:
    if reason := why_not():
        return {"not_measured": reason}
    rows: Found = {name: {} for name in LIMITED_STARTS}
    for memory_mb in LAMBDA_SIZES:
        for name, count in LIMITED_STARTS.items():
            runs = [_limited(setup, everyone[name], memory_mb) for _ in range(1 if setup.quick else count)]
            rows[name][f"{memory_mb:,} MB, {lambda_limit(memory_mb).cpus:.2f} CPU"] = _limited_cell(runs)
        say(f"{memory_mb} MB: {[list(row.values())[-1] for row in rows.values()]}")
    return {"lambda": rows}


def lambda_limit(memory_mb: int) -> Limit:
    """The memory that a function is given, and with it a share of the CPU."""
    return Limit(memory_mb, min(CORES, memory_mb / MB_PER_CPU))


def _limited(setup: Setup, candidate: Candidate, memory_mb: int) -> tuple[float, list[float]] | None:
    """Seconds to the first answer and milliseconds of later ones, or None where it did not survive."""
    event = setup.material.event(SMALL)
    told = {"AWS_LAMBDA_FUNCTION_NAME": "bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb)}
    try:
        with limited(lambda_limit(memory_mb)) as cgroup, run(candidate, event, told, cgroup.enter) as process:
            return process.first.total, process.answer(event, LATER_ANSWERS).ms
    except Died:
        return None


def _limited_cell(runs: list[tuple[float, list[float]] | None]) -> str:
    survived = [run for run in runs if run]
    if len(survived) < len(runs):
        return "killed, out of memory"
    later = median(ms for _, answers in survived for ms in answers)
    return f"{figure(median(first for first, _ in survived))} s, then {figure(later)} ms"


def headline(found: Found) -> Comparison:
    first = _first_answers(found)
    what = "cold start: from the start of the process to its first answer"
    return Comparison(what, first["ours"], "TensorFlow container handler", first["tensorflow"], "s")


def _first_answers(found: Found) -> dict[str, float]:
    return {name: row["first answer (from – to)"]["median"] for name, row in found["starts"].items()}


def goals(found: Found) -> list[Goal]:
    first, least = _first_answers(found), found["starts"]["bare"]["function ready"]
    return [
        Goal(
            "cold start ≥ 10 × faster than the usual TensorFlow container handler",
            versus(headline(found)),
            headline(found).ratio >= 10,
        ),
        Goal(
            "cold start, first answer included, ≤ 1.5 × a bare script's imports and load",
            f"{ratio(first['ours'], least)} ({figure(first['ours'])} s against {figure(least)} s; with an answer the bare "
            f"script takes {figure(first['bare'])} s)",
            first["ours"] <= 1.5 * least,
            "the rest is Flask and the log, the digests of the model's files, and four answers: three golden images that "
            "prove the model, and the one that was asked for",
        ),
        Goal(
            "our TensorFlow engine starts no slower than the usual TensorFlow container handler",
            f"{ratio(first['ours_tensorflow'], first['tensorflow'])} ({figure(first['ours_tensorflow'])} s against "
            f"{figure(first['tensorflow'])} s; up to 1.05 × counts as no slower)",
            first["ours_tensorflow"] <= 1.05 * first["tensorflow"],
            "the golden images, the digests of 87 MB of weights, and Flask come on top",
        ),
    ]


COLD = Section(
    "Cold start",
    {"starts": "seconds", "lambda": "first answer, then p50 of later ones"},
    f"Medians of {STARTS} starts each, by turns, the files in the page cache. A function is ready when its module is imported; the "
    "baselines' modules load their models, ours loads with the first event. Below: control groups with the memory and the share "
    f"of a CPU that Lambda gives, {LIMITED_STARTS['ours']} starts of ours and {LIMITED_STARTS['tensorflow']} of TensorFlow's. Lambda itself lends a "
    "function more CPU while its module is imported, so real first answers in small sizes come sooner.",
    measure,
    goals,
    headline,
)
