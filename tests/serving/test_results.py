import boto3
import msgspec
import pytest

from model.errors import StoreForbidden, StoreMisconfigured, StoreUnavailable
from serving.results import LONGEST_KEY, Results, result_key
from serving.schemas import Timing, UploadedObject, UploadResult

BUCKET = "uploads-bucket"
ELSEWHERE = UploadedObject("my bucket", "uploads/a.jpg", "1", "e", 7)


@pytest.fixture
def s3(aws):
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def result(key="results/uploads/a.jpg@1.json", created="first"):
    return UploadResult(UploadedObject(BUCKET, "uploads/a.jpg", "1", "e", 7), key, created, Timing(1, 2, 3))


def test_a_result_is_named_after_the_object_and_its_version():
    assert result_key("results/", "uploads/a b+c%20é@2.jpg", "v.1") == "results/uploads/a b+c%20é@2.jpg@v.1.json"


def test_the_longest_keys_have_results_too():
    keys = ["uploads/" + "é" * 508, "uploads/" + "é" * 507 + "xx"]  # 1,024 bytes each
    names = [result_key("results/", key, "v") for key in keys]
    assert all(len(name.encode()) <= LONGEST_KEY for name in names)
    assert names[0] != names[1]


def test_what_is_written_is_read_back(s3):
    results = Results(s3, "results/")
    assert results.write_once(result()) == result()
    assert results.read(BUCKET, result().key) == result()


def test_there_is_no_result_before_one_is_written(s3):
    assert Results(s3, "results/").read(BUCKET, "results/none.json") is None


def test_a_second_result_changes_nothing_and_learns_the_first(s3):
    results = Results(s3, "results/")
    results.write_once(result(created="first"))
    assert results.write_once(result(created="second")).created == "first"
    assert results.read(BUCKET, result().key).created == "first"


def test_the_newest_result_of_an_object_is_found_without_its_version(s3):
    results = Results(s3, "results/")
    assert results.newest(BUCKET, "uploads/a.jpg") is None
    results.write_once(result("results/uploads/a.jpg@1.json", "first"))
    results.write_once(result("results/uploads/a.jpgx@1.json", "another's"))
    assert results.newest(BUCKET, "uploads/a.jpg").created == "first"


class Refusing:
    """An S3 that answers every call with one error."""

    def __init__(self, code, status=400):
        self._answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def _refuse(self, **_):
        from botocore.exceptions import ClientError

        raise ClientError(self._answer, "PutObject")

    get_object = put_object = _refuse


@pytest.mark.parametrize(("code", "error"), [("AccessDenied", StoreForbidden), ("SlowDown", StoreUnavailable)])
def test_a_store_that_cannot_answer_is_no_missing_result(code, error):
    with pytest.raises(error):
        Results(Refusing(code), "results/").read(BUCKET, "results/x.json")
    with pytest.raises(error):
        Results(Refusing(code), "results/").write_once(result())


@pytest.mark.parametrize(
    "act",
    [
        lambda results: results.newest("my bucket", "uploads/a.jpg"),
        lambda results: results.find("my bucket", "results/a.json"),
        lambda results: results.write_once(msgspec.structs.replace(result(), object=ELSEWHERE)),
    ],
    ids=["newest", "find", "write_once"],
)
def test_a_bucket_that_cannot_be_is_the_operators_to_mend(s3, act):
    with pytest.raises(StoreMisconfigured, match="UPLOADS_BUCKET"):
        act(Results(s3, "results/"))


def test_a_result_is_replaced_only_while_it_is_the_one_that_was_seen(s3):
    results = Results(s3, "results/")
    results.write_once(result(created="first"))
    seen = results.find(BUCKET, result().key)
    assert results.write_once(result(created="second"), seen).created == "second"
    assert results.write_once(result(created="third"), seen).created == "second"


def test_a_result_that_was_deleted_since_it_was_seen_is_tried_again(s3):
    results = Results(s3, "results/")
    results.write_once(result())
    seen = results.find(BUCKET, result().key)
    s3.delete_object(Bucket=BUCKET, Key=result().key)
    with pytest.raises(StoreUnavailable):
        results.write_once(result(created="second"), seen)


@pytest.mark.parametrize("body", [b"", b"oops", b"[]", b"\xff\xfe", b'{"key": 7}'])
def test_something_else_is_no_result_and_does_not_hide_one(s3, body):
    results = Results(s3, "results/")
    s3.put_object(Bucket=BUCKET, Key="results/uploads/a.jpg@2.json", Body=body)
    assert results.read(BUCKET, "results/uploads/a.jpg@2.json") is None
    assert results.newest(BUCKET, "uploads/a.jpg") is None
    results.write_once(result())
    assert results.newest(BUCKET, "uploads/a.jpg") == result()


def test_a_copy_of_a_result_elsewhere_is_no_result_of_what_belongs_there(s3):
    results = Results(s3, "results/")
    results.write_once(result())
    s3.copy_object(Bucket=BUCKET, Key="results/b.json", CopySource=f"{BUCKET}/{result().key}")
    assert results.read(BUCKET, "results/b.json") is None
