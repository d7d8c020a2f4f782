import os
from pathlib import Path

import pytest

from tests.support.locked import lock
from tests.support.sets import Touch, kinds, labelled
from training.errors import DatasetError
from training.sources.folders import list_folder
from training.sources.listing import Reading

ROSE, LILY = "rose/1.jpg rose/2.jpg", "lily/3.jpg"
UNREAD = "cannot be read (Permission denied); give yourself permission, or move it"


def test_a_folder_of_labels(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos(f"{ROSE} {LILY}"), how)
    assert labelled(listing) == {"lily/3.jpg": "lily", "rose/1.jpg": "rose", "rose/2.jpg": "rose"}
    assert listing.problems == ()
    assert listing.layout == "<label>/<image>"


def test_a_folder_that_cannot_be_read_is_an_error(photos: Touch, how: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    photos(f"{ROSE} {LILY} tulip/4.jpg")
    lock(monkeypatch, photos.root / "tulip")
    listing = list_folder(photos.root, how)
    assert kinds(listing) == {("error", "forbidden", "tulip")}
    assert [problem.detail for problem in listing.problems] == [UNREAD]


def test_a_folder_beside_a_table_that_cannot_be_read_is_an_error(
    photos: Touch, how: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos("1.jpg 2.jpg more/3.jpg")
    (photos.root / "metadata.csv").write_text("file_name,label\n1.jpg,rose\n2.jpg,lily\n")
    lock(monkeypatch, photos.root / "more")
    listing = list_folder(photos.root, how)
    assert kinds(listing) == {("error", "forbidden", "more")}
    assert [problem.detail for problem in listing.problems] == [UNREAD]


def test_a_set_that_cannot_be_read_ends_the_run(photos: Touch, how: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    photos(f"{ROSE} {LILY}")
    lock(monkeypatch, photos.root)
    with pytest.raises(DatasetError) as refused:
        list_folder(photos.root, how)
    assert str(refused.value) == f"{photos.root} {UNREAD}"


def test_why_nothing_has_a_label_is_said(photos: Touch, how: Reading) -> None:
    with pytest.raises(DatasetError, match=r"holds no labelled images \(1\.jpg: no label"):
        list_folder(photos("1.jpg 2.jpg"), how)


def test_nested_folders_are_read_and_named_by_the_top_one(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("rose/2023/may/1.jpg rose/2.jpg lily/2024/3.jpg"), how)
    assert labelled(listing) == {"rose/2023/may/1.jpg": "rose", "rose/2.jpg": "rose", "lily/2024/3.jpg": "lily"}
    assert "2 images deeper: the top folder names them (--labels-from leaf" in listing.layout


def test_nested_folders_may_be_named_by_the_innermost_one(photos: Touch, leaf: Reading) -> None:
    listing = list_folder(photos("2023/rose/1.jpg 2024/rose/2.jpg 2024/lily/3.jpg"), leaf)
    assert labelled(listing) == {"2023/rose/1.jpg": "rose", "2024/rose/2.jpg": "rose", "2024/lily/3.jpg": "lily"}


@pytest.mark.parametrize(
    "junk",
    ["__MACOSX", "@eaDir", ".ipynb_checkpoints", "#recycle", "$RECYCLE.BIN", "__pycache__", ".git", "lost+found"],
)
def test_what_systems_leave_behind_is_no_label(photos: Touch, how: Reading, junk: str) -> None:
    listing = list_folder(photos(f"{ROSE} {LILY} {junk}/1.jpg rose/{junk}/2.jpg rose/Thumbs.db rose/._1.jpg"), how)
    assert len(listing.files) == 3
    assert {severity for severity, *_ in kinds(listing)} == {"note"}


def test_an_empty_folder_is_a_warning(photos: Touch, how: Reading) -> None:
    photos(f"{ROSE} {LILY}")
    (photos.root / "tulip").mkdir()
    assert kinds(list_folder(photos.root, how)) == {("warning", "empty", "tulip")}


def test_images_beside_the_labels_are_a_warning(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos(f"{ROSE} {LILY} loose.jpg notes.txt"), how)
    assert kinds(listing) == {("warning", "ignored", "loose.jpg"), ("note", "ignored", "notes.txt")}


def test_all_that_is_wrong_with_labels_is_said_in_one_run(photos: Touch, how: Reading) -> None:
    photos(f"{ROSE} {LILY}")
    for name in ("Rose", "lily ", "a\nb", os.fsdecode(b"caf\xe9")):
        (photos.root / name).mkdir()
        (photos.root / name / "1.jpg").write_bytes(b"1")
    assert {(kind, path) for _, kind, path in kinds(list_folder(photos.root, how))} == {
        ("alike", "rose"),
        ("alike", "lily "),
        ("label", "a\nb"),
        ("label", "caf\\udce9"),
    }


def test_links_in_a_circle_end(photos: Touch, how: Reading) -> None:
    photos(f"{ROSE} {LILY}")
    (photos.root / "rose/again").symlink_to(photos.root / "rose")
    listing = list_folder(photos.root, how)
    assert len(listing.files) == 3
    assert kinds(listing) == {("warning", "ignored", "rose/again")}


def test_a_link_yields_to_the_folder_that_it_leads_to(photos: Touch, how: Reading) -> None:
    photos(f"{ROSE} {LILY}")
    (photos.root / "alias").symlink_to("rose")  # sorts before it
    (photos.root / "lily/up").symlink_to("..")
    listing = list_folder(photos.root, how)
    assert labelled(listing) == {"rose/1.jpg": "rose", "rose/2.jpg": "rose", "lily/3.jpg": "lily"}
    assert kinds(listing) == {("warning", "ignored", "alias"), ("warning", "ignored", "lily/up")}


def test_links_to_folders_elsewhere_are_followed(photos: Touch, how: Reading, tmp_path: Path) -> None:
    photos(f"{ROSE} .store/3.jpg")
    (tmp_path / "elsewhere/more").mkdir(parents=True)
    (tmp_path / "elsewhere/4.jpg").touch()
    (tmp_path / "elsewhere/more/5.jpg").touch()
    (tmp_path / "elsewhere/more/again").symlink_to("..")
    (photos.root / "lily").symlink_to(tmp_path / "elsewhere")
    (photos.root / "rose/hidden").symlink_to("../.store")
    listing = list_folder(photos.root, how)
    assert labelled(listing) == {
        "rose/1.jpg": "rose",
        "rose/2.jpg": "rose",
        "rose/hidden/3.jpg": "rose",
        "lily/4.jpg": "lily",
        "lily/more/5.jpg": "lily",
    }
    assert kinds(listing) == {("note", "ignored", ".store"), ("warning", "ignored", "lily/more/again")}


def test_a_folder_that_two_labels_link_to_is_a_contradiction(photos: Touch, how: Reading) -> None:
    photos(f"{ROSE} {LILY} .store/4.jpg")
    for name in ("tulip", "violet"):
        (photos.root / name).symlink_to(".store")
    assert ("error", "conflict", "violet") in kinds(list_folder(photos.root, how))


def test_a_link_that_leads_nowhere_is_an_error_and_takes_nothing_with_it(photos: Touch, how: Reading) -> None:
    photos("around/rose/1.jpg around/rose/2.jpg around/lily/3.jpg")
    for name in ("tulip", "around/violet", "around/rose/gone.jpg"):
        (photos.root / name).symlink_to("nothing")
    for name in ("around/self", "around/lily/self.jpg"):
        (photos.root / name).symlink_to(Path(name).name)
    listing = list_folder(photos.root, how)
    assert sorted(labelled(listing).values()) == ["lily", "rose", "rose"]
    assert kinds(listing) == {
        ("error", "unreadable", "tulip"),
        ("error", "unreadable", "around/violet"),
        ("error", "unreadable", "around/self"),
        ("error", "unreadable", "around/rose/gone.jpg"),
        ("error", "unreadable", "around/lily/self.jpg"),
    }
    assert "a link to 'nothing' that cannot be followed" in listing.problems[0].detail


def test_metadata_of_hugging_face_in_each_part(photos: Touch, how: Reading) -> None:
    for part in ("train", "test"):
        photos(f"{part}/1.jpg {part}/2.jpg")
        (photos.root / part / "metadata.csv").write_text("file_name,label\n1.jpg,rose\n2.jpg,lily\n")
    assert labelled(list_folder(photos.root, how)) == {
        "train/1.jpg": "rose train",
        "train/2.jpg": "lily train",
        "test/1.jpg": "rose test",
        "test/2.jpg": "lily test",
    }


def test_classes_of_roboflow(photos: Touch, how: Reading) -> None:
    for part in ("train", "valid"):
        photos(f"{part}/1.jpg {part}/2.jpg")
        (photos.root / part / "_classes.csv").write_text("filename, lily, rose\n1.jpg, 0, 1\n2.jpg, 1, 0\n")
    listing = list_folder(photos.root, how)
    assert sorted(labelled(listing).values()) == ["lily train", "lily validation", "rose train", "rose validation"]


def test_a_folder_of_images_with_one_table(photos: Touch, how: Reading) -> None:
    photos("images/1.jpg images/2.jpg")
    (photos.root / "labels.csv").write_text("image,class\nimages/1.jpg,rose\nimages/2.jpg,lily\n")
    assert labelled(list_folder(photos.root, how)) == {"images/1.jpg": "rose", "images/2.jpg": "lily"}


def test_images_that_no_row_of_a_folders_table_names_are_said(photos: Touch, how: Reading) -> None:
    photos("train/1.jpg train/2.jpg train/more/3.jpg train/.hidden/4.jpg test/5.jpg test/6.jpg test/notes.txt")
    (photos.root / "train/metadata.csv").write_text("file_name,label\n1.jpg,rose\n./2.jpg,lily\n")
    listing = list_folder(photos.root, how)
    assert sorted(labelled(listing).values()) == ["lily train", "rose train"]
    assert kinds(listing) == {("warning", "ignored", "train/more"), ("warning", "ignored", "test")}
    assert any("2 images to which no row" in problem.detail for problem in listing.problems)


def test_archives_among_the_labels_are_a_warning(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos(f"{ROSE} {LILY} tulip.zip violet.7z"), how)
    assert kinds(listing) == {("warning", "ignored", "tulip.zip"), ("warning", "ignored", "violet.7z")}


def test_a_table_for_each_part(photos: Touch, how: Reading) -> None:
    photos("images/1.jpg images/2.jpg")
    (photos.root / "train.csv").write_text("image,class\nimages/1.jpg,rose\n")
    (photos.root / "test.csv").write_text("image,class\nimages/2.jpg,rose\n")
    assert labelled(list_folder(photos.root, how)) == {"images/1.jpg": "rose train", "images/2.jpg": "rose test"}


def test_several_tables_are_named(photos: Touch, how: Reading) -> None:
    photos("images/1.jpg")
    for name in ("a.csv", "b.csv"):
        (photos.root / name).write_text("image,class\nimages/1.jpg,rose\n")
    with pytest.raises(DatasetError, match=r"several tables; give one of them: .*a\.csv, .*b\.csv"):
        list_folder(photos.root, how)


def test_a_folder_without_labels_says_what_is_read(tmp_path: Path, how: Reading) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DatasetError, match=r"put them at .*<label>/<image>, or give a table"):
        list_folder(tmp_path / "photos", how)
