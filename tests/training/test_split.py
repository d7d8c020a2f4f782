from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.dataset import Example
from training.errors import DatasetError
from training.sources.listing import Part
from training.split import Percentages, part_of, split

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
SHARES = st.tuples(st.integers(1, 35), st.integers(1, 35)).map(lambda both: Percentages(*both))


def example(path: Path, label: str, pixels: str, part: Part | None = None) -> Example:
    return Example(path, label, sha256(pixels.encode()).hexdigest(), pixels, part)


def examples(count: int, label: str = "daisy") -> list[Example]:
    return [example(Path(f"{label}/{i}.jpg"), label, f"{hash((label, i)) % 2**256:064x}") for i in range(count)]


@given(st.sets(DIGESTS, min_size=60, max_size=120), SHARES)
def test_every_example_lands_in_exactly_one_part(digests: set[str], percentages: Percentages) -> None:
    given = [example(Path(f"{digest}.jpg"), "ab"[i % 2], digest) for i, digest in enumerate(sorted(digests))]
    try:
        parts = split(given, percentages)
    except DatasetError as error:
        assert "has no image for" in str(error)
    else:
        assert sorted([*parts.train, *parts.validation, *parts.test], key=lambda e: e.pixels) == given


@given(DIGESTS, SHARES, st.integers(0, 20))
def test_a_larger_test_share_never_takes_an_image_out_of_the_test(digest: str, shares: Percentages, more: int) -> None:
    if part_of(digest, shares) is Part.TEST:
        assert part_of(digest, Percentages(shares.testing + more, shares.validation)) is Part.TEST


@given(st.integers(0, 15))
def test_images_sampled_by_their_own_hash_still_spread_over_the_parts(prefix: int) -> None:
    sampled = [f"{prefix:x}{i:063x}" for i in range(2000)]
    tested = sum(part_of(digest, Percentages(20, 20)) is Part.TEST for digest in sampled)
    assert 300 < tested < 500


def test_the_shares_are_close_to_what_was_asked() -> None:
    parts = [part_of(f"{i:064x}", Percentages(15, 10)) for i in range(10_000)]
    assert abs(parts.count(Part.TEST) / 10_000 - 0.15) < 0.01
    assert abs(parts.count(Part.VALIDATION) / 10_000 - 0.10) < 0.01


def test_no_sound_class_is_refused_by_chance() -> None:
    few = [example for example in examples(200, "rose") if part_of(example.pixels, Percentages()) is not Part.TEST]
    parts = split([*examples(200), *few], Percentages())
    [taken] = [example for example in parts.test if example.label == "rose"]
    train = [example for example in few if part_of(example.pixels, Percentages()) is Part.TRAIN]
    assert taken == min(train, key=lambda example: example.pixels)
    assert parts.moved == {Part.TEST: 1}


@given(st.sets(DIGESTS, min_size=4, max_size=60), st.integers(2, 8))
def test_two_images_a_class_are_enough(digests: set[str], count: int) -> None:
    given = [example(Path(f"{i}.jpg"), f"{i // count}", digest) for i, digest in enumerate(sorted(digests))]
    whole = len(given) // count * count
    if whole < 2 * count:
        return
    given = given[:whole]
    parts = split(given, Percentages())
    labels = {example.label for example in given}
    assert {example.label for example in parts.train} == labels
    assert {example.label for example in parts.test} == labels
    assert count < 3 or {example.label for example in parts.validation} == labels
    assert sorted([*parts.train, *parts.validation, *parts.test], key=lambda e: e.pixels) == sorted(
        given, key=lambda e: e.pixels
    )
    shuffled = [example(Path("elsewhere") / e.path, e.label, e.pixels) for e in reversed(given)]
    assert split(shuffled, Percentages()).digest == parts.digest


def test_a_hundred_and_one_classes_of_31_divide() -> None:
    parts = split([e for k in range(101) for e in examples(31, f"class {k}")], Percentages())
    for part in (parts.train, parts.validation, parts.test):
        assert len({example.label for example in part}) == 101


def test_a_class_of_one_image_is_named() -> None:
    with pytest.raises(
        DatasetError, match="'rose' has 1 picture, and a class needs one to learn and one to test: add images"
    ):
        split([*examples(20), *examples(1, "rose")], Percentages())


def test_of_many_classes_that_are_too_small_the_first_are_named_and_the_rest_counted() -> None:
    with pytest.raises(DatasetError, match="180 more classes, and a class needs one to learn") as refused:
        split([e for k in range(200) for e in examples(1, f"class {k}")], Percentages())
    assert str(refused.value).count("1 picture") == 20


def owned(label: str, counts: dict[Part, int]) -> list[Example]:
    return [
        example(Path(f"{part}/{label}/{i}.jpg"), label, sha256(f"{part}{label}{i}".encode()).hexdigest(), part)
        for part, count in counts.items()
        for i in range(count)
    ]


def test_a_set_that_is_divided_stays_as_it_is() -> None:
    counts = {Part.TRAIN: 5, Part.VALIDATION: 3, Part.TEST: 4}
    given = [*owned("rose", counts), *owned("lily", counts)]
    parts = split(given, Percentages())
    assert {example.part for example in parts.train} == {Part.TRAIN}
    assert {example.part for example in parts.validation} == {Part.VALIDATION}
    assert {example.part for example in parts.test} == {Part.TEST}
    assert parts.moved == {}


