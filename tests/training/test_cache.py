import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import ROOT
from training.cache import FeatureCache
from training.errors import CacheError


def test_a_feature_comes_back_as_it_was_put(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "new/folder/features.sqlite", "one")
    feature = np.random.default_rng(0).normal(size=2048).astype(np.float32)
    cache.put("a", feature)
    cache.close()
    again = FeatureCache(tmp_path / "new/folder/features.sqlite", "one")
    assert again.digests() == {"a"}
    assert (again.get("a") == feature).all()


def test_extractors_do_not_see_each_others_features(tmp_path: Path) -> None:
    FeatureCache(tmp_path / "features.sqlite", "one").put("a", np.ones(3, np.float32))
    other = FeatureCache(tmp_path / "features.sqlite", "two")
    assert other.digests() == set()
    with pytest.raises(KeyError):
        other.get("a")


def test_a_damaged_file_names_itself_and_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "features.sqlite").write_bytes(b"this is not a database" * 100)
    with pytest.raises(CacheError, match=r"features\.sqlite cannot be used .* delete it"):
        FeatureCache(tmp_path / "features.sqlite", "one")


WRITE = """
import sys
from pathlib import Path
import numpy as np
from training.cache import FeatureCache
cache = FeatureCache(Path(sys.argv[1]), "one")
for number in range(int(sys.argv[3])):
    cache.put(f"{sys.argv[2]}-{number}", np.full(2048, number, np.float32))
    print(number, flush=True)
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen:
    command = [sys.executable, "-c", WRITE, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)


def test_a_killed_run_loses_no_finished_feature(tmp_path: Path) -> None:
    child = writer(tmp_path / "features.sqlite", "killed", 100_000)
    assert child.stdout
    finished = [int(next(child.stdout)) for _ in range(50)]
    child.send_signal(signal.SIGKILL)
    child.communicate()
    cache = FeatureCache(tmp_path / "features.sqlite", "one")
    for number in finished:
        assert (cache.get(f"killed-{number}") == number).all()


def test_two_runs_at_once_both_keep_their_features(tmp_path: Path) -> None:
    children = [writer(tmp_path / "features.sqlite", name, 200) for name in ("left", "right")]
    for child in children:
        child.communicate()
        assert child.returncode == 0
    assert len(FeatureCache(tmp_path / "features.sqlite", "one").digests()) == 400
