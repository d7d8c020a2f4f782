"""What is written beside the drawings and in the lists at the end: figures in words. Nothing is measured or decided here."""

from collections.abc import Iterator

from training.problems import counted
from training.proof import why_uncompiled
from training.report.content import Calibration, Content, Curve, Unfamiliar
from training.report.sentences import percent
from training.report.steps import GAIN

MB = 1_000_000
SHOWN_SECONDS = 0.05  # what takes less is not listed


def curve_says(curve: Curve) -> str:
    untuned = " and were not fine-tuned" if curve.tuned else ""
    said = (
        "Measured on the images that were not kept for testing, each by a model that had not seen it. Those models learned from "
        f"fewer images than this one{untuned}, so their accuracy may lie below the one at the top."
    )
    if not curve.forecast:
        return f"{said} It does not show where more images would lead."
    double, expected = curve.forecast
    gain = expected - curve.points[-1][1]
    worth = f"{100 * gain:.1f} points more"
    if gain < GAIN:
        worth = "less than half a point more: take photos where it fails, not more of the same"
    return (
        f"{said} With {double:,} images a power law through the last sizes foretells {percent(expected, 1)}, {worth}."
    )


def calibration_says(found: Calibration) -> str:
    said = (
        "On the diagonal a score of 80\u00a0% is right 8 times in 10; the bars are 95\u00a0% intervals, long where there are few "
        f"images. The mean gap is {percent(found.error, 1)}, and {percent(found.floor, 1)} would be chance alone, with as many images"
    )
    if found.error <= found.most:
        return f"{said}: the scores may be taken as they are."
    return f"{said}: scores are {'higher' if _overconfident(found) else 'lower'} than they should be."


def _overconfident(found: Calibration) -> bool:
    return sum(one.right.n * one.confidence - one.right.hits for one in found.bins) > 0


def distance_says(found: Unfamiliar) -> str:
    beyond = float((found.known > found.threshold).mean())
    said = f"The threshold refuses {percent(beyond, 1)} of known images wrongly."
    if found.others is not None:
        return said
    return f"{said} How many pictures of something else it finds: python -m training evaluate MODEL IMAGES --unknown-dir OTHERS."


def unknown_title(found: Unfamiliar) -> str:
    return "When it answers unknown" if found.others is None else "Pictures of something else"


def unknown_says(found: Unfamiliar) -> str:
    if found.others is None:
        return ""
    caught = float((found.others > found.threshold).mean())
    return (
        f"The threshold finds {percent(caught, 1)} of the pictures in {found.others_about}; the area under the curve (AUROC) is "
        f"{found.auroc:.3f}, where 0.5 is guessing and 1 perfect."
    )


def serves(content: Content) -> Iterator[tuple[str, str]]:
    origin = content.origin
    compiled = origin.parity.get("compiled")
    if compiled:
        low, high = compiled["agreement_interval"]
        yield "engine", f"LiteRT, the compiled model in {compiled['precision']}"
        yield (
            "agrees with the SavedModel",
            f"{percent(compiled['top1_agreement'], 1)} of first labels on {counted(compiled['images'], 'image')} (95\u00a0% interval {percent(low, 1)} – {percent(high, 1)})",
        )
        yield "largest difference", f"{compiled['largest_difference']:.3f} in probability"
    elif origin.parity:
        yield "engine", f"TensorFlow: {why_uncompiled(origin.parity)}"
    for refused in origin.parity.get("refused", ()):
        yield "refused", f"{refused['precision']}: it agrees on {percent(refused['top1_agreement'], 1)} of first labels"
    for engine, size in origin.sizes.items():
        yield {"litert": "compiled model", "tensorflow": "SavedModel"}.get(engine, engine), f"{size / MB:.1f} MB"
    if content.log_loss:
        loss = content.log_loss
        between = (
            f" (95\u00a0% interval {loss.low:.3f} – {loss.high:.3f})"
            if loss.low is not None and loss.high is not None
            else ""
        )
        yield "log-loss", f"{loss.value:.3f}{between}"


def made(content: Content) -> Iterator[tuple[str, str]]:
    origin, training = content.origin, content.origin.training
    yield (
        "backbone",
        f"{origin.backbone['name']}, weights {origin.backbone['weights']} ({str(origin.backbone['sha256'])[:12]}…)",
    )
    head = training.get("head")
    if head:
        yield "head", f"{head['solver']}; C = {head['C']:g} by {head['C_by']}"
    tuning = training.get("fine_tuning")
    if tuning:
        yield "fine-tuning", f"{tuning['steps']} steps, {'kept' if tuning['kept'] else 'not kept: it was no better'}"
    yield "images", f"{content.root}, read as {content.layout}"
    if "split" in training:
        yield "split", f"{training['split']['digest'][:12]}…"
    if origin.images_by_label:
        counts = origin.images_by_label.values()
        yield (
            "images a label",
            f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} – {max(counts):,}",
        )
    yield "code", origin.git_commit[:12] if origin.git_commit else "not from a clone"
    yield "libraries", ", ".join(f"{name} {version}" for name, version in origin.libraries.items())


def seconds(content: Content) -> Iterator[tuple[str, float, float]]:
    """Each step with its seconds and its share of the longest, in %."""
    longest = max(content.seconds.values(), default=1)
    for step, taken in content.seconds.items():
        if taken >= SHOWN_SECONDS:
            yield step, taken, round(100 * taken / longest, 2)
