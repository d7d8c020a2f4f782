"""How fast this machine can multiply at best: one large matrix product in 32-bit floats and in 8-bit integers.

The best of what the installed libraries do, on all cores. Inception v3 does OPERATIONS for an image.
"""

import time
from collections.abc import Callable

import numpy as np

from bench.machine import CORES

OPERATIONS = (
    11.4e9  # multiplications and additions of Inception v3 on one 299 × 299 image (Szegedy et al., 2015: 5.7e9 of each)
)
SIDE = 2048  # of the square matrices
SECONDS = 2.0


def measure_peaks() -> dict[str, float]:
    """Billions of operations a second, by what was multiplied with what."""
    return {
        "float32 matrix product (numpy)": _best(_numpy_product()),
        "float32 matrix product (ONNX Runtime)": _best(_onnx_product("MatMul", np.float32, np.float32)),
        "int8 matrix product (ONNX Runtime)": _best(
            _onnx_product("MatMulInteger", np.uint8, np.int8)
        ),  # as VNNI and AMX multiply
    }


def _best(product: Callable[[], object]) -> float:
    least, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        began = time.perf_counter()
        product()
        least = min(least, time.perf_counter() - began)
    return 2 * SIDE**3 / least / 1e9


def _numpy_product() -> Callable[[], object]:
    matrix = np.ones((SIDE, SIDE), np.float32)
    return lambda: matrix @ matrix


def _onnx_product(operation: str, left: type[np.generic], right: type[np.generic]) -> Callable[[], object]:
    """The right matrix is a constant, as a network's weights are: it is packed beforehand."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    given, constant = np.ones((SIDE, SIDE), left), np.ones((SIDE, SIDE), right)
    result = TensorProto.FLOAT if left is np.float32 else TensorProto.INT32
    graph = helper.make_graph(
        [helper.make_node(operation, ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", helper.np_dtype_to_tensor_dtype(given.dtype), given.shape)],
        [helper.make_tensor_value_info("c", result, given.shape)],
        [numpy_helper.from_array(constant, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"a": given})
