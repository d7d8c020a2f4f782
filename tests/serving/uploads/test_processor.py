"""One upload after another through the processor, on the local AWS: what becomes of it."""

import gzip
import json

import pytest

from model.errors import StoreUnavailable
from serving.errors import OutOfTime, UnknownEvent
from serving.schemas import ModelName
from serving.settings import Settings
from serving.uploads.events import contents_of, messages_in
from serving.uploads.invocation import LAST_START_MS
from tests.support.chain import BUCKET, Context, handle, last_outcomes, sqs_event
from tests.support.events import load_event
from tests.support.fakes import picture
from tests.support.faulty import Faulty, answer


def test_an_image_gets_its_labels_as_its_result(chain, make_processor):
    version = chain.put("uploads/a.jpg", picture("red", (64, 48)))
    chain.drain(handle(make_processor()))
    (key, result), *others = chain.results().items()
    assert not others
    assert key == result.key == f"results/uploads/a.jpg@{version}.json"
    assert result.object.version_id == version
    assert result.object.etag == chain.s3.head_object(Bucket=BUCKET, Key="uploads/a.jpg")["ETag"].strip('"')
    assert result.object.size == len(picture("red", (64, 48)))
    assert result.model == ModelName("colours", 3)
    assert result.labels[0].name == "red"
    assert (result.image.width, result.image.height, result.image.format) == (64, 48, "JPEG")
    assert result.timing.read > 0
    assert result.timing.decode > 0
    assert result.error is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no image", "unsupported_image"),
        (b"", "unsupported_image"),
        (picture()[:200], "corrupt_image"),
        (picture(size=(5, 5)), "image_out_of_bounds"),
        (picture(size=(900, 900), format="BMP"), "image_too_large"),
    ],
)
def test_what_can_never_be_classified_gets_an_error_as_its_result_and_is_done(chain, make_processor, data, code):
    chain.put("uploads/a.jpg", data)
    processor = make_processor(settings=Settings(max_image_bytes=1_000_000))
    assert chain.invoke(handle(processor), chain.receive()) == []
    (result,) = chain.results().values()
    assert (result.error.code, result.labels, result.object.size) == (code, None, len(data))
    assert result.error.request_id == Context.aws_request_id
    assert chain.count(chain.queue) == 0


def test_an_upload_that_was_stored_as_gzip_is_unpacked(chain, make_processor):
    packed = gzip.compress(picture("red"))
    chain.s3.put_object(Bucket=BUCKET, Key="uploads/a.jpg", Body=packed, ContentEncoding="gzip")
    chain.drain(handle(make_processor()))
    (result,) = chain.results().values()
    assert (result.labels[0].name, result.object.size) == ("red", len(packed))


def test_when_time_runs_out_what_is_not_begun_is_handed_back(chain, make_processor, telemetry):
    for name in "abc":
        chain.put(f"uploads/{name}.jpg", picture())
    messages = chain.receive()
    assert len(chain.invoke(handle(make_processor(), LAST_START_MS - 1), messages)) == len(messages)
    assert chain.results() == {}
    assert {entry["outcome"] for entry in telemetry.uploads} == {"handed back"}


def test_a_message_that_makes_no_sense_fails_alone(chain, make_processor):
    chain.put("uploads/a.jpg", picture())
    chain.sqs.send_message(QueueUrl=chain.queue, MessageBody="{")
    assert len(chain.invoke(handle(make_processor()), chain.receive())) == 1
    assert len(chain.results()) == 1


@pytest.mark.parametrize("key", ["results/uploads/a.jpg@1.json", "private/a.jpg", "uploads"])
def test_what_lies_elsewhere_is_never_classified(chain, make_processor, telemetry, key):
    chain.put("uploads/a.jpg", picture())
    (*_, message) = chain.receive()
    message["Body"] = message["Body"].replace("uploads/a.jpg", key).replace("uploads%2Fa.jpg", key)
    assert chain.invoke(handle(make_processor()), [message]) == []
    assert chain.results() == {}
    assert [entry["outcome"] for entry in telemetry.uploads] == ["outside"]


