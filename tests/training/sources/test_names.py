import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.sources.listing import Part
from training.sources.names import bad_labels, is_junk, part_named, part_within, why_no_label


@pytest.mark.parametrize(
    "name",
    ["red\u00a0rose", "گل\u200cسرخ", "rosen\u00adbusch", "\U0001fae9", "é", "a b", "C++", "日本", "👩‍🌾", "\u202brtl"],
)
def test_a_line_of_utf8_is_a_label(name: str) -> None:
    assert why_no_label(name) is None
    assert bad_labels([name]) == []


@pytest.mark.parametrize(
    "name", ["a\nb", "a\tb", "\x85", "a\u2028b", "\x7f", "  ", "\udce9", "", "\u200b", "\u2800", "\u3164"]
)
def test_what_breaks_a_file_of_labels_is_none(name: str) -> None:
    assert why_no_label(name)
    assert [problem.kind for problem in bad_labels([name])] == ["label"]


@given(st.text(min_size=1))
def test_a_label_survives_the_file_of_labels(name: str) -> None:
    if not why_no_label(name):
        assert f"{name}\nnext\n".splitlines() == [name, "next"]
        assert name.encode().decode() == name


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("café", "cafe\u0301", "NFC and NFD"),
        ("Rose", "rose", "case"),
        ("rose", "rose ", "white space"),
        ("red rose", "red\u00a0rose", "white space"),
        ("rosenbusch", "rosen\u00adbusch", "nobody sees"),
        ("STRASSE", "straße", "case"),
        ("\U0001f339", "\U0001f339\ufe0f", "nobody sees"),  # a variation selector: as an emoji
        ("rose", "ro\u034fse", "nobody sees"),  # a combining grapheme joiner
        ("rose", "ro\u3164se", "nobody sees"),  # Hangul's filler, as nothing
        ("rose", "rose\u115f", "nobody sees"),
        ("red rose", "red\u2800rose", "nobody sees"),  # Braille's empty pattern, as a space
        ("red rose", "red\u3164rose", "nobody sees"),
    ],
)
def test_names_that_read_as_one_are_one_mistake(one: str, other: str, why: str) -> None:
    [problem] = bad_labels([one, other, "another"])
    assert problem.kind == "alike"
    assert problem.path in {one, other}
    assert repr(one) in problem.detail or repr(other) in problem.detail
    assert why in problem.detail


def test_names_that_differ_are_two_labels() -> None:
    assert bad_labels(["m2", "m²", "a", "b", "rose", "roses", "red rose", "redrose"]) == []


def test_flags_that_differ_in_their_tags_are_two_labels() -> None:
    england, scotland = (
        "".join(chr(0xE0000 + ord(letter)) for letter in name) + "\U000e007f" for name in ("gbeng", "gbsct")
    )
    assert bad_labels([f"\U0001f3f4{england}", f"\U0001f3f4{scotland}", "\U0001f3f4"]) == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train", Part.TRAIN),
        ("TRAINING", Part.TRAIN),
        ("val", Part.VALIDATION),
        ("valid", Part.VALIDATION),
        ("validate", Part.VALIDATION),
        ("test_set", Part.TEST),
        ("trainer", None),
        ("valley", None),
        ("testament", None),
        ("rose", None),
    ],
)
def test_parts_have_the_names_that_people_give_them(name: str, part: Part | None) -> None:
    assert part_named(name) is part


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("seg_train", Part.TRAIN),
        ("val2017", Part.VALIDATION),
        ("labels-test", Part.TEST),
        ("train_images", Part.TRAIN),
        ("train_test_split", None),
        ("strain", None),
        ("entrainé", None),
        ("tests", None),
    ],
)
def test_a_part_is_told_by_one_word_of_a_name(name: str, part: Part | None) -> None:
    assert part_within(name) is part


@pytest.mark.parametrize("name", ["__MACOSX", "@eaDir", ".ipynb_checkpoints", "Thumbs.db", "._1.jpg", ".DS_Store"])
def test_what_systems_leave_behind(name: str) -> None:
    assert is_junk(name)
    assert not is_junk("rose")
