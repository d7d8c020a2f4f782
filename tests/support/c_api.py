"""A program that runs a SavedModel by TensorFlow's C API, as TensorFlow for Java and for Go do: no Python of TensorFlow's is imported.

    python -m tests.support.c_api LIBRARY DIRECTORY INPUT OUTPUT TENSOR.npy     writes the scores as JSON

INPUT and OUTPUT are tensors of the graph, NAME:INDEX. The header is tensorflow/c/c_api.h.
"""

import ctypes
import json
import sys
from ctypes import POINTER, Structure, byref, c_char_p, c_float, c_int, c_int64, c_size_t, c_void_p

import numpy as np

UINT8 = 4  # TF_DataType


class Output(Structure):
    _fields_ = [("operation", c_void_p), ("index", c_int)]


def main(library: str, directory: str, given: str, wanted: str, tensor: str) -> None:
    tf = ctypes.CDLL(library)
    for name in ("NewStatus", "NewGraph", "NewSessionOptions", "LoadSessionFromSavedModel", "GraphOperationByName"):
        getattr(tf, f"TF_{name}").restype = c_void_p
    for name in ("AllocateTensor", "TensorData"):
        getattr(tf, f"TF_{name}").restype = c_void_p
    tf.TF_Message.restype = c_char_p
    tf.TF_TensorByteSize.restype = c_size_t

    status, graph, options = (
        c_void_p(tf.TF_NewStatus()),
        c_void_p(tf.TF_NewGraph()),
        c_void_p(tf.TF_NewSessionOptions()),
    )

    def check() -> None:
        if tf.TF_GetCode(status):
            sys.exit(tf.TF_Message(status).decode())

    def output(name: str) -> Output:
        operation, _, index = name.partition(":")
        return Output(tf.TF_GraphOperationByName(graph, operation.encode()), int(index))

    tags = (c_char_p * 1)(b"serve")
    loaded = tf.TF_LoadSessionFromSavedModel(options, None, directory.encode(), tags, 1, graph, None, status)
    check()
    images = np.load(tensor)  # uint8 (N, 299, 299, 3)
    shape = (c_int64 * images.ndim)(*images.shape)
    fed = c_void_p(tf.TF_AllocateTensor(UINT8, shape, images.ndim, c_size_t(images.nbytes)))
    ctypes.memmove(tf.TF_TensorData(fed), images.ctypes.data, images.nbytes)
    fetched = (c_void_p * 1)()
    tf.TF_SessionRun(
        c_void_p(loaded),
        None,
        byref(output(given)),
        byref(fed),
        1,
        byref(output(wanted)),
        fetched,
        1,
        None,
        0,
        None,
        status,
    )
    check()
    count = tf.TF_TensorByteSize(c_void_p(fetched[0])) // ctypes.sizeof(c_float)
    scores = ctypes.cast(tf.TF_TensorData(c_void_p(fetched[0])), POINTER(c_float * count)).contents
    print(json.dumps(np.reshape(scores, (len(images), -1)).tolist()))


if __name__ == "__main__":
    main(*sys.argv[1:])
