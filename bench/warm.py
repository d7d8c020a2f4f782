"""How long every later user waits: from event to response, by kind of image, split into what it is spent on.

The processes stay up and answer by turns, a few at a time, so that all of them see the machine in the same moods.
"""

from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from statistics import median

from bench.contenders import contenders
from bench.figures import interleaved, percentiles
from bench.images import KINDS, SMALL
from bench.peak import OPERATIONS, measure_peaks
from bench.process import Answer, run
from bench.section import Found, Goal, Setup, say
from bench.tables import figure, ratio, section, table

ANSWERING = ("ours", "ours_tensorflow", "tensorflow", "keras", "onnx")
ROUNDS = 6
TURNS = {"ours": 33}  # answers a round; a 99th percentile wants hundreds
TURNS_OF_OTHERS = 3


def measure(setup: Setup) -> Found:
    everyone = contenders(setup.material)
    with ExitStack() as stack:
        start = setup.material.event(SMALL)
        processes = {name: stack.enter_context(run(everyone[name], start)) for name in ANSWERING}
        found: Found = {name: {"title": everyone[name].title, "kinds": {}} for name in ANSWERING}
        for kind in KINDS:
            event = setup.material.event(kind)
            turns = {
                name: partial(process.answer, event, TURNS.get(name, TURNS_OF_OTHERS))
                for name, process in processes.items()
            }
            for turn in turns.values():
                turn()  # each one's first of a kind warms up
            for name, rounds in interleaved(setup.times(ROUNDS), turns).items():
                found[name]["kinds"][kind] = _summary([answer for answers in rounds for answer in answers])
            say(
                f"{kind}: "
                + ", ".join(f"{name} {found[name]['kinds'][kind]['total']['p50']:.1f} ms" for name in ANSWERING)
            )
    sizes = {kind: setup.material.image(kind).stat().st_size for kind in KINDS}
    say("this machine's arithmetic peak")
    return {"answers": found, "bytes": sizes, "peak": measure_peaks(), "operations": OPERATIONS}


def _summary(answers: list[Answer]) -> Found:
    total = percentiles([answer.total for answer in answers])
    parts = {part: median(getattr(answer, part) for answer in answers) for part in ("decode", "resize", "infer")}
    rest = median(answer.total - answer.decode - answer.resize - answer.infer for answer in answers)
    return {"total": asdict(total), **parts, "rest": rest}


def tables(found: Found) -> str:
    answers, ours = found["answers"], found["answers"]["ours"]["kinds"]
    rows = [
        [
            f"{kind}, {found['bytes'][kind] / 1000:,.0f} kB",
            *_times(entry),
            *(figure(entry[part]) for part in entry if part != "total"),
        ]
        for kind, entry in ours.items()
    ]
    header = ["this project, milliseconds", "p50", "p95", "p99", "decode", "resize", "engine", "rest"]
    others = [
        [
            entry["title"],
            *(
                f"{figure(entry['kinds'][kind]['total']['p50'])} / {figure(entry['kinds'][kind]['total']['p95'])}"
                for kind in KINDS
            ),
        ]
        for entry in answers.values()
    ]
    return section(
        "Warm answers", table(header, rows), table(["p50 / p95 in milliseconds", *KINDS], others), _peak_table(found)
    )


def _times(entry: Found) -> list[str]:
    return [figure(entry["total"][percentile]) for percentile in ("p50", "p95", "p99")]


def _rate(found: Found) -> float:
    """Billions of operations a second that the engine does."""
    return float(found["operations"] / found["answers"]["ours"]["kinds"][SMALL]["infer"] / 1e6)


def _peak_table(found: Found) -> str:
    rows = [[name, figure(rate)] for name, rate in found["peak"].items()]
    rows.append(["**the engine, on the whole of Inception v3**", f"**{figure(_rate(found))}**"])
    return table(["arithmetic", "10⁹ operations a second"], rows)


def goals(found: Found) -> list[Goal]:
    answers = found["answers"]
    ours, theirs = answers["ours"]["kinds"][SMALL], answers["tensorflow"]["kinds"][SMALL]
    share = ours["infer"] / ours["total"]["p50"]
    peak = max(found["peak"].values())
    return [
        Goal(
            "warm answer ≥ 3 × faster than the usual TensorFlow container handler (30 kB)",
            f"{ratio(theirs['total']['p50'], ours['total']['p50'])} ({figure(ours['total']['p50'])} ms against "
            f"{figure(theirs['total']['p50'])} ms)",
            theirs["total"]["p50"] >= 3 * ours["total"]["p50"],
        ),
        Goal(
            "the engine's share of a warm answer ≥ 85 % (30 kB)",
            f"{share:.0%}",
            share >= 0.85,
            "the faster the engine, the more the same decoding weighs",
        ),
        Goal(
            "the engine ≥ 75 % of this machine's arithmetic peak for its precision",
            f"{_rate(found) / peak:.0%} ({figure(_rate(found))} of {figure(peak)} × 10⁹ operations a second)",
            _rate(found) >= 0.75 * peak,
            "the peak is one large square matrix product, which no network of 94 small convolutions is",
        ),
    ]
