"""Who hears of a result: the object's tags, and EventBridge."""

import json

import boto3
import pytest

from serving.model_loader import ModelLoader
from serving.settings import Settings
from serving.uploads.notifications import EventPublisher, ObjectTagger
from serving.uploads.processor import open_processor
from tests.support.chain import BUCKET, Context, handle, last_outcomes, sqs_event
from tests.support.fakes import THRESHOLDS, ListTelemetry, colour_classifier, picture
from tests.support.faulty import Faulty, answer


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
