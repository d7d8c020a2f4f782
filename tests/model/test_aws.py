import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    UnauthorizedSSOTokenError,
)

from model.aws import MEANINGS, Fault, meaning_of, translated
from model.errors import ModelNotFound, StoreError, StoreForbidden, StoreMisconfigured, StoreUnavailable

KINDS = {
    Fault.MISSING: ModelNotFound,
    Fault.DENIED: StoreForbidden,
    Fault.OPERATOR: StoreMisconfigured,
    Fault.ARCHIVED: StoreForbidden,
    Fault.LOCKED: StoreForbidden,
    Fault.TAKEN: StoreUnavailable,
}


def answer(code, message=""):
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")


def raised_for(error):
    with pytest.raises((ModelNotFound, StoreError)) as caught, translated("s3://models/flowers"):
        raise error
    assert "s3://models/flowers" in str(caught.value)
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize("code", MEANINGS)
def test_every_answer_of_the_table_is_an_error_of_ours_that_names_the_address(code):
    assert type(raised_for(answer(code))) is KINDS[MEANINGS[code].fault]


@pytest.mark.parametrize("code", [code for code, meaning in MEANINGS.items() if meaning.fault is Fault.OPERATOR])
def test_what_the_operator_has_to_mend_comes_with_its_remedy(code):
    assert MEANINGS[code].remedy in str(raised_for(answer(code)))


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "503", "KMS.ThrottlingException", "NewInAWeek", ""])
def test_what_is_not_in_the_table_may_pass(code):
    assert type(raised_for(answer(code))) is StoreUnavailable


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
    "error",
    [
        NoCredentialsError(),
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        CredentialRetrievalError(provider="process", error_msg="1"),
        UnauthorizedSSOTokenError(),
        InvalidRegionError(region_name="mars/1"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_sdk_finds_wrong_before_it_asks_is_the_operators(error):
    assert type(raised_for(error)) is StoreMisconfigured


def test_an_s3_out_of_reach_may_come_back():
    assert type(raised_for(EndpointConnectionError(endpoint_url="https://s3.example"))) is StoreUnavailable
