"""retrain.py's options that have no namesake here, and what to use instead; the others keep their names (docs/decisions.md)."""

RETIRED = {
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
