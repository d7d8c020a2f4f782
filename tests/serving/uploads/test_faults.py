"""What S3 refuses, and models that cannot be had: who has to act, and what becomes of the upload."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from model.errors import ModelNotFound, StoreUnavailable
from tests.support.chain import BUCKET, handle, last_outcomes
from tests.support.events import load_event
from tests.support.fakes import ListTelemetry, picture
from tests.support.faulty import Faulty, answer

PASSING = [
    answer("SlowDown", 503),
    answer("InternalError", 500),
    answer("AccessDenied", 403),
    EndpointConnectionError(endpoint_url="https://s3"),
]


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


def test_the_log_is_told_of_failures_with_their_cause(chain, make_processor, telemetry: ListTelemetry):
    chain.put("uploads/a.jpg", picture())
    fault = answer("SlowDown", 503)
    chain.invoke(handle(make_processor(client=Faulty(chain.s3, get_object=[fault]))), chain.receive())
    ((entry, error),) = telemetry.failures
    assert (entry["key"], entry["code"]) == ("uploads/a.jpg", "store_unavailable")
    assert error.__cause__ is fault
