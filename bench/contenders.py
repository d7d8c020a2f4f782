"""The programs that are compared: ours, what people use today, and the least that any program must do."""

from dataclasses import dataclass, field

from bench.material import Material


@dataclass(frozen=True)
class Contender:
    title: str
    module: str
    function: str = "handler"  # takes a Lambda event and its context
    packages: tuple[str, ...] = ()  # imported before the module, so that imports and load are told apart
    environment: dict[str, str] = field(default_factory=dict)
    loads_late: bool = False  # with the first event, not with the module


def contenders(material: Material) -> dict[str, Contender]:
    saved = {"MODEL": str(material.directory)}
    return {
        "ours": Contender(
            "this project, compiled twin", "handler", "http", (), _settings(material, "litert"), loads_late=True
        ),
        "ours_tensorflow": Contender(
            "this project, SavedModel", "handler", "http", (), _settings(material, "tensorflow"), loads_late=True
        ),
        "tensorflow": Contender(
            "TensorFlow container handler",
            "bench.peers.tensorflow_container",
            packages=("tensorflow",),
            environment=saved,
        ),
        "keras": Contender(
            "Keras model.predict behind Flask",
            "bench.peers.keras_flask",
            packages=("flask", "tensorflow", "keras"),
            environment={"MODEL": str(material.keras), "LABELS": str(material.labels)},
        ),
        "onnx": Contender(
            "ONNX Runtime, same weights",
            "bench.peers.onnx_function",
            packages=("numpy", "PIL.Image", "onnxruntime"),
            environment={"MODEL": str(material.onnx), "LABELS": str(material.labels)},
        ),
        "bare": Contender(
            "bare script: numpy, Pillow, LiteRT",
            "bench.peers.bare",
            packages=("numpy", "PIL.Image", "ai_edge_litert.interpreter"),
            environment={"MODEL": str(material.twin)},
        ),
        "bare_tensorflow": Contender(
            "bare script: TensorFlow", "bench.peers.bare_tensorflow", packages=("tensorflow",), environment=saved
        ),
    }


def _settings(material: Material, engine: str) -> dict[str, str]:
    return {"MODEL_URI": material.uri, "ENGINE": engine}
