from pathlib import Path

import pytest

from training.corrections import correct, read_corrections
from training.dataset import Dataset, Example
from training.errors import DatasetError

ROSE, LILY, OTHER = ("a" * 64, "b" * 64, "c" * 64)


def dataset(*labels: str) -> Dataset:
    pixels = (ROSE, LILY, OTHER)[: len(labels)]
    return Dataset(
        Path("/set"), "", tuple(Example(Path(p[0]), k, p, p) for p, k in zip(pixels, labels, strict=True)), ()
    )


def written(folder: Path, *rows: str, header: str = "picture,image,label,suggested,confidence,decision") -> Path:
    file = folder / "suspects.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8-sig")
    return file


def test_a_label_is_changed_confirmed_or_left_out_and_a_row_without_a_decision_does_nothing(tmp_path: Path) -> None:
    file = written(
        tmp_path, f"{ROSE},x.jpg,rose,lily,0.01,lily", f"{LILY},y.jpg,lily,rose,0.02,keep", f"{OTHER},z,lily,,,"
    )
    found = correct(dataset("rose", "lily", "rose"), read_corrections(file))
    assert [example.label for example in found.dataset.examples] == ["lily", "lily", "rose"]
    assert found.decided == {ROSE, LILY}
    assert (found.relabelled, found.left_out, found.absent) == (1, 0, 0)
    file = written(tmp_path, f"{ROSE},x.jpg,rose,lily,0.01,leave out")
    found = correct(dataset("rose", "lily"), read_corrections(file))
    assert [example.label for example in found.dataset.examples] == ["lily"]
    assert found.left_out == 1


def test_a_label_that_decisions_leave_without_an_image_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, f"{ROSE},x.jpg,rose,lily,0.01,lily")
    found = correct(dataset("rose", "lily", "lily"), read_corrections(file))
    assert found.emptied == ("rose",)
    assert found.described()["emptied"] == ["rose"]


def test_a_decision_follows_the_picture_not_its_name(tmp_path: Path) -> None:
    file = written(tmp_path, f"{ROSE},moved/and/renamed.jpg,old label,,,lily")
    assert correct(dataset("rose", "lily"), read_corrections(file)).relabelled == 1


def test_what_a_spreadsheet_saved_with_semicolons_is_read(tmp_path: Path) -> None:
    file = written(tmp_path, f"{ROSE};x;lily", header="picture;image;decision")
    assert correct(dataset("rose", "lily"), read_corrections(file)).relabelled == 1


def test_a_picture_that_was_deleted_since_is_counted(tmp_path: Path) -> None:
    file = written(tmp_path, f"{ROSE},x,,,,keep", f"{'d' * 64},y,,,,keep")
    assert correct(dataset("rose", "lily"), read_corrections(file)).absent == 1


def test_a_label_called_like_a_decision_is_a_label(tmp_path: Path) -> None:
    file = written(tmp_path, f"{ROSE},x,,,,keep")
    found = correct(dataset("discard", "keep"), read_corrections(file))
    assert [example.label for example in found.dataset.examples] == ["keep", "keep"]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            [f"{ROSE},x,,,,lilly"],
            r"line 2: 'lilly' is no label of /set; write one of lily, rose, or 'keep', or 'leave out'",
        ),
        (["rose1.jpg,x,,,,lily"], r"line 2: 'rose1\.jpg' is no digest of a picture"),
        ([f"{ROSE},x,,,,lily", f"{ROSE},x,,,,keep"], r"line 3: decides 'keep', and line 2 decides 'lily' for the same"),
        ([f"{'d' * 64},x,,,,keep"], r"is about other pictures"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(tmp_path: Path, rows: list[str], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        correct(dataset("rose", "lily"), read_corrections(written(tmp_path, *rows)))


def test_a_file_that_is_no_table_of_decisions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no column 'picture'"):
        read_corrections(written(tmp_path, header="path,label"))
    with pytest.raises(DatasetError, match="cannot be read"):
        read_corrections(tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes(b"picture,decision\n\xe4")
    with pytest.raises(DatasetError, match="is not UTF-8"):
        read_corrections(tmp_path / "latin.csv")


def test_a_quotation_mark_that_takes_other_decisions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="line 3: cannot be read"):
        read_corrections(written(tmp_path, f'{ROSE},"x.jpg,,,,lily', f"{LILY},y.jpg,,,,keep"))
