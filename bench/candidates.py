"""The programs that are compared: ours, what people use today, and the least that any program must do."""

from dataclasses import dataclass, field

from bench.material import Material

TITLES = {
    "ours": "this project, compiled model",
    "ours_tensorflow": "this project, SavedModel",
    "tensorflow": "TensorFlow container handler",
    "onnx": "ONNX Runtime, same weights",
    "bare": "bare script: numpy, Pillow, LiteRT",
}


@dataclass(frozen=True)
class Candidate:
    module: str
    function: str = "handler"  # takes a Lambda event and its context
    environment: dict[str, str] = field(default_factory=dict)


def candidates(material: Material) -> dict[str, Candidate]:
    labels = {"LABELS": str(material.labels)}
    return {
        "ours": Candidate("handler", "http", {"MODEL_URI": material.uri, "ENGINE": "litert"}),
        "ours_tensorflow": Candidate("handler", "http", {"MODEL_URI": material.uri, "ENGINE": "tensorflow"}),
        "tensorflow": Candidate(
            "bench.baselines.tensorflow_container", environment={"MODEL": str(material.directory), **labels}
        ),
        "onnx": Candidate("bench.baselines.onnx_function", environment={"MODEL": str(material.onnx), **labels}),
        "bare": Candidate("bench.baselines.bare", environment={"MODEL": str(material.compiled)}),
    }
