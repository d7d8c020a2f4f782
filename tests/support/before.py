"""Models as they were made before there were distances, maps, thresholds and copies for golden images."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np

from model.manifest import COMPILED_MODEL, MANIFEST, Manifest, describe_files

DETAILS = (b"distance", b"maps")


def without_details(compiled: bytes) -> bytes:
    """A compiled classifier that ends, as it then did, in fully connected layer and softmax."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools.flatbuffer_utils import convert_bytearray_to_object, convert_object_to_bytearray

    model = convert_bytearray_to_object(bytearray(compiled))
    graph, signature = model.subgraphs[0], model.signatureDefs[0]
    signature.outputs = [output for output in signature.outputs if output.name not in DETAILS]
    graph.outputs = np.array([output.tensorIndex for output in signature.outputs], np.int32)
    codes = [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators]
    graph.operators = graph.operators[: codes.index(schema.BuiltinOperator.SOFTMAX) + 1]
    return bytes(convert_object_to_bytearray(model))


def published_before(uri: str, folder: Path) -> str:
    """A copy of a model's first version as it was then, compiled model only; return its URI."""
    name = Path(uri).name
    version = folder / "before" / name / "1"
    shutil.copytree(Path(uri) / "1", version)
    (version / COMPILED_MODEL).write_bytes(without_details((version / COMPILED_MODEL).read_bytes()))
    manifest = Manifest.loads((version / MANIFEST).read_bytes(), "here")
    older = dataclasses.replace(manifest, files=describe_files(version), thresholds=None, golden_log_odds=None)
    (version / MANIFEST).write_text(older.dumps())
    return str(version.parent)
