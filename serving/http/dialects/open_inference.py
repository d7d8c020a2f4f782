"""The Open Inference Protocol, version 2, as Triton's and KServe's clients speak it over HTTP; its binary extension included.

One model is served. Its input is `image_bytes`, encoded images, or `image`, pixels (N, 299, 299, 3); images of a request stand or
fall together. In JSON, which holds no bytes, an encoded image is base64. Shapes: github.com/kserve/open-inference-protocol and
Triton's extension_binary_data.md.
"""

import math
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Annotated, Any

import msgspec
import numpy as np
from flask import Response
from msgspec import UNSET, Meta, Struct, UnsetType
from numpy.typing import NDArray

from model.errors import RecognitionError
from model.image import SIDE
from serving.errors import MalformedRequest
from serving.http.bodies import image_of_base64, read_body
from serving.http.dialects import Call
from serving.http.dialects.tfserving import find_model
from serving.http.requests import check_batch, read_json
from serving.http.responses import json_answer, with_timings
from serving.inference import Prediction, Read
from serving.schemas import Problem

JSON_BYTES = "Inference-Header-Content-Length"  # of a body whose tensors follow its JSON
LENGTH = re.compile(r"0*([0-9]{1,15})")  # Python refuses to read a number of more than 4,300 digits
BINARY = "application/octet-stream"
ENCODED, PIXELS = "image_bytes", "image"
DIMENSIONS = 8  # of a tensor; the product of a hundred thousand takes seconds
OUTPUTS = 2  # scores and classes; a thousand times each they would be an answer of gigabytes

Size = Annotated[int, Meta(ge=0)]


class InputParameters(Struct, frozen=True):
    binary_data_size: Size | None = None


class Input(Struct, frozen=True):
    name: str
    datatype: str
    shape: Annotated[list[Size], Meta(max_length=DIMENSIONS)]
    data: list[Any] | UnsetType = UNSET
    parameters: InputParameters = InputParameters()


class OutputParameters(Struct, frozen=True):
    binary_data: bool | None = None
    classification: int = 0


class Output(Struct, frozen=True):
    name: str
    parameters: OutputParameters = OutputParameters()


class Parameters(Struct, frozen=True):
    binary_data_output: bool = False


class Asked(Struct, frozen=True):
    inputs: Annotated[list[Input], Meta(min_length=1, max_length=1)]
    id: str = ""
    outputs: Annotated[list[Output], Meta(max_length=OUTPUTS)] | None = None
    parameters: Parameters = Parameters()


class Tensor(Struct, frozen=True, omit_defaults=True):
    """An output: `data` in JSON, or a place behind it."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | UnsetType = UNSET
    parameters: dict[str, int] = {}


def server(_: Call) -> Response:
    return json_answer({"name": "recognition", "version": "1", "extensions": ["binary_tensor_data"]})


def live(_: Call) -> Response:
    return json_answer({"live": True})


def ready(call: Call, name: str = "", version: int | None = None) -> Response:
    """Loads the model if that is not done yet."""
    find_model(call, name, version)
    return json_answer({"ready": True} | ({"name": name} if name else {}))


def model(call: Call, name: str, version: int | None = None) -> Response:
    classifier = find_model(call, name, version)
    labels = len(classifier.manifest.labels)
    inputs = [_described(ENCODED, "BYTES", -1), _described(PIXELS, "UINT8", -1, SIDE, SIDE, 3)]
    outputs = [_described("scores", "FP32", -1, labels), _described("classes", "BYTES", -1, labels)]
    about = {"name": name, "versions": [str(classifier.version)], "platform": classifier.engine.name}
    return json_answer(about | {"inputs": inputs, "outputs": outputs})


def infer(call: Call, name: str, version: int | None = None) -> Response:
    asked, tensors = _split(call)
    [given] = asked.inputs
    blob = _blob(given, tensors)
    find_model(call, name, version)
    prediction = _encoded(given, blob, call) if given.name == ENCODED else _pixels(given, blob, call)
    call.record.prediction = prediction
    for outcome in prediction.outcomes:
        if isinstance(outcome, RecognitionError):
            raise outcome
    return with_timings(_answer(asked, name, prediction), prediction, call.record.timings)


def refused(problem: Problem, _: str) -> Response:
    return json_answer({"error": problem.detail}, problem.status)


def _described(name: str, datatype: str, *shape: int) -> dict[str, object]:
    return {"name": name, "datatype": datatype, "shape": list(shape)}


def _split(call: Call) -> tuple[Asked, bytes]:
    """The JSON, and the tensors behind it."""
    body = read_body(call.request)
    said = call.request.headers.get(JSON_BYTES, str(len(body)))
    number = LENGTH.fullmatch(said)
    if number is None or (length := int(number[1])) > len(body):
        raise MalformedRequest(f"{JSON_BYTES}: {said[:20]} of the body's {len(body)} bytes cannot be its JSON")
    return read_json(body[:length], Asked), body[length:]


def _blob(given: Input, tensors: bytes) -> bytes | None:
    """The input's own bytes; nothing where its data stands in the JSON."""
    size = given.parameters.binary_data_size
    if given.name not in (ENCODED, PIXELS):
        raise MalformedRequest(f"inputs: {given.name[:40]!r}: the one input is {ENCODED} or {PIXELS}")
    if (size is None) == (given.data is UNSET):
        raise MalformedRequest(f"inputs: {given.name} needs `data`, or its bytes behind the JSON: exactly one of them")
    if (size or 0) != len(tensors):
        raise MalformedRequest(f"inputs: binary_data_size says {size}, and {len(tensors)} bytes follow the JSON")
    return None if size is None else tensors


