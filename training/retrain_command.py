"""`python -m training retrain`: its options become a Job, and the outcome a page.

An option has the name that retrain.py gave it where it has the same meaning (docs/decisions.md); what it is stored as is
the name of a field of Job, or of one of its parts.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from training.closing_page import outcome_page
from training.console import Console, suppress_stderr
from training.content import ReadElsewhere
from training.finetune import Augmentation, FineTuning
from training.job import Job
from training.options import FILE, FOLDER, LABELS_FROM, command_line, limit_options, limits_of
from training.pipeline import retrain
from training.retrain_help import RetrainCommand
from training.run import Run
from training.sources.listing import CACHE
from training.split import Percentages
from training.survey import survey

T = TypeVar("T")
PERCENT = click.IntRange(0, 90)


@click.command("retrain", cls=RetrainCommand, short_help="Learn from labelled images, measure, and publish.")
@click.argument("images", metavar="IMAGE_DIR", required=False)
@click.option("--image-dir", help="The same as the argument.")
@click.option("--name", required=True, help="Name of the model.")
@click.option("--store", "--saved-model-dir", default="artifacts", show_default=True, help="Where to publish it.")
@click.option(
    "--weights", default="imagenet", show_default=True, help="The backbone's: imagenet, a Keras .h5 file, or random."
)
@click.option("--bottleneck-dir", type=FOLDER, default=CACHE, help="Where features are kept.  [default: ~/.cache/…]")
@click.option(
    "--testing-percentage", "testing", default=15, show_default=True, help="Of the images, kept for the final figures."
)
@click.option(
    "--validation-percentage",
    "validation",
    default=15,
    show_default=True,
    help="Of the images, to judge fine-tuning.",
)
@click.option(
    "--group-by",
    metavar="REGEX",
    help="On an image's path in the set: what it finds (its first group) is one plant, patient or street, never divided.",
)
@click.option(
    "--precision",
    type=click.FloatRange(50, 99.9),
    default=95,
    show_default=True,
    help="Of accepted answers, in %: sets each label's threshold.",
)
@click.option("--corrections", type=FILE, help="suspects.csv with your decisions: a label, 'keep' or 'leave out'.")
@click.option(
    "--how-many-training-steps",
    "max_steps",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="At most, of the head's solver; it stops by itself.",
)
@click.option(
    "--fine-tuning-steps",
    "steps",
    type=click.IntRange(0),
    default=0,
    help="Of 32 images, on the top blocks too; a second or two each.  [default: none]",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    help=f"Of fine-tuning (Adam).  [default: {FineTuning().learning_rate:g}]",
)
@click.option("--flip-left-right", is_flag=True, help="In fine-tuning, mirror every second image.")
@click.option("--random-crop", type=PERCENT, default=0, help="In fine-tuning, margin to crop from, in %.")
@click.option("--random-scale", type=PERCENT, default=0, help="In fine-tuning, enlarge by up to this, in %.")
@click.option(
    "--random-brightness", type=PERCENT, default=0, help="In fine-tuning, lighten or darken by up to this, in %."
)
@click.option(
    "--proof-images",
    type=click.IntRange(50),
    default=160,
    show_default=True,
    help="At most, that the SavedModel scores too, to prove the compiled model.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="What reads the images: this machine, or Ray, on the cluster that RAY_ADDRESS names, else on this machine.",
)
@click.option(
    "--report-dir",
    type=FOLDER,
    default="runs",
    show_default=True,
    help="Where the report goes: NAME-VERSION/report.html, model-card.md, suspects.csv.",
)
@click.option("--print-misclassified-test-images", is_flag=True, help="List them at the end.")
@LABELS_FROM
@limit_options
def retrain_command(
    store: str,
    weights: str,
    report_dir: Path,
    max_megapixels: int,
    min_side: int,
    max_megabytes: int,
    *,
    print_misclassified_test_images: bool,
    **options: Any,
) -> None:
    """Check, split, learn, measure, export and publish.

    Files that cannot be read are set aside and named. Features are cached by content, so a second run over the same images
    takes seconds, and renaming or moving them changes nothing. An image's own content decides whether it is for training,
    validation or testing; near-duplicates stay together. Every class weighs the same, however many images it has. The same
    images give the same model.

    With --fine-tuning-steps the two topmost Inception blocks learn on as well, from augmented images if you ask for it; the
    result is kept only if it is better on the validation images.

    With --engine ray a cluster's workers read the images, in a bucket or on a disk that all machines share, and compute their
    features. It gives the same model; from which number of images on it pays stands in docs/training.md.
    """
    from model.stores.uri import open_store
    from training.report.folder import report_training
    from training.report.gather import Place
    from training.weights import at_hand, find_weights, inception_v3

    job = job_from(options)
    if weights == "random":
        click.secho("--weights random: the network has never seen an image. For trying the machinery only.", fg="red")
    target = open_store(store)
    target.versions()  # a store that cannot be reached is reported before the work, not after it
    run = Run(Console(), limits_of(max_megapixels, min_side, max_megabytes))
    if job.fine_tuning.steps:  # the only step that needs TensorFlow in this process
        with suppress_stderr():
            import keras  # noqa: F401
    judged_first = not (job.read_elsewhere or at_hand(weights, job.bottleneck_dir))  # before anything is fetched
    surveyed = survey(job, run) if judged_first else None
    backbone = inception_v3(find_weights(weights, job.bottleneck_dir))
    report_dir.mkdir(parents=True, exist_ok=True)  # like the store's, a fault of this place is told before the work
    outcome = retrain(job, backbone, target, run, surveyed)
    click.echo(outcome_page(outcome, store, misclassified=print_misclassified_test_images))
    page = report_training(outcome, Place(store, outcome.version, command_line()), report_dir, run)
    click.echo(f"report      {page}")


def job_from(options: Mapping[str, Any]) -> Job:
    """The Job that the options ask for; raises click.UsageError where they contradict one another."""
    images, image_dir = options["images"], options["image_dir"]
    if (images is None) == (image_dir is None):
        raise click.UsageError("Name the folder of images once: as IMAGE_DIR or as --image-dir.")
    augmentation = _from_options(Augmentation, options)
    if augmentation != Augmentation() and not options["steps"]:
        raise click.UsageError("Augmentation belongs to fine-tuning: give --fine-tuning-steps as well.")
    if options["learning_rate"] is not None and not options["steps"]:
        raise click.UsageError("--learning-rate belongs to fine-tuning: give --fine-tuning-steps as well.")
    parts = {
        "image_dir": images or image_dir,
        "percentages": _from_options(Percentages, options),
        "precision": options["precision"] / 100,
        "fine_tuning": _from_options(FineTuning, options, augmentation=augmentation),
        "read_elsewhere": _by_ray() if options["engine"] == "ray" else None,
    }
    return _from_options(Job, options, **parts)


def _by_ray() -> ReadElsewhere:
    try:
        from training.ray_engine import read_by_ray
    except ImportError as error:
        raise click.ClickException(
            f"--engine ray needs the package of the extra `ray`: pip install 'ray>=2.60' ({error})"
        ) from error
    return read_by_ray


def _from_options(kind: type[T], options: Mapping[str, Any], **more: Any) -> T:
    """Make a dataclass from the options that have its fields' names."""
    values = {name: value for name, value in {**options, **more}.items() if value is not None}
    return kind(**{field.name: values[field.name] for field in fields(kind) if field.name in values})  # type: ignore[arg-type]
