from hashlib import sha256
from pathlib import Path

import pytest

from training.dataset import Dataset, Example
from training.errors import DatasetError
from training.groups import find_groups, key_function
from training.sources.listing import Part
from training.split import Percentages, split


def example(name: str, label: str = "rose", part: Part | None = None) -> Example:
    digest = sha256(name.encode()).hexdigest()
    return Example(Path(f"/set/{label}/{name}.jpg"), label, digest, digest, part)


def dataset(*examples: Example) -> Dataset:
    return Dataset(Path("/set"), "", tuple(sorted(examples, key=lambda e: e.pixels)), ())


def alike(*examples: Example) -> dict[str, bytes]:
    return {example.digest: b"\xaa" * 32 for example in examples}


def test_a_chain_of_near_duplicates_is_one_group() -> None:
    one, two, three, other = (example(name) for name in ("1", "2", "3", "4"))
    base = int.from_bytes(b"\xaa" * 32)
    hashes = {
        e.digest: (base ^ ((1 << bits) - 1)).to_bytes(32)
        for e, bits in ((one, 0), (two, 70), (three, 140), (other, 256))
    }
    groups = find_groups(dataset(one, two, three, other), hashes, None)
    lowest = min(e.pixels for e in (one, two, three))
    assert groups.keys == dict.fromkeys([one.pixels, two.pixels, three.pixels], lowest)
    assert [set(group) for group in groups.near_duplicates] == [{one, two, three}]


def test_what_has_one_key_is_one_group_and_what_does_not_match_is_alone() -> None:
    first, second, other = example("plant7_a"), example("plant7_b"), example("loose")
    groups = find_groups(dataset(first, second, other), {}, r"plant(\d+)")
    assert set(groups.keys) == {first.pixels, second.pixels}
    assert not groups.near_duplicates


def test_one_name_in_two_unicode_forms_is_one_key() -> None:
    first, second = example("caf\u00e9_1"), example("cafe\u0301_2")
    for group_by in ("(caf\u00e9)_", "(cafe\u0301)_"):
        assert len(find_groups(dataset(first, second), {}, group_by).keys) == 2


def test_a_key_is_the_whole_match_where_there_is_no_group() -> None:
    first, second = example("plant7_a"), example("plant8_a")
    assert not find_groups(dataset(first, second), {}, r"plant\d").keys
    assert find_groups(dataset(first, second), {}, r"plant").keys


def test_an_expression_that_matches_nothing_is_refused_with_a_path_to_look_at() -> None:
    with pytest.raises(DatasetError, match=r"--group-by 'patient' matches no path of the set; the first one is 'rose/"):
        find_groups(dataset(example("1"), example("2")), {}, "patient")
    with pytest.raises(DatasetError, match=r"--group-by '\(' is no regular expression"):
        key_function("(")


def test_a_set_in_which_everything_is_alike_is_divided_all_the_same_and_said() -> None:
    examples = [example(f"{i}") for i in range(30)]
    groups = find_groups(dataset(*examples), alike(*examples), None)
    assert not groups.keys
    [problem] = groups.problems
    assert "30 of 30 pictures look alike" in problem.detail
    assert "the figures are too good" in problem.detail
    assert "--group-by" in problem.detail


def test_near_duplicates_in_two_parts_of_a_divided_set_stay_and_are_named() -> None:
    learned, tested = example("1", part=Part.TRAIN), example("2", part=Part.TEST)
    others = [example(f"{label}{part}", label, part) for label in ("rose", "lily") for part in (Part.TRAIN, Part.TEST)]
    found = dataset(learned, tested, *others)
    groups = find_groups(found, alike(learned, tested), None)
    [problem] = groups.problems
    assert problem.kind == "leak"
    assert tested in split(found.examples, Percentages(), groups.keys).test


def test_near_duplicates_under_two_labels_are_named() -> None:
    one, other = example("1"), example("2", "lily")
    [problem] = find_groups(dataset(one, other), alike(one, other), None).problems
    assert problem.kind == "near-conflict"
