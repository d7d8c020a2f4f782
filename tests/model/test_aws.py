import pytest
from botocore.exceptions import ClientError

from model.aws import Fault, code_of, meaning_of


def answer(code, message="", status=0):
    response = {"Error": {"Code": code, "Message": message}}
    return ClientError(response | ({"ResponseMetadata": {"HTTPStatusCode": status}} if status else {}), "GetObject")


@pytest.mark.parametrize(
    ("code", "message", "fault"),
    [
        ("AccessDenied", "User: x is not authorized to perform: kms:Decrypt on resource: y", Fault.OPERATOR),
        ("AccessDenied", "Access Denied", Fault.DENIED),
        ("InvalidRequest", "Please use AWS4-HMAC-SHA256.", Fault.OPERATOR),
        ("InvalidRequest", "The object was stored using a form of Server Side Encryption.", Fault.LOCKED),
        ("InvalidArgument", "Requests specifying … require AWS Signature Version 4.", Fault.OPERATOR),
        ("InvalidArgument", "Invalid version id specified", Fault.PASSING),
    ],
)
def test_where_a_code_has_several_meanings_its_message_decides(code, message, fault):
    assert meaning_of(answer(code, message)).fault is fault


@pytest.mark.parametrize(
    ("status", "fault"),
    [(401, Fault.OPERATOR), (403, Fault.DENIED), (404, Fault.MISSING), (502, Fault.PASSING), (0, Fault.PASSING)],
)
def test_an_answer_without_a_code_is_known_by_its_status(status, fault):
    """As a proxy in front of S3 gives it, a page of HTML."""
    assert meaning_of(answer("", status=status)).fault is fault
    assert code_of(answer("NoSuchKey", status=status)) == "NoSuchKey"
