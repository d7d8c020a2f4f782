import os
from pathlib import Path

import click
import pytest

from ops.bulk.items import list_items
from tests.support.locked import lock


def test_a_table_whose_quotation_mark_takes_other_rows_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text('image,notes\n1.jpg,5" pot\n2.jpg,"two\nlines"\n3.jpg,ok\n')
    assert [Path(item.name).name for item in list_items(str(table))] == ["1.jpg", "2.jpg", "3.jpg"]
    table.write_text('image,notes\n1.jpg,ok\n2.jpg,"5 in. tall\n3.jpg,ok\n')
    with pytest.raises(click.ClickException, match=r"list\.csv, line 4: cannot be read"):
        list(list_items(str(table)))


def test_a_folder_that_cannot_be_read_is_said_and_is_an_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a/1.jpg", "b/2.jpg", "c/3.jpg", "4.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    lock(monkeypatch, tmp_path / "b")
    names = [os.path.relpath(item.name, tmp_path) for item in list_items(str(tmp_path))]
    assert sorted(names) == ["4.jpg", "a/1.jpg", "b", "c/3.jpg"]
    assert "b cannot be read (Permission denied); give yourself permission, or move it" in capsys.readouterr().err


def test_a_source_that_cannot_be_read_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(monkeypatch, tmp_path)
    with pytest.raises(click.ClickException, match="cannot be read"):
        list(list_items(str(tmp_path)))
