import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sets import Touch, kinds, labelled
from training.errors import DatasetError
from training.sources.csv_rows import table_from_csv
from training.sources.json_rows import table_from_json
from training.sources.listing import Reading
from training.sources.source import list_images

JOB = {"class-name": "rose", "confidence": 0.9, "human-annotated": "yes", "type": "groundtruth/image-classification"}


def listed(photos: Touch, how: Reading, text: str, name: str = "labels.csv") -> dict[str, str]:
    photos("images/1.jpg images/2.jpg")
    (photos.root / name).write_text(text)
    return labelled(list_images(photos.root / name, how))


@pytest.mark.parametrize(
    "text",
    [
        "path,label\nimages/1.jpg,rose\nimages/2.jpg,lily\n",
        "label,path\nrose,images/1.jpg\nlily,images/2.jpg\n",
        "file_name;class\nimages/1.jpg;rose\nimages/2.jpg;lily\n",
        "Image Path\tCategory\nimages/1.jpg\trose\nimages/2.jpg\tlily\n",
        "\ufefffilename,breed\r\nimages/1.jpg,rose\r\nimages/2.jpg,lily\r\n",
        "id,label\nimages/1,rose\nimages/2,lily\n",
        '"path","label"\n"images/1.jpg","rose"\n"images/2.jpg","lily"\n',
        "path,label\nimages\\1.jpg,rose\nimages\\2.jpg,lily\n",
        "images/1.jpg,rose\nimages/2.jpg,lily\n",
        "filename,rose,lily\nimages/1.jpg,1,0\nimages/2.jpg,0,1\n",
        "gs://bucket/images/1.jpg,rose\ngs://bucket/images/2.jpg,lily\n",
        "image_id,width,label,image\n1,299,rose,images/1.jpg\n2,299,lily,images/2.jpg\n",
    ],
)
def test_columns_have_the_names_that_people_give_them(photos: Touch, how: Reading, text: str) -> None:
    assert listed(photos, how, text) == {"images/1.jpg": "rose", "images/2.jpg": "lily"}


@pytest.mark.parametrize(
    "text",
    [
        "path,label,part\nimages/1.jpg,rose,train\nimages/2.jpg,lily,\n",
        "split,path,label\ntraining,images/1.jpg,rose\nunassigned,images/2.jpg,lily\n",
        "images/1.jpg,rose,train\nimages/2.jpg,lily,\n",
        "TRAIN,gs://bucket/images/1.jpg,rose\nUNASSIGNED,gs://bucket/images/2.jpg,lily\n",  # AutoML
        "training,gs://bucket/images/1.jpg,rose\n,gs://bucket/images/2.jpg,lily\n",  # Vertex AI
    ],
)
def test_a_part_may_be_given_for_each_image(photos: Touch, how: Reading, text: str) -> None:
    assert listed(photos, how, text) == {"images/1.jpg": "rose train", "images/2.jpg": "lily"}


@pytest.mark.parametrize(
    "row",
    [
        {"file_name": "images/1.jpg", "label": "rose"},  # Hugging Face
        {"image": "images/1.jpg", "labels": ["rose"]},
        {"source-ref": "s3://bucket/images/1.jpg", "job": 0, "job-metadata": JOB},  # SageMaker Ground Truth
        {"source-ref": "s3://b/1.jpg", "set_Rose": 1, "set_Rose-metadata": JOB},  # Rekognition Custom Labels
        {"source-ref": "s3://b/images/1.jpg", "job": [3], "job-metadata": {"class-map": {"3": "rose"}}},
        {  # Vertex AI
            "imageGcsUri": "gs://bucket/images/1.jpg",
            "classificationAnnotation": {"displayName": "rose", "annotationResourceLabels": {"a": "b"}},
        },
    ],
)
def test_lines_of_json_are_read_by_the_names_of_their_fields(photos: Touch, how: Reading, row: dict) -> None:
    photos("1.jpg")
    found = listed(photos, how, json.dumps(row) + "\n", "output.manifest")
    assert list(found.values()) == ["rose"]


def test_a_part_of_vertex_ai(photos: Touch, how: Reading) -> None:
    row = {
        "imageGcsUri": "gs://bucket/images/1.jpg",
        "classificationAnnotation": {"displayName": "rose"},
        "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "test"},
    }
    assert listed(photos, how, json.dumps(row), "import.jsonl") == {"images/1.jpg": "rose test"}


