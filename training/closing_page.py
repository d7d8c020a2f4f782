"""The page that `retrain` ends with: what was done, how good it is, where it lies, and what to type next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from training.console import table
from training.dataset import Dataset
from training.evaluation import ENOUGH, sentence
from training.problems import Severity, counted
from training.proof import why_uncompiled

if TYPE_CHECKING:
    from model.decision import Thresholds
    from training.corrections import Corrected
    from training.groups import Groups
    from training.learning import Study
    from training.learning_curve import LearningCurve
    from training.pipeline import Outcome
    from training.split import Split
    from training.suspects import Suspect

MOST_LINES = 10  # of labels or warnings


def outcome_page(outcome: "Outcome", store: str, *, misclassified: bool) -> str:
    """What was done, where it lies, how good it is, and what to type next."""
    manifest, parts = outcome.manifest, outcome.split
    set_aside = outcome.dataset.problems_of(Severity.ERROR)
    place = f"{store.rstrip('/')}/{manifest.name}/{outcome.version}"
    images = f"{len(outcome.dataset.examples):,} of {len(manifest.labels)} labels"
    lines = [
        f"images      {images}: {len(parts.train):,} train, {len(parts.validation):,} validation, {len(parts.test):,} test",
        f"layout      {outcome.dataset.layout}",
        *_moved(parts),
        *_corrected(outcome.found.corrected),
        *_grouped(outcome.found.groups),
        f"set aside   {counted(len(set_aside), 'file')}"
        + "".join(f"\n            {p.path}: {p.detail}" for p in set_aside),
        *_remarks(outcome.dataset),
        f"features    {counted(len(outcome.features.values), 'feature')}: {outcome.features.cached:,} from the cache",
        *_fine_tuning(outcome.trained.fine_tuning),
        f"head        softmax, C = {outcome.trained.head.c:g} {_chosen(outcome.study)}; every class weighs the same",
        *(f"accuracy    {sentence(found)}, {engine}" for engine, found in sorted(manifest.metrics.items())),
        *_worth(parts, manifest.labels),
        *_thresholds(outcome.trained.thresholds, manifest.labels),
        *_suspects(outcome.study.suspects),
        *_forecast(outcome.study.curve),
        f"compiled    {_compiled(manifest.parity)}",
        f"seconds     {_seconds(outcome.seconds)}",
        f"published   {place}",
    ]
    if misclassified:
        rows = [(str(m.path), m.label, m.predicted, f"{m.score:.1%}") for m in outcome.misclassified]
        lines += ["", table(["misclassified test image", "label", "named", "score"], rows)]
    lines += ["", "next        " + f"python -m training predict {place.rpartition('/')[0]} IMAGE"]
    return "\n".join(["", *lines])


def _moved(parts: "Split") -> list[str]:
    if not parts.moved:
        return []
    moved = ", ".join(f"{count:,} for {part}" for part, count in parts.moved.items())
    return [f"moved       {moved}: content had left a class without; its lowest digests were taken"]


def _corrected(corrected: "Corrected") -> list[str]:
    if corrected.digest is None:
        return []
    absent = f"; {counted(corrected.absent, 'row')} about pictures that are not there" if corrected.absent else ""
    out = counted(corrected.left_out, "image")
    unknown = (
        f"; no image of {', '.join(corrected.emptied)} is left, so the model does not know it"
        if corrected.emptied
        else ""
    )
    return [
        f"corrected   {counted(corrected.relabelled, 'label')}; {out} left out; {len(corrected.decided):,} decided{absent}{unknown}"
    ]


def _grouped(groups: "Groups") -> list[str]:
    """Near-duplicates, and what is wrong with them: the first few."""
    lines = []
    if groups.near_duplicates:
        pictures = sum(map(len, groups.near_duplicates))
        lines.append(
            f"near-dups   {pictures:,} pictures in {counted(len(groups.near_duplicates), 'group')}, each on one side of the split"
        )
    lines += [f"{problem.severity}     {problem.path}: {problem.detail}" for problem in groups.problems[:MOST_LINES]]
    more = len(groups.problems) - MOST_LINES
    return [*lines, *([f"            and {more:,} more"] if more > 0 else [])]


def _chosen(study: "Study") -> str:
    return "by out-of-fold log-loss" if study.judged else "by default: too few images to choose by"


def _thresholds(thresholds: "Thresholds | None", labels: Sequence[str]) -> list[str]:
    if not thresholds:
        return ["decisions   none: too few images to set thresholds by"]
    least = ", ".join(
        f"{label} {'never' if score is None else f'from {score:.2f}'}"
        for label, score in zip(labels[:MOST_LINES], thresholds.labels, strict=False)
    )
    more = f", and {len(labels) - MOST_LINES:,} more labels" if len(labels) > MOST_LINES else ""
    unknown = "" if thresholds.distance is None else f"; unknown beyond a distance of {thresholds.distance:.3f}"
    return [f"decisions   accepted, for {thresholds.precision:.0%} precision: {least}{more}{unknown}"]


def _suspects(suspects: "Sequence[Suspect]") -> list[str]:
    if not suspects:
        return []
    return [
        f"suspects    {counted(len(suspects), 'label')} to look at: decide in suspects.csv, and give it as --corrections"
    ]


def _forecast(curve: "LearningCurve | None") -> list[str]:
    if not curve or not curve.forecast:
        return []
    size, accuracy = curve.points[-1]
    low, high = curve.forecast.interval
    double = f"twice as many would give about {curve.forecast.accuracy:.1%} ({low:.1%} – {high:.1%})"
    return [f"more data   {accuracy:.1%} from {size:,} images, out of fold; {double}"]


def _worth(parts: "Split", labels: Sequence[str]) -> list[str]:
    """Say plainly what figures from few test images are worth."""
    counts = Counter(example.label for example in parts.test)
    few = [label for label in labels if counts[label] < ENOUGH]
    if not few:
        return []
    classes = f"{counted(len(few), 'class')} of {len(labels):,}"
    verb = "has" if len(few) == 1 else "have"
    return [
        f"mind        {classes} {verb} fewer than {ENOUGH} test images: these figures are mostly chance; add images"
    ]


def _remarks(dataset: Dataset) -> list[str]:
    lesser = [problem for problem in dataset.problems if problem.severity is not Severity.ERROR]
    return [f"remarks     {len(lesser):,}; `python -m training check {dataset.root}` lists them"] if lesser else []


def _fine_tuning(history: dict[str, Any] | None) -> list[str]:
    if history is None:
        return []
    before, after = history["validation_log_loss"]
    verdict = "kept" if history["kept"] else "not kept: it is no better"
    return [f"fine-tuned  {history['steps']} steps; validation log-loss {before:.3f} → {after:.3f}, {verdict}"]


def _compiled(parity: Mapping[str, Any]) -> str:
    if parity["compiled"] is None:
        return f"none: {why_uncompiled(parity)}; the SavedModel itself will serve"
    compiled = parity["compiled"]
    low, high = compiled["agreement_interval"]
    return (
        f"{compiled['precision']}; the same first label as the SavedModel on {compiled['top1_agreement']:.1%} of "
        f"{compiled['images']:,} images (95 % interval {low:.1%} – {high:.1%}), largest difference "
        f"{compiled['largest_difference']:.3f}"
    )


def _seconds(steps: Mapping[str, float]) -> str:
    shown = [f"{step} {taken:.1f}" for step, taken in steps.items() if taken >= 0.1]
    return ", ".join([*shown, f"in all {sum(steps.values()):.1f}"])
