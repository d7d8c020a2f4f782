from dataclasses import replace

import pytest

from model.decision import Thresholds
from model.manifest import Manifest
from training.report.card import escaped, model_card

FIGURES = {
    "n": 20,
    "accuracy": 0.9,
    "accuracy_interval": [0.7, 0.97],
    "log_loss": 0.3,
    "confusion": [[9, 1], [1, 9]],
}
MANIFEST = Manifest(
    name="flowers",
    created="2026-11-25T17:10:00+00:00",
    labels=("daisy", "ro|se"),
    preprocessing="2",
    backbone={"name": "inception_v3", "weights": "imagenet", "sha256": "a" * 64},
    training={
        "images": {"train": 70, "validation": 15, "test": 20},
        "images_by_label": {"daisy": 60, "ro|se": 45},
        "set_aside": 1,
        "split": {"digest": "b" * 64},
        "head": {"solver": "softmax", "C": 0.003, "C_by": "out-of-fold log-loss"},
        "fine_tuning": None,
    },
    metrics={"litert": FIGURES},
    parity={
        "compiled": {"precision": "int8", "images": 20, "top1_agreement": 1.0, "agreement_interval": [0.84, 1.0]},
        "refused": [],
    },
    libraries={},
    git_commit="c" * 40,
    files={},
)


def test_a_card_has_the_usual_sections_in_their_order() -> None:
    titles = [line.removeprefix("## ") for line in model_card(MANIFEST).splitlines() if line.startswith("## ")]
    assert titles == [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Training and evaluation data",
        "Ethical considerations and limits",
    ]


@pytest.mark.parametrize(
    "figure",
    [
        "| litert | 90.0% | 70.0% – 97.0% | 20 | 0.300 |",
        "| daisy | 10 | 90.0% | 90.0% |",
        "from 45 (ro\\|se) to 60 (daisy)",
        "105 images: 70 train, 15 validation, 20 test.",
        "1 file could not be used and was set aside.",
        "C = 0.003 by out-of-fold log-loss",
        "on 100.0% of 20 images (95 % interval 84.0% – 100.0%)",
        "by the code of commit ccc",
    ],
)
def test_every_figure_is_the_manifests(figure: str) -> None:
    assert figure in model_card(MANIFEST)


def test_labels_with_few_test_images_are_said_to_be_chance() -> None:
    few = replace(MANIFEST, metrics={"litert": {**FIGURES, "confusion": [[9, 1], [1, 3]]}})
    assert "Of 1 label there were fewer than 10 test images" in model_card(few)
    assert "fewer than" not in model_card(MANIFEST)


def test_what_an_old_manifest_lacks_is_left_out() -> None:
    old = replace(MANIFEST, training={}, parity={}, metrics={}, git_commit=None)
    assert "inception_v3" in model_card(old)
    assert "Compiled" not in model_card(old)


def test_a_label_is_no_markup() -> None:
    assert escaped("<b>*a*|`b`") == r"\<b\>\*a\*\|\`b\`"


def test_where_no_answer_is_accepted_none_is_called_wrong() -> None:
    share = {"value": 0.0, "interval": [0.0, 0.16], "n": 20}
    figures = FIGURES | {"decisions": {"accepted": share, "precision": None, "false_alarms": share}}
    thresholds = Thresholds(0.95, (None, None), 0.5, 0.05)
    card = model_card(replace(MANIFEST, metrics={"litert": figures}, thresholds=thresholds))
    assert "it accepts 0.0% (0.0% – 16.0%, N = 20) of its answers on these\nimages. It calls" in card