def _encoded(given: Input, blob: bytes | None, call: Call) -> Prediction:
    if given.datatype != "BYTES":
        raise MalformedRequest(f"inputs: {ENCODED} is of the datatype BYTES, not {given.datatype[:20]}")
    most = call.settings.max_batch
    reads = [partial(bytes, text) for text in _strings(blob)] if blob is not None else _base64_texts(given.data, most)
    if len(reads) != math.prod(given.shape) or not reads:
        raise MalformedRequest(f"inputs: shape {given.shape} is not that of the {len(reads)} images that came")
    check_batch(len(reads), most)
    call.record.source = "base64" if blob is None else "body"
    return call.recogniser.recognise(reads, call.record.timings, batch=True)


def _strings(blob: bytes) -> Iterator[bytes]:
    """Each element of a BYTES tensor: four bytes of its length, then itself."""
    at = 0
    while at < len(blob):
        size = int.from_bytes(blob[at : at + 4], "little")
        if at + 4 + size > len(blob):
            raise MalformedRequest(f"inputs: the bytes of {ENCODED} end in the middle of an image")
        yield blob[at + 4 : at + 4 + size]
        at += 4 + size


def _base64_texts(data: Any, most: int) -> list[Read]:
    """Of no more than show that there are too many."""
    texts = list(islice(_flat(data), most + 1))
    check_batch(len(texts), most)
    if not all(isinstance(text, str) for text in texts):
        raise MalformedRequest(f"inputs: in JSON the data of {ENCODED} is a list of base64 texts")
    return [partial(image_of_base64, text) for text in texts]


def _flat(data: Any) -> Iterator[Any]:
    """The values of nested lists, in order."""
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(reversed(value))
        else:
            yield value


def _pixels(given: Input, blob: bytes | None, call: Call) -> Prediction:
    count = given.shape[0] if given.shape else 0
    check_batch(count, call.settings.max_batch)
    try:
        flat = np.frombuffer(blob, np.uint8) if blob is not None else _whole_numbers(given.data)
        tensors = flat.reshape(given.shape)
    except (ValueError, OverflowError, TypeError):
        tensors = np.empty(0, np.uint8)
    if given.datatype != "UINT8" or tensors.shape != (count, SIDE, SIDE, 3) or not count:
        raise MalformedRequest(f"inputs: {PIXELS} is UINT8 of the shape [N, {SIDE}, {SIDE}, 3], whole numbers 0–255")
    call.record.source = "pixels"
    return call.recogniser.recognise_pixels(tensors, call.record.timings)


def _whole_numbers(data: Any) -> NDArray[np.uint8]:
    """Raises ValueError, OverflowError or TypeError."""
    numbers = np.asarray(data)
    if numbers.dtype.kind != "i" or numbers.min() < 0 or numbers.max() > 255:
        raise ValueError
    return numbers.astype(np.uint8)


def _answer(asked: Asked, name: str, prediction: Prediction) -> Response:
    outputs, tensors = [], b""
    for wanted in asked.outputs or [Output("scores"), Output("classes")]:
        tensor, data = _output(wanted, prediction)
        as_bytes = wanted.parameters.binary_data
        if asked.parameters.binary_data_output if as_bytes is None else as_bytes:
            tensor = msgspec.structs.replace(tensor, data=UNSET, parameters={"binary_data_size": len(data)})
            tensors += data
        outputs.append(tensor)
    version = str(prediction.classifier.version)
    answer = {"model_name": name, "model_version": version, "id": asked.id, "outputs": outputs}
    if not tensors:
        return json_answer(answer)
    head = msgspec.json.encode(answer)
    return Response(head + tensors, content_type=BINARY, headers={JSON_BYTES: str(len(head))})


def _output(wanted: Output, prediction: Prediction) -> tuple[Tensor, bytes]:
    """An output in its JSON form, and its bytes."""
    labels = prediction.classifier.manifest.labels
    shape = [len(prediction.scores), len(labels)]
    if wanted.parameters.classification:
        raise MalformedRequest("outputs: the classification extension is not offered: `classes` names each score")
    if wanted.name == "scores":
        scores = np.stack(prediction.scores)  # (N, K)
        return Tensor("scores", "FP32", shape, scores.ravel().tolist()), scores.astype("<f4").tobytes()
    if wanted.name == "classes":
        row = b"".join(len(label.encode()).to_bytes(4, "little") + label.encode() for label in labels)
        return Tensor("classes", "BYTES", shape, list(labels) * shape[0]), row * shape[0]
    raise MalformedRequest(f"outputs: {wanted.name[:40]!r}: there are scores and classes")
