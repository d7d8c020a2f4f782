from pathlib import Path

from training.dataset import scan
from training.sample import calibration_batch, write_sample


def test_the_sample_set_is_sound_and_the_same_every_time(tmp_path: Path) -> None:
    assert write_sample(tmp_path / "one") == write_sample(tmp_path / "two") == 600
    one, two = scan(tmp_path / "one"), scan(tmp_path / "two")
    assert one.labels == tuple("0123456789")
    assert one.problems == ()
    assert [example.digest for example in one.examples] == [example.digest for example in two.examples]


def test_the_calibration_batch_is_photographs() -> None:
    batch = calibration_batch(4)
    assert batch.shape == (4, 299, 299, 3)
    assert batch.std() > 30
