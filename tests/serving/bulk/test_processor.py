"""A batch, with a fake model and a local S3: what its results say, and what is done again."""

import gzip

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError

from model.classifier import Classifier
from model.decision import Decision, Thresholds
from model.errors import ModelNotFound, StoreForbidden, StoreUnavailable
from serving.bulk.processor import BatchProcessor
from serving.errors import OutOfTime
from serving.model_loader import ModelLoader
from serving.s3 import s3_client
from serving.schemas import BulkResult, ModelName
from serving.settings import Settings
from tests.support.chain import Context
from tests.support.fakes import ColourEngine, ListTelemetry, colour_classifier, picture
from tests.support.memory_queue import Killed

SETTINGS = Settings(uploads_bucket="results")


@pytest.fixture
def s3(aws):
    client = boto3.client("s3")
    for bucket in ("photos", "results"):
        client.create_bucket(Bucket=bucket)
    return client


def make(client=None, load=colour_classifier, telemetry=None):
    return BatchProcessor(SETTINGS, ModelLoader(load), telemetry or ListTelemetry(), client or s3_client())


def event(*items):
    return {"BatchInput": {"bucket": "photos", "source": "listing"}, "Items": list(items)}


def put(s3, key, body):
    return {"key": key, "etag": s3.put_object(Bucket="photos", Key=key, Body=body)["ETag"]}


def results_of(s3, done):
    body = s3.get_object(Bucket=done["bucket"], Key=done["key"])["Body"].read()
    return msgspec.json.Decoder(BulkResult).decode_lines(body)


POISON = "white"


class PoisonedEngine(ColourEngine):
    """White pictures are the end of the process."""

    def run(self, images):
        if images.min() > 250:
            raise Killed
        return super().run(images)


def poisoned():
    known = colour_classifier()
    return Classifier(PoisonedEngine(), known.manifest, known.version)


@pytest.mark.parametrize("poisons", range(5))
def test_whatever_ends_the_function_is_found_one_a_try_and_the_others_are_named(s3, poisons):
    colours = [POISON if number < poisons else "red" for number in range(5)]
    batch = event(*(put(s3, str(number), picture(colour, (20, 20))) for number, colour in enumerate(colours)))
    kills, done = 0, None
    while done is None:
        try:
            done = make(load=poisoned).handle(batch | {"Alone": "execution-1"}, Context())
        except Killed:
            kills += 1
    found = [result.error.code if result.error else result.labels[0].name for result in results_of(s3, done)]
    assert found == ["fatal_image" if colour == POISON else "red" for colour in colours]
    assert (kills, done["failed"]) == (poisons, poisons)


def test_what_may_pass_is_never_taken_for_an_images_doing(s3):
    items = [put(s3, "1", picture()), put(s3, "2", picture())]
    batch = event(*items) | {"Alone": "execution-1"}
    for client, context in (
        (Refusing(s3_client(), "SlowDown"), Context()),
        (s3_client(), Context(milliseconds_left=1000)),
    ):
        with pytest.raises((StoreUnavailable, OutOfTime)):
            make(client).handle(batch, context)
    assert make().handle(batch, Context())["failed"] == 0


def test_the_claim_of_another_run_condemns_nothing(s3):
    batch = event(put(s3, "1", picture(POISON)))
    with pytest.raises(Killed):
        make(load=poisoned).handle(batch | {"Alone": "execution-1"}, Context())
    assert make().handle(batch | {"Alone": "execution-2"}, Context())["failed"] == 0


def test_a_batch_becomes_one_object_with_a_line_for_each_image_in_order(s3):
    items = [put(s3, f"{colour} ü+%20.jpg", picture(colour)) for colour in ("red", "green", "blue") * 4]
    done = make().handle(event(*items), Context())
    assert done == {"bucket": "results", "key": done["key"], "images": 12, "failed": 0}
    assert done["key"].startswith("bulk/colours/3/")
    results = results_of(s3, done)
    assert [result.labels[0].name for result in results] == ["red", "green", "blue"] * 4
    assert [result.object.key for result in results] == [item["key"] for item in items]
    assert results[0].model == ModelName("colours", 3)


def test_each_line_says_whether_its_answer_may_be_relied_on(s3):
    thresholds = Thresholds(precision=0.95, labels=(0.5, None, 0.5), distance=None, false_alarms=0.05)
    items = [put(s3, colour, picture(colour)) for colour in ("red", "green")]
    done = make(load=lambda: colour_classifier(thresholds)).handle(event(*items), Context())
    assert [result.decision for result in results_of(s3, done)] == [Decision.ACCEPTED, Decision.UNCERTAIN]


def test_what_cannot_be_named_is_a_line_with_its_error(s3):
    items = [put(s3, "1", picture()), put(s3, "2", b"no image"), {"key": "gone", "etag": "x"}, put(s3, "4", b"")]
    done = make().handle(event(*items), Context())
    assert [result.error and result.error.code for result in results_of(s3, done)] == [
        None,
        "unsupported_image",
        "object_not_found",
        "unsupported_image",
    ]
    assert (done["images"], done["failed"]) == (4, 3)


def test_an_object_that_was_overwritten_since_it_was_listed_is_gone(s3):
    item = put(s3, "1", picture("red"))
    put(s3, "1", picture("blue"))
    [result] = results_of(s3, make().handle(event(item), Context()))
    assert result.error.code == "object_not_found"


