"""One upload after another through the processor, on the local AWS: what becomes of it, and who hears of it."""

import json
import unicodedata

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from model.errors import ModelNotFound, StoreUnavailable
from serving.errors import OutOfTime, UnknownEvent
from serving.model_loader import ModelLoader
from serving.schemas import ModelName
from serving.settings import Settings
from serving.uploads.events import contents_of, messages_in
from serving.uploads.notifications import EventPublisher, ObjectTagger
from serving.uploads.processor import LAST_START_MS, UploadProcessor, open_processor
from tests.support.chain import BUCKET, Chain, Context, sqs_event
from tests.support.events import load_event
from tests.support.fakes import THRESHOLDS, ListTelemetry, colour_classifier, picture


@pytest.fixture
def chain(aws, versions_in_events):
    return Chain()


@pytest.fixture
def make_processor(aws, telemetry):
    """The processor with a model that names colours, unless another collaborator is given."""

    def make(load=colour_classifier, client=None, announce=(), settings=Settings()):
        return UploadProcessor(settings, ModelLoader(load), telemetry, client or boto3.client("s3"), announce)

    return make


def handle(processor, milliseconds_left=60_000):
    return lambda event: processor.handle(event, Context(milliseconds_left))


class Faulty:
    """An S3 client some of whose calls fail with an error: `faults` maps operation → [error or None, …]."""

    def __init__(self, client, **faults):
        self._client, self._faults = client, faults

    def __getattr__(self, operation):
        def call(**arguments):
            error = self._faults.get(operation) and self._faults[operation].pop(0)
            if error:
                raise error
            return getattr(self._client, operation)(**arguments)

        return call


def answer(code, status):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")


PASSING = [
    answer("SlowDown", 503),
    answer("InternalError", 500),
    answer("AccessDenied", 403),
    EndpointConnectionError(endpoint_url="https://s3"),
]


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


def test_an_object_deleted_before_it_was_read_gets_an_error_as_its_result(chain, make_processor):
    version = chain.put("uploads/a.jpg", picture())
    chain.s3.delete_object(Bucket=BUCKET, Key="uploads/a.jpg", VersionId=version)
    assert chain.invoke(handle(make_processor()), chain.receive()) == []
    (result,) = chain.results().values()
    assert (result.error.code, result.object.size) == ("object_not_found", None)


def test_a_version_under_a_delete_marker_still_gets_its_labels(chain, make_processor):
    chain.put("uploads/a.jpg", picture())
    chain.s3.delete_object(Bucket=BUCKET, Key="uploads/a.jpg")
    chain.drain(handle(make_processor()))
    assert [bool(result.labels) for result in chain.results().values()] == [True]


@pytest.mark.parametrize("fault", PASSING, ids=str)
@pytest.mark.parametrize("operation", ["get_object", "put_object"])
def test_a_passing_failure_writes_nothing_and_fails_its_own_message_only(
    chain, make_processor, telemetry, operation, fault
):
    chain.put("uploads/a.jpg", picture())
    chain.put("uploads/b.jpg", picture())
    messages = chain.receive()
    failed = chain.invoke(
        handle(make_processor(client=Faulty(chain.s3, **{operation: [fault, *[None] * 9]}))), messages
    )
    assert len(failed) == 1
    assert len(chain.results()) == 1
    assert [entry["code"] for entry, _ in telemetry.failures] in (["store_unavailable"], ["store_forbidden"])
    chain.drain(handle(make_processor()))
    assert len(chain.results()) == 2


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ModelNotFound("none"), MemoryError(), ZeroDivisionError()])
def test_a_model_that_cannot_be_had_is_no_fault_of_the_image(chain, make_processor, error):
    def load():
        raise error

    chain.put("uploads/a.jpg", picture())
    assert len(chain.invoke(handle(make_processor(load)), chain.receive())) == 1
    assert chain.results() == {}


def test_a_body_that_breaks_off_is_tried_again(chain, make_processor):
    class Broken:
        def get_object(self, **arguments):
            found = chain.s3.get_object(**arguments)
            found["Body"]._content_length += 1
            return found

        put_object = chain.s3.put_object

    chain.put("uploads/a.jpg", picture())
    assert len(chain.invoke(handle(make_processor(client=Broken())), chain.receive())) == 1
    assert chain.results() == {}


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


