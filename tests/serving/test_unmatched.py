"""Nothing starts with a value that could never match what callers, browsers and events say."""

import re

import pytest

from serving.errors import SettingsError
from serving.settings import Settings

REFUSED = [
    # the variable, its value, what the refusal says to do
    ("CORS_ORIGINS", "https://site.example/", "write https://site.example,"),
    ("CORS_ORIGINS", "https://site.example/app", "write https://site.example,"),
    ("CORS_ORIGINS", "https://site.example:443", "write https://site.example,"),
    ("CORS_ORIGINS", "http://site.example:80/", "write http://site.example,"),
    ("CORS_ORIGINS", "https://Site.Example", "write https://site.example,"),
    ("CORS_ORIGINS", "https://a.example, https://b.example/", "write https://b.example,"),
    ("CORS_ORIGINS", "https://*.example", "without wildcards"),
    ("CORS_ORIGINS", "https://user@site.example", "without wildcards, user"),
    ("CORS_ORIGINS", "https://site.example?x", "or query"),
    ("CORS_ORIGINS", "https://größe.example", "punycode"),
    ("UPLOADS_PREFIX", "uploads/*", "write uploads/"),
    ("UPLOADS_PREFIX", "*", "write uploads/"),
    ("UPLOADS_PREFIX", "s3://photos/uploads/", "UPLOADS_BUCKET names the bucket"),
    ("UPLOADS_PREFIX", "'uploads/'", "take them away"),
    ("RESULTS_PREFIX", "results/*", "write results/"),
    ("BULK_PREFIX", "gs://photos/bulk/", "UPLOADS_BUCKET names the bucket"),
    ("IMAGE_SOURCES", "s3://photos/*/x", "write s3://photos/"),
    ("IMAGE_SOURCES", "s3://photos/x/*.jpg", "write s3://photos/x/"),
    ("IMAGE_SOURCES", "s3://photos/x;s3://more/y", "between blanks or commas"),
    ("IMAGE_SOURCES", "s3://photos/xs3://more/y", "a blank or a comma between them"),
    ("IMAGE_SOURCES", '"s3://photos/x"', "take them away"),
    ("UPLOADS_BUCKET", "arn:aws:s3:::photos", "write photos"),
    ("UPLOADS_BUCKET", "arn:aws:sns:us-east-1:123456789012:", "names no bucket"),
    ("UPLOADS_BUCKET", "'photos'", "take them away"),
    ("UPLOADS_BUCKET", "s3://photos/", "alone: photos"),
    ("UPLOADS_BUCKET", "photos bucket", "no bucket has such a name"),
    ("UPLOADS_BUCKET", "x" * 300, "no bucket has such a name"),
]
TAKEN = [
    ("CORS_ORIGINS", "https://site.example http://localhost:3000,http://[::1]:8080, https://site.example:8443"),
    ("CORS_ORIGINS", "*"),
    ("CORS_ORIGINS", "http://127.0.0.1:443"),
    ("UPLOADS_PREFIX", "/in coming/2024?/"),
    ("IMAGE_SOURCES", "s3://photos, s3://photos/a;b/ az://container/x gs://photos"),
    ("UPLOADS_BUCKET", "photos.example-1"),
    ("UPLOADS_BUCKET", "az://container"),
    ("UPLOADS_BUCKET", "gs://photos_1"),
    ("UPLOADS_BUCKET", "arn:aws:s3:us-east-1:123456789012:accesspoint:photos"),
]


@pytest.mark.parametrize(("name", "text", "remedy"), REFUSED)
def test_a_value_that_could_never_match_is_refused_with_the_remedy(name, text, remedy):
    with pytest.raises(SettingsError, match=f"^{name}={re.escape(repr(text))}: .*{re.escape(remedy)}"):
        Settings.from_environment({name: text})


@pytest.mark.parametrize(("name", "text"), TAKEN)
def test_a_value_that_can_match_is_taken(name, text):
    assert Settings.from_environment({name: text})
