"""`list`, `publish` and `prune`."""

from pathlib import Path

from tests.support.commands import run


def test_prune_leaves_the_newest(tiny_model: str, tmp_path: Path) -> None:
    for _ in range(3):
        run("publish", tiny_model, tmp_path / "second")
    found = run("prune", tmp_path / "second", "tiny", "--keep", "1")
    assert "removed 1, 2; left 3" in found.stdout
    assert "no model 'other'" in run("prune", tmp_path / "second", "other").stderr


def test_list_shows_each_version_with_its_figures(tiny_model: str) -> None:
    found = run("list", Path(tiny_model).parent)
    assert found.exit_code == 0, found.output
    assert "tiny" in found.stdout
    assert "int8" in found.stdout
    assert "%" in found.stdout


def test_publish_copies_a_version_to_another_store(tiny_model: str, tmp_path: Path) -> None:
    found = run("publish", tiny_model, tmp_path / "second")
    assert found.exit_code == 0, found.output
    assert (tmp_path / "second/tiny/1/saved_model.pb").exists()
    assert "second/tiny/1" in found.stdout
