import os
import signal
import time

import pytest

from training.errors import ExportError, WeightsError
from training.tensorflow_process import TensorflowProcess, tensorflow_process


def fail(sentence: str) -> None:
    raise WeightsError(sentence)


def end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_calls_are_made_elsewhere_and_in_their_order() -> None:
    process = tensorflow_process()
    slow, fast = process.submit(time.sleep, 0.2), process.submit(os.getpid)
    assert fast.result() != os.getpid()
    assert slow.done()


def test_an_error_comes_back_as_it_was_raised() -> None:
    with pytest.raises(WeightsError, match="no such weights"):
        tensorflow_process().submit(fail, "no such weights").result()


def test_what_cannot_be_sent_is_an_error_of_that_call_alone() -> None:
    process = tensorflow_process()
    unpicklable = process.submit(lambda: None)
    with pytest.raises(Exception, match="pickle"):
        unpicklable.result()
    assert process.submit(abs, -1).result() == 1


def test_a_process_that_ended_says_so_and_the_next_training_gets_another() -> None:
    process = TensorflowProcess()
    with pytest.raises(ExportError, match=r"ended .*too little memory"):
        process.submit(end).result()
    with pytest.raises(ExportError):
        process.submit(abs, -1).result()
    assert not process.alive
    first = tensorflow_process()
    first.stop()
    with pytest.raises(ExportError):
        first.submit(abs, -1).result()
    assert tensorflow_process().submit(abs, -1).result() == 1