def test_a_part_that_a_divided_set_lacks_is_drawn_from_its_training_images() -> None:
    given = [*owned("rose", {Part.TRAIN: 100, Part.TEST: 10}), *owned("lily", {Part.TRAIN: 3, Part.TEST: 10})]
    parts = split(given, Percentages())
    assert len(parts.test) == 20
    assert {example.part for example in parts.validation} == {Part.TRAIN}
    assert {example.label for example in parts.validation} == {"rose", "lily"}


@given(
    st.sets(st.binary(min_size=8, max_size=8), min_size=8, max_size=20), st.sampled_from([Part.TEST, Part.VALIDATION])
)
def test_a_divided_set_is_not_refused_for_what_is_drawn_from_its_training_images(
    seeds: set[bytes], given: Part
) -> None:
    digests = sorted(sha256(seed).hexdigest() for seed in seeds)
    labels = [("rose", "lily")[i % 2] for i in range(len(digests))]
    parts = [given] * 2 + [Part.TRAIN] * (len(digests) - 2)
    examples = [
        Example(Path(digest), label, digest, digest, part)
        for digest, label, part in zip(digests, labels, parts, strict=True)
    ]
    assert {example.label for example in split(examples, Percentages()).train} == {"rose", "lily"}


def test_one_training_image_of_a_divided_class_is_learned_from() -> None:
    for i in range(100):
        digests = [sha256(f"{i} {j}".encode()).hexdigest() for j in range(4)]
        given = [("rose", Part.TRAIN), ("rose", Part.TEST), ("lily", Part.TRAIN), ("lily", Part.TEST)]
        examples = [Example(Path(d), label, d, d, part) for d, (label, part) in zip(digests, given, strict=True)]
        assert [example.part for example in split(examples, Percentages()).train] == [Part.TRAIN] * 2


def test_a_class_that_a_divided_set_does_not_teach_is_named() -> None:
    given = [*owned("rose", {Part.TRAIN: 5, Part.TEST: 5}), *owned("lily", {Part.TEST: 5})]
    with pytest.raises(DatasetError, match="no image for training: 'lily'"):
        split(given, Percentages())


def test_a_divided_set_that_leaves_nothing_to_test_is_refused() -> None:
    given = [*owned("rose", {Part.TRAIN: 1, Part.VALIDATION: 5}), *owned("lily", {Part.TRAIN: 1, Part.VALIDATION: 5})]
    with pytest.raises(DatasetError, match="no class has an image for testing"):
        split(given, Percentages())


def test_one_class_is_no_classification() -> None:
    with pytest.raises(DatasetError, match=r"only one class \(daisy\)"):
        split(examples(50), Percentages())


@pytest.mark.parametrize("shares", [(0, 10), (10, 0), (60, 40), (-5, 10)])
def test_shares_that_leave_nothing_are_refused(shares: tuple[int, int]) -> None:
    with pytest.raises(DatasetError, match="leave no sound split"):
        Percentages(*shares)


def test_the_split_digest_tells_the_same_data_from_other_data() -> None:
    some = [*examples(100), *examples(100, "rose")]
    renamed = [example(Path("elsewhere") / e.path.name, e.label, e.pixels) for e in reversed(some)]
    assert split(some, Percentages()).digest == split(renamed, Percentages()).digest
    assert split(some, Percentages()).digest != split(some[1:], Percentages()).digest


@given(st.integers(6, 60), st.integers(1, 9), st.integers(0, 5))
def test_a_group_is_in_one_part(count: int, size: int, seed: int) -> None:
    given = [example(Path(f"{i}.jpg"), "ab"[i % 2], sha256(f"{seed} {i}".encode()).hexdigest()) for i in range(count)]
    groups = {e.pixels: min(o.pixels for o in given[i // size * size :][:size]) for i, e in enumerate(given)}
    try:
        parts = split(given, Percentages(), groups)
    except DatasetError:
        return
    place = {e: name for name in ("train", "validation", "test") for e in getattr(parts, name)}
    assert all(place[e] == place[o] for e in given for o in given if groups[e.pixels] == groups[o.pixels])
    assert len(place) == count


def test_a_class_without_a_test_image_gets_a_whole_group() -> None:
    rose = [example(Path(f"{i}.jpg"), "rose", f"{i:064x}") for i in range(40)]
    groups = {e.pixels: rose[i // 4 * 4].pixels for i, e in enumerate(rose)}
    rose = [e for e in rose if part_of(groups[e.pixels], Percentages()) is Part.TRAIN]
    parts = split([*examples(200), *rose], Percentages(), groups)
    tested = [e for e in parts.test if e.label == "rose"]
    assert len(tested) == 4
    assert len({groups[e.pixels] for e in tested}) == 1
    assert parts.moved[Part.TEST] == 4


def test_a_class_that_is_one_group_is_named() -> None:
    rose = examples(5, "rose")
    groups = dict.fromkeys((e.pixels for e in rose), min(e.pixels for e in rose))
    with pytest.raises(DatasetError, match=r"'rose' has 5 images of one group.* add images"):
        split([*examples(50), *rose], Percentages(), groups)