def test_other_labels_of_an_item_of_vertex_ai_are_no_part(photos: Touch, how: Reading) -> None:
    row = {
        "imageGcsUri": "gs://bucket/images/1.jpg",
        "classificationAnnotation": {"displayName": "rose"},
        "dataItemResourceLabels": {"env": "prod", "aiplatform.googleapis.com/ml_use": "test", "team": "flowers"},
    }
    assert listed(photos, how, json.dumps(row), "import.jsonl") == {"images/1.jpg": "rose test"}
    del row["dataItemResourceLabels"]["aiplatform.googleapis.com/ml_use"]
    assert listed(photos, how, json.dumps(row), "other.jsonl") == {"images/1.jpg": "rose"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("notes", "read", "wrong"),
    [
        (["ok", '"5 in. tall', "ok", "ok"], [1, 3, 4], [3]),  # to the end of the file
        (["ok", '"5 in. tall', "ok", 'tall"'], [1, 3, 4], [3]),  # to another row's quotation mark
        (["ok", '"5 in. tall', '"6 in. tall', "ok"], [1, 4], [3, 4]),
        (["ok", "ok", "ok", '"5 in. tall'], [1, 2, 3], [5]),  # in the last row
    ],
)
def test_a_quotation_mark_that_is_not_closed_is_named_by_its_line(
    photos: Touch, how: Reading, separator: str, notes: list[str], read: list[int], wrong: list[int]
) -> None:
    photos("images/1.jpg images/2.jpg images/3.jpg images/4.jpg")
    rows = [["path", "label", "notes"], *([f"images/{i}.jpg", "rose", note] for i, note in enumerate(notes, 1))]
    (photos.root / "labels.csv").write_text("".join(separator.join(row) + "\n" for row in rows))
    listing = list_images(photos.root / "labels.csv", how)
    assert labelled(listing) == {f"images/{i}.jpg": "rose" for i in read}
    assert kinds(listing) == {("error", "table", f"labels.csv:{line}") for line in wrong}
    assert "a quotation mark opens here" in listing.problems[0].detail


def test_an_open_quotation_mark_takes_no_rows_whose_paths_lack_a_suffix(photos: Touch, how: Reading) -> None:
    photos("images/3.jpg")
    text = 'path,label,notes\nimages/1,rose,"5 in\nimages/2,lily,ok\nimages/3,lily,tall"\n'
    assert listed(photos, how, text) == {"images/2.jpg": "lily", "images/3.jpg": "lily"}
    assert kinds(list_images(photos.root / "labels.csv", how)) == {("error", "table", "labels.csv:2")}


def test_one_file_is_not_taken_for_two_addresses(photos: Touch, how: Reading) -> None:
    photos("3.jpg")
    text = (
        "path,label\ngs://b/rose/1.jpg,rose\ngs://b/images/1.jpg,rose\ngs://b/rose/3.jpg,rose\ngs://b/lily/3.jpg,lily\n"
    )
    assert listed(photos, how, text) == {"images/1.jpg": "rose"}
    problems = list_images(photos.root / "labels.csv", how).problems
    assert [problem.path for problem in problems] == ["labels.csv:2", "labels.csv:4", "labels.csv:5"]
    assert "each under a name of its own" in problems[0].detail


def test_a_quotation_mark_of_a_long_table_is_named_where_it_opens(photos: Touch, how: Reading) -> None:
    rows = "".join(f"images/1.jpg,rose,{'x' * 1000}\n" for _ in range(200))  # more than csv takes for one cell
    text = f'path,label,notes\nimages/2.jpg,rose,"ok\n{rows}'
    assert listed(photos, how, text) == {"images/1.jpg": "rose"}
    assert kinds(list_images(photos.root / "labels.csv", how)) == {("error", "table", "labels.csv:2")}


def test_a_cell_that_is_too_long_costs_its_row_only(photos: Touch, how: Reading) -> None:
    text = f"path,label,notes\nimages/1.jpg,rose,{'x' * 200_000}\nimages/2.jpg,lily,ok\n"
    assert listed(photos, how, text) == {"images/2.jpg": "lily"}
    [problem] = list_images(photos.root / "labels.csv", how).problems
    assert (problem.path, problem.detail) == ("labels.csv:2", "cannot be read (field larger than field limit (131072))")


def test_quotation_marks_that_harm_nothing_are_read(photos: Touch, how: Reading) -> None:
    text = 'path,label,notes\nimages/1.jpg,rose,5" pot\nimages/2.jpg,lily,"two ""lines"",\nof a note, big, red"\n'
    assert listed(photos, how, text) == {"images/1.jpg": "rose", "images/2.jpg": "lily"}
    assert list_images(photos.root / "labels.csv", how).problems == ()


