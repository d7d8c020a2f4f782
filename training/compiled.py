"""A head attached to a compiled backbone by editing the file: fully connected layer and softmax after the last operator.

What a conversion of the whole classifier gives, without TensorFlow and in 0.1 s instead of 7 s. The backbone's operators are
untouched, so its features stay bit for bit what they were; the head's weights stay float32. The schema's classes
come with LiteRT; the format: tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.head import Head


def attach_head(compiled: bytes, head: Head) -> bytes:
    """Turn image → `features` (N, D) into image → `scores` (N, K)."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools.flatbuffer_utils import convert_bytearray_to_object, convert_object_to_bytearray

    model = convert_bytearray_to_object(bytearray(compiled))
    graph, output = model.subgraphs[0], model.signatureDefs[0].outputs[0]  # of serving_default, its only one
    width = len(head.labels)
    weights = _constant(schema, model, "head/weights", head.weights.T)  # (K, D), as the operator wants them
    bias = _constant(schema, model, "head/bias", head.bias)  # (K,)
    logits = _tensor(schema, graph, "logits", (1, width), buffer=0)
    scores = _tensor(schema, graph, "scores", (1, width), buffer=0)
    graph.operators += [
        _operator(schema, model, "FullyConnected", [output.tensorIndex, weights, bias], logits),
        _operator(schema, model, "Softmax", [logits], scores),
    ]
    graph.operators[-1].builtinOptions.beta = 1.0
    graph.outputs = np.array([scores], np.int32)
    output.name, output.tensorIndex = b"scores", scores
    return bytes(convert_object_to_bytearray(model))


def _constant(schema: Any, model: Any, name: str, values: NDArray[np.float32]) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values, "<f4").tobytes(), np.uint8)
    model.buffers.append(buffer)
    return _tensor(schema, model.subgraphs[0], name, values.shape, len(model.buffers) - 1)


def _tensor(schema: Any, graph: Any, name: str, shape: tuple[int, ...], buffer: int) -> int:
    """Append a float32 tensor and return its index; buffer 0 is the empty one of what is computed."""
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = name.encode(), schema.TensorType.FLOAT32, buffer
    tensor.shape = np.array(shape, np.int32)
    if not buffer:
        tensor.shapeSignature = np.array([-1, *shape[1:]], np.int32)  # any number of images
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _operator(schema: Any, model: Any, name: str, inputs: list[int], output: int) -> Any:
    options = getattr(schema, f"{name}OptionsT")()
    operator = schema.OperatorT()
    operator.opcodeIndex = _opcode(schema, model, {"FullyConnected": "FULLY_CONNECTED", "Softmax": "SOFTMAX"}[name])
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, f"{name}Options"), options
    return operator


def _opcode(schema: Any, model: Any, name: str) -> int:
    """The index of an operator's float version in the model's table of operators, appended where it is not there."""
    code = getattr(schema.BuiltinOperator, name)
    for index, known in enumerate(model.operatorCodes):
        if known.builtinCode == code and known.version == 1:
            return index
    added = schema.OperatorCodeT()
    added.builtinCode, added.deprecatedBuiltinCode, added.version = code, code, 1
    model.operatorCodes.append(added)
    return len(model.operatorCodes) - 1
