"""The whole road in Azure's and in Google's own store: publish, promote, serve, upload, settle by a CloudEvent, read the result."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from model.stores.objects import open_bucket
from model.stores.s3 import open_client
from model.stores.uri import open_store
from tests.support.clouds import Cloud
from tests.support.events import load_event
from tests.support.server import run_server
from tests.support.tiny import draw_colours
from training.cli import main

STRUCTURED = {"Content-Type": "application/cloudevents+json"}


@dataclass(frozen=True)
class Place:
    bucket: str  # of uploads
    store: str
    cloud: Cloud

    def put(self, key: str, data: bytes) -> None:
        open_client(self.bucket).put_object(Bucket=self.bucket, Key=key, Body=data)

    def created(self, key: str) -> dict[str, Any]:
        """What the store would say of the object as it lies there now, or of one that nobody ever put."""
        found = next((one for one in open_bucket(self.bucket).list(key) if one.key == key), None)
        tag = open_bucket(self.bucket).head(key).etag if found else '"1"'
        name = self.bucket.partition("://")[2]
        if self.bucket.startswith("az://"):
            event = load_event("azure-blob-created")
            event["subject"] = f"/blobServices/default/containers/{name}/blobs/{key}"
            event["data"] |= {"eTag": tag, "contentLength": found.size if found else 1}
            return event
        event = load_event("google-finalized")
        event["data"] |= {"bucket": name, "name": key, "generation": tag.strip('"')}
        return event

    def results(self, key: str) -> list[dict[str, Any]]:
        found = open_bucket(self.bucket).list(f"results/{key}@")
        return [json.loads(open_bucket(self.bucket).read(one.key, 10_000) or b"") for one in found]


@pytest.fixture(scope="module", params=["azurite", "google_storage"])
def place(request):
    cloud: Cloud = request.getfixturevalue(request.param)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment.items():
            patch.setenv(name, value)
        yield Place(cloud.make(), f"{cloud.make()}/store", cloud)


def command(*words: str) -> str:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = draw_colours(tmp_path_factory.mktemp("photos"), per_class=1)
    return {path.parent.name: path for path in folder.glob("*/00.jpg")}


@pytest.fixture(scope="module")
def published(place, tiny_model, photos):
    """Three versions of one model, by the commands that users type; two are left, one is promoted."""
    for _ in range(3):
        command("publish", tiny_model, place.store)
    command("promote", place.store, "tiny", "2", "--alias", "production")
    command("prune", place.store, "tiny", "--keep", "1")
    return f"{place.store}/tiny@production"


def test_the_commands_work_there(place, published, photos):
    assert open_store(place.store).versions() == {"tiny": [2, 3]}
    assert "tiny" in command("list", place.store)
    assert "red" in command("predict", published, str(photos["red"]))


@pytest.fixture(scope="module")
def url(place, published, tmp_path_factory):
    environment = {"UPLOADS_BUCKET": place.bucket, "IMAGE_SOURCES": f"{place.bucket}/uploads/"}
    environment |= {"MODEL_CACHE": str(tmp_path_factory.mktemp("cache"))}
    with run_server(published, 1, tmp_path_factory.mktemp("log") / "log", **environment) as server:
        yield f"http://127.0.0.1:{server.port}"


def post(address: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    try:
        with urlopen(urllib.request.Request(address, body, headers), timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except HTTPError as refused:
        with refused as answer:
            return answer.code, json.loads(answer.read())


def deliver(url: str, *events: dict[str, Any]) -> int:
    batched = {"Content-Type": "application/cloudevents-batch+json"}
    return post(f"{url}/v1/events", json.dumps(events).encode(), batched)[0]


def test_the_promoted_version_answers(url, photos):
    status, answer = post(f"{url}/v1/classify", photos["red"].read_bytes(), {"Content-Type": "image/jpeg"})
    assert (status, answer["labels"][0]["name"], answer["model"]["version"]) == (200, "red", 2)


def test_an_object_is_read_by_its_reference_and_from_nowhere_else(url, place, photos):
    place.put("uploads/by reference.jpg", photos["green"].read_bytes())
    place.put("elsewhere/a.jpg", photos["green"].read_bytes())

    def classify(key: str, bucket: str = place.bucket) -> tuple[int, Any]:
        body = json.dumps({"image": {"s3": {"bucket": bucket, "key": key}}}).encode()
        return post(f"{url}/v1/classify", body, {"Content-Type": "application/json"})

    assert classify("uploads/by reference.jpg")[1]["labels"][0]["name"] == "green"
    assert classify("uploads/none.jpg")[0] == 404
    assert classify("elsewhere/a.jpg")[0] == classify("uploads/a.jpg", bucket="uploads")[0] == 403


def test_an_upload_is_settled_once_however_often_it_is_told(url, place, photos):
    key = "uploads/a blue #1%20+ü.jpg"
    place.put(key, photos["blue"].read_bytes())
    event = place.created(key)
    assert [deliver(url, event, event), deliver(url, event)] == [204, 204]
    [result] = place.results(key)
    assert (result["labels"][0]["name"], result["object"]["bucket"]) == ("blue", place.bucket)
    assert result["object"]["size"] == photos["blue"].stat().st_size


def test_an_overwritten_object_has_a_result_for_each_content(url, place, photos):
    key = "uploads/twice.jpg"
    for colour in ("blue", "red"):
        place.put(key, photos[colour].read_bytes())
        assert deliver(url, place.created(key)) == 204
    assert sorted(result["labels"][0]["name"] for result in place.results(key)) == ["blue", "red"]


def test_what_is_no_image_is_settled_too_and_not_delivered_again(url, place):
    place.put("uploads/poison.jpg", b"hello")
    assert deliver(url, place.created("uploads/poison.jpg")) == 204
    [result] = place.results("uploads/poison.jpg")
    assert result["error"]["code"] == "unsupported_image"


def test_what_is_gone_is_settled_as_gone(url, place, photos):
    key = "uploads/gone.jpg"
    place.put(key, photos["blue"].read_bytes())
    event = place.created(key)
    open_client(place.bucket).delete_object(Bucket=place.bucket, Key=key)
    assert deliver(url, event) == 204
    [result] = place.results(key)
    assert result["error"]["code"] == "object_not_found"


def test_results_and_claims_are_no_uploads(url, place):
    before = sorted(found.key for found in open_bucket(place.bucket).list(""))
    events = [place.created(key) for key in before if key.startswith("results/")]
    assert events
    assert deliver(url, *events, place.created("claims-results/uploads/a.jpg"), place.created("other.jpg")) == 204
    assert sorted(found.key for found in open_bucket(place.bucket).list("")) == before


@pytest.mark.parametrize("key", ["uploads/folder/", "uploads/a//b.jpg"])
def test_a_folder_and_a_name_that_cannot_be_read_are_nothing_to_do(url, place, key):
    event = place.created("uploads/none")
    if "subject" in event and key.endswith("/"):
        event["data"] |= {"contentLength": 0} if place.bucket.startswith("az:") else {"size": "0"}
    event["subject"] = event["subject"].replace("uploads/none", key)
    if "name" in event["data"]:
        event["data"]["name"] = key
    assert deliver(url, event) == 204
    assert not [found for found in open_bucket(place.bucket).list("results/") if found.key.startswith(f"results/{key}")]


def test_another_container_is_none_of_its_business(url, place):
    event = place.created("uploads/a.jpg")
    event["data"] |= {"bucket": "another-bucket"}
    event["subject"] = "/blobServices/default/containers/another/blobs/uploads/a.jpg"
    status, answer = post(f"{url}/v1/events", json.dumps(event).encode(), STRUCTURED)
    assert (status, answer["code"]) == (403, "source_forbidden")


def test_forms_are_signed_in_s3_alone(url):
    status, answer = post(f"{url}/v1/uploads", b'{"content_type": "image/jpeg"}', {"Content-Type": "application/json"})
    assert (status, answer["code"]) == (404, "uploads_not_offered")
