from pathlib import Path

from tests.support.contents import PARITY, content_of, said, thresholds
from training.report.content import Copy, Curve, Suspect
from training.report.steps import next_steps


def steps(**more: object) -> list[str]:
    content = content_of([[95, 5, 0], [3, 80, 17], [0, 18, 82]], ("daisy", "roses", "tulips"), **more)
    return [f"{said(step.what)}: {said(step.why)} {step.command}" for step in next_steps(content)]


def test_a_model_that_is_ready_in_part_is_shipped_with_somebody_looking() -> None:
    first = steps(thresholds=thresholds((0.7, 0.7, 0.9), None))[0]
    assert first.startswith("Ship version 1 if somebody looks at what it is unsure of")
    assert "answers 67 % of images by itself, 87 % of these rightly" in first
    assert first.endswith("python -m training promote artifacts flowers 1")


def test_a_later_version_is_compared_before_it_is_shipped() -> None:
    assert "--unless-worse FOLDER" in steps(version=2)[0]
    assert "--unless-worse" not in steps(version=1)[0]


def test_a_model_that_is_not_good_enough_is_not_shipped() -> None:
    assert not [step for step in next_steps(content_of([[60, 40], [40, 60]])) if "Ship" in said(step.what)]


def test_suspects_are_to_be_looked_at_and_handed_back() -> None:
    suspects = tuple(Suspect(Path(f"{i}.jpg"), "roses", "tulips", 0.01 * i) for i in range(1, 13))
    (step,) = [
        s for s in steps(suspects=suspects, suspects_file=Path("runs/flowers-1/suspects.csv")) if "12 labels" in s
    ]
    assert "gives their labels 12.0 % at most" in step
    assert "in the last column of suspects.csv write the right label" in step
    assert step.endswith("--name flowers --corrections runs/flowers-1/suspects.csv")


def test_labels_are_put_right_before_a_model_that_is_not_ready_is_shipped() -> None:
    suspects = (Suspect(Path("1.jpg"), "roses", "tulips", 0.01),)
    assert [step.split()[0] for step in steps(suspects=suspects)[:2]] == ["Look", "Ship"]
    ready = next_steps(content_of([[99, 1], [1, 99]], suspects=suspects))
    assert [step.what[0].split()[0] for step in ready[:2]] == ["Ship", "Look"]


def test_near_duplicates_are_named_where_there_is_something_to_decide() -> None:
    same = (Copy(Path("1.jpg"), "roses"), Copy(Path("2.jpg"), "roses"))
    other = (Copy(Path("1.jpg"), "roses"), Copy(Path("2.jpg"), "tulips"))
    assert not [s for s in steps(duplicates=(same,) * 9) if "near-duplicates" in s]
    assert [s for s in steps(duplicates=(same, other)) if "one pair of near-duplicates: one has different labels" in s]
    leak = (Copy(Path("1.jpg"), "roses", tested=True), Copy(Path("2.jpg"), "roses"))
    assert [s for s in steps(duplicates=(leak,)) if "one pair of near-duplicates: one was both learned from and" in s]


def test_more_images_are_asked_for_where_they_are_worth_it() -> None:
    def curve(expected: float) -> Curve:
        return Curve(((40, 0.7), (80, 0.8)), (160, expected))

    assert [
        s
        for s in steps(curve=curve(0.82))
        if "Take more photos of roses and tulips" in s and "about 2 points, from 80.0 % to 82.0 %" in s
    ]
    assert [s for s in steps(curve=curve(0.801)) if "less than half a point" in s]


def test_files_labels_and_engines_that_failed_are_steps() -> None:
    assert [s for s in steps(set_aside=3) if "Mend 3 files" in s and s.endswith("training check photos")]
    assert [s for s in steps(thresholds=thresholds((0.7, None, 0.9), None)) if "every answer of roses looked at" in s]
    assert [s for s in steps(parity=PARITY | {"compiled": None}) if "Expect slow answers: no compiled model was" in s]
    few = PARITY | {"compiled": None, "refused": [{"images": 12}]}
    assert [s for s in steps(parity=few) if "Expect slow answers: 12 images are too few to prove" in s]


def test_a_model_that_accepts_nothing_is_not_said_to_be_wrong() -> None:
    first = steps(thresholds=thresholds((None, None, None)))[0]
    assert "by its thresholds it answers no image by itself" in first