def test_a_row_with_more_cells_than_columns_is_said(photos: Touch, how: Reading) -> None:
    text = "path,notes,label\nimages/1.jpg,big, red,rose\nimages/2.jpg,small,lily,,\n"
    assert listed(photos, how, text) == {"images/2.jpg": "lily"}
    assert kinds(list_images(photos.root / "labels.csv", how)) == {("error", "table", "labels.csv:2")}


def test_all_lines_that_are_wrong_are_said_in_one_run(photos: Touch, how: Reading) -> None:
    photos("1.jpg")
    (photos.root / "labels.csv").write_text(
        "path,label,part\n1.jpg,rose,train\nnone.jpg,rose,train\n1.jpg,,train\n1.jpg,rose,tomorrow\n1.jpg\n"
        "gs://bucket/other.jpg,rose,\n"
    )
    listing = list_images(photos.root / "labels.csv", how)
    assert labelled(listing) == {"1.jpg": "rose train"}
    assert kinds(listing) == {
        ("error", "missing", "labels.csv:3"),
        ("error", "table", "labels.csv:4"),
        ("error", "table", "labels.csv:5"),
        ("error", "table", "labels.csv:6"),
        ("error", "missing", "labels.csv:7"),
    }
    assert any("copy the images beside the table" in problem.detail for problem in listing.problems)


def test_a_picture_with_two_labels_is_said(photos: Touch, how: Reading) -> None:
    photos("1.jpg 2.jpg")
    rows = [{"file_name": "1.jpg", "labels": ["rose", "lily"]}, {"file_name": "2.jpg", "labels": ["lily"]}]
    (photos.root / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    [problem] = list_images(photos.root / "labels.jsonl", how).problems
    assert "has 2 labels (rose, lily)" in problem.detail


def test_lines_of_json_that_are_cut_or_say_two_things_are_said(photos: Touch, how: Reading) -> None:
    sound = '{"file_name": "images/1.jpg", "label": "rose"}'
    text = "\n".join(
        [sound, sound + sound, '{"file_name": "images/2.jpg", "label": "rose", "label": "lily"}', sound[:-9]]
    )
    assert listed(photos, how, text, "labels.jsonl") == {"images/1.jpg": "rose"}
    problems = kinds(list_images(photos.root / "labels.jsonl", how))
    assert problems == {("error", "table", f"labels.jsonl:{line}") for line in (2, 3, 4)}


def test_columns_that_are_not_found_are_asked_for(photos: Touch, how: Reading) -> None:
    photos("1.jpg")
    (photos.root / "labels.csv").write_text("a,b,c\n1,2,3\n")
    with pytest.raises(DatasetError, match="name its columns path and label"):
        list_images(photos.root / "labels.csv", how)


@pytest.mark.parametrize(
    "text", ["path|label\n1.jpg|rose\n", "sep=|\r\npath|label\r\n1.jpg|rose\r\n", "sep=!\npath!label\n1.jpg!rose\n"]
)
def test_cells_are_divided_as_the_table_says_or_its_first_line_shows(photos: Touch, how: Reading, text: str) -> None:
    photos("1.jpg")
    (photos.root / "labels.csv").write_bytes((text + "2.jpg" + text.rstrip()[-5] + "lily").encode())
    listing = list_images(photos.root / "labels.csv", how)
    assert labelled(listing) == {"1.jpg": "rose"}
    line = text.count("\n") + 1
    assert kinds(listing) == {("error", "missing", f"labels.csv:{line}")}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_table_that_excel_wrote_as_unicode_text_is_read(photos: Touch, how: Reading, encoding: str) -> None:
    photos("1.jpg")
    mark = "" if encoding == "utf-16" else "\ufeff"
    (photos.root / "labels.txt").write_bytes(f"{mark}path\tlabel\r\n1.jpg\tcafé\r\n".encode(encoding))
    assert labelled(list_images(photos.root / "labels.txt", how)) == {"1.jpg": "café"}


def test_a_table_that_is_no_utf8_says_so(photos: Touch, how: Reading) -> None:
    (photos.root / "labels.csv").write_bytes("path,label\n1.jpg,café\n".encode("cp1252"))
    with pytest.raises(DatasetError, match="is not UTF-8"):
        list_images(photos.root / "labels.csv", how)


@given(st.text())
def test_no_text_breaks_the_readers(text: str) -> None:
    table_from_csv(Path("x"), text)
    table_from_json(Path("x"), text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["label", "labels", "path", "source-ref", "x-metadata", "class-map", "class-name", "split"])
            | st.sampled_from(["classificationAnnotation", "displayName", "dataItemResourceLabels"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4))
def test_no_json_breaks_the_reader(rows: list) -> None:
    table_from_json(Path("x"), "\n".join(map(json.dumps, rows)))
    table_from_json(Path("x"), json.dumps(rows))
