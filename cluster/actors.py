"""Items worked on by a Ray cluster: actors of one CPU each, sent a batch at a time. It knows no images and no models.

Ray's core alone, without Ray Data: names go out and results come back, so that nothing needs a CPU beside the actors (a pipeline
of Ray Data whose actors take every CPU waits for ever, ray#44687). A batch whose actor dies is tried again on the one that takes its
place, and at the end item by item, so that an item which ends its process is known.
"""

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import ray
from ray.exceptions import OutOfMemoryError, RayActorError, RayTaskError

from model.errors import RecognitionError

ROOT = Path(__file__).parents[1]  # of the code, which workers import
BATCH = 16  # items that an actor is sent at a time, a third of a second of work
AHEAD = 2  # batches at each actor, so that none waits for this process
RETRIES = 2  # of a batch whose actor died
MOST_SUSPECTS = 1000  # items of batches that failed to the last: more, and it is the cluster, not an item
PATIENCE = 300  # s for the first actor: a cluster that scales itself may have to start a machine
ANSWER = 10  # s for a cluster to take a connection
NICENESS = {"worker_niceness": 0}  # Ray's own is 15: anything else goes first
LOCAL: dict[str, Any] = {"address": "local", "include_dashboard": False, "_system_config": NICENESS}
DIED = (RayActorError, OutOfMemoryError)

Given = TypeVar("Given")
Made = TypeVar("Made")
Numbered = tuple[int, Given]


class ClusterError(RecognitionError):
    """There is no cluster, or none that works."""


class Worker(Protocol[Given, Made]):
    """A class of a module, made without arguments in a process of its own, and made anew wherever that process ends."""

    def work(self, items: list[Given], task: Any) -> list[Made]:
        """Return a result for each item. `task` comes with every batch, since the process may have been made anew."""
        ...


@contextmanager
def cluster(workers: int | None = None) -> Iterator[int]:
    """Join the cluster that RAY_ADDRESS names, or one of this machine that ends with this; give the number of its CPUs.

    `workers` bounds that number. Raises ClusterError.
    """
    _connect(workers)
    try:
        yield workers or int(ray.cluster_resources().get("CPU", 1))
    finally:
        ray.shutdown()


def _connect(workers: int | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports its use home unless it is told not to
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if address := os.environ.get("RAY_ADDRESS"):
        _refuse_absent(address)
        try:
            ray.init(**quiet)
        except ConnectionError as error:
            hint = "a cluster that asks for a token wants RAY_AUTH_MODE=token, and the token in ~/.ray/auth_token"
            raise ClusterError(f"no Ray cluster lets this process in at {address} ({error}); {hint}") from error
    else:
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
        )  # its workers'
        ray.init(**quiet, **LOCAL, num_cpus=workers)


def _refuse_absent(address: str) -> None:
    """Raise ClusterError where nobody listens: Ray itself goes on trying for ten minutes and more, and says nothing."""
    place = urlsplit(address if "//" in address else f"//{address}")
    if place.hostname and place.port:
        try:
            socket.create_connection((place.hostname, place.port), timeout=ANSWER).close()
        except OSError as error:
            raise ClusterError(
                f"nobody answers at {address} ({error}): set RAY_ADDRESS to a cluster that runs, or to nothing"
            ) from error


def spread(
    kind: type[Worker[Given, Made]], count: int, items: Iterable[Numbered[Given]], task: Any, fatal: Made
) -> Iterator[Numbered[Made]]:
    """Have `count` actors work on numbered items; yield each result with its number, as they come.

    `fatal` is the result of an item that ends its process each time. No actor is sent anything before it has begun, and no more
    than AHEAD batches: other items stay with whoever yields them. Raises what a worker raises, and ClusterError.
    """
    make = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)(kind)
    begun = dict[Any, tuple[Any, list[Numbered[Given]]]]()  # calls, of which actor, with what
    for actor in [make.remote() for _ in range(count)]:
        begun[actor.work.remote([], task)] = (actor, [])
    if not ray.wait(list(begun), timeout=PATIENCE)[0]:
        raise ClusterError(f"no actor began within {PATIENCE} s: the cluster has no CPU free")
    left, suspects, answered = iter(items), list[Numbered[Given]](), False
    while True:
        (done,), _ = ray.wait(list(begun))
        actor, batch = begun.pop(done)
        try:
            yield from zip((number for number, _ in batch), _result(done), strict=True)
            answered = True
        except DIED as error:
            suspects += batch
            if not answered or len(suspects) > MOST_SUSPECTS:
                raise ClusterError(
                    f"the cluster's workers end again and again ({error}): look at their memory"
                ) from error
        for _ in range(1 if batch else AHEAD):
            if following := list(islice(left, BATCH)):
                begun[actor.work.remote([item for _, item in following], task)] = (actor, following)
        if not any(batch for _, batch in begun.values()):
            break
    yield from _alone(actor, suspects, task, fatal)


def _alone(actor: Any, suspects: list[Numbered[Given]], task: Any, fatal: Made) -> Iterator[Numbered[Made]]:
    """One item at a time, with none beside it: what ends its process now does it by itself."""
    for number, item in suspects:
        try:
            (made,) = _result(actor.work.remote([item], task))
        except DIED:
            made = fatal
        yield number, made


def _result(done: Any) -> Any:
    try:
        return ray.get(done)
    except RayTaskError as error:  # its text is a traceback
        raise error.cause from error
