"""A saved backbone and a head → the classifier's SavedModel: a graph that is traced once, and a checkpoint for each model.

Heads of one shape have one graph. It is saved once for each backbone and shape and kept beside the backbone; what differs from
model to model is a checkpoint's few values.
"""

import gc
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from model.engine import Outputs, TensorflowEngine
from model.image import SIDE
from training.familiarity import Familiarity
from training.head import Head
from training.savedmodel import BATCH, images_spec, load_saved, save_module, write_errors

CHECKPOINT = Path("variables", "variables")  # in a SavedModel's directory
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"  # of a checkpoint: which tensor belongs to which variable


def save_classifier(backbone: Path, head: Head, familiarity: Familiarity, directory: Path) -> None:
    """Save a saved backbone with a head on top, as TensorFlow Serving wants it; no code of ours is needed to call it.

    serving_default  image uint8 (N, 299, 299, 3) → scores float32 (N, K)
    serving_bytes    image_bytes string (N), encoded as JPEG, PNG, GIF or BMP → scores (N, K), classes string (N, K)
    serving_detail   image → scores (N, K), distance (N,), maps (N, 8, 8, K): see model.engine.Outputs
    """
    values = {
        "weights": head.weights,
        "bias": head.bias,
        "labels": np.array(head.labels),
        "mean": familiarity.mean,
        "directions": familiarity.directions,
    }
    graph = make_graph(backbone, len(head.labels), familiarity.directions.shape[1])
    shutil.copytree(graph, directory, ignore=shutil.ignore_patterns(CHECKPOINT.parent.name), dirs_exist_ok=True)
    _write_checkpoint([backbone, graph], {_key(f"head/{name}"): value for name, value in values.items()}, directory)
    load_saved.cache_clear()
    gc.collect()  # 160 MB in circles, which nothing after this needs


def make_graph(backbone: Path, labels: int, directions: int) -> Path:
    """Save a classifier's graph without its values, unless that was done; the directory is there only when it is complete."""
    import tensorflow as tf

    directory = backbone.with_name(f"{backbone.name}-{labels}-{directions}")
    if directory.exists():
        return directory
    loaded = load_saved(backbone)
    width = loaded.signatures["serving_places"].structured_outputs["places"].shape[-1]
    shapes = {"weights": (width, labels), "bias": (labels,), "mean": (width,), "directions": (width, directions)}
    head = {name: tf.Variable(tf.zeros(shape), name=name) for name, shape in shapes.items()}
    head["labels"] = tf.Variable(tf.fill((labels,), ""), name="labels")

    @tf.function(input_signature=[images_spec(tf)], autograph=False)  # type: ignore[untyped-decorator]
    def serving_detail(image: Any) -> Any:
        places = loaded.signatures["serving_places"](image=image)["places"]  # (N, 8, 8, D)
        bottlenecks = tf.reduce_mean(places, axis=[1, 2])  # (N, D)
        centred = tf.math.l2_normalize(bottlenecks, axis=1) - head["mean"]
        along = tf.linalg.matmul(centred, head["directions"])  # (N, R)
        left = tf.reduce_sum(centred**2, axis=1) - tf.reduce_sum(along**2, axis=1)  # (N,)
        return {
            "scores": tf.nn.softmax(tf.linalg.matmul(bottlenecks, head["weights"]) + head["bias"]),
            "distance": tf.sqrt(tf.maximum(left, 0)),
            "maps": tf.einsum("nijd,dk->nijk", places, head["weights"]) + head["bias"],
        }

    @tf.function(input_signature=[images_spec(tf)], autograph=False)  # type: ignore[untyped-decorator]
    def serving_default(image: Any) -> Any:
        return {"scores": serving_detail(image)["scores"]}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="image_bytes")], autograph=False)  # type: ignore[untyped-decorator]
    def serving_bytes(image_bytes: Any) -> Any:
        def decode(encoded: Any) -> Any:
            pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)  # (h, w, 3)
            resized = tf.image.resize(pixels, (SIDE, SIDE), antialias=True)
            return tf.saturate_cast(tf.round(resized), tf.uint8)

        images = tf.map_fn(decode, image_bytes, fn_output_signature=tf.TensorSpec((SIDE, SIDE, 3), tf.uint8))
        scores = serving_default(images)["scores"]  # (N, K)
        return {"scores": scores, "classes": tf.tile(head["labels"][tf.newaxis], [tf.shape(scores)[0], 1])}

    signatures = {
        "serving_default": serving_default,
        "serving_bytes": serving_bytes,
        "serving_detail": serving_detail,
    }
    draft = directory.with_name(f".{uuid4().hex}")
    try:
        save_module(tf, list(loaded.variables_of_the_model), signatures, draft, head)
        (draft / "fingerprint.pb").unlink()  # TensorFlow's, of the file without values
        _write_checkpoint([draft], {}, draft, only=OBJECTS)
        if not directory.exists():  # another run may have been quicker
            draft.rename(directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return directory


def _key(name: str) -> str:
    """What TensorFlow keeps a variable of a saved module under."""
    return f"{name}/.ATTRIBUTES/VARIABLE_VALUE"


def _write_checkpoint(sources: list[Path], values: dict[str, NDArray[Any]], directory: Path, only: str = "") -> None:
    """Write a SavedModel's checkpoint: the tensors of those of `sources`, later ones first, but for `values`."""
    import tensorflow as tf

    tensors: dict[str, NDArray[Any]] = {}
    for source in sources:
        reader = tf.train.load_checkpoint(str(source / CHECKPOINT))
        names = [name for name in reader.get_variable_to_shape_map() if name.startswith(only)]
        tensors |= {name: reader.get_tensor(name) for name in names}
    tensors |= values
    (directory / CHECKPOINT).parent.mkdir(exist_ok=True)
    with write_errors(directory):
        tf.raw_ops.SaveV2(
            prefix=str(directory / CHECKPOINT),
            tensor_names=list(tensors),
            shape_and_slices=[""] * len(tensors),
            tensors=[tf.constant(tensor) for tensor in tensors.values()],
        )


def run_saved(directory: Path, images: NDArray[np.uint8], threads: int) -> Outputs:
    """What a saved classifier computes of images (N, 299, 299, 3), loaded as serving loads it."""
    engine = TensorflowEngine(directory, threads)
    batches = [engine.run(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    scores, distances, maps = zip(*((batch.scores, batch.distances, batch.maps) for batch in batches), strict=True)
    return Outputs(np.concatenate(scores), np.concatenate(distances), np.concatenate(maps))
