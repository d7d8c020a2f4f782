"""`python -m training …`: the command line. It parses, calls, and prints; what it calls knows nothing of it.

Options may be written with hyphens or underscores, so the names of TensorFlow's retrain.py are accepted as they were.
"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from model.errors import RecognitionError
from model.machine import granted_cpus
from training.console import Console, check_table, model_table, outcome_page, promotions_page, suppress_stderr
from training.run import Run

if TYPE_CHECKING:
    from training.dataset import Dataset

CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "serverless-image-recognition"
FOLDER = click.Path(file_okay=False, path_type=Path)


class Commands(click.Group):
    """Turns our errors into one sentence and exit status 1: a traceback is for our mistakes, not the user's."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except RecognitionError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'the disk'}: {error.strerror or error}") from error
        except KeyboardInterrupt as interrupt:
            click.echo("\nInterrupted. Every finished feature is kept; the same command goes on from there.", err=True)
            raise click.exceptions.Exit(130) from interrupt


@click.group(
    cls=Commands,
    context_settings={"token_normalize_func": lambda name: name.replace("_", "-"), "max_content_width": 100},
)
def main() -> None:
    """Teach Inception v3 your own labels: a folder of images goes in, a published model comes out.

    \b
    python -m training check photos              what is wrong with the images
    python -m training retrain photos --name flowers --store artifacts
    python -m training predict artifacts/flowers new.jpg

    Put the images at IMAGE_DIR/LABEL/IMAGE. A STORE is a folder or s3://bucket/prefix (AWS_ENDPOINT_URL is honoured); a MODEL
    is STORE/NAME, its newest version, or STORE/NAME/VERSION, or STORE/NAME@ALIAS.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up remarks, which nobody can act on
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@main.command()
@click.argument("images", metavar="IMAGE_DIR", type=FOLDER, required=False)
@click.option("--image-dir", type=FOLDER, help="The same as the argument.")
@click.option("--name", required=True, help="Name of the model.")
@click.option("--store", "--saved-model-dir", default="artifacts", show_default=True, help="Where to publish it.")
@click.option(
    "--weights", default="imagenet", show_default=True, help="The backbone's: imagenet, a Keras .h5 file, or random."
)
@click.option("--bottleneck-dir", type=FOLDER, default=CACHE, help="Where features are kept.  [default: ~/.cache/…]")
@click.option("--testing-percentage", default=15, show_default=True, help="Of the images, kept for the final figures.")
@click.option("--validation-percentage", default=15, show_default=True, help="Of the images, to choose regularisation.")
@click.option(
    "--how-many-training-steps",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="At most, of the head's solver; it stops by itself.",
)
@click.option(
    "--fine-tuning-steps",
    type=click.IntRange(0),
    default=0,
    help="Of 32 images, on the top blocks too; a second or two each.  [default: none]",
)
@click.option("--learning-rate", default=1e-5, show_default=True, help="Of fine-tuning (Adam).")
@click.option("--flip-left-right", is_flag=True, help="In fine-tuning, mirror every second image.")
@click.option("--random-crop", type=click.IntRange(0, 90), default=0, help="In fine-tuning, margin to crop from, in %.")
@click.option(
    "--random-scale", type=click.IntRange(0, 90), default=0, help="In fine-tuning, enlarge by up to this, in %."
)
@click.option(
    "--random-brightness",
    type=click.IntRange(0, 90),
    default=0,
    help="In fine-tuning, lighten or darken by up to this, in %.",
)
@click.option("--print-misclassified-test-images", is_flag=True, help="List them at the end.")
def retrain(
    images: Path | None,
    image_dir: Path | None,
    name: str,
    store: str,
    weights: str,
    bottleneck_dir: Path,
    testing_percentage: int,
    validation_percentage: int,
    how_many_training_steps: int,
    fine_tuning_steps: int,
    learning_rate: float,
    *,
    flip_left_right: bool,
    random_crop: int,
    random_scale: int,
    random_brightness: int,
    print_misclassified_test_images: bool,
) -> None:
    """Check, split, learn, measure, export and publish.

    Files that cannot be read are set aside and named. Features are cached by content, so a second run over the same images
    takes seconds, and renaming or moving them changes nothing. An image's own content decides whether it is for training,
    validation or testing. Every class weighs the same, however many images it has. The same images give the same model.

    With --fine-tuning-steps the two topmost Inception blocks learn on as well, from augmented images if you ask for it; the
    result is kept only if it is better on the validation images.
    """
    from model.stores.uri import open_store
    from training.finetune import Augmentation, FineTuning
    from training.pipeline import Job, retrain
    from training.split import Percentages
    from training.weights import find_weights, inception_v3

    folder = _one(images, image_dir)
    percentages = Percentages(testing_percentage, validation_percentage)
    augmentation = Augmentation(flip_left_right, random_crop, random_scale, random_brightness)
    if augmentation != Augmentation() and not fine_tuning_steps:
        raise click.UsageError("Augmentation belongs to fine-tuning: give --fine-tuning-steps as well.")
    tuning = FineTuning(fine_tuning_steps, learning_rate, augmentation)
    job = Job(folder, name, bottleneck_dir, percentages, how_many_training_steps, tuning)
    if weights == "random":
        click.secho("--weights random: the network has never seen an image. For trying the machinery only.", fg="red")
    target = open_store(store)
    target.versions()  # whoever cannot reach it hears of that now
    with suppress_stderr():
        import keras  # noqa: F401 - and TensorFlow with it
    outcome = retrain(job, inception_v3(find_weights(weights, bottleneck_dir)), target, Run(Console()))
    click.echo(outcome_page(outcome, store, misclassified=print_misclassified_test_images))


def _one(images: Path | None, image_dir: Path | None) -> Path:
    if (images is None) == (image_dir is None):
        raise click.UsageError("Name the folder of images once: as IMAGE_DIR or as --image-dir.")
    return images or image_dir  # type: ignore[return-value]  # one of them is there


@main.command()
@click.argument("images", metavar="IMAGE_DIR", type=FOLDER)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    default="check.json",
    show_default=True,
    help="Where the findings go as JSON.",
)
def check(images: Path, report: Path) -> None:
    """Decode every image and say what is wrong; exit status 1 where there is an error."""
    from training.dataset import Severity
    from training.split import Percentages, split

    dataset = _scan(images)
    report.write_text(json.dumps(_findings(dataset), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(check_table(dataset))
    click.echo(f"All of it as JSON: {report}")
    split(dataset.examples, Percentages())  # raises what would stop a training
    if dataset.problems_of(Severity.ERROR):
        sys.exit(1)


def _scan(images: Path) -> "Dataset":
    from training.dataset import scan

    return scan(images, Run(Console()))


def _findings(dataset: "Dataset") -> dict[str, Any]:
    from collections import Counter
    from dataclasses import asdict

    return {
        "image_dir": str(dataset.root),
        "images": dict(sorted(Counter(example.label for example in dataset.examples).items())),
        "problems": [asdict(problem) for problem in dataset.problems],
    }


@main.command()
@click.argument("model")
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--top-k", type=click.IntRange(1), default=1, show_default=True, help="Labels an image.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--engine", type=click.Choice(["auto", "litert", "tensorflow"]), default="auto", show_default=True)
def predict(model: str, images: tuple[Path, ...], top_k: int, engine: str, *, as_json: bool) -> None:
    """Name images by a MODEL. A file that cannot be read is named, and the exit status is 1."""
    from model.classifier import load_classifier
    from model.errors import ImageError
    from model.image import Limits, decode, read_image

    classifier = load_classifier(model, engine, granted_cpus(), CACHE / "models")
    failed = False
    for path in images:
        try:
            tensor = decode(read_image(path, Limits())).tensor
        except (ImageError, OSError) as error:
            failed = True
            click.echo(f"{path}: {error.strerror if isinstance(error, OSError) else error}", err=True)
            continue
        labels = classifier.classify(tensor[None], top_k)[0]
        if as_json:
            found = [{"name": label.name, "score": label.score} for label in labels]
            click.echo(json.dumps({"image": str(path), "labels": found}, ensure_ascii=False))
        else:
            click.echo(f"{path}  " + "  ".join(f"{label.name} {label.score:.1%}" for label in labels))
    sys.exit(failed)


@main.command()
@click.argument("model")
@click.argument("images", metavar="IMAGE_DIR", type=FOLDER)
@click.option("--engine", type=click.Choice(["auto", "litert", "tensorflow"]), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="All figures, the confusion matrix among them.")
def evaluate(model: str, images: Path, engine: str, *, as_json: bool) -> None:
    """Measure a MODEL on labelled images that it was not trained on."""
    import numpy as np

    from model.classifier import load_classifier
    from training.dataset import Severity
    from training.errors import DatasetError
    from training.evaluation import metrics, score_files, sentence
    from training.pipeline import refuse_conflicts

    classifier = load_classifier(model, engine, granted_cpus(), CACHE / "models")
    dataset = _scan(images)
    refuse_conflicts(dataset)
    for problem in dataset.problems_of(Severity.ERROR):
        click.echo(f"set aside: {problem.path}: {problem.detail}", err=True)
    labels = classifier.manifest.labels
    if unknown := sorted(set(dataset.labels) - set(labels)):
        raise DatasetError(f"{images} has labels that the model does not know: {', '.join(unknown)}")
    if not dataset.examples:
        raise DatasetError(f"{images} has no readable image; see `python -m training check {images}`")
    paths = [example.path for example in dataset.examples]
    scores = score_files(classifier.engine, paths, Run(Console()))
    found = metrics(scores, np.array([labels.index(example.label) for example in dataset.examples]), labels)
    reminder = "worth something only where the model has seen none of these images in its training"
    click.echo(json.dumps(found) if as_json else f"{model} ({classifier.engine.name}): {sentence(found)}; {reminder}")


@main.command()
@click.argument("model")
@click.argument("store")
def publish(model: str, store: str) -> None:
    """Copy a MODEL that was published in one store to another, where it gets the next version number."""
    import tempfile

    from model.stores.uri import open_store, resolve

    place = resolve(model)
    manifest = place.manifest()
    with tempfile.TemporaryDirectory() as scratch:
        directory = place.pull(manifest, list(manifest.files), Path(scratch))
        with Console().bytes("publishing", sum(entry.size for entry in manifest.files.values())) as done:
            version = open_store(store).publish(directory, manifest, done)
    click.echo(f"Published {place} as {store}/{manifest.name}/{version}")


@main.command("list")
@click.argument("store")
def list_models(store: str) -> None:
    """List a STORE's models: each version with its figures, and the aliases that point to it."""
    from model.stores.uri import open_store

    click.echo(model_table(open_store(store)))


