"""Which folders are labels and which are parts, by what they are called and hold."""

import pytest

from tests.support.sets import Touch, kinds, labelled
from training.errors import DatasetError
from training.sources.folders import list_folder
from training.sources.listing import Reading


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


def test_one_folder_around_all_labels_is_gone_into(photos: Touch, how: Reading) -> None:
    listing = list_folder(photos("flower_photos/rose/1.jpg flower_photos/lily/2.jpg flower_photos/LICENSE.txt"), how)
    assert sorted(labelled(listing).values()) == ["lily", "rose"]
    assert "within flower_photos" in listing.layout


def test_a_part_that_is_a_link_yields_to_the_other(photos: Touch, how: Reading) -> None:
    photos("train/rose/1.jpg train/lily/2.jpg val/rose/3.jpg val/lily/4.jpg")
    (photos.root / "test").symlink_to("train")
    listing = list_folder(photos.root, how)
    assert sorted(labelled(listing).values()) == ["lily train", "lily validation", "rose train", "rose validation"]
    assert kinds(listing) == {("warning", "ignored", f"test/{label}") for label in ("rose", "lily")}