def test_without_versions_the_etag_tells_one_content_from_another(aws, make_processor):
    chain = Chain(versioned=False)
    chain.put("uploads/a.jpg", picture("red"))
    chain.drain(handle(make_processor()))
    chain.put("uploads/a.jpg", picture("blue"))
    chain.put("uploads/a.jpg", picture("blue"))
    chain.drain(handle(make_processor()))
    results = chain.results()
    assert sorted(result.labels[0].name for result in results.values()) == ["blue", "red"]
    assert all(result.object.etag in key and result.object.version_id is None for key, result in results.items())


def test_without_versions_what_was_overwritten_before_it_was_read_has_an_error_as_its_result(aws, make_processor):
    chain = Chain(versioned=False)
    chain.put("uploads/a.jpg", picture("red"))
    chain.put("uploads/a.jpg", picture("blue"))
    chain.drain(handle(make_processor()))
    outcomes = {result.error.code if result.error else result.labels[0].name for result in chain.results().values()}
    assert outcomes == {"object_not_found", "blue"}


@pytest.fixture
def unversioned(aws):
    return Chain(versioned=False)


def last_outcomes(chain):
    results = chain.results().values()
    return sorted(result.error.code if result.error else result.labels[0].name for result in results)


def test_without_versions_what_was_deleted_and_comes_again_gets_its_labels(unversioned, make_processor):
    unversioned.put("uploads/a.jpg", picture("red"))
    unversioned.s3.delete_object(Bucket=BUCKET, Key="uploads/a.jpg")
    unversioned.drain(handle(make_processor()))
    assert last_outcomes(unversioned) == ["object_not_found"]
    unversioned.put("uploads/a.jpg", picture("red"))
    unversioned.drain(handle(make_processor()))
    assert last_outcomes(unversioned) == ["red"]


def test_without_versions_a_content_that_returns_gets_its_labels(unversioned, make_processor):
    for colour in ("red", "blue"):
        unversioned.put("uploads/a.jpg", picture(colour))
    unversioned.drain(handle(make_processor()))
    assert last_outcomes(unversioned) == ["blue", "object_not_found"]
    unversioned.put("uploads/a.jpg", picture("red"))
    messages = unversioned.receive()
    unversioned.invoke(handle(make_processor()), messages)
    assert last_outcomes(unversioned) == ["blue", "red"]


def test_an_event_that_comes_late_takes_no_result_back(unversioned, make_processor):
    unversioned.put("uploads/a.jpg", picture("red"))
    messages = unversioned.receive()
    unversioned.invoke(handle(make_processor()), messages)
    unversioned.put("uploads/a.jpg", picture("blue"))
    make_processor().handle(sqs_event(messages), Context())
    assert last_outcomes(unversioned) == ["red"]


def test_what_is_still_gone_keeps_the_result_that_says_so(unversioned, make_processor):
    unversioned.put("uploads/a.jpg", picture("red"))
    unversioned.s3.delete_object(Bucket=BUCKET, Key="uploads/a.jpg")
    messages = unversioned.receive()
    unversioned.invoke(handle(make_processor()), messages)
    before = unversioned.results()
    make_processor().handle(sqs_event(messages), Context())
    assert unversioned.results() == before


@pytest.mark.parametrize("garbage", [b"", b"oops", b"{}", b"\xff", picture()])
def test_something_else_where_a_result_belongs_is_replaced(unversioned, make_processor, garbage):
    unversioned.put("uploads/a.jpg", picture("red"))
    etag = unversioned.s3.head_object(Bucket=BUCKET, Key="uploads/a.jpg")["ETag"].strip('"')
    unversioned.s3.put_object(Bucket=BUCKET, Key=f"results/uploads/a.jpg@{etag}.json", Body=garbage)
    unversioned.drain(handle(make_processor()))
    assert last_outcomes(unversioned) == ["red"]


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


def test_keys_that_differ_by_normalisation_alone_are_different_objects(chain, make_processor):
    for form, colour in (("NFC", "red"), ("NFD", "blue")):
        chain.put(unicodedata.normalize(form, "uploads/é.jpg"), picture(colour))
    chain.drain(handle(make_processor()))
    assert last_outcomes(chain) == ["blue", "red"]


