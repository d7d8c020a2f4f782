"""What is to be learned, from what, and how: plain values, as the options say them."""

from dataclasses import dataclass
from pathlib import Path

from model.stores.base import NAME
from training.content import ReadElsewhere
from training.errors import TrainingError
from training.finetune import FineTuning
from training.groups import key_function
from training.sources.listing import LabelsFrom
from training.split import Percentages
from training.thresholds import PRECISION


@dataclass(frozen=True)
class Job:
    """What to learn from what, and how."""

    image_dir: Path | str  # a folder, a table, an archive, or any of these in a bucket
    name: str  # of the model
    bottleneck_dir: Path  # where features are kept between runs, and what was unpacked or downloaded
    labels_from: LabelsFrom = LabelsFrom.TOP
    percentages: Percentages = Percentages()  # noqa: RUF009 - frozen
    group_by: str | None = None  # a regular expression on an image's path: what has the same key is never divided
    corrections: Path | None = None  # suspects.csv as a person filled it in
    precision: float = PRECISION  # of accepted answers that is wished for, 0–1
    max_steps: int = 1000  # iterations of the head's solver
    fine_tuning: FineTuning = FineTuning()  # noqa: RUF009 - frozen
    proof_images: int = 160  # that the SavedModel scores at most; TensorFlow does about 16 a second on two cores
    read_elsewhere: ReadElsewhere | None = None  # on other machines; None: by this one's threads

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise TrainingError(
                f"{self.name!r} cannot name a model; use letters, digits, '.', '_' and '-', and more than digits"
            )
        if self.group_by is not None:
            key_function(self.group_by)

    @property
    def feature_file(self) -> Path:
        return self.bottleneck_dir / "features.sqlite"
