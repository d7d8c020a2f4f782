"""Two engines behind one interface: uint8 images in; scores, distances and maps out.

`litert` runs the compiled model: it starts in a tenth of a second. `tensorflow` runs the SavedModel itself and is the
reference. Each runtime is imported when its engine is made, never before.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelCorrupt, ModelIncompatible
from model.manifest import COMPILED_MODEL, Manifest

RUNTIMES = {
    "litert": "ai_edge_litert.interpreter",
    "tensorflow": "tensorflow",
}  # engine → what it imports, quickest first
DETAILS = ("distance", "maps")  # the names of the outputs beside `scores`


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a model computes of N images. A model that was made before there were distances and maps has none."""

    scores: NDArray[np.float32]  # (N, K), probabilities
    distances: NDArray[np.float32] | None = None  # (N,), how far each image is from what was taught
    maps: NDArray[np.float32] | None = (
        None  # (N, 8, 8, K), each place's share of a label's logit: their mean is the logit
    )


class Engine(Protocol):
    name: str

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """Compute all that the model gives of images (N, 299, 299, 3). May be called from several threads."""
        ...

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map images (N, 299, 299, 3) to class probabilities (N, K)."""
        return self.run(images).scores


class LitertEngine(Engine):
    """A compiled model whose only input is an image batch. Its outputs have names: `scores` of a classifier, `features` of a backbone."""

    name = "litert"

    def __init__(self, path: Path, threads: int, output: str = "scores") -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            self._interpreter: Any = Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
            outputs = self._interpreter.get_signature_runner("serving_default").get_output_details()
            self._scores = outputs[output]["index"]
        except (ValueError, RuntimeError) as error:
            raise ModelCorrupt(f"{path} cannot be loaded by LiteRT ({error})") from error
        except KeyError as error:
            raise ModelCorrupt(f"{path} has no output named {output!r}") from error
        self._distance, self._map = (outputs[name]["index"] if name in outputs else None for name in DETAILS)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._one_at_a_time = Lock()  # an interpreter holds the tensors of one run

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        with self._one_at_a_time:
            found = [self._run(image) for image in images]  # on one CPU a batch gains nothing
        scores, distances, maps = zip(*found, strict=True)
        return Outputs(
            np.stack(scores),
            None if self._distance is None else np.stack(distances),
            None if self._map is None else np.stack(maps),
        )

    def _run(self, image: NDArray[np.uint8]) -> list[Any]:
        """Its scores (K,), distance () and map (8, 8, K), where the model has them."""
        self._interpreter.set_tensor(self._input, image[np.newaxis])  # (1, 299, 299, 3)
        self._interpreter.invoke()
        indices = (self._scores, self._distance, self._map)
        return [None if index is None else self._interpreter.get_tensor(index)[0] for index in indices]


class TensorflowEngine(Engine):
    """The SavedModel itself, by its signature `serving_detail`, or `serving_default` where it was made before there was the other."""

    name = "tensorflow"

    def __init__(self, directory: Path, threads: int) -> None:
        import tensorflow as tf

        try:  # settings of the process: they can only be made before TensorFlow runs its first operation
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            pass  # a second model in one process keeps the first one's threads
        try:
            self._model = tf.saved_model.load(str(directory))
            signatures = self._model.signatures
            self._signature = signatures["serving_detail" if "serving_detail" in signatures else "serving_default"]
        except (OSError, KeyError, ValueError) as error:
            raise ModelCorrupt(
                f"{directory} cannot be loaded as a SavedModel with a serving_default signature ({error})"
            ) from error
        self._constant = tf.constant

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        found = {name: tensor.numpy() for name, tensor in self._signature(image=self._constant(images)).items()}
        return Outputs(found["scores"], *(found.get(name) for name in DETAILS))


def choose_engine(requested: str, manifest: Manifest) -> str:
    """Settle `auto`: the compiled model where there is one and its runtime is installed, else TensorFlow.

    Raises ModelIncompatible when the choice cannot run here.
    """
    runnable = [
        name for name in RUNTIMES if _installed(name) and (name != "litert" or COMPILED_MODEL in manifest.files)
    ]
    if requested == "auto" and runnable:
        return runnable[0]
    if requested in runnable:
        return requested
    raise ModelIncompatible(
        f"engine {requested!r} cannot run {manifest.name!r} here; what can: {', '.join(runnable) or 'none'} "
        f"(litert needs the package ai-edge-litert and a compiled model, tensorflow needs the package tensorflow)"
    )


def _installed(engine: str) -> bool:
    return find_spec(RUNTIMES[engine].partition(".")[0]) is not None


def engine_files(engine: str, manifest: Manifest) -> list[str]:
    """The paths, of all that the model holds, that this engine needs."""
    if engine == "litert":
        return [path for path in manifest.files if path.startswith("assets.extra/")]
    return [path for path in manifest.files if path != COMPILED_MODEL]


def import_ahead(name: str) -> None:
    """Begin to import an engine's runtime, so that the model's files are fetched and verified meanwhile."""
    Thread(target=import_module, args=(RUNTIMES[name],), daemon=True).start()


def load_engine(name: str, directory: Path, threads: int) -> Engine:
    if name == "litert":
        return LitertEngine(directory / COMPILED_MODEL, threads)
    return TensorflowEngine(directory, threads)
