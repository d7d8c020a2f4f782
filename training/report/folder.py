"""Writes a report into its folder: the page, the model's card, and the labels to look at. Reads what it shows of the images."""

from dataclasses import replace
from pathlib import Path

from model.classifier import Classifier, load_classifier
from training.answers import Answers
from training.dataset import Dataset
from training.pipeline import Outcome
from training.report.content import Content
from training.report.evidence import with_evidence
from training.report.gather import Others, Place, from_evaluation, from_training
from training.report.page import MOST_MISTAKES, pictures_of, render
from training.run import Run
from training.sources.listing import CACHE
from training.suspects import write_suspects

PAGE, CARD, SUSPECTS = "report.html", "model-card.md", "suspects.csv"


def report_training(outcome: Outcome, place: Place, runs: Path, run: Run) -> Path:
    """Write `runs`/<name>-<version>; return the page. The maps come from the model as it was published."""
    manifest = outcome.manifest
    folder = runs / f"{manifest.name}-{outcome.version}"
    folder.mkdir(parents=True, exist_ok=True)
    suspects = folder / SUSPECTS if outcome.study.suspects else None
    if suspects:
        write_suspects(suspects, outcome.study.suspects, outcome.dataset.root)
    uri = f"{place.store.rstrip('/')}/{manifest.name}/{outcome.version}"
    classifier = load_classifier(uri, threads=run.workers, cache=CACHE / "models")
    content = from_training(outcome, place, suspects)
    outcome.found.bring(pictures_of(content))
    return _write(folder, classifier, content, run)


def report_evaluation(
    classifier: Classifier,
    dataset: Dataset,
    found: Answers,
    place: Place,
    folder: Path,
    run: Run,
    others: Others | None = None,
) -> Path:
    """Write `folder`; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    return _write(folder, classifier, from_evaluation(classifier, dataset, found, place, others), run)


def _write(folder: Path, classifier: Classifier, content: Content, run: Run) -> Path:
    mistakes = with_evidence(classifier, content.labels, content.mistakes, MOST_MISTAKES, run)
    html = render(replace(content, mistakes=mistakes), run.limits)
    (folder / PAGE).write_text(html, encoding="utf-8", errors="backslashreplace")  # a path may be no UTF-8
    if classifier.card is not None:
        (folder / CARD).write_text(classifier.card, encoding="utf-8")
    return folder / PAGE
