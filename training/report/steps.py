"""What to do next: steps in sentences, each with the figure that asks for it. Nothing is measured here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.evaluation import ENOUGH
from training.problems import counted
from training.proof import why_uncompiled
from training.report.acceptance import accepted
from training.report.content import Content, Copy
from training.report.sentences import Label, Sentence, percent, some
from training.report.verdict import GOOD, Level, judge
from training.thresholds import fewest_answers

GAIN = 0.005  # of accuracy, at double the data: what is worth anybody's collecting


@dataclass(frozen=True)
class Step:
    """Something to do next, and the figure that says so."""

    what: Sentence
    why: Sentence
    place: str = ""  # id of the section that shows it
    command: str = ""


def next_steps(content: Content) -> tuple[Step, ...]:
    """What to do, the most useful first: labels are put right before a model that is not ready is shipped."""
    level = judge(content).level
    first = [_ship(content, level), _labels(content)]
    return tuple(
        step
        for steps in (
            *(first if level is Level.READY else reversed(first)),
            _copies(content),
            _files(content),
            _images(content),
            _threshold(content),
            _compile(content),
        )
        for step in steps
    )


def _ship(content: Content, level: Level) -> Iterator[Step]:
    origin = content.origin
    if level not in {Level.READY, Level.PARTLY} or not origin.version:
        return
    place = f"{origin.store.rstrip('/')} {origin.name}"
    command = f"python -m training promote {place} {origin.version}"
    what: Sentence = (f"Ship version {origin.version}",)
    why: Sentence = (f"every label reaches {percent(GOOD)} F1",)
    if level is Level.PARTLY:
        what = (f"Ship version {origin.version} if somebody looks at what it is unsure of",)
        why = _by_itself(content) or (f"some labels are below {percent(GOOD)} F1",)
    if origin.version > 1:
        compared = (
            "; with --unless-worse FOLDER it is refused where the version that serves now is better on FOLDER's labelled photos, "
            "which neither may have learned from"
        )
        why = (*why, compared, "; rollback in the place of promote takes it back")
    yield Step(what, why, "labels", command)


def _by_itself(content: Content) -> Sentence:
    if not content.thresholds:
        return ()
    found = accepted(content.tested, content.thresholds)
    if not found.precision.n:
        return ("by its thresholds it answers no image by itself",)
    answered, right = percent(found.answered.value), percent(found.precision.value)
    return (f"by its thresholds it answers {answered} of images by itself, {right} of these rightly",)


def _labels(content: Content) -> Iterator[Step]:
    if content.suspects:
        count = len(content.suspects)
        surest = max(suspect.confidence for suspect in content.suspects)
        what: Sentence = (f"Look at {'this label' if count == 1 else f'these {count:,} labels'}",)
        why = f"a model that had not seen {'this image' if count == 1 else 'these images'} gives {'its label' if count == 1 else 'their labels'} {percent(surest, 1)} at most; some will be right, of pictures that are hard"
        if not content.suspects_file:
            yield Step(what, (why,), "suspects")
            return
        how = (
            f"; in the last column of {content.suspects_file.name} write the right label, ‘keep’ where it is right, "
            "‘leave out’ where the picture is none of the labels, and train again"
        )
        yield Step(what, (why, how), "suspects", f"{content.command} --corrections {content.suspects_file}")


def _copies(content: Content) -> Iterator[Step]:
    """Only where there is something to decide: others are kept on one side of the split, and do no harm."""
    groups = [group for group in content.duplicates if _mixed(group) or _leaking(group)]
    if not groups:
        return
    noun = "pair" if all(len(group) == 2 for group in groups) else "group"
    count = f"one {noun}" if len(groups) == 1 else counted(len(groups), noun)
    mixed, leaking = sum(map(_mixed, groups)), sum(map(_leaking, groups))
    if mixed:
        why = f"{'one has' if mixed == 1 else f'{mixed:,} have'} different labels, of which one must be wrong"
    else:
        why = f"{'one was' if leaking == 1 else f'{leaking:,} were'} both learned from and tested with: the accuracy is too good by that"
    yield Step((f"Look at {count} of near-duplicates",), (why,), "duplicates")


def _mixed(group: Sequence[Copy]) -> bool:
    return len({copy.label for copy in group}) > 1


def _leaking(group: Sequence[Copy]) -> bool:
    return len({copy.tested for copy in group}) > 1


def _files(content: Content) -> Iterator[Step]:
    if content.origin.set_aside:
        what = (f"Mend {counted(content.origin.set_aside, 'file')} that could not be used",)
        yield Step(what, ("set aside, and not learned from",), "", f"python -m training check {content.root}")


def _images(content: Content) -> Iterator[Step]:
    few = sorted(label for label, count in content.origin.images_by_label.items() if label in _unsure(content))
    if few:
        yield Step(
            ("Add images of ", *some(few)),
            (f"with fewer than {ENOUGH} to judge by, their figures are mostly chance",),
            "labels",
        )
    weak = [label for label in content.figures if label.f1 < GOOD and label.recall.n >= ENOUGH]
    forecast = _forecast(content)
    if weak:
        lowest = weak[0]
        why: Sentence = (
            "the F1 of ",
            Label(lowest.label),
            f" is {percent(lowest.f1)}, by {counted(lowest.recall.n, 'image')}",
        )
        yield Step(
            ("Take more photos of ", *some([label.label for label in weak])),
            (*why, *forecast),
            "curve" if content.curve else "labels",
        )


def _forecast(content: Content) -> Sentence:
    curve = content.curve
    if not curve or not curve.forecast:
        return ()
    gain = curve.forecast[1] - curve.points[-1][1]
    if gain < GAIN:
        return ("; but double the data of the same kind would gain less than half a point: take them where it fails",)
    reached, expected = percent(curve.points[-1][1], 1), percent(curve.forecast[1], 1)
    would = (
        f"; double the data in all would raise accuracy by about {100 * gain:.0f} points, from {reached} to {expected}"
    )
    return (f"{would} as measured without the images kept for testing",)


def _threshold(content: Content) -> Iterator[Step]:
    if content.thresholds:
        none = [label for label, least in zip(content.labels, content.thresholds.labels, strict=True) if least is None]
        if none:
            wished, fewest = percent(content.thresholds.precision), fewest_answers(content.thresholds.precision)
            why = (
                f"no score shows with enough certainty that {wished} of such answers are right; "
                f"that takes {fewest:,} right answers of a label, and more where some are wrong"
            )
            yield Step(("Have every answer of ", *some(none), " looked at"), (why,), "labels")


def _compile(content: Content) -> Iterator[Step]:
    if content.origin.parity and content.origin.parity.get("compiled") is None:
        yield Step(
            ("Expect slow answers",),
            (f"{why_uncompiled(content.origin.parity)}: TensorFlow itself will serve",),
            "compiled",
        )


def _unsure(content: Content) -> set[str]:
    return {label.label for label in content.figures if label.recall.n < ENOUGH}
