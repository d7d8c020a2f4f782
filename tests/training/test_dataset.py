import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from model.image import Limits
from training.dataset import Dataset, refuse_unsound, scan
from training.errors import DatasetError
from training.options import limits_of
from training.pictures import Picture
from training.problems import Severity
from training.run import Run
from training.split import Percentages, part_of


def paint(path: Path, colour: tuple[int, int, int], format: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), colour).save(path, format)
    return path


def painted(root: Path, count: int = 60) -> Path:
    for i in range(count):
        paint(root / "daisy" / f"{i}.png", (i, 0, 200))
        paint(root / "rose" / f"{i}.jpg", (0, 4 * i, 0))
    return root


def found(dataset: Dataset) -> set[tuple[str, str]]:
    return {(problem.kind, problem.path) for problem in dataset.problems}


def test_a_sound_folder_has_no_problem(tmp_path: Path) -> None:
    dataset = scan(painted(tmp_path))
    assert dataset.problems == ()
    assert dataset.labels == ("daisy", "rose")
    assert len(dataset.examples) == 120


def test_an_archive_among_the_images_of_a_label_is_a_warning(tmp_path: Path) -> None:
    (painted(tmp_path) / "rose/more.zip").write_bytes(b"PK\x03\x04")
    [problem] = scan(tmp_path).problems
    assert (problem.severity, problem.path) == ("warning", "rose/more.zip")
    assert "unpack it if it holds images" in problem.detail


def test_each_kind_of_problem_is_found_and_named(tmp_path: Path) -> None:
    painted(tmp_path)
    sound = (tmp_path / "rose/1.jpg").read_bytes()
    (tmp_path / "rose/cut.jpg").write_bytes(sound[:-100])
    (tmp_path / "rose/empty.jpg").write_bytes(b"")
    (tmp_path / "rose/page.jpg").write_bytes(b"<html>not found</html>")
    (tmp_path / "rose/notes.txt").write_text("not an image")
    (tmp_path / "rose/.DS_Store").write_bytes(b"\0")
    (tmp_path / "rose/more").mkdir()
    (tmp_path / "readme.md").write_text("beside the labels")
    paint(tmp_path / "rose/png.jpg", (1, 2, 3), "PNG")
    Image.new("RGB", (8, 8)).save(tmp_path / "rose/small.png")
    Image.new("1", (8000, 8000)).save(tmp_path / "rose/huge.png")
    shutil.copy(tmp_path / "rose/2.jpg", tmp_path / "rose/again.jpg")
    shutil.copy(tmp_path / "rose/3.jpg", tmp_path / "daisy/both.jpg")
    paint(tmp_path / "lily/only.png", (7, 7, 7))
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    dataset = scan(tmp_path)
    assert found(dataset) == {
        ("corrupt", "rose/cut.jpg"),
        ("unsupported", "rose/empty.jpg"),
        ("unsupported", "rose/page.jpg"),
        ("ignored", "rose/notes.txt"),
        ("ignored", "rose/.DS_Store"),
        ("ignored", "rose/more"),
        ("ignored", "readme.md"),
        ("misnamed", "rose/png.jpg"),
        ("out-of-bounds", "rose/small.png"),
        ("out-of-bounds", "rose/huge.png"),
        ("duplicate", "rose/again.jpg"),
        ("conflict", "rose/3.jpg"),
        ("few", "lily"),
        ("empty", "empty"),
        ("corrupt", "bad/cut.png"),
        ("empty", "bad"),
    }
    errors = {problem.path for problem in dataset.problems_of(Severity.ERROR)}
    assert {"rose/cut.jpg", "rose/3.jpg", "bad"} <= errors
    assert not {"rose/png.jpg", "rose/again.jpg", "rose/notes.txt", "lily"} & errors


def test_what_is_no_regular_file_hangs_nothing_and_what_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    painted(tmp_path)
    os.mkfifo(tmp_path / "rose/pipe.jpg")
    shutil.copy(tmp_path / "rose/1.jpg", tmp_path / "rose/huge.jpg")
    os.truncate(tmp_path / "rose/huge.jpg", 1 << 40)  # sparse: a terabyte that takes no room
    assert found(scan(tmp_path)) == {("unreadable", "rose/pipe.jpg"), ("too-large", "rose/huge.jpg")}


def test_a_label_that_would_break_the_file_of_labels_is_refused(tmp_path: Path) -> None:
    painted(tmp_path)
    (tmp_path / "rose").rename(tmp_path / "ro\nse")
    with pytest.raises(DatasetError, match="cannot be a label"):
        refuse_unsound(scan(tmp_path))


def test_a_name_that_is_no_utf8_can_be_printed(tmp_path: Path) -> None:
    painted(tmp_path)
    (tmp_path / os.fsdecode(b"rose/caf\xe9.jpg")).write_bytes(b"")
    [problem] = scan(tmp_path).problems
    assert problem.path.encode() == rb"rose/caf\udce9.jpg"


def test_moving_renaming_and_adding_change_no_images_part(tmp_path: Path) -> None:
    def parts(root: Path) -> dict[str, str]:
        return {example.digest: part_of(example.pixels, Percentages()) for example in scan(root).examples}

    before = parts(painted(tmp_path / "here"))
    shutil.move(tmp_path / "here", tmp_path / "there")
    for path in sorted((tmp_path / "there").rglob("*.*")):
        path.rename(path.with_name(f"renamed-{path.name}"))
    paint(tmp_path / "there/rose/new.png", (250, 250, 0))
    after = parts(tmp_path / "there")
    assert len(after) == len(before) + 1
    assert {digest: after[digest] for digest in before} == before


