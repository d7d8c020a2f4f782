"""Images too large for a request: a form with which the client itself puts one into the bucket, and its result when it is there.

The form is signed for one key, one content type and a bounded size; S3 refuses anything else. Whoever knows the id of an upload
may read its result, and an id cannot be guessed.
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from model.aws_errors import translated
from model.stores.addresses import in_s3
from serving.errors import ResultNotReady, UploadsNotOffered
from serving.results import Results
from serving.schemas import S3Reference, UploadResult
from serving.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

VALID = timedelta(minutes=15)
ID = re.compile(r"[0-9a-f]{32}")


class UploadRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is going to be uploaded."""

    content_type: Annotated[
        str, Meta(pattern=r"^(image/[a-z0-9.+-]+|application/octet-stream)$", examples=["image/jpeg"])
    ]


class UploadForm(Struct, frozen=True):
    """POST `fields`, and then the file as the field `file`, as multipart/form-data to `url`."""

    id: str
    url: str
    fields: dict[str, str]
    max_bytes: int
    expires: Annotated[str, Meta(description="ISO 8601, UTC.")]
    s3: Annotated[S3Reference, Meta(description="To be classified at once by POST /v1/classify, when it is uploaded.")]


class UploadForms:
    """Signs forms for the bucket that the settings name, through the boto3 S3 client that `connect` makes."""

    def __init__(self, settings: Settings, connect: "Callable[[], S3Client]") -> None:
        if not settings.uploads_bucket:
            raise UploadsNotOffered("uploads are not offered here: the operator has to name a bucket in UPLOADS_BUCKET")
        if not in_s3(settings.uploads_bucket):
            raise UploadsNotOffered(
                "forms are signed for buckets in S3 alone: put images where UPLOADS_BUCKET says by that store's own means; results "
                "lie beside them"
            )
        self._bucket, self._prefix = settings.uploads_bucket, settings.uploads_prefix
        self._max_bytes = settings.max_image_bytes
        self._client = connect()
        self._results = Results(self._client, settings.results_prefix)

    def sign(self, content_type: str) -> UploadForm:
        id = uuid.uuid4().hex
        field = {"Content-Type": content_type}
        with translated("a form for uploads"):
            signed = self._client.generate_presigned_post(
                self._bucket,
                f"{self._prefix}{id}",
                Fields=field,
                Conditions=[field, ["content-length-range", 1, self._max_bytes]],
                ExpiresIn=int(VALID.total_seconds()),
            )
        expires = (datetime.now(UTC) + VALID).isoformat(timespec="seconds")
        reference = S3Reference(self._bucket, f"{self._prefix}{id}")
        return UploadForm(id, signed["url"], signed["fields"], self._max_bytes, expires, reference)

    def result(self, id: str) -> UploadResult:
        """Raises ResultNotReady, StoreForbidden or StoreUnavailable."""
        found = self._results.newest(self._bucket, f"{self._prefix}{id}") if ID.fullmatch(id) else None
        if found is None:
            raise ResultNotReady(
                "there is no result of that upload, or none yet: ask again after Retry-After; it follows an upload within seconds"
            )
        return found


def signing_client() -> "S3Client":
    """Raises StoreMisconfigured where there is nothing to sign with."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError

    # version 4, and the address of the bucket's own region: boto3's choices for presigning are neither everywhere, and a form
    # cannot be redirected; path style is the one address that is right on AWS and beside it
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"mode": "standard"})
    with translated("a form for uploads"):
        session = boto3.session.Session()  # one of its own: threads may come here together
        if session.get_credentials() is None:
            raise NoCredentialsError
        return session.client("s3", config=config)
