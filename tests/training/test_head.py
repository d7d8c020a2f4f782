import numpy as np
import pytest

from tests.support.folded import clouds
from training.folds import DEFAULT_C
from training.head import Head, LabelledFeatures, fit


def learn(labelled: LabelledFeatures, labels: tuple[str, ...]) -> Head:
    return fit(labelled, labels, DEFAULT_C, 1000)


def accuracy(head, labelled: LabelledFeatures) -> float:
    logits = labelled.features @ head.weights + head.bias  # (N, K)
    return float((logits.argmax(axis=1) == labelled.classes).mean())


@pytest.mark.parametrize("classes", [2, 5])
def test_the_head_separates_what_can_be_separated(classes: int) -> None:
    labels = tuple("abcde"[:classes])
    head = learn(clouds([250] * classes, 0, 0.5), labels)
    assert head.weights.shape == (20, classes)
    assert head.bias.shape == (classes,)
    assert accuracy(head, clouds([100] * classes, 2, 0.5)) > 0.95


def test_two_runs_give_the_same_head() -> None:
    one, two = (learn(clouds([110] * 3, 0), ("a", "b", "c")) for _ in range(2))
    assert (one.weights == two.weights).all()
    assert (one.bias == two.bias).all()


def test_a_rare_class_is_not_forgotten() -> None:
    head = learn(clouds([800, 30], 0), ("common", "rare"))
    rare = clouds([0, 200], 2)
    assert accuracy(head, rare) > 0.6


def test_a_feature_that_never_varies_does_no_harm() -> None:
    def with_constant(labelled: LabelledFeatures) -> LabelledFeatures:
        return LabelledFeatures(
            np.hstack([labelled.features, np.full((len(labelled.classes), 1), 7, np.float32)]), labelled.classes
        )

    head = learn(with_constant(clouds([110] * 3, 0, 0.5)), ("a", "b", "c"))
    assert np.isfinite(head.weights).all()
    assert accuracy(head, with_constant(clouds([50] * 3, 2, 0.5))) > 0.95


@pytest.mark.parametrize("classes", [2, 5])
def test_one_image_a_class_is_learned(classes: int) -> None:
    head = learn(clouds([1] * classes, 0, 0.1), tuple("abcde"[:classes]))
    assert accuracy(head, clouds([20] * classes, 2, 0.1)) > 0.9


def test_two_images_a_class_make_no_remark_of_the_solver() -> None:
    assert learn(clouds([1] * 30), tuple(map(str, range(30)))).weights.shape == (20, 30)  # a warning is an error here
