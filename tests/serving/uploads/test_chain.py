"""S3 → SQS → function on the local AWS, under all that SQS and Lambda may do to it. What is counted: uploads in = results out."""

import json
import os
import random
import subprocess
import sys
import time
from collections import deque
from threading import Barrier, Lock, Thread
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.exceptions import ClientError

from model.classifier import load_classifier
from ops.redrive import redrive
from serving.model_loader import ModelLoader
from serving.results import result_key
from serving.settings import Settings
from serving.uploads.processor import UploadProcessor
from tests import ROOT
from tests.support.chain import BUCKET, Chain, Context, sqs_event
from tests.support.fakes import ListTelemetry, colour_classifier, picture
from tests.support.memory_s3 import MemoryS3
from tests.support.tiny import draw_colours

ODD_NAMES = ["a b", "a+b", "100%", "%41", "ü/é ß", "日本", "&=?#", "a@b", "'\"", "..", "x" * 900, "é" * 508]


class AtomicS3:
    """moto's server, with S3's promise that a conditional put is one step; one call in `faults` fails."""

    def __init__(self, faults: float = 0, seed: int = 0) -> None:
        self._client, self._lock = boto3.client("s3"), Lock()
        self._faults, self._random = faults, random.Random(seed)

    def get_object(self, **arguments):
        self._fail_sometimes()
        return self._client.get_object(**arguments)

    def put_object(self, **arguments):
        self._fail_sometimes()
        with self._lock:
            answer = self._client.put_object(**arguments)
        self._fail_sometimes()  # written, but nobody hears of it
        return answer

    def _fail_sometimes(self) -> None:
        if self._random.random() < self._faults:
            raise ClientError({"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "GetObject")


@pytest.fixture
def chain(aws, versions_in_events):
    return Chain()


def function(client=None):
    processor = UploadProcessor(Settings(), ModelLoader(colour_classifier), ListTelemetry(), client or AtomicS3(), [])
    return lambda event: processor.handle(event, Context())


def put_many(chain, count, name="{}") -> dict[str, str]:
    """Upload pictures of the three colours, and every seventh time something else; return the results' keys → what they hold."""
    expected = {}
    for number in range(count):
        colour = ("red", "green", "blue")[number % 3]
        spoilt = number % 7 == 6
        key = f"uploads/{name.format(number)}"
        version = chain.put(key, b"no image" if spoilt else picture(colour, (20, 20)))
        expected[result_key("results/", key, version)] = "unsupported_image" if spoilt else colour
    return expected


def outcomes(chain) -> dict[str, str]:
    results = chain.results().items()
    return {key: result.error.code if result.error else result.labels[0].name for key, result in results}


def test_odd_names_lose_nothing(chain):
    expected = {}
    for name in ODD_NAMES:
        version = chain.put(f"uploads/{name}", picture("green"))
        expected[result_key("results/", f"uploads/{name}", version)] = "green"
    chain.drain(function())
    assert outcomes(chain) == expected


def test_messages_that_come_several_times_at_once_change_nothing(chain):
    expected = put_many(chain, 20)
    messages, s3, together = chain.receive(100), AtomicS3(), Barrier(3)

    def invoke(seed):
        shuffled = random.Random(seed).sample(messages, len(messages))
        together.wait()
        assert function(s3)(sqs_event(shuffled + shuffled)) == {"batchItemFailures": []}

    threads = [Thread(target=invoke, args=[seed]) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes(chain) == expected


def test_versions_of_one_object_that_come_in_the_wrong_order_each_keep_their_own_result(chain):
    expected = put_many(chain, 12, name="same.jpg")
    messages = chain.receive(100)
    for message in reversed(messages):
        chain.invoke(function(), [message])
    assert len(expected) == 12
    assert outcomes(chain) == expected


def test_results_never_reach_the_queue(chain):
    put_many(chain, 10)
    chain.drain(function())
    assert len(chain.results()) == 10
    assert chain.count(chain.queue) == chain.count(chain.failed) == 0


@pytest.mark.parametrize("seed", range(4))
def test_failures_anywhere_lose_nothing_and_write_nothing_twice(chain, seed):
    expected = put_many(chain, 30)
    chain.drain(function(AtomicS3(faults=0.2, seed=seed)), batch=7)
    assert set(outcomes(chain).items()) <= set(expected.items())
    missing = len(expected) - len(outcomes(chain))
    assert (
        chain.count(chain.failed) >= missing
    )  # those that failed to the last; some of them only after they were written
    list(redrive(chain.sqs, chain.failed, chain.queue, at_most=100))
    chain.drain(function())
    assert outcomes(chain) == expected


def test_what_fails_to_the_last_lies_in_the_dead_letter_queue(chain):
    expected = put_many(chain, 5)
    chain.drain(function(AtomicS3(faults=1)))
    assert outcomes(chain) == {}
    assert chain.count(chain.failed) == len(expected)


def message(number: int) -> dict[str, str]:
    item = {"key": quote_plus(f"uploads/photo {number}.jpg"), "eTag": "e", "versionId": f"v{number}"}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": item}}
    return {"MessageId": str(number), "ReceiptHandle": "", "Body": json.dumps({"Records": [record]})}


def test_ten_thousand_uploads_with_duplicates_failures_and_in_disorder_have_ten_thousand_results():
    count, data = 10_000, [picture(), *[b"no image"] * 9]  # nine in ten are rejected, which is quicker
    s3 = MemoryS3({f"uploads/photo {number}.jpg": data[number % 10] for number in range(count)}, faults=0.05)
    invoke, messages, shuffle = function(s3), [message(number) for number in range(count)], random.Random(1)
    waiting = deque(shuffle.sample(messages + messages[: count // 10], count + count // 10))
    tried_again = 0
    while waiting:
        batch = [waiting.popleft() for _ in range(min(10, len(waiting)))]
        failed = {item["itemIdentifier"] for item in invoke(sqs_event(batch))["batchItemFailures"]}
        waiting.extend(entry for entry in batch if entry["MessageId"] in failed)
        tried_again += len(failed)
    assert tried_again > count // 10, "too few were tried again to show anything"
    assert len(s3.writes) == count
    assert set(s3.writes.values()) == {1}


def kill_in_mid_batch(chain, messages, model, results_before):
    """Let a process of its own begin the batch, and kill it with no warning when some results are there.

    Nothing tells it that the messages came before: a suspect that is being tried alone then would be taken for the cause.
    """
    command = [
        sys.executable,
        ROOT / "tests/deploy/local_function.py",
        "handler.uploads",
        "arn:aws:lambda:::uploads",
        "60",
    ]
    environment = os.environ | {"MODEL_URI": model, "AWS_LAMBDA_FUNCTION_NAME": "uploads"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        process.stdin.write(json.dumps(sqs_event([message | {"Attributes": {}} for message in messages])).encode())
        process.stdin.close()
        while process.poll() is None and count_results(chain) < results_before + 3:
            time.sleep(0.005)
        process.kill()
        assert process.stdout.read() == b""  # it never came to answer


def count_results(chain) -> int:
    return chain.s3.list_objects_v2(Bucket=BUCKET, Prefix="results/").get("KeyCount", 0)


def test_a_function_killed_in_mid_batch_loses_nothing_and_leaves_nothing_half_done(chain, tiny_model, tmp_path):
    paths = sorted(draw_colours(tmp_path, per_class=20).glob("*/*.jpg"))
    for path in paths:
        chain.put(f"uploads/{path.parent.name}-{path.name}", path.read_bytes())
    written = {}
    for _ in range(2):
        messages = chain.receive(100)
        kill_in_mid_batch(chain, messages, tiny_model, len(written))
        results = chain.results()
        assert 0 < len(results) < len(paths), "not in mid-batch"
        assert {key: results[key] for key in written} == written
        written = results
        chain.reappear(messages)
    model_holder = ModelLoader(lambda: load_classifier(tiny_model))
    processor = UploadProcessor(Settings(), model_holder, ListTelemetry(), AtomicS3())
    chain.drain(lambda event: processor.handle(event, Context()))
    results = chain.results()
    assert {key: results[key] for key in written} == written
    assert len(results) == len(paths)
    assert all(result.object.key.startswith(f"uploads/{result.labels[0].name}-") for result in results.values())
    assert chain.count(chain.queue) == chain.count(chain.failed) == 0
