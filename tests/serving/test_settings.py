import re
from pathlib import Path

import pytest

from model.image import Limits
from serving.errors import SettingsError
from serving.settings import S3Prefix, Settings


def test_an_empty_environment_gives_the_defaults():
    settings = Settings.from_environment({})
    assert settings == Settings(threads=settings.threads)


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("MODEL_URI", "s3://models/flowers", "model_uri", "s3://models/flowers"),
        ("ENGINE", "litert", "engine", "litert"),
        ("MODEL_CACHE", "/tmp/models", "model_cache", Path("/tmp/models")),
        ("AWS_LAMBDA_FUNCTION_NAME", "classify", "on_lambda", True),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency", "load_at_start", True),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start", "load_at_start", True),
        ("MAX_IMAGE_BYTES", "1000", "max_image_bytes", 1000),
        ("MAX_IMAGE_PIXELS", "1000", "max_image_pixels", 1000),
        ("MIN_IMAGE_SIDE", "1000", "min_image_side", 1000),
        ("MAX_DECODE_MB", "100", "max_decode_mb", 100),
        ("MAX_DECODE_SECONDS", "0.5", "max_decode_seconds", 0.5),
        ("MAX_BODY_BYTES", "1000", "max_body_bytes", 1000),
        ("MAX_BATCH", "5", "max_batch", 5),
        ("MAX_IN_FLIGHT", "6", "max_in_flight", 6),
        ("IMAGE_SOURCES", "s3://a/b/, s3://c", "image_sources", (S3Prefix("a", "b/"), S3Prefix("c", ""))),
        ("MODEL_REFRESH_SECONDS", "5", "model_refresh_seconds", 5),
        ("UPLOADS_BUCKET", "photos", "uploads_bucket", "photos"),
        ("UPLOADS_PREFIX", "incoming/", "uploads_prefix", "incoming/"),
        ("RESULTS_PREFIX", "labels/", "results_prefix", "labels/"),
        ("TAG_UPLOADS", "yes", "tag_uploads", True),
        ("PUBLISH_EVENTS", "yes", "publish_events", True),
        ("CORS_ORIGINS", "https://a.b http://c:3", "cors_origins", ("https://a.b", "http://c:3")),
        ("CORS_ORIGINS", "*", "cors_origins", ("*",)),
        ("API_KEY_NEEDED", "yes", "api_key_needed", True),
        ("PORT", "9000", "port", 9000),
        ("LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
        ("SERVICE_NAME", "recognition-prod", "service_name", "recognition-prod"),
    ],
)
def test_a_variable_sets_its_field(name, text, field, value):
    assert getattr(Settings.from_environment({name: text}), field) == value
    assert getattr(Settings(), field) != value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ENGINE", "onnx"),
        ("MAX_BATCH", "0"),
        ("MAX_BATCH", "many"),
        ("MAX_IMAGE_BYTES", "-1"),
        ("IMAGE_SOURCES", "https://photos"),
        ("IMAGE_SOURCES", "s3://"),
        ("IMAGE_SOURCES", "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/photos/uploads/"),
        ("IMAGE_SOURCES", "s3://*/uploads/"),
        ("IMAGE_SOURCES", "s3://photos/uploads/*"),
        ("CORS_ORIGINS", "site.example"),
        ("API_KEY_NEEDED", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2 GB"),
        ("THREADS", "1025"),
        ("MAX_BODY_BYTES", "9" * 20),
        ("MAX_DECODE_SECONDS", "inf"),
        ("MAX_DECODE_SECONDS", "nan"),
        ("MAX_BATCH", "\udcff"),
        ("SERVICE_NAME", "\udcff"),
        ("RESULTS_PREFIX", "a" * 513),
        ("AIP_PREDICT_ROUTE", "/a<b>"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_variable(name, text):
    with pytest.raises(SettingsError, match=f"^{name}={re.escape(repr(text))}: "):
        Settings.from_environment({name: text})


@pytest.mark.parametrize(("megabytes", "threads"), [("128", 1), ("1769", 1), ("3537", 1), ("3538", 2), ("10240", 5)])
def test_lambda_gives_a_thread_for_each_1769_megabytes(megabytes, threads):
    assert Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": megabytes}).threads == threads


def test_the_limits_of_an_image_are_those_that_are_set():
    limits = {
        "MAX_IMAGE_BYTES": "1",
        "MAX_IMAGE_PIXELS": "2",
        "MIN_IMAGE_SIDE": "3",
        "MAX_DECODE_MB": "4",
        "MAX_DECODE_SECONDS": "5",
    }
    assert Settings.from_environment(limits).limits == Limits(1, 2, 3, 4, 5.0)


@pytest.mark.parametrize(("memory", "decoders"), [("512", 204), ("1769", 707), ("10240", 1024)])
def test_decoders_get_a_share_of_the_functions_memory(memory, decoders):
    assert Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory}).limits.max_decode_mb == decoders


def test_a_place_in_s3_covers_its_own_bucket_and_prefix_only():
    place = S3Prefix("photos", "uploads/")
    assert place.covers("photos", "uploads/a.jpg")
    assert not place.covers("photos", "private/a.jpg")
    assert not place.covers("photos-2", "uploads/a.jpg")


@pytest.mark.parametrize(
    ("uploads", "results"),
    [("a/", "a/"), ("a/", "a/results/"), ("in/uploads/", "in/"), ("", "results/"), ("uploads/", "")],
)
def test_nothing_starts_where_a_result_would_be_taken_for_an_upload(uploads, results):
    with pytest.raises(SettingsError, match="neither may begin with the other"):
        Settings(uploads_prefix=uploads, results_prefix=results)


def test_nothing_starts_where_the_results_of_bulk_runs_would_be_taken_for_uploads():
    with pytest.raises(SettingsError, match="BULK_PREFIX='uploads/bulk/' begins with UPLOADS_PREFIX='uploads/'"):
        Settings.from_environment({"BULK_PREFIX": "uploads/bulk/"})


def test_prefixes_from_the_environment_are_held_to_the_same():
    with pytest.raises(SettingsError, match="UPLOADS_PREFIX='results/new/'"):
        Settings.from_environment({"UPLOADS_PREFIX": "results/new/"})


@pytest.mark.parametrize("prefix", ["claims-results/", "claims-results/uploads/"])
def test_nothing_starts_where_uploads_would_be_taken_for_claims(prefix):
    with pytest.raises(SettingsError, match="UPLOADS_PREFIX"):
        Settings(uploads_prefix=prefix)
