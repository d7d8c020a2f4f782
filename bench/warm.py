"""How long every later user waits: from event to response, by kind of image.

The processes stay up and answer by turns, a few at a time: whatever else the machine does falls on all of them.
"""

from contextlib import ExitStack
from functools import partial
from statistics import median

from bench.candidates import candidates
from bench.figures import interleaved, percentiles
from bench.images import KINDS, SMALL
from bench.process import run
from bench.section import Comparison, Found, Goal, Section, Setup, say
from bench.tables import figure, versus

ANSWERING = ("ours", "ours_tensorflow", "tensorflow", "onnx")
ROUNDS = 3
TURNS, TURNS_OF_OTHERS = 33, 4  # answers a round; ours, being quick, gives more of them in the same time
ENGINE = "of which ours spends in its engine, median"


def measure(setup: Setup) -> Found:
    everyone, start = candidates(setup.material), setup.material.event(SMALL)
    rows: Found = {name: {} for name in ANSWERING} | {ENGINE: {}}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(run(everyone[name], start)) for name in ANSWERING}
        for kind in KINDS:
            event = setup.material.event(kind)
            turns = {
                name: partial(process.answer, event, TURNS if name == "ours" else TURNS_OF_OTHERS)
                for name, process in processes.items()
            }
            for turn in turns.values():
                turn()  # each one's first of a kind warms up
            answers = interleaved(setup.times(ROUNDS), turns)
            for name, rounds in answers.items():
                rows[name][kind] = percentiles([ms for several in rounds for ms in several.ms])
            rows[ENGINE][kind] = median(ms for several in answers["ours"] for ms in several.engine_ms)
            say(f"{kind}: " + ", ".join(f"{name} {rows[name][kind]['p50']:.1f} ms" for name in ANSWERING))
    return {"answers": rows}


def headline(found: Found) -> Comparison:
    ours, theirs = (found["answers"][name][SMALL]["p50"] for name in ("ours", "tensorflow"))
    return Comparison(
        f"warm answer, {SMALL}: from event to response", ours, "TensorFlow container handler", theirs, "ms"
    )


def goals(found: Found) -> list[Goal]:
    total, engine = found["answers"]["ours"][SMALL]["p50"], found["answers"][ENGINE][SMALL]
    return [
        Goal(
            f"warm answer ≥ 3 × faster than the usual TensorFlow container handler ({SMALL})",
            versus(headline(found)),
            headline(found).ratio >= 3,
        ),
        Goal(
            f"the engine's share of a warm answer ≥ 85 % ({SMALL})",
            f"{engine / total:.0%} ({figure(engine)} of {figure(total)} ms)",
            engine >= 0.85 * total,
            "the faster the engine, the more the same decoding weighs",
        ),
    ]


WARM = Section(
    "Warm answers",
    {"answers": "milliseconds, p50 / p95"},
    "One request at a time, on all cores, by turns in one run. The rest of ours is decoding, resizing, base64 and Flask.",
    measure,
    goals,
    headline,
)
