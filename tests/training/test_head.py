import numpy as np
import pytest

from training.folds import DEFAULT_C
from training.head import Head, LabelledFeatures, fit


def blobs(counts: list[int], seed: int, spread: float = 2.0) -> LabelledFeatures:
    """One cloud of points per class around its own centre, in 20 dimensions of very different scales."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 1, (len(counts), 20))
    scales = np.logspace(-2, 2, 20)
    points = [random.normal(centres[i], spread, (count, 20)) * scales for i, count in enumerate(counts)]
    return LabelledFeatures(np.concatenate(points).astype(np.float32), np.repeat(np.arange(len(counts)), counts))


def learn(labelled: LabelledFeatures, labels: tuple[str, ...]) -> Head:
    return fit(labelled, labels, DEFAULT_C, 1000)


def accuracy(head, labelled: LabelledFeatures) -> float:
    logits = labelled.features @ head.weights + head.bias  # (N, K)
    return float((logits.argmax(axis=1) == labelled.classes).mean())


@pytest.mark.parametrize("classes", [2, 5])
def test_the_head_separates_what_can_be_separated(classes: int) -> None:
    labels = tuple("abcde"[:classes])
    head = learn(blobs([250] * classes, 0, 0.5), labels)
    assert head.weights.shape == (20, classes)
    assert head.bias.shape == (classes,)
    assert accuracy(head, blobs([100] * classes, 2, 0.5)) > 0.95


def test_two_runs_give_the_same_head() -> None:
    one, two = (learn(blobs([110] * 3, 0), ("a", "b", "c")) for _ in range(2))
    assert (one.weights == two.weights).all()
    assert (one.bias == two.bias).all()


def test_a_rare_class_is_not_forgotten() -> None:
    head = learn(blobs([800, 30], 0), ("common", "rare"))
    rare = blobs([0, 200], 2)
    assert accuracy(head, rare) > 0.6


def test_a_feature_that_never_varies_does_no_harm() -> None:
    def with_constant(labelled: LabelledFeatures) -> LabelledFeatures:
        return LabelledFeatures(
            np.hstack([labelled.features, np.full((len(labelled.classes), 1), 7, np.float32)]), labelled.classes
        )

    head = learn(with_constant(blobs([110] * 3, 0, 0.5)), ("a", "b", "c"))
    assert np.isfinite(head.weights).all()
    assert accuracy(head, with_constant(blobs([50] * 3, 2, 0.5))) > 0.95


@pytest.mark.parametrize("classes", [2, 5])
def test_one_image_a_class_is_learned(classes: int) -> None:
    head = learn(blobs([1] * classes, 0, 0.1), tuple("abcde"[:classes]))
    assert accuracy(head, blobs([20] * classes, 2, 0.1)) > 0.9
