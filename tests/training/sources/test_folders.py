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


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("train", "valid", "test"),  # Roboflow
        ("training", "validation", "testing"),
        ("Train", "Val", "Test"),
        ("training_set", "validation_set", "test_set"),
        ("training", "validation", "evaluation"),  # Food-11
        ("train", "dev", "eval"),
        ("trn", "val", "tst"),
        ("trainval", "dev", "holdout"),
    ],
)
def test_a_divided_set_keeps_its_parts(photos: Touch, how: Reading, train: str, validation: str, test: str) -> None:
    photos("README.roboflow.txt README.dataset.txt")
    listing = list_folder(
        photos(f"{train}/rose/1.jpg {train}/lily/2.jpg {validation}/rose/3.jpg {test}/lily/4.jpg"), how
    )
    assert labelled(listing) == {
        f"{train}/rose/1.jpg": "rose train",
        f"{train}/lily/2.jpg": "lily train",
        f"{validation}/rose/3.jpg": "rose validation",
        f"{test}/lily/4.jpg": "lily test",
    }
    assert "divided by its folders" in listing.layout
    assert {severity for severity, *_ in kinds(listing)} == {"note"}


@pytest.mark.parametrize(
    "parts", [("seg_train", "seg_test"), ("train2017", "val2017"), ("1_train", "2_val"), ("My-train", "my-TEST")]
)
def test_parts_are_told_by_one_word_of_their_names_where_they_hold_the_same_labels(
    photos: Touch, how: Reading, parts: tuple[str, str]
) -> None:
    first, second = parts
    listing = list_folder(
        photos(f"{first}/a/1.jpg {first}/b/2.jpg {second}/a/3.jpg {second}/b/4.jpg seg_pred/5.jpg"), how
    )
    assert {value.partition(" ")[2] for value in labelled(listing).values()} in (
        {"train", "test"},
        {"train", "validation"},
    )
    assert kinds(listing) == {("warning", "ignored", "seg_pred")}


def test_such_words_in_labels_are_no_parts(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("train_station/in/1.jpg train_station/out/2.jpg test_tube/full/3.jpg bus/4.jpg"), how)
    assert set(labelled(listing).values()) == {"train_station", "test_tube", "bus"}


def test_parts_that_hold_images_are_no_labels(photos: Touch, how: Reading) -> None:
    root = photos("train/1.jpg train/2.jpg test/3.jpg")
    with pytest.raises(DatasetError, match="is divided into test, train, and these hold images without labels"):
        list_folder(root, how)
    (root / "train.csv").write_text("path,label\ntrain/1.jpg,rose\ntrain/2.jpg,lily\n")
    listing = list_folder(root, how)
    assert labelled(listing) == {"train/1.jpg": "rose train", "train/2.jpg": "lily train"}
    assert kinds(listing) == {("warning", "ignored", "test")}
    (root / "sample_submission.csv").write_text("path,label\ntest/3.jpg,rose\n")
    with pytest.raises(DatasetError, match="several tables; give one of them"):
        list_folder(root, how)


def test_the_same_folders_in_each_folder_are_asked_about(photos: Touch, how: Reading, leaf: Reading) -> None:
    root = photos("site1/sound/1.jpg site1/broken/2.jpg site2/sound/3.jpg site2/broken/4.jpg")
    listing = list_folder(root, how)
    assert kinds(listing) == {("warning", "layout", ".")}
    assert (
        "the same ones (broken, sound): if these are the labels, say --labels-from leaf" in listing.problems[0].detail
    )
    assert kinds(list_folder(root, leaf)) == set()
    assert kinds(list_folder(photos("site2/odd/5.jpg"), how)) == set()


def test_of_many_folders_that_are_the_same_the_first_are_named_and_the_rest_counted(
    photos: Touch, how: Reading
) -> None:
    root = photos(" ".join(f"site{site}/class{k}/1.jpg" for site in range(2) for k in range(200)))
    detail = list_folder(root, how).problems[0].detail
    assert "180 more folders): if these are the labels" in detail
    assert detail.count("class") == 20


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


def test_a_part_within_a_folder_of_its_own_name(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("train/train/a/1.jpg train/train/b/2.jpg test/test/a/3.jpg test/test/b/4.jpg"), how)
    assert sorted(labelled(listing).values()) == ["a test", "a train", "b test", "b train"]


def test_parts_within_each_label(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("rose/train/1.jpg rose/test/2.jpg lily/train/3.jpg lily/val/4.jpg"), how)
    assert sorted(labelled(listing).values()) == ["lily train", "lily validation", "rose test", "rose train"]


def test_labels_may_be_called_train_and_test(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("train/1.jpg bus/2.jpg test/3.jpg"), how)
    assert sorted(labelled(listing).values()) == ["bus", "test", "train"]


def test_what_stands_beside_the_parts_is_said(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("train/a/1.jpg train/b/2.jpg test/3.jpg spare/a/4.jpg"), how)
    assert ("warning", "ignored", "spare") in kinds(listing)
    assert ("warning", "ignored", "test/3.jpg") in kinds(listing)
    assert len(listing.files) == 2


def test_nested_folders_are_read_and_named_by_the_top_one(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("rose/2023/may/1.jpg rose/2.jpg lily/2024/3.jpg"), how)
    assert labelled(listing) == {"rose/2023/may/1.jpg": "rose", "rose/2.jpg": "rose", "lily/2024/3.jpg": "lily"}
    assert "2 images deeper: the top folder names them (--labels-from leaf" in listing.layout


def test_nested_folders_may_be_named_by_the_innermost_one(photos: Touch, leaf: Reading) -> None:
    listing = list_folder(photos("2023/rose/1.jpg 2024/rose/2.jpg 2024/lily/3.jpg"), leaf)
    assert labelled(listing) == {"2023/rose/1.jpg": "rose", "2024/rose/2.jpg": "rose", "2024/lily/3.jpg": "lily"}


def test_one_folder_around_all_labels_is_gone_into(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("flower_photos/rose/1.jpg flower_photos/lily/2.jpg flower_photos/LICENSE.txt"), how)
    assert sorted(labelled(listing).values()) == ["lily", "rose"]
    assert "within flower_photos" in listing.layout


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


def test_a_part_that_is_a_link_yields_to_the_other(photos: Touch, how: Reading) -> None:
    photos("train/rose/1.jpg train/lily/2.jpg val/rose/3.jpg val/lily/4.jpg")
    (photos.root / "test").symlink_to("train")
    listing = list_folder(photos.root, how)
    assert sorted(labelled(listing).values()) == ["lily train", "lily validation", "rose train", "rose validation"]
    assert kinds(listing) == {("warning", "ignored", f"test/{label}") for label in ("rose", "lily")}


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
