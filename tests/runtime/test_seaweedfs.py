"""The whole road on an S3 that is not AWS's: publish, promote, serve, upload, settle by a CloudEvent, read the result."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
import pytest
import requests
from click.testing import CliRunner
from cloudevents.v1.conversion import to_binary
from cloudevents.v1.http import CloudEvent

from model.stores.aliases import promote, rollback
from model.stores.uri import open_store, resolve
from serving.results import Results
from serving.schemas import Timing, UploadedObject, UploadResult
from tests.support.fakes import base64_of, picture
from tests.support.seaweed import seaweedfs
from tests.support.server import run_server
from tests.support.tiny import draw_colours
from training.cli import main

BUCKET, STORE = "uploads", "s3://models/store"


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setattr("boto3.DEFAULT_SESSION", None)
        with seaweedfs(tmp_path_factory.mktemp("s3")) as url:
            patch.setenv("AWS_ENDPOINT_URL", url)
            client = boto3.client("s3")
            client.create_bucket(Bucket=BUCKET)
            yield client


@pytest.fixture(scope="module")
def published(s3, tiny_model):
    """Two versions of one model, by the command that users type."""
    for _ in range(2):
        done = CliRunner().invoke(main, ["publish", tiny_model, STORE])
        assert done.exit_code == 0, done.output
    return f"{STORE}/tiny"


def test_an_alias_moves_forth_and_back(published):
    store = open_store(STORE)
    assert [promotion.version for promotion in promote(store, "tiny", 1, "production")] == [1]
    promote(store, "tiny", 2, "production")
    assert resolve(f"{published}@production").number == 2
    rollback(store, "tiny", "production")
    assert resolve(f"{published}@production").number == 1


def test_a_result_that_many_write_is_written_once(s3):
    results = Results(s3, "once/")
    timing = Timing(0, 0, 0)

    def write(number):
        item = UploadedObject(BUCKET, "a.jpg", etag="e")
        return results.write_once(UploadResult(item, results.key_of("a.jpg", "e"), str(number), timing)).created

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(write, range(8)))) == 1


@pytest.fixture(scope="module")
def url(published, tmp_path_factory):
    promote(open_store(STORE), "tiny", 2, "serving")
    environment = {"UPLOADS_BUCKET": BUCKET, "IMAGE_SOURCES": f"s3://{BUCKET}/uploads/"}
    environment |= {"MODEL_CACHE": str(tmp_path_factory.mktemp("cache"))}
    with run_server(f"{published}@serving", 1, tmp_path_factory.mktemp("log") / "log", **environment) as server:
        yield f"http://127.0.0.1:{server.port}"


def post(address, body, **headers):
    request = urllib.request.Request(address, body, {name.replace("_", "-"): text for name, text in headers.items()})
    with urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = draw_colours(tmp_path_factory.mktemp("photos"), per_class=1)
    return {path.parent.name: path.read_bytes() for path in folder.glob("*/00.jpg")}


def test_the_promoted_version_answers(url, photos):
    answer = post(f"{url}/v1/classify", photos["red"], Content_Type="image/jpeg")
    assert (answer["labels"][0]["name"], answer["model"]) == ("red", {"name": "tiny", "version": 2})


def test_an_upload_by_a_signed_form_is_settled_by_its_event(url, s3, photos):
    form = post(f"{url}/v1/uploads", b'{"content_type": "image/jpeg"}', Content_Type="application/json")
    assert requests.post(form["url"], data=form["fields"], files={"file": photos["blue"]}, timeout=60).status_code < 300
    reference = json.dumps({"image": {"s3": {"bucket": BUCKET, "key": form["s3"]["key"]}}}).encode()
    assert post(f"{url}/v1/classify", reference)["labels"][0]["name"] == "blue"
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{url}/v1/results/{form['id']}")

    head = s3.head_object(Bucket=BUCKET, Key=form["s3"]["key"])
    entry = {"bucket": {"name": BUCKET}, "object": {"key": form["s3"]["key"], "eTag": head["ETag"].strip('"')}}
    record = {"eventSource": "seaweedfs:s3", "eventName": "s3:ObjectCreated:Post", "s3": entry}
    headers, body = to_binary(CloudEvent({"type": "com.amazonaws.s3.ObjectCreated:Post", "source": BUCKET}, record))
    for _ in range(2):  # brokers deliver at least once
        post(f"{url}/v1/events", body, **headers)

    with urlopen(f"{url}/v1/results/{form['id']}") as result:
        assert json.load(result)["labels"][0]["name"] == "blue"
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="results/")["KeyCount"] == 1


def test_what_is_no_image_is_refused(url):
    with pytest.raises(HTTPError) as refused:
        post(f"{url}/v1/classify", json.dumps({"image": {"bytes": base64_of(picture()[:20])}}).encode())
    assert refused.value.code == 422
