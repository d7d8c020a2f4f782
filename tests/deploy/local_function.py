"""What Lambda's runtime does for one invocation: python local_function.py MODULE.FUNCTION ARN TIMEOUT < event > result.

No image is known to end the function. One that ends in FATAL stands for it here: at its decoding the process is killed, as Lambda
kills what takes too much memory.
"""

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any

FATAL = b"ends the process"


class Context:
    def __init__(self, arn: str, timeout: float) -> None:
        self.invoked_function_arn = arn
        self.function_name = arn.rpartition(":")[2]
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = "1769"
        self.aws_request_id = str(uuid.uuid4())
        self._deadline = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def mortal(decode: Callable[..., Any]) -> Callable[..., Any]:
    def decoded(data: bytes, limits: Any) -> Any:
        if data.endswith(FATAL):
            os.kill(os.getpid(), signal.SIGKILL)
        return decode(data, limits)

    return decoded


if __name__ == "__main__":
    command, arn, timeout = sys.argv[1:]
    result, sys.stdout = sys.stdout, sys.stderr  # what a function prints is its log
    sys.path.insert(0, ".")
    module, _, name = command.rpartition(".")
    inference = import_module("serving.inference")
    inference.decode = mortal(inference.decode)
    json.dump(getattr(import_module(module), name)(json.load(sys.stdin), Context(arn, float(timeout))), result)
