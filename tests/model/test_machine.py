import pytest

from model.machine import granted_cpus, granted_memory_mb


@pytest.mark.parametrize(
    ("quota", "cpus"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None), ("", None)]
)
def test_a_container_gives_as_many_threads_as_its_quota_has_whole_cpus(tmp_path, quota, cpus):
    (tmp_path / "cpu.max").write_text(quota)
    assert granted_cpus(tmp_path) == (cpus or granted_cpus(tmp_path / "none"))


@pytest.mark.parametrize(("quota", "cpus"), [("100000", 1), ("50000", 1), ("-1", None)])
def test_so_does_one_under_control_groups_of_version_1(tmp_path, quota, cpus):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert granted_cpus(tmp_path) == (cpus or granted_cpus(tmp_path / "none"))


@pytest.mark.parametrize(("limit", "megabytes"), [("536870912", 512), ("max", None), ("", None)])
def test_a_container_grants_its_limit_of_memory(tmp_path, limit, megabytes):
    (tmp_path / "memory.max").write_text(limit)
    assert granted_memory_mb(tmp_path) == (megabytes or granted_memory_mb(tmp_path / "none"))


def test_so_does_one_of_version_1(tmp_path):
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("536870912")
    assert granted_memory_mb(tmp_path) == 512