def test_the_order_of_examples_does_not_follow_names(tmp_path: Path) -> None:
    first = [example.digest for example in scan(painted(tmp_path)).examples]
    (tmp_path / "rose/1.jpg").rename(tmp_path / "rose/zzz.jpg")
    assert [example.digest for example in scan(tmp_path).examples] == first


def test_contents_that_were_decoded_before_are_not_decoded_again(tmp_path: Path) -> None:
    painted(tmp_path)
    (tmp_path / "rose/cut.jpg").write_bytes((tmp_path / "rose/1.jpg").read_bytes()[:-100])
    found = {"__contains__": lambda *_: True, "__getitem__": lambda _, digest: Picture(digest, 32, 32, None)}
    everything = type("All", (dict,), found)()
    assert scan(tmp_path, decoded=everything).problems == ()


@pytest.mark.parametrize("make", [lambda root: None, lambda root: root.write_text(""), lambda root: root.mkdir()])
def test_a_folder_without_labelled_images_says_where_to_put_them(tmp_path: Path, make) -> None:
    make(tmp_path / "photos")
    with pytest.raises(DatasetError, match="photos"):
        scan(tmp_path / "photos")


def test_a_picture_with_other_metadata_is_the_same_picture(tmp_path: Path) -> None:
    painted(tmp_path)
    with Image.open(tmp_path / "rose/5.jpg") as picture:
        picture.load()
    sound = (tmp_path / "rose/5.jpg").read_bytes()
    comment = sound[:2] + b"\xff\xfe\x00\x07hello" + sound[2:]
    (tmp_path / "rose/again.jpg").write_bytes(comment)
    (tmp_path / "daisy/other.jpg").write_bytes(comment + b"")
    dataset = scan(tmp_path)
    assert {problem.kind for problem in dataset.problems} == {"duplicate", "conflict"}
    assert len(dataset.examples) == 120
    with pytest.raises(DatasetError, match="two labels"):
        refuse_unsound(dataset)


def test_a_picture_in_two_parts_is_tested_only(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for i in range(50):
            paint(tmp_path / part / "rose" / f"{i}.png", (i, len(part), 0))
            paint(tmp_path / part / "lily" / f"{i}.png", (i, len(part), 100))
    shutil.copy(tmp_path / "test/rose/1.png", tmp_path / "train/rose/leak.png")
    dataset = scan(tmp_path)
    assert found(dataset) == {("leak", "train/rose/leak.png")}
    assert [problem.severity for problem in dataset.problems] == [Severity.WARNING]
    assert len(dataset.examples) == 200


def test_formats_that_are_named_but_not_read_are_errors(tmp_path: Path) -> None:
    painted(tmp_path)
    (tmp_path / "rose/image").write_bytes(b"\xff\x0a" + bytes(100))
    (tmp_path / "rose/logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "rose/live.mov").write_bytes(b"\0\0\0\x14ftypqt  " + bytes(100))
    dataset = scan(tmp_path)
    assert {(problem.severity, problem.kind, problem.path) for problem in dataset.problems} == {
        ("error", "unread", "rose/image"),
        ("error", "unread", "rose/logo.svg"),
        ("note", "ignored", "rose/live.mov"),
    }


def test_damage_is_a_warning_also_where_it_was_decoded_before(tmp_path: Path) -> None:
    painted(tmp_path)
    Image.effect_noise((320, 320), 80).convert("RGB").save(tmp_path / "rose/hole.jpg")
    data = bytearray((tmp_path / "rose/hole.jpg").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4096] = bytes(4096)
    (tmp_path / "rose/hole.jpg").write_bytes(data)
    kept: dict[str, Picture] = {}
    first = scan(tmp_path, keep=lambda example, picture, _: kept.update({example.digest: picture}))
    assert found(first) == {("damaged", "rose/hole.jpg")}
    assert scan(tmp_path, decoded=kept).problems == first.problems
    assert scan(tmp_path, decoded=kept).examples == first.examples


def test_what_was_decoded_before_is_held_to_the_limits_of_today(tmp_path: Path) -> None:
    painted(tmp_path)
    kept: dict[str, Picture] = {}
    scan(tmp_path, keep=lambda example, picture, _: kept.update({example.digest: picture}))
    problems = scan(tmp_path, Run(limits=Limits(min_side=33)), decoded=kept).problems_of(Severity.ERROR)
    assert sum(problem.kind == "out-of-bounds" for problem in problems) == 120


def test_all_that_stops_a_training_is_said_at_once(tmp_path: Path) -> None:
    painted(tmp_path)
    shutil.copy(tmp_path / "rose/3.jpg", tmp_path / "daisy/both.jpg")
    (tmp_path / "Rose").mkdir()
    paint(tmp_path / "Rose/1.png", (1, 2, 3))
    (tmp_path / "lily").mkdir()
    (tmp_path / "lily/cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DatasetError, match=r"(?s)'rose': reads as 'Rose'.*'lily': no readable image.*two labels"):
        refuse_unsound(scan(tmp_path))


def test_a_photo_of_108_megapixels_is_read_with_the_limits_of_the_command_line(tmp_path: Path) -> None:
    painted(tmp_path)
    Image.new("RGB", (12000, 9000), "red").save(tmp_path / "rose/phone.jpg", quality=50)
    assert found(scan(tmp_path, Run(limits=limits_of(200, 16, 100)))) == set()
    assert found(scan(tmp_path)) == {("out-of-bounds", "rose/phone.jpg")}
