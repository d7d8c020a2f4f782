from pathlib import Path

import numpy as np
import pytest

from tests.support.tiny import draw_colours, tiny_backbone
from training.cache import FeatureCache
from training.dataset import Dataset, scan
from training.errors import DatasetError
from training.features import Extractor, extract
from training.run import NullProgress, Run


class Interrupted(NullProgress):
    """A user who presses Ctrl-C after a few features."""

    def items(self, title, items, total):
        for number, item in enumerate(items):
            if number == 10:
                raise KeyboardInterrupt
            yield item


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> Extractor:
    return Extractor(tiny_backbone(), tmp_path_factory.mktemp("compiled models"))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return scan(draw_colours(tmp_path / "images", 10))


def cache_at(tmp_path: Path, extractor: Extractor) -> FeatureCache:
    return FeatureCache(tmp_path / "features.sqlite", extractor.identity)


def test_a_second_run_takes_every_feature_from_the_cache(
    dataset: Dataset, extractor: Extractor, tmp_path: Path
) -> None:
    first = extract(dataset.examples, extractor, cache_at(tmp_path, extractor), Run())
    assert first.cached == 0
    assert first.values.shape == (30, 12)
    second = extract(dataset.examples, extractor, cache_at(tmp_path, extractor), Run())
    assert second.cached == 30
    assert (second.values == first.values).all()


def test_features_do_not_depend_on_how_many_threads_computed_them(
    dataset: Dataset, extractor: Extractor, tmp_path: Path
) -> None:
    found = [
        extract(dataset.examples, extractor, cache_at(tmp_path / str(workers), extractor), Run(workers=workers)).values
        for workers in (1, 4)
    ]
    assert (found[0] == found[1]).all()


def test_an_interrupted_run_keeps_what_it_finished(dataset: Dataset, extractor: Extractor, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        extract(dataset.examples, extractor, cache_at(tmp_path, extractor), Run(Interrupted()))
    again = extract(dataset.examples, extractor, cache_at(tmp_path, extractor), Run())
    assert again.cached >= 10
    whole = extract(dataset.examples, extractor, cache_at(tmp_path / "whole", extractor), Run())
    assert (again.values == whole.values).all()


def test_an_image_that_changes_meanwhile_does_not_poison_the_cache(
    dataset: Dataset, extractor: Extractor, tmp_path: Path
) -> None:
    first, second = dataset.examples[0], dataset.examples[1]
    first.path.write_bytes(second.path.read_bytes())
    cache = cache_at(tmp_path, extractor)
    with pytest.raises(DatasetError, match="changed while"):
        extract([first], extractor, cache, Run())
    assert first.digest not in cache.digests()


def test_the_identity_names_all_that_a_feature_depends_on() -> None:
    assert Extractor(tiny_backbone(), Path()).identity == f"tiny/{'0' * 64}/preprocessing-4/int8"


def test_features_are_those_of_the_network(dataset: Dataset, extractor: Extractor, tmp_path: Path) -> None:
    from model.image import decode

    found = extract(dataset.examples[:3], extractor, cache_at(tmp_path, extractor), Run()).values
    images = np.stack([decode(example.path.read_bytes()).tensor for example in dataset.examples[:3]])
    assert np.abs(found - np.asarray(extractor.backbone.build()(images))).max() < 1e-4
