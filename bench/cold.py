"""How long the first user waits: from the start of a process to its first classified JPEG, through the Lambda handler."""

from collections.abc import Callable
from dataclasses import asdict

from bench.contenders import Contender, contenders
from bench.figures import interleaved, percentiles, spread
from bench.images import SMALL
from bench.lambda_sizes import SIZES, environment, limit
from bench.limits import limited, why_not
from bench.process import Died, Start, run
from bench.section import Found, Goal, Setup, say
from bench.tables import figure, ratio, section, table
from bench.tables import spread as spread_text

STARTS = 5
STARTS_IN_A_BOX = {"ours": 3, "tensorflow": 1}  # the slow ones take a third of a minute
ANSWERS_IN_A_BOX = 10
PARTS = ("interpreter", "imports", "load", "first", "total")


def measure(setup: Setup) -> Found:
    everyone = contenders(setup.material)
    event = setup.material.event(SMALL)

    def starter(contender: Contender) -> Callable[[], Start]:
        def start() -> Start:
            with run(contender, event) as process:
                return process.start

        return start

    for name, contender in everyone.items():
        say(f"{contender.title}: {starter(contender)().total:.2f} s with cold files")  # read once, so that all are warm
        if name == "ours":
            say("(left out of the figures, as each first start)")
    starts = interleaved(setup.times(STARTS), {name: starter(contender) for name, contender in everyone.items()})
    found = {name: {"title": everyone[name].title} | _parts(several) for name, several in starts.items()}
    return {"starts": found, "lambda": _in_boxes(setup, everyone)}


def _parts(starts: list[Start]) -> Found:
    assert len({start.label for start in starts}) == 1, "one program must give one answer"
    figures = {part: asdict(spread([getattr(start, part) for start in starts])) for part in PARTS}
    return figures | {"label": starts[0].label}


def _in_boxes(setup: Setup, everyone: dict[str, Contender]) -> Found:
    """The same with the memory and the share of a CPU that Lambda gives."""
    if reason := why_not():
        return {"not_measured": reason}
    found: Found = {name: {} for name in STARTS_IN_A_BOX}
    for memory_mb in SIZES:
        for name, count in STARTS_IN_A_BOX.items():
            runs = [_in_box(setup, everyone[name], memory_mb) for _ in range(1 if setup.quick else count)]
            found[name][str(memory_mb)] = _boxed_figures(runs)
            say(f"{memory_mb} MB, {everyone[name].title}: {_survived(found[name][str(memory_mb)])}")
    return found


def _in_box(setup: Setup, contender: Contender, memory_mb: int) -> tuple[float, list[float]] | None:
    """Seconds to the first answer and milliseconds of later ones, or None where it did not survive."""
    event = setup.material.event(SMALL)
    try:
        with (
            limited(limit(memory_mb)) as box,
            run(contender, event, environment(memory_mb), box.enter) as process,
        ):
            return process.start.total, [answer.total for answer in process.answer(event, ANSWERS_IN_A_BOX)]
    except Died:
        return None


def _boxed_figures(runs: list[tuple[float, list[float]] | None]) -> Found | None:
    survived = [run for run in runs if run]
    if len(survived) < len(runs):
        return None
    warm = [milliseconds for _, answers in survived for milliseconds in answers]
    return {"start": asdict(spread([start for start, _ in survived])), "warm_ms": asdict(percentiles(warm))}


def tables(found: Found) -> str:
    starts = found["starts"]
    rows = [
        [entry["title"], *(figure(entry[part]["median"]) for part in PARTS[:-1]), spread_text(entry["total"])]
        for entry in starts.values()
    ]
    header = ["seconds", "interpreter", "imports", "load", "first answer", "total (from – to)"]
    note = f"Medians of {starts['ours']['total']['n']} starts each, by turns, the files in the page cache."
    return section("Cold start", table(header, rows), note, _boxes_table(found))


def _boxes_table(found: Found) -> str:
    boxes = found["lambda"]
    if "not_measured" in boxes:
        return f"In Lambda's sizes: not measured here ({boxes['not_measured']})."
    rows = [
        [found["starts"][name]["title"], *(_survived(boxes[name][str(memory_mb)]) for memory_mb in SIZES)]
        for name in boxes
    ]
    header = [
        "seconds to the first answer, then p50 of later ones",
        *(f"{mb:,} MB, {limit(mb).cpus:.2f} CPU" for mb in SIZES),
    ]
    note = (
        "Boxes of control groups with the memory and the share of a CPU that Lambda gives. Lambda itself lends a function more "
        "CPU while its module is imported, so real first answers in small sizes come sooner."
    )
    return table(header, rows) + "\n" + note


def _survived(found: Found | None) -> str:
    return (
        f"{figure(found['start']['median'])}, then {figure(found['warm_ms']['p50'])} ms"
        if found
        else "killed, out of memory"
    )


def goals(found: Found) -> list[Goal]:
    totals = {name: entry["total"]["median"] for name, entry in found["starts"].items()}
    bare = found["starts"]["bare"]
    least = sum(bare[part]["median"] for part in ("interpreter", "imports", "load"))
    return [
        Goal(
            "cold start ≥ 10 × faster than the usual TensorFlow container handler",
            f"{ratio(totals['tensorflow'], totals['ours'])} ({figure(totals['ours'])} s against {figure(totals['tensorflow'])} s)",
            totals["tensorflow"] >= 10 * totals["ours"],
        ),
        Goal(
            "cold start, first answer included, ≤ 1.5 × a bare script's imports and load",
            f"{ratio(totals['ours'], least)} ({figure(totals['ours'])} s against {figure(least)} s; with an answer the bare "
            f"script takes {figure(totals['bare'])} s)",
            totals["ours"] <= 1.5 * least,
            "the rest is Flask and the log, the digests of the model's files, and four answers: three golden images that "
            "prove the model, and the one that was asked for",
        ),
        Goal(
            "the TensorFlow engine starts no slower than a bare TensorFlow script",
            f"{ratio(totals['ours_tensorflow'], totals['bare_tensorflow'])} ({figure(totals['ours_tensorflow'])} s against "
            f"{figure(totals['bare_tensorflow'])} s)",
            totals["ours_tensorflow"] <= 1.05 * totals["bare_tensorflow"],
            "the golden images, the digests of 87 MB of weights, and Flask come on top",
        ),
    ]
