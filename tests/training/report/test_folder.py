"""Reports of real trainings, of a tiny model."""

import csv
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from model.classifier import load_classifier
from tests.support.before import published_before
from tests.support.tiny import draw_colours, retrain_tiny
from training.cli import main
from training.pipeline import Outcome
from training.report.folder import report_training
from training.report.gather import Place, from_training
from training.report.verdict import Level, judge
from training.run import Run

COMMAND = "python -m training retrain images --name tiny"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Outcome]:
    folder = tmp_path_factory.mktemp("report")
    images = draw_colours(folder / "images")
    for number in range(3):  # labels that are wrong
        (images / "red" / f"{number:02}.jpg").rename(images / "blue" / f"wrong{number}.jpg")
    return folder, *retrain_tiny(folder)


@pytest.fixture(scope="module")
def page(trained: tuple[Path, str, Outcome]) -> Path:
    folder, _, outcome = trained
    return report_training(outcome, Place(str(folder / "store"), 1, COMMAND), folder / "runs", Run())


def test_a_training_leaves_a_page_a_card_and_the_labels_to_look_at(page: Path) -> None:
    assert page.name == "report.html"
    assert page.parent.name == "tiny-1"
    with (page.parent / "suspects.csv").open(encoding="utf-8") as file:
        suspects = list(csv.DictReader(file))
    assert {row["image"] for row in suspects} >= {f"blue/wrong{number}.jpg" for number in range(3)}
    assert (page.parent / "model-card.md").read_text(encoding="utf-8").startswith("# Model card: tiny")


def without_spans(page: Path) -> str:
    """A command's words are kept together by a span each."""
    return re.sub("</?span>", "", page.read_text(encoding="utf-8"))


def test_the_page_has_what_was_measured(page: Path) -> None:
    html = without_spans(page)
    assert "only where the model has seen none" not in html
    for said in (
        "Labels to look at",
        "blue/wrong0.jpg",
        "When it answers unknown",
        "What a score is worth",
        COMMAND,
    ):
        assert said in html


def test_the_card_is_published_with_the_model_and_loaded_with_it(
    trained: tuple[Path, str, Outcome], page: Path
) -> None:
    classifier = load_classifier(trained[1])
    assert classifier.card == (page.parent / "model-card.md").read_text(encoding="utf-8")
    assert "assets.extra/model-card.md" in classifier.manifest.files


def test_content_is_that_of_the_manifest(trained: tuple[Path, str, Outcome]) -> None:
    folder, _, outcome = trained
    content = from_training(outcome, Place(str(folder / "store"), 1, COMMAND), None)
    measured = outcome.manifest.metrics["litert"]
    assert content.tested.accuracy.value == measured["accuracy"]
    assert content.tested.confusion.tolist() == measured["confusion"]
    assert content.log_loss.value == pytest.approx(measured["log_loss"])
    assert content.thresholds == outcome.manifest.thresholds
    assert content.choices[content.thresholds.precision] == content.thresholds.labels
    assert judge(content).level in {Level.READY, Level.PARTLY}


def evaluated(model: str, images: Path, *options: str) -> str:
    found = CliRunner().invoke(main, ["evaluate", model, str(images), *options])
    assert found.exit_code == 0, found.output
    return found.stdout


def test_evaluate_writes_the_same_report_for_another_folder(trained: tuple[Path, str, Outcome], tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "others", 20, seed=3)
    said = evaluated(trained[1], images, "--report", str(tmp_path / "found"), "--unknown-dir", str(images / "red"))
    assert said.rstrip().endswith(f"report      {tmp_path / 'found/report.html'}")
    html = without_spans(tmp_path / "found/report.html")
    assert f"python -m training evaluate {trained[1]} {images} --report" in html
    assert "AUROC" in html
    assert "60 in this folder" in html
    assert "only where the model has seen none of these images" in html
    assert not (tmp_path / "found/suspects.csv").exists()


def test_json_stays_json_beside_a_report(trained: tuple[Path, str, Outcome], tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "others", 5, seed=3)
    assert json.loads(evaluated(trained[1], images, "--json", "--report", str(tmp_path / "found")))["n"] == 15


def test_an_old_model_is_reported_without_what_it_lacks(trained: tuple[Path, str, Outcome], tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "others", 20, seed=3)
    evaluated(published_before(trained[1], tmp_path), images, "--report", str(tmp_path / "found"))
    html = without_spans(tmp_path / "found/report.html")
    assert "Pictures of something else" not in html
    assert 'type="range"' not in html
    assert 'class="heat"' not in html


def test_nothing_is_written_beside_the_reports(trained: tuple[Path, str, Outcome], page: Path) -> None:
    assert {path.name for path in page.parent.parent.iterdir()} == {"tiny-1"}
    assert {path.name for path in page.parent.iterdir()} == {"report.html", "model-card.md", "suspects.csv"}
