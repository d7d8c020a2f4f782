"""Uploads that end invocations, among uploads that do not: each gets its own result, and no message is lost."""

import json
import random
import re
import threading
from urllib.parse import quote_plus

import pytest

from model.classifier import Classifier
from model.errors import StoreUnavailable
from serving.errors import FatalImage
from serving.model_loader import ModelLoader
from serving.results import result_key
from serving.schemas import UploadedObject
from serving.settings import Settings
from serving.uploads.claims import Claim, Claims
from serving.uploads.events import Message
from serving.uploads.processor import ANSWER_MS, UploadProcessor
from tests import ROOT
from tests.support.chain import BUCKET, Context
from tests.support.fakes import ColourEngine, ListTelemetry, colour_classifier, picture
from tests.support.memory_queue import MAX_RECEIVES, Killed, MemoryQueue
from tests.support.memory_s3 import MemoryS3, error

SOUND, POISON = picture("red", (20, 20)), picture("white", (20, 20))
ITEM = UploadedObject(BUCKET, "uploads/a.jpg", "1")


class Process:
    """What an invocation runs in: once it is killed, nothing of it reaches S3 any more. It is not killed while a claim is held,
    but by a poison: nothing could tell one from the other."""

    def __init__(self, s3, killed_at_call: int | None = None) -> None:
        self._s3, self._left, self.dead = s3, killed_at_call, False
        self._claimed = False

    def kill(self) -> None:
        self.dead = True
        raise Killed

    def get_object(self, **arguments):
        self._live()
        return self._s3.get_object(**arguments)

    def put_object(self, **arguments):
        self._live()
        if arguments["Key"].startswith("claims-"):
            self._claimed = json.loads(arguments["Body"])["stands"]
        self._s3.put_object(**arguments)

    def _live(self) -> None:
        if self._left is not None and not self._claimed:
            self._left -= 1
        if self.dead or self._left == 0:
            self.kill()


class PoisonedEngine(ColourEngine):
    """White pictures are the end of the process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def run(self, images):
        if images.min() > 250:
            self._process.kill()
        return super().run(images)


def invoke(s3, killed_at_call=None, telemetry=None):
    """One invocation after another, each in a process of its own."""

    def handle(event):
        process = Process(s3, killed_at_call() if killed_at_call else None)
        known = colour_classifier()
        models = ModelLoader(lambda: Classifier(PoisonedEngine(process), known.manifest, known.version))
        processor = UploadProcessor(Settings(), models, telemetry or ListTelemetry(), process)
        answer = processor.handle(event, Context(5000))
        if process.dead:
            raise Killed
        return answer

    return handle


def body(key: str) -> str:
    item = {"key": quote_plus(key), "eTag": "e", "versionId": "v", "size": 1}
    return json.dumps(
        {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": item}}]}
    )


def outcomes(s3) -> dict[str, str]:
    found = {key: json.loads(data) for key, data in s3.objects.items() if key.startswith("results/")}
    return {
        result["object"]["key"]: result["error"]["code"] if "error" in result else result["labels"][0]["name"]
        for result in found.values()
    }


@pytest.mark.parametrize("poisons", range(11))
def test_whatever_ends_invocations_among_ten_gets_an_error_and_the_others_their_labels(poisons):
    objects = {f"uploads/{number}.jpg": POISON if number < poisons else SOUND for number in range(10)}
    s3, queue = MemoryS3(dict(objects)), MemoryQueue({key: body(key) for key in objects})

    kills = queue.drain(invoke(s3))

    assert outcomes(s3) == {key: "fatal_image" if data is POISON else "red" for key, data in objects.items()}
    assert queue.failed == []
    assert kills == (poisons + 1 if poisons else 0)
    assert max(queue.receives.values()) <= poisons + 2


@pytest.mark.parametrize("seed", range(4))
def test_a_burst_with_poisons_duplicates_failures_and_kills_has_a_result_each_and_loses_none(seed):
    chance = random.Random(seed)
    keys = [f"uploads/{number}.jpg" for number in range(1000)]
    poisons = set(chance.sample(keys, 20))
    s3 = MemoryS3({key: POISON if key in poisons else SOUND for key in keys}, faults=0.01)
    messages = {f"message {number}": body(key) for number, key in enumerate([*keys, *chance.sample(keys, 100)])}
    queue = MemoryQueue(messages, seed)

    kills = queue.drain(invoke(s3, lambda: chance.randint(1, 40) if chance.random() < 0.05 else None))

    assert kills > 20, "some were to be killed by no poison"
    assert outcomes(s3) == {key: "fatal_image" if key in poisons else "red" for key in keys}
    assert queue.failed == []
    assert {count for key, count in s3.writes.items() if key.startswith("results/")} == {1}


def test_the_arithmetic_is_that_of_the_queue_and_the_batch():
    queue, serverless = (ROOT / "deploy/upload-queue.yml").read_text(), (ROOT / "serverless.yml").read_text()
    assert int(re.search(r"maxReceiveCount: (\d+)", queue)[1]) == MAX_RECEIVES
    assert int(re.search(r"uploadsBatch: (\d+)", serverless)[1]) + 2 == MAX_RECEIVES


def test_what_is_received_for_the_first_time_costs_no_claim():
    s3 = MemoryS3({"uploads/a.jpg": SOUND})
    MemoryQueue({"m": body("uploads/a.jpg")}).drain(invoke(s3))
    assert list(s3.writes) == ["results/uploads/a.jpg@v.json"]


def message(receives=2, id="m"):
    return Message(id, None, receives)


def try_alone(s3, message, clock=lambda: 0.0):
    with Claims(s3, "results/", clock).alone(ITEM, "1", message, 60_000):
        pass


def leave_a_claim(s3, message):
    with pytest.raises(Killed), Claims(s3, "results/", lambda: 0.0).alone(ITEM, "1", message, 60_000):
        raise Killed


def test_a_claim_that_was_given_back_condemns_nobody():
    s3 = MemoryS3({})
    try_alone(s3, message(2))
    with pytest.raises(StoreUnavailable), Claims(s3, "results/").alone(ITEM, "1", message(3), 60_000):
        raise StoreUnavailable
    try_alone(s3, message(4))


def test_a_claim_that_stands_when_its_message_comes_again_is_the_end():
    s3 = MemoryS3({})
    leave_a_claim(s3, message(2))
    with pytest.raises(FatalImage):
        try_alone(s3, message(3))


def test_another_message_of_the_same_object_waits_until_that_invocation_must_have_ended():
    s3 = MemoryS3({})
    leave_a_claim(s3, message(2))
    with pytest.raises(StoreUnavailable, match="another invocation"):
        try_alone(s3, message(2, "another"), clock=lambda: 59.0)
    with pytest.raises(FatalImage):
        try_alone(s3, message(2, "another"), clock=lambda: 61.0)


def test_memory_that_does_not_suffice_for_it_alone_is_the_end():
    with pytest.raises(FatalImage), Claims(MemoryS3({}), "results/").alone(ITEM, "1", message(), 60_000):
        raise MemoryError


def test_a_claim_is_given_back_again_and_again_since_one_that_stands_condemns():
    class Refusing(MemoryS3):
        refusals = 2

        def put_object(self, Body, **arguments):  # noqa: N803
            if not json.loads(Body)["stands"] and self.refusals:
                self.refusals -= 1
                raise error("SlowDown")
            super().put_object(Body=Body, **arguments)

    s3 = Refusing({})
    try_alone(s3, message(2))
    try_alone(s3, message(3))


def test_a_claim_whose_writing_was_never_confirmed_is_given_back():
    class Mute(MemoryS3):
        mute = True

        def put_object(self, **arguments):
            super().put_object(**arguments)
            if self.mute:
                self.mute = False
                raise error("SlowDown")

    s3 = Mute({})
    with pytest.raises(StoreUnavailable):
        try_alone(s3, message(2))
    try_alone(s3, message(3))


def test_something_else_where_a_claim_belongs_is_replaced():
    s3 = MemoryS3({"claims-results/uploads/a.jpg@1.json": b"oops"})
    leave_a_claim(s3, message(2))
    assert json.loads(s3.objects["claims-results/uploads/a.jpg@1.json"])["stands"]


def test_of_two_that_take_a_claim_at_once_one_does():
    class Raced(MemoryS3):
        """Somebody else's claim comes between the look and the write."""

        def put_object(self, **arguments):
            self.objects.setdefault(arguments["Key"], b'{"message_id":"b","receives":2,"until":60.0}')
            super().put_object(**arguments)

    with pytest.raises(StoreUnavailable, match="another invocation"):
        try_alone(Raced({}), message(2, "a"))


