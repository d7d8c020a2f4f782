import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
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


DAMAGES = {
    "cut short": "substr(feature, 1, 100)",
    "cut to fewer floats": "substr(feature, 1, 8000)",
    "cut to nothing": "x''",
    "gone": "NULL",
    "text": "'abcd'",
    "zeros": "zeroblob(8196)",
    "not a number": "x'0000c07f0000c07f'",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_feature_counts_as_missing(tmp_path: Path, damage: str) -> None:
    cache = FeatureCache(tmp_path / "features.sqlite", "one")
    for digest in ("sound", "damaged"):
        cache.put(digest, np.ones(2048, np.float32))
    cache.close()
    with closing(sqlite3.connect(tmp_path / "features.sqlite")) as database, database:
        database.execute(f"UPDATE features SET feature = {DAMAGES[damage]} WHERE digest = 'damaged'")
    again = FeatureCache(tmp_path / "features.sqlite", "one")
    assert again.digests() == {"sound"}
    with pytest.raises(KeyError):
        again.get("damaged")
    again.put("damaged", np.ones(2048, np.float32))
    assert again.digests() == {"sound", "damaged"}


def test_one_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "features.sqlite"
    cache = FeatureCache(path, "one")
    cache.put("a", np.full(300, 7, np.float32))
    cache.close()
    data = bytearray(path.read_bytes())
    data[data.rfind(np.float32(7).tobytes() * 4)] ^= 0x40
    path.write_bytes(data)
    assert FeatureCache(path, "one").digests() == set()


def test_a_damaged_page_is_an_error_with_its_remedy_and_no_wrong_feature(tmp_path: Path) -> None:
    path = tmp_path / "features.sqlite"
    cache = FeatureCache(path, "one")
    for number in range(50):
        cache.put(f"{number:064}", np.full(2048, number, np.float32))
    cache.close()
    whole = path.read_bytes()
    for page in range(1, len(whole) // 4096):
        path.write_bytes(whole[: page * 4096] + bytes(range(256)) * 16 + whole[(page + 1) * 4096 :])
        try:
            damaged = FeatureCache(path, "one")
            for digest in damaged.digests():
                assert (damaged.get(digest) == int(digest)).all()
            damaged.close()
        except CacheError as error:
            assert "delete it" in str(error)
        except KeyError:
            pass  # the index lost the row, or leads to another one


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
