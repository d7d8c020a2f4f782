"""What calls of AWS's SDK come to: an error of ours, whoever's fault it is, and never one of the SDK's own."""

import os
import socket
from io import BytesIO
from threading import Thread

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    EndpointConnectionError,
    FlexibleChecksumError,
    IncompleteReadError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    ResponseStreamingError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from model.aws import MEANINGS, Fault
from model.aws_errors import translated
from model.errors import ModelNotFound, StoreError, StoreForbidden, StoreMisconfigured, StoreUnavailable
from model.stores.s3 import open_client
from serving.s3 import s3_client

KINDS = {
    Fault.MISSING: ModelNotFound,
    Fault.DENIED: StoreForbidden,
    Fault.OPERATOR: StoreMisconfigured,
    Fault.ARCHIVED: StoreForbidden,
    Fault.LOCKED: StoreForbidden,
    Fault.TAKEN: StoreUnavailable,
}
KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}


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
    "error",
    [
        NoCredentialsError(),
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        CredentialRetrievalError(provider="process", error_msg="1"),
        UnauthorizedSSOTokenError(),
        InvalidRegionError(region_name="mars/1"),
        ProfileNotFound(profile="nobody"),
        ConfigParseError(path="/home/x/.aws/config"),
        BotoCoreError(),
        FileNotFoundError(2, "No such file or directory", "/var/run/secrets/token"),
        ValueError("Invalid endpoint: localhost:9000"),
        KeyError("ETag"),
        ResponseParserError("no XML"),
        RecursionError("maximum recursion depth exceeded"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_no_second_try_mends_is_the_operators(error):
    assert type(raised_for(error)) is StoreMisconfigured


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://s3.example"),
        ReadTimeoutError(endpoint_url="https://s3.example"),
        ResponseStreamingError(error="reset"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        FlexibleChecksumError(error_msg="another checksum"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_line_did_may_pass(error):
    assert type(raised_for(error)) is StoreUnavailable


def test_a_full_disk_is_no_fault_of_a_store():
    with pytest.raises(OSError, match="No space"), translated("s3://models/flowers"):
        raise OSError(28, "No space left on device")


@pytest.fixture
def configured(monkeypatch, tmp_path):
    """Only these variables of AWS are set, and a configuration file of this content."""

    def configure(config="", **variables):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        (tmp_path / "config").write_text(config)
        for name in {name for name in os.environ if name.startswith("AWS_")} - {"AWS_EC2_METADATA_DISABLED"}:
            monkeypatch.delenv(name)
        places = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
        for name, value in (places | variables).items():
            monkeypatch.setenv(name, value)

    return configure


ROLE = "[profile r]\nrole_arn=arn:aws:iam::1:role/x\nsource_profile=nobody\nregion=us-east-1\n"
PROCESS = "[profile r]\ncredential_process={}\nregion=us-east-1\n"
WRONG = {
    "a profile that is none": ("", {"AWS_PROFILE": "nobody"}),
    "a file that is none": ("[not ini", KEYS),
    "half of the credentials": ("", {"AWS_ACCESS_KEY_ID": "a"}),
    "a role of nobody": (ROLE, {"AWS_PROFILE": "r"}),
    "a program that is none": (PROCESS.format("/no/such/program"), {"AWS_PROFILE": "r"}),
    "a program that fails": (PROCESS.format("/bin/false"), {"AWS_PROFILE": "r"}),
    "a program that tells none": (PROCESS.format("/bin/echo none"), {"AWS_PROFILE": "r"}),
    "an endpoint without a scheme": ("", KEYS | {"AWS_ENDPOINT_URL": "localhost:9000"}),
    "an endpoint of blanks": ("", KEYS | {"AWS_ENDPOINT_URL": " "}),
    "an endpoint with half an address": ("", KEYS | {"AWS_ENDPOINT_URL": "http://[::1"}),
    "an endpoint whose port is none": ("", KEYS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:99999"}),
    "a region that is none": ("", KEYS | {"AWS_DEFAULT_REGION": "no such region!"}),
    "a token's file that is none": (
        "",
        {"AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/token"},
    ),
    "a token's file that is a folder": (
        "",
        {"AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": "/"},
    ),
    "a key with a line break": ("", KEYS | {"AWS_ACCESS_KEY_ID": "a\nb", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
}


@pytest.mark.parametrize("connect", [s3_client, lambda: open_client("models")], ids=["serving", "models"])
@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_is_wrong_with_the_settings_of_aws_is_said(configured, connect, wrong):
    config, variables = WRONG[wrong]
    configured(config, **variables)
    with pytest.raises(StoreMisconfigured) as caught, translated("s3://models"):
        connect().get_object(Bucket="models", Key="a")
    assert "Credential=" not in str(caught.value)  # a header that would hold it


def test_a_program_for_credentials_that_cannot_be_run_is_said(configured, tmp_path):
    program = tmp_path / "credentials"
    program.write_text("echo {}\n")  # it does not say by what it is run
    program.chmod(0o700)
    configured(PROCESS.format(program), AWS_PROFILE="r")
    with pytest.raises(StoreMisconfigured, match=str(program)), translated("s3://models"):
        open_client("models").get_object(Bucket="models", Key="a")


def test_only_what_a_test_names_is_set_for_aws(configured, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    configured(**KEYS)
    assert open_client("models").meta.endpoint_url == "https://s3.amazonaws.com"


@pytest.fixture
def breaking_server():
    """An S3 that breaks off whatever it sends."""
    body = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 99\r\nConnection: close\r\n\r\n'
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    head = client.recv(65536)
                    client.sendall(body + (b"" if head.startswith(b"HEAD") else b"a few"))

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_a_download_that_breaks_off_each_time_may_pass(configured, breaking_server):
    configured(**KEYS, AWS_ENDPOINT_URL=breaking_server)
    with pytest.raises(StoreUnavailable), translated("s3://models/flowers"):
        open_client("models").download_fileobj("models", "a", BytesIO())
