import pytest

from bench.cgroup import Limit, limited, settings_of
from bench.cold import lambda_limit


def test_version_2_groups_get_memory_without_swap_and_a_quota(tmp_path):
    (tmp_path / "cgroup.controllers").touch()
    assert settings_of(Limit(512, 0.5), tmp_path, "bench") == {
        tmp_path / "bench": {"memory.max": "536870912", "memory.swap.max": "0", "cpu.max": "50000 100000"}
    }


def test_version_1_has_a_hierarchy_for_each(tmp_path):
    settings = settings_of(Limit(512, 0.5), tmp_path, "bench")
    assert settings[tmp_path / "memory" / "bench"] == {"memory.limit_in_bytes": "536870912"}
    assert settings[tmp_path / "cpu" / "bench"]["cpu.cfs_quota_us"] == "50000"


def test_where_no_group_may_be_made_it_raises(tmp_path):
    with pytest.raises(OSError, match="memory"), limited(Limit(512, 1), tmp_path / "nothing"):
        pass


def test_lambda_gives_one_cpu_for_1769_megabytes():
    assert lambda_limit(1769).cpus == 1
    assert lambda_limit(512).cpus == pytest.approx(0.29, abs=0.005)
