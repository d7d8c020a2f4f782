"""A model's card: what it is for, how good it is and where it ends, in the form of Mitchell et al., "Model Cards for Model
Reporting" (2019), as Markdown. All of it comes from the manifest; what was not measured is left out, not made up.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from model.manifest import Manifest
from training.evaluation import ENOUGH
from training.problems import counted

MARKDOWN = re.compile(r"([\\`*_\[\]<>|&#])")


def model_card(manifest: Manifest) -> str:
    sections = (_details, _use, _factors, _metrics, _data, _limits)
    parts = [f"# Model card: {escaped(manifest.name)}", *("\n".join(section(manifest)) for section in sections)]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Write a label so that Markdown shows it as it is."""
    return MARKDOWN.sub(r"\\\1", text)


def _details(manifest: Manifest) -> Iterator[str]:
    head = manifest.training.get("head") or {}
    yield "## Model details\n"
    yield f"- Made {manifest.created}" + (
        f", by the code of commit {manifest.git_commit}." if manifest.git_commit else "."
    )
    yield f"- A softmax over {counted(len(manifest.labels), 'label')} on the features of {manifest.backbone['name']} (weights {escaped(str(manifest.backbone['weights']))}, SHA-256 {manifest.backbone['sha256']})."
    if head:
        yield f"- Fitted by {head['solver']}; C = {head['C']:g} by {head['C_by']}."
    if manifest.training.get("fine_tuning"):
        tuned = manifest.training["fine_tuning"]
        yield f"- Top blocks fine-tuned for {tuned['steps']} steps: {'kept' if tuned['kept'] else 'not kept, it was no better'}."
    if manifest.parity.get("compiled"):
        compiled = manifest.parity["compiled"]
        yield f"- Compiled in {compiled['precision']}: the same first label as the SavedModel on {_percent(compiled['top1_agreement'])} of {counted(compiled['images'], 'image')} (95 % interval {_between(compiled['agreement_interval'])})."


def _use(manifest: Manifest) -> Iterator[str]:
    yield "## Intended use\n"
    yield f"- To give an image one of these labels: {', '.join(map(escaped, manifest.labels))}."
    yield "- For images like those it learned from: of the same kind, taken in the same way."
    yield "- Not for pictures of anything else, for several things in one picture, or for decisions that nobody looks over."


def _factors(manifest: Manifest) -> Iterator[str]:
    counts = manifest.training.get("images_by_label") or {}
    yield "## Factors\n"
    yield "- What was measured apart is the label; light, place, camera or season were not recorded, so nothing is known of them."
    if counts:
        least, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
        yield f"- Images a label: from {counts[least]:,} ({escaped(least)}) to {counts[most]:,} ({escaped(most)}); every label weighs the same in training."


def _metrics(manifest: Manifest) -> Iterator[str]:
    yield "## Metrics\n"
    yield "On images that were kept out of training, each with its number and 95 % interval:\n"
    yield "| engine | accuracy | interval | images | log-loss |"
    yield "| --- | --- | --- | --- | --- |"
    for engine, found in sorted(manifest.metrics.items()):
        yield f"| {engine} | {_percent(found['accuracy'])} | {_between(found['accuracy_interval'])} | {found['n']:,} | {found['log_loss']:.3f} |"
    yield from _by_label(manifest)
    yield from _decisions(manifest)


def _by_label(manifest: Manifest) -> Iterator[str]:
    """Recall and precision, from the counts of the engine that serves by default."""
    measured = manifest.metrics.get("litert") or manifest.metrics.get("tensorflow")
    if not measured:
        return
    confusion = measured["confusion"]  # [true][predicted]
    yield "\n| label | test images | found (recall) | right when named (precision) |"
    yield "| --- | --- | --- | --- |"
    for number, label in enumerate(manifest.labels):
        right, images, named = confusion[number][number], sum(confusion[number]), sum(row[number] for row in confusion)
        yield f"| {escaped(label)} | {images:,} | {_share(right, images)} | {_share(right, named)} |"


def _decisions(manifest: Manifest) -> Iterator[str]:
    measured = manifest.metrics.get("litert") or manifest.metrics.get("tensorflow") or {}
    decided, thresholds = measured.get("decisions"), manifest.thresholds
    if not decided or not thresholds:
        return
    yield f"\nBy its thresholds, set for {_percent(thresholds.precision)} precision, it accepts {_figure(decided['accepted'])} of its answers on these"
    right = f"; of the accepted ones {_figure(decided['precision'])} are right" if decided["precision"] else ""
    yield f"images{right}. It calls {_figure(decided['false_alarms'])} of them unknown, wrongly."


def _figure(found: Mapping[str, Any]) -> str:
    return f"{_percent(found['value'])} ({_between(found['interval'])}, N = {found['n']:,})"


def _data(manifest: Manifest) -> Iterator[str]:
    training = manifest.training
    images: Mapping[str, int] = training.get("images") or {}
    yield "## Training and evaluation data\n"
    if images:
        yield f"- {counted(sum(images.values()), 'image')}: {', '.join(f'{count:,} {part}' for part, count in images.items())}."
    if training.get("set_aside"):
        yield (
            f"- {counted(training['set_aside'], 'file')} could not be used and was set aside."
            if training["set_aside"] == 1
            else f"- {counted(training['set_aside'], 'file')} could not be used and were set aside."
        )
    split: Mapping[str, Any] = training.get("split") or {}
    if split:
        yield f"- Divided by the content of the images; SHA-256 of the split {split['digest']}."
    yield f"- Images are decoded by preprocessing {manifest.preprocessing} of this project, in training as in serving."


def _limits(manifest: Manifest) -> Iterator[str]:
    yield "## Ethical considerations and limits\n"
    yield "- The model repeats what its labels say: what was labelled wrongly, or is missing among the images, it does not know."
    yield "- The golden images inside the model are copies of some of the test images: share the model as you would share them."
    few = _few(manifest)
    if few:
        yield f"- Of {counted(len(few), 'label')} there were fewer than {ENOUGH} test images: their figures are mostly chance."


def _few(manifest: Manifest) -> list[str]:
    measured = manifest.metrics.get("litert") or manifest.metrics.get("tensorflow")
    if not measured:
        return []
    return [label for label, row in zip(manifest.labels, measured["confusion"], strict=True) if sum(row) < ENOUGH]


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _between(interval: list[float]) -> str:
    return f"{interval[0]:.1%} – {interval[1]:.1%}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"