@pytest.mark.parametrize(
    ("code", "message", "outcome"),
    [
        ("InvalidRequest", "The object was stored using a form of Server Side Encryption.", "object_locked"),
        ("KMS.DisabledException", "arn:aws:kms:::key/1 is disabled.", "object_locked"),
        ("KMS.KMSInvalidStateException", "arn:aws:kms:::key/1 is pending deletion.", "object_locked"),
        ("InvalidObjectState", "The operation is not valid for the object's storage class", "object_archived"),
    ],
)
def test_what_is_final_for_an_upload_gets_an_error_as_its_result(chain, make_processor, code, message, outcome):
    chain.put("uploads/a.jpg", picture())
    (*_, upload) = chain.receive()
    fault = ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")
    client = Faulty(chain.s3, get_object=[None, fault])  # first whether there is a result
    assert chain.invoke(handle(make_processor(client=client)), [upload]) == []
    assert last_outcomes(chain) == [outcome]


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        ("ExpiredToken", "The provided token has expired.", "renew the credentials"),
        ("AccessDenied", "User: x is not authorized to perform: kms:Decrypt on resource: y", "kms:Decrypt"),
        ("PermanentRedirect", "must be addressed using the specified endpoint", "AWS_REGION"),
        ("NoSuchAccessPoint", "The specified accesspoint does not exist", "access point"),
        ("RequestTimeTooSkewed", "The difference is too large.", "clock"),
    ],
)
def test_what_the_operator_has_to_mend_is_tried_again_and_the_log_names_the_remedy(
    chain, make_processor, telemetry, code, message, remedy
):
    chain.put("uploads/a.jpg", picture())
    (*_, upload) = chain.receive()
    fault = ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")
    client = Faulty(chain.s3, get_object=[None, fault])
    assert len(chain.invoke(handle(make_processor(client=client)), [upload])) == 1
    assert chain.results() == {}
    ((entry, error),) = telemetry.failures
    assert (entry["code"], entry["key"]) == ("store_misconfigured", "uploads/a.jpg")
    assert entry["message_id"] == upload["MessageId"]
    assert remedy in str(error)


def test_where_the_bucket_itself_is_gone_there_is_nothing_to_do(chain, make_processor, telemetry):
    event = load_event("s3-put")
    assert handle(make_processor())(event) == {"results": []}
    assert [entry["outcome"] for entry in telemetry.uploads] == ["gone"]


def test_a_task_is_not_taken_for_gone_where_head_refuses_without_a_word(chain, make_processor):
    event = load_event("s3-batch-v2")
    event["tasks"][0]["s3Bucket"] = BUCKET
    client = Faulty(chain.s3, head_object=[answer("400", 400)], get_object=[answer("ExpiredToken", 400)])
    (result,) = handle(make_processor(client=client))(event)["results"]
    assert result["resultCode"] == "TemporaryFailure"


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


def test_the_best_label_becomes_a_tag_beside_the_others(chain, make_processor):
    chain.put("uploads/a.jpg", picture("red"))
    chain.s3.put_object_tagging(
        Bucket=BUCKET, Key="uploads/a.jpg", Tagging={"TagSet": [{"Key": "owner", "Value": "me"}]}
    )
    chain.drain(handle(make_processor(announce=[ObjectTagger(chain.s3)])))
    tags = chain.s3.get_object_tagging(Bucket=BUCKET, Key="uploads/a.jpg")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"owner": "me", "label": "red"}


@pytest.mark.parametrize(
    ("colour", "decision", "tags"),
    [("red", "accepted", 1), ("yellow", "uncertain", 1), ("white", "unknown", 0)],
)
def test_a_result_says_whether_it_may_be_relied_on_and_what_is_unknown_gets_no_tag(
    chain, make_processor, telemetry, colour, decision, tags
):
    chain.put("uploads/a.jpg", picture(colour))
    judge = make_processor(lambda: colour_classifier(THRESHOLDS), announce=[ObjectTagger(boto3.client("s3"))])
    chain.drain(handle(judge))
    [result] = chain.results().values()
    assert result.decision == decision
    assert telemetry.uploads[-1]["decision"] == decision
    assert len(chain.s3.get_object_tagging(Bucket=BUCKET, Key="uploads/a.jpg")["TagSet"]) == tags