@main.command()
@click.argument("store")
@click.argument("name")
@click.argument("version", type=click.IntRange(1))
@click.option("--alias", default="production", show_default=True, help="Which alias.")
def promote(store: str, name: str, version: int, alias: str) -> None:
    """Point an alias of the model NAME in STORE to a VERSION: what serves NAME@ALIAS follows within a minute."""
    from model.stores.aliases import promote
    from model.stores.uri import open_store

    click.echo(promotions_page(f"{store.rstrip('/')}/{name}@{alias}", promote(open_store(store), name, version, alias)))


@main.command()
@click.argument("store")
@click.argument("name")
@click.option("--alias", default="production", show_default=True, help="Which alias.")
def rollback(store: str, name: str, alias: str) -> None:
    """Point an alias of the model NAME in STORE to where it pointed before; once more goes one further back."""
    from model.stores.aliases import rollback
    from model.stores.uri import open_store

    click.echo(promotions_page(f"{store.rstrip('/')}/{name}@{alias}", rollback(open_store(store), name, alias)))


@main.command()
@click.argument("directory", metavar="DIR", type=FOLDER)
def flowers(directory: Path) -> None:
    """Download TensorFlow's flower photos (229 MB, 3,670 images of 5 labels, CC-BY) into DIR."""
    from training.sample import download_flowers

    click.echo(f"The photos are in {download_flowers(directory)}")


@main.command()
@click.argument("directory", metavar="DIR", type=FOLDER)
def sample(directory: Path) -> None:
    """Write a small labelled set into DIR, handwritten digits: something to train on where nothing can be downloaded."""
    from training.sample import write_sample

    click.echo(f"Wrote {write_sample(directory)} images of handwritten digits into {directory}")
