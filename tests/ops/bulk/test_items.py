from pathlib import Path

import click
import pytest

from ops.bulk.items import list_items


def test_a_table_whose_quotation_mark_takes_other_rows_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text('image,notes\n1.jpg,5" pot\n2.jpg,"two\nlines"\n3.jpg,ok\n')
    assert [Path(item.name).name for item in list_items(str(table))] == ["1.jpg", "2.jpg", "3.jpg"]
    table.write_text('image,notes\n1.jpg,ok\n2.jpg,"5 in. tall\n3.jpg,ok\n')
    with pytest.raises(click.ClickException, match=r"list\.csv, line 4: cannot be read"):
        list(list_items(str(table)))
