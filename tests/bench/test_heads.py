import numpy as np

from bench.heads import our_accuracy, random_parts, their_accuracy


def test_parts_are_disjoint_and_complete_and_differ_by_seed():
    parts = random_parts(100, seed=1)
    assert sorted(np.concatenate([parts.train, parts.validation, parts.test])) == list(range(100))
    assert len(parts.test) == len(parts.validation) == 15
    assert list(parts.test) != list(random_parts(100, seed=2).test)


def test_both_heads_learn_what_is_plain_to_see():
    random = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], 60)
    features = random.normal(0, 0.5, (180, 8)).astype(np.float32)
    features[np.arange(180), classes] += 4
    parts = random_parts(180, seed=0)
    assert our_accuracy(features, classes, parts) == 1
    assert their_accuracy(features, classes, parts, steps=300, seed=0) == 1
