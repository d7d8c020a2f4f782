"""Which content a result is about: versions, or ETags where the bucket keeps none."""

import unicodedata

import pytest

from tests.support.chain import BUCKET, Chain, Context, handle, last_outcomes, sqs_event
from tests.support.fakes import picture


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


def test_keys_that_differ_by_normalisation_alone_are_different_objects(chain, make_processor):
    for form, colour in (("NFC", "red"), ("NFD", "blue")):
        chain.put(unicodedata.normalize(form, "uploads/é.jpg"), picture(colour))
    chain.drain(handle(make_processor()))
    assert last_outcomes(chain) == ["blue", "red"]