def test_an_object_that_has_ten_tags_keeps_them_and_the_log_says_so(chain, make_processor, telemetry):
    tags = [{"Key": f"t{number}", "Value": "x"} for number in range(10)]
    chain.put("uploads/a.jpg", picture("red"))
    chain.s3.put_object_tagging(Bucket=BUCKET, Key="uploads/a.jpg", Tagging={"TagSet": tags})
    chain.drain(handle(make_processor(announce=[ObjectTagger(chain.s3)])))
    assert chain.s3.get_object_tagging(Bucket=BUCKET, Key="uploads/a.jpg")["TagSet"] == tags
    assert last_outcomes(chain) == ["red"]
    assert "skipped" in telemetry.uploads[-1]["tag"]


@pytest.mark.parametrize("code", ["InvalidTag", "BadRequest", "NotImplemented", "MethodNotAllowed"])
def test_a_tag_that_s3_will_never_take_is_skipped(chain, make_processor, telemetry, code):
    chain.put("uploads/a.jpg", picture("red"))
    client = Faulty(chain.s3, put_object_tagging=[answer(code, 400)])
    assert chain.drain(handle(make_processor(announce=[ObjectTagger(client)]))) == 1
    assert last_outcomes(chain) == ["red"]
    assert "skipped" in telemetry.uploads[-1]["tag"]


def test_an_object_that_is_gone_needs_no_tag(chain, make_processor):
    version = chain.put("uploads/a.jpg", picture("red"))
    messages = chain.receive()
    chain.invoke(handle(make_processor()), messages)
    chain.s3.delete_object(Bucket=BUCKET, Key="uploads/a.jpg", VersionId=version)
    assert make_processor(announce=[ObjectTagger(chain.s3)]).handle(sqs_event(messages), Context()) == {
        "batchItemFailures": []
    }


class Bus:
    """An EventBridge that takes events, or says that it did not."""

    def __init__(self, failed=0):
        self.entries, self._failed = [], failed

    def put_events(self, Entries):  # noqa: N803 - its name
        self.entries += Entries
        return {"FailedEntryCount": self._failed, "Entries": [{"ErrorCode": "InternalFailure"}]}


def test_each_result_goes_to_eventbridge_the_rejected_too(chain, make_processor):
    bus = Bus()
    chain.put("uploads/a.jpg", picture("red"))
    chain.put("uploads/b.jpg", b"no image")
    chain.drain(handle(make_processor(announce=[EventPublisher(bus)])))
    told = {entry["DetailType"]: json.loads(entry["Detail"]) for entry in bus.entries}
    assert told["Upload Classified"]["labels"][0]["name"] == "red"
    assert told["Upload Rejected"]["error"]["code"] == "unsupported_image"


def test_a_result_that_could_not_be_announced_is_announced_at_the_next_try(chain, make_processor):
    refusing, taking = Bus(failed=1), Bus()
    chain.put("uploads/a.jpg", picture("red"))
    assert len(chain.invoke(handle(make_processor(announce=[EventPublisher(refusing)])), chain.receive())) == 1
    before = chain.results()
    chain.drain(handle(make_processor(announce=[EventPublisher(taking)])))
    assert len(taking.entries) == 1
    assert chain.results() == before


def test_the_settings_decide_who_hears_of_a_result(chain):
    bus = boto3.client("events")
    bus.put_rule(Name="all", EventPattern=json.dumps({"source": ["serverless-image-recognition"]}))
    processor = open_processor(
        Settings(tag_uploads=True, publish_events=True), ModelLoader(colour_classifier), ListTelemetry()
    )
    chain.put("uploads/a.jpg", picture("blue"))
    chain.drain(handle(processor))
    tags = chain.s3.get_object_tagging(Bucket=BUCKET, Key="uploads/a.jpg")["TagSet"]
    assert tags == [{"Key": "label", "Value": "blue"}]


def test_what_the_bucket_tells_the_queue_is_what_the_processor_understands(chain):
    chain.put("uploads/ü +%.jpg", picture())
    told = [contents_of(message.payload).uploads for message in messages_in(sqs_event(chain.receive()))]
    assert [upload.key for uploads in told for upload in uploads] == ["uploads/ü +%.jpg"]
    assert [] in told  # S3's test event


def test_the_log_is_told_of_failures_with_their_cause(chain, make_processor, telemetry: ListTelemetry):
    chain.put("uploads/a.jpg", picture())
    fault = answer("SlowDown", 503)
    chain.invoke(handle(make_processor(client=Faulty(chain.s3, get_object=[fault]))), chain.receive())
    ((entry, error),) = telemetry.failures
    assert (entry["key"], entry["code"]) == ("uploads/a.jpg", "store_unavailable")
    assert error.__cause__ is fault
