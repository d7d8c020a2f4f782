"""What is judged before anything is learned: groups, corrections, and what the cache knew."""

import shutil
import sqlite3
from dataclasses import replace
from functools import partial
from pathlib import Path

import boto3
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from model.stores.addresses import split_address
from model.stores.objects import open_bucket
from tests.support.tiny import draw_colours, tiny_backbone
from training.cache import FeatureCache
from training.cli import main
from training.content import Content, content_of
from training.errors import DatasetError
from training.features import Extractor, extract, extract_reference
from training.finetune import FineTuning
from training.job import Job
from training.run import Run
from training.survey import Survey, survey


def test_photos_are_judged_before_weights_are_made_or_fetched(tmp_path: Path) -> None:
    images = draw_colours(tmp_path / "images")
    (images / "red" / "copy.jpg").write_bytes((images / "blue" / "00.jpg").read_bytes())
    options = ["--name", "x", "--weights", "random", "--bottleneck_dir", str(tmp_path / "bottlenecks")]
    found = CliRunner().invoke(main, ["retrain", str(images), "--store", str(tmp_path / "store"), *options])
    assert "two labels" in found.stderr
    assert not list((tmp_path / "bottlenecks").glob("*.h5"))


def test_after_the_survey_no_file_is_read_again_for_its_feature(tmp_path: Path) -> None:
    job = Job(draw_colours(tmp_path / "images"), "tiny", tmp_path / "bottlenecks")
    found = survey(job, Run())
    shutil.rmtree(tmp_path / "images")
    extractor = Extractor(tiny_backbone(), job.bottleneck_dir)
    cache = FeatureCache(job.feature_file, extractor.identity)
    assert extract(found.dataset.examples, extractor, cache, Run(), found.spool).cached == 0
    extract_reference(found.split.test, extractor, job.feature_file, Run(), found.spool)


def test_with_a_compiled_backbone_the_survey_computes_every_feature(tmp_path: Path) -> None:
    job = Job(draw_colours(tmp_path / "images"), "tiny", tmp_path / "bottlenecks")
    extractor = Extractor(tiny_backbone(), job.bottleneck_dir)
    extractor.compiled()
    found = survey(job, Run(), extractor)
    assert FeatureCache(job.feature_file, extractor.identity).digests() == {e.digest for e in found.dataset.examples}
    shutil.rmtree(tmp_path / "images")
    extract_reference(found.split.test, extractor, job.feature_file, Run(), found.spool)


def draw_patterns(folder: Path, count: int = 12) -> Path:
    """Pictures with structure, unlike those of draw_colours, each with a copy that was re-encoded and made smaller."""
    for label, seed in (("lily", 0), ("rose", 1000)):
        (folder / label).mkdir(parents=True)
        for i in range(count):
            coarse = np.random.default_rng(seed + i).integers(0, 256, (12, 12, 3), np.uint8)
            image = Image.fromarray(coarse).resize((400, 300), Image.Resampling.BICUBIC)
            image.save(folder / label / f"plant{i // 3}_{i}.jpg")
            image.resize((200, 150)).save(folder / label / f"small_{i}.jpg", quality=60)
    return folder


def parts_of(found: Survey) -> dict[str, str]:
    """Part by label and file name."""
    return {
        f"{example.path.parent.name}/{example.path.name}": name
        for name in ("train", "validation", "test")
        for example in getattr(found.split, name)
    }


def test_near_duplicates_and_groups_are_never_divided(tmp_path: Path) -> None:
    images = draw_patterns(tmp_path / "images")
    job = Job(images, "tiny", tmp_path / "bottlenecks", group_by=r"(\w+/plant\d+)_")
    found = survey(job, Run())
    place = parts_of(found)
    assert len(found.groups.near_duplicates) == 24
    for label in ("lily", "rose"):
        for i in range(12):
            whole = place[f"{label}/plant{i // 3}_{i}.jpg"]
            assert place[f"{label}/small_{i}.jpg"] == whole
            assert place[f"{label}/plant{i // 3}_{i // 3 * 3}.jpg"] == whole


def test_a_groups_expression_that_is_none_or_matches_nothing_is_refused(tmp_path: Path) -> None:
    images = draw_patterns(tmp_path / "images", 3)
    with pytest.raises(DatasetError, match="is no regular expression"):
        Job(images, "tiny", tmp_path, group_by="(")
    with pytest.raises(DatasetError, match="matches no path"):
        survey(Job(images, "tiny", tmp_path / "bottlenecks", group_by="patient"), Run())


def test_corrections_change_labels_before_the_split(tmp_path: Path) -> None:
    images = draw_patterns(tmp_path / "images")
    one, two = survey(Job(images, "tiny", tmp_path / "bottlenecks"), Run()).dataset.examples[:2]
    other = {"lily": "rose", "rose": "lily"}[one.label]
    table = tmp_path / "suspects.csv"
    table.write_text(f"picture,decision\n{one.pixels},{other}\n{two.pixels},leave out\n")
    found = survey(Job(images, "tiny", tmp_path / "bottlenecks", corrections=table), Run())
    assert next(e for e in found.dataset.examples if e.pixels == one.pixels).label == other
    assert two.pixels not in {e.pixels for e in found.dataset.examples}
    assert found.corrected.described()["relabelled"] == 1
    assert found.corrected.decided == {one.pixels, two.pixels}


def test_hashes_are_kept_and_an_older_cache_gets_them(tmp_path: Path) -> None:
    job = Job(draw_patterns(tmp_path / "images"), "tiny", tmp_path / "bottlenecks")
    extractor = Extractor(tiny_backbone(), job.bottleneck_dir)
    extractor.compiled()
    survey(job, Run(), extractor)
    database = sqlite3.connect(job.feature_file)
    database.execute("ALTER TABLE pictures DROP COLUMN hash")
    database.commit()
    database.close()
    for _ in range(2):
        assert len(survey(job, Run(), extractor).groups.near_duplicates) == 24


def read_nearby(originals, compiled, known, limits):
    """Stands for a cluster: reads in S3, and computes features of a kind."""
    for number, original in reversed(list(enumerate(originals))):
        name, key = split_address(original.address)
        found = content_of(original.path, partial(open_bucket(name).read, key, limits.max_bytes), known, limits)
        if isinstance(found, Content) and found.made is not None:
            picture = replace(found.picture, hash=b"")
            found = replace(found, picture=picture, made=found.made.mean(axis=(0, 1), dtype=np.float32))
        yield number, found


@pytest.mark.parametrize("steps", [0, 1])
def test_of_images_that_were_read_in_s3_those_that_are_looked_at_come_here(
    aws: str, tmp_path: Path, steps: int
) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="photos")
    for image in draw_colours(tmp_path / "photos").rglob("*.jpg"):
        s3.put_object(Bucket="photos", Key=f"{image.parent.name}/{image.name}", Body=image.read_bytes())
    tuning = FineTuning(steps=steps)
    job = Job("s3://photos", "tiny", tmp_path / "b", fine_tuning=tuning, proof_images=10, read_elsewhere=read_nearby)
    found = survey(job, Run(), Extractor(tiny_backbone(), job.bottleneck_dir))
    here = {example for example in found.dataset.examples if example.path.stat().st_size}
    assert here == set(found.dataset.examples if steps else found.split.test)
    found.bring(example.path for example in found.split.train)
    assert all(example.path.stat().st_size for example in found.split.train)
