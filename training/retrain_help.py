"""How `retrain --help` is laid out, and what is said to who comes with those of retrain.py's options that are gone."""

import click

from training.options import Repeatable

SECTIONS = {  # what an option is stored as, by what it is about
    "The model": ("name", "store", "report_dir", "print_misclassified_test_images"),
    "The images": ("image_dir", "labels_from", "corrections", "max_megapixels", "min_side", "max_megabytes"),
    "The split": ("testing", "validation", "group_by"),
    "Learning": ("weights", "bottleneck_dir", "precision", "max_steps", "proof_images", "engine"),
    "Fine-tuning": ("steps", "learning_rate", "flip_left_right", "random_crop", "random_scale", "random_brightness"),
}
RETIRED = {  # retrain.py's options that have no namesake here, and what to use instead; the others keep their names
    "architecture": "The backbone is Inception v3; --weights names its weights.",
    "model-dir": "--weights PATH takes the backbone's weights from a file; Keras's download is kept in ~/.keras.",
    "tfhub-module": "The backbone is Inception v3; --weights names its weights.",
    "checkpoint-path": "Every finished feature is kept in --bottleneck-dir: the same command goes on after an interruption.",
    "output-graph": "The model is published to --store as a SavedModel and, compiled, as assets.extra/model.tflite.",
    "output-labels": "The labels are in the published version: assets.extra/labels.txt.",
    "intermediate-output-graphs-dir": "There are none: the head is fitted in seconds, and published once it is proven.",
    "intermediate-store-frequency": "There is nothing in between to store: the head is fitted in seconds.",
    "summaries-dir": "The figures are in the published manifest.json and in `python -m training list STORE`.",
    "eval-step-interval": "The solver stops by itself; --how-many-training-steps bounds it.",
    "train-batch-size": "The solver takes all features at once; fine-tuning takes 32 images a step.",
    "test-batch-size": "All test images are used, always.",
    "validation-batch-size": "All validation images are used, always.",
    "final-tensor-name": "Outputs have names that do not change: scores and classes, of the signature serving_default.",
    "logging-verbosity": "Progress goes to standard error, results to standard output: redirect what you do not want.",
}


class RetrainCommand(Repeatable):
    """A command whose help has sections, and that tells what took the place of an option of retrain.py's."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        try:
            return super().parse_args(context, arguments)
        except click.NoSuchOption as error:
            name = error.option_name.lstrip("-").replace("_", "-")
            if name not in RETIRED:
                raise
            raise click.UsageError(f"No such option: {error.option_name}. {RETIRED[name]}", context) from error

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        options = (option for option in self.get_params(context) if isinstance(option, click.Option))
        records = {option.name: record for option in options if (record := option.get_help_record(context))}
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([records.pop(name) for name in names])
        with formatter.section("Other options"):
            formatter.write_dl(list(records.values()))