def test_a_batch_that_was_done_is_not_done_again(s3):
    items = [put(s3, "1", picture()), put(s3, "2", b"no image")]
    telemetry = ListTelemetry()
    first = make(telemetry=telemetry).handle(event(*items), Context())
    for key in ("1", "2"):
        s3.delete_object(Bucket="photos", Key=key)
    assert make(telemetry=telemetry).handle(event(*items), Context()) == first
    assert [line["outcome"] for line in telemetry.uploads] == ["batch", "batch repeated"]


def test_a_batch_with_an_error_that_may_have_passed_is_done_again(s3):
    item = {"key": "1", "etag": s3.put_object(Bucket="results", Key="x", Body=picture())["ETag"]}
    assert make().handle(event(item), Context())["failed"] == 1
    put(s3, "1", picture())
    assert make().handle(event(item), Context())["failed"] == 0


def test_without_a_version_or_an_etag_nothing_is_taken_for_done(s3):
    put(s3, "1", picture("red"))
    make().handle(event({"key": "1"}), Context())
    put(s3, "1", picture("blue"))
    [result] = results_of(s3, make().handle(event({"key": "1"}), Context()))
    assert result.labels[0].name == "blue"


def test_a_batch_of_nothing_is_an_object_of_nothing(s3):
    done = make().handle(event({"key": "folder/"}), Context())
    assert (done["images"], results_of(s3, done)) == (0, [])


class Refusing:
    """The client of a role, or a bucket's policy, that lets some keys be read."""

    def __init__(self, client, code, readable=()):
        self._client, self._code, self._readable = client, code, readable

    def __getattr__(self, name):
        return getattr(self._client, name)

    def get_object(self, **wanted):
        if wanted["Key"] in self._readable or wanted["Bucket"] == "results":
            return self._client.get_object(**wanted)
        raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "GetObject")


def test_an_object_that_may_not_be_read_is_a_line_unless_it_is_all_of_them(s3):
    items = [put(s3, "1", picture()), put(s3, "2", picture())]
    done = make(Refusing(s3_client(), "AccessDenied", ("1",))).handle(event(*items), Context())
    assert [result.error and result.error.code for result in results_of(s3, done)] == [None, "store_forbidden"]
    with pytest.raises(StoreForbidden, match="none of 2 objects may be read"):
        make(Refusing(s3_client(), "AccessDenied")).handle(event({"key": "1"}, {"key": "2"}), Context())


def test_what_may_pass_fails_the_batch_and_leaves_no_results(s3):
    item, telemetry = put(s3, "1", picture()), ListTelemetry()

    def nothing():
        raise ModelNotFound("none")

    for processor, error, context in (
        (make(Refusing(s3_client(), "SlowDown"), telemetry=telemetry), StoreUnavailable, Context()),
        (make(telemetry=telemetry), OutOfTime, Context(milliseconds_left=1000)),
        (make(load=nothing, telemetry=telemetry), ModelNotFound, Context()),
    ):
        with pytest.raises(error):
            processor.handle(event(item), context)
    assert s3.list_objects_v2(Bucket="results")["KeyCount"] == 0
    assert len(telemetry.failures) == 3


def test_a_bucket_that_there_cannot_be_is_its_own_items_error(s3):
    sound, odd = put(s3, "a.jpg", picture()), {"key": "b.jpg", "bucket": "no bucket!"}
    done = make().handle(event(sound, odd), Context())
    assert [result.error and result.error.code for result in results_of(s3, done)] == [None, "object_not_found"]


@pytest.mark.parametrize("metadata", [{}, {"final": "yes"}, {"final": "yes", "images": "x", "failed": "0"}])
def test_something_else_where_results_belong_is_replaced(s3, metadata):
    item = put(s3, "a.jpg", picture())
    done = make().handle(event(item), Context())
    s3.put_object(Bucket=done["bucket"], Key=done["key"], Body=b"garbage", Metadata=metadata)
    assert make().handle(event(item), Context()) == done
    assert len(results_of(s3, done)) == 1


def test_something_else_where_a_claim_belongs_is_no_claim(s3):
    batch = event(put(s3, "a.jpg", picture())) | {"Alone": "execution"}
    done = make().handle(batch, Context())
    place = f"bulk/claims/{done['key'].rpartition('/')[2].removesuffix('.jsonl')}-execution.json"
    s3.put_object(Bucket="results", Key=place, Body=b"\xff garbage")
    s3.delete_object(Bucket="results", Key=done["key"])
    assert make().handle(batch, Context()) == done


def test_an_object_that_is_stored_as_gzip_is_unpacked(s3):
    items = []
    for key, body in {
        "a.jpg": gzip.compress(picture()),
        "b.jpg": picture(),
        "c.jpg": gzip.compress(picture())[:-9],
    }.items():
        etag = s3.put_object(Bucket="photos", Key=key, Body=body, ContentEncoding="gzip")["ETag"]
        items.append({"key": key, "etag": etag})
    done = make().handle(event(*items), Context())
    codes = [result.error and result.error.code for result in results_of(s3, done)]
    assert codes == [None, None, "corrupt_image"]