def test_the_longest_key_has_a_claim_too():
    key = "uploads/" + "é" * 508
    assert len(result_key(Claims(MemoryS3({}), "results/").prefix, key, "v").encode()) <= 1024
    assert Claim("m", 2, 0.0).stands


def test_a_model_that_cannot_be_loaded_condemns_no_image():
    def load():
        raise StoreUnavailable("away")

    s3 = MemoryS3({"uploads/a.jpg": SOUND})
    processor = UploadProcessor(Settings(), ModelLoader(load), ListTelemetry(), s3)
    queue = MemoryQueue({"m": body("uploads/a.jpg")})
    queue.drain(lambda event: processor.handle(event, Context()))
    assert queue.failed == ["m"]
    assert s3.writes == {}


class Hurrying(Context):
    """The caller's time is almost over as soon as something is begun."""

    def get_remaining_time_in_millis(self):
        self.asked = getattr(self, "asked", 0) + (threading.current_thread() is threading.main_thread())
        return (
            60_000 if threading.current_thread() is not threading.main_thread() or self.asked == 1 else ANSWER_MS + 300
        )


def test_what_takes_all_the_time_is_handed_back_beside_results_and_condemned_when_it_does_so_alone():
    release = threading.Event()

    class Endless(ColourEngine):
        def run(self, images):
            if images.min() > 250:
                release.wait()
            return super().run(images)

    known = colour_classifier()
    telemetry, s3 = ListTelemetry(), MemoryS3({"uploads/sound.jpg": SOUND, "uploads/endless.jpg": POISON})
    models = ModelLoader(lambda: Classifier(Endless(), known.manifest, 1))
    processor = UploadProcessor(Settings(), models, telemetry, s3)
    models.preload()
    queue = MemoryQueue({key: body(key) for key in s3.objects})
    try:
        queue.drain(lambda event: processor.handle(event, Hurrying()))
    finally:
        release.set()
    assert outcomes(s3) == {"uploads/sound.jpg": "red", "uploads/endless.jpg": "fatal_image"}
    assert queue.receives == {"uploads/sound.jpg": 1, "uploads/endless.jpg": 3}
    assert [entry["outcome"] for entry in telemetry.uploads].count("handed back") == 2