def test_a_restored_object_gets_its_labels(chain, make_processor):
    version = chain.s3.put_object(Bucket=BUCKET, Key="uploads/a.jpg", Body=picture("red"), StorageClass="DEEP_ARCHIVE")[
        "VersionId"
    ]
    messages = chain.receive()
    chain.invoke(handle(make_processor()), messages)
    (result,) = chain.results().values()
    assert result.error.code == "object_archived"
    assert "storage class" in result.error.detail
    chain.s3.restore_object(Bucket=BUCKET, Key="uploads/a.jpg", VersionId=version, RestoreRequest={"Days": 1})
    event = json.loads(messages[-1]["Body"])
    event["Records"][0]["eventName"] = "ObjectRestore:Completed"
    (key,) = handle(make_processor())(event)["results"]
    assert chain.result(key).labels[0].name == "red"


@pytest.mark.parametrize("key", ["uploads/holiday/", "uploads/holiday_$folder$"])
@pytest.mark.parametrize("told", [True, False])
def test_an_empty_object_that_shows_a_folder_is_nothing_to_do(chain, make_processor, telemetry, key, told):
    chain.put(key, b"")
    (*_, message) = chain.receive()
    if not told:
        message["Body"] = message["Body"].replace('"size"', '"another"')
    assert chain.invoke(handle(make_processor()), [message]) == []
    assert chain.results() == {}
    assert [entry["outcome"] for entry in telemetry.uploads] == ["folder"]


def test_an_image_whose_key_ends_like_a_folders_is_an_image(chain, make_processor):
    chain.put("uploads/holiday/", picture("green"))
    chain.drain(handle(make_processor()))
    assert last_outcomes(chain) == ["green"]


def test_a_task_of_batch_operations_without_a_version_means_the_object_as_it_is_now(chain, make_processor):
    version = chain.put("uploads/red flower.jpg", picture())
    event = load_event("s3-batch-v2")
    event["tasks"][0]["s3Bucket"] = BUCKET
    (result,) = handle(make_processor())(event)["results"]
    assert result["resultCode"] == "Succeeded"
    assert result["resultString"] == f"results/uploads/red flower.jpg@{version}.json"
    assert list(chain.results()) == [result["resultString"]]


def test_a_task_whose_object_is_gone_fails_for_good(chain, make_processor):
    event = load_event("s3-batch-v2")
    event["tasks"][0]["s3Bucket"] = BUCKET
    (result,) = handle(make_processor())(event)["results"]
    assert result["resultCode"] == "PermanentFailure"


def test_an_event_that_is_told_straight_to_the_function_fails_as_a_whole(chain, make_processor):
    chain.put("uploads/red flower + café 100%.jpg", picture())
    event = load_event("s3-put")
    event["Records"][0]["s3"]["bucket"]["name"] = BUCKET
    with pytest.raises(StoreUnavailable):
        handle(make_processor(client=Faulty(chain.s3, get_object=[answer("SlowDown", 503)])))(event)
    with pytest.raises(OutOfTime):
        handle(make_processor(), 10)(event)
    with pytest.raises(UnknownEvent):
        handle(make_processor())({"hello": "world"})


def test_one_line_tells_what_became_of_an_upload(chain, make_processor, telemetry):
    version = chain.put("uploads/a.jpg", picture("green"))
    chain.drain(handle(make_processor()))
    (line,) = telemetry.uploads
    assert line["outcome"] == "classified"
    assert line["key"] == "uploads/a.jpg"
    assert line["version_id"] == version
    assert (line["label"], line["model"], line["version"], line["cold"]) == ("green", "colours", 3, True)
    assert json.loads(json.dumps(line)) == line


def test_what_the_bucket_tells_the_queue_is_what_the_processor_understands(chain):
    chain.put("uploads/ü +%.jpg", picture())
    told = [contents_of(message.payload).uploads for message in messages_in(sqs_event(chain.receive()))]
    assert [upload.key for uploads in told for upload in uploads] == ["uploads/ü +%.jpg"]
    assert [] in told  # S3's test event
