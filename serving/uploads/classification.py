"""One object → its one result.

    [a result already? done] → read → decode → score → write once → announce

The result is written by a conditional put under a name that the object's version decides, so that doing anything again changes
nothing. What can never be classified gets an error as its result; what may pass is raised.
"""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict, replace

from model.errors import ImageError
from model.stores.addresses import address_of, in_s3
from serving.errors import FatalImage, ObjectArchived, ObjectLocked, ObjectNotFound
from serving.inference import Recogniser, Timings, milliseconds_since
from serving.problems import TABLE, problem_of
from serving.results import Results
from serving.s3 import FOLDERS, look_up, read_body, refuse_too_large, s3_errors, unpacked
from serving.schemas import ImageFacts, ModelName, Timing, UploadedObject, UploadResult
from serving.settings import Settings
from serving.telemetry import Telemetry
from serving.uploads.claims import Claims
from serving.uploads.events import Message
from serving.uploads.invocation import Invocation
from serving.uploads.notifications import Notify
from serving.uploads.objects import Upload

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

OF_THE_OBJECT = {  # codes of errors that are true of an object as it lies there now, and may not be when it comes again
    TABLE[kind][1] for kind in (ObjectNotFound, ObjectArchived, ObjectLocked)
}


class UploadClassifier:
    """Classifies objects through `client`, a boto3 S3 client, or what stands for one where UPLOADS_BUCKET is not in S3."""

    def __init__(
        self,
        settings: Settings,
        recogniser: Recogniser,
        telemetry: Telemetry,
        client: "S3Client",
        notify: Sequence[Notify],
    ) -> None:
        self._bucket, self._prefix, self._max_bytes = (
            settings.uploads_bucket,
            settings.uploads_prefix,
            settings.max_image_bytes,
        )
        self._results = Results(client, settings.results_prefix)
        self._claims = Claims(client, settings.results_prefix)
        self._recogniser, self._client, self._telemetry, self._notify = recogniser, client, telemetry, notify

    def settle(
        self, upload: Upload, message: Message, invocation: Invocation, entry: dict[str, object]
    ) -> list[UploadResult]:
        """The one result of an object, made now or before; none where the object is not ours to classify."""
        ours = upload.key.startswith(self._prefix) and not upload.key.startswith(self._claims.prefix)
        if not ours or in_s3(upload.bucket) != in_s3(self._bucket):
            self._telemetry.settled(entry | {"outcome": "outside"})
            return []
        try:
            item, size = self._identify(upload)
            if size == 0 and item.key.endswith(FOLDERS):
                self._telemetry.settled(entry | {"outcome": "folder"})
                return []
            result, facts = self._result_of(item, message, invocation)
        except ObjectNotFound:  # nor is there a bucket that could hold a result
            self._telemetry.settled(entry | {"outcome": "gone"})
            return []
        for notify in self._notify:
            facts |= notify(result)
        self._telemetry.settled(entry | facts | _facts(result))
        return [result]

    def _identify(self, upload: Upload) -> tuple[UploadedObject, int | None]:
        """The object of an event and its size; where the event does not say which version it means, the one that is there now."""
        item = UploadedObject(upload.bucket, upload.key, upload.version_id, upload.etag)
        folder = upload.size is None and upload.key.endswith(FOLDERS)
        if (item.version_id or item.etag) and not folder:
            return item, upload.size
        wanted = {"Bucket": upload.bucket, "Key": upload.key}
        with s3_errors(address_of(upload.bucket, upload.key)):
            head = look_up(self._client, wanted | ({"VersionId": item.version_id} if item.version_id else {}))
            version = item.version_id or head.get("VersionId")
            return replace(item, version_id=version, etag=head["ETag"].strip('"')), head["ContentLength"]

    def _result_of(
        self, item: UploadedObject, message: Message, invocation: Invocation
    ) -> tuple[UploadResult, dict[str, object]]:
        """The result that stands, or else one that is made now, and what the log says of how it came about."""
        version = item.version_id or str(item.etag)
        standing = self._results.find(item.bucket, self._results.key_of(item.key, version))
        before = standing.result if standing else None
        if before and not _may_have_changed(before):
            return before, {"outcome": "repeated", "cold": False}
        timings = Timings()
        result = self._classify(item, version, message, invocation, timings)
        if before and before.error and result.error and before.error.code == result.error.code:
            return before, {"outcome": "repeated", "cold": timings.cold}
        result = self._results.write_once(result, standing)
        return result, {"outcome": "rejected" if result.error else "classified", "cold": timings.cold}

    def _classify(
        self, item: UploadedObject, version: str, message: Message, invocation: Invocation, timings: Timings
    ) -> UploadResult:
        """Raises what may pass: ModelError or StoreError."""
        key, started = self._results.key_of(item.key, version), time.perf_counter()
        try:
            with self._guard(item, version, message, invocation, timings):
                item, answer = self._open(item)
                timings.read_ms = milliseconds_since(started)
                prediction = self._recogniser.recognise([lambda: self._read(item, answer)], timings, batch=False)
        except (ImageError, ObjectNotFound, ObjectArchived, ObjectLocked, FatalImage) as error:
            return _result(item, key, timings, error=replace(problem_of(error), request_id=invocation.id))
        image, classifier = prediction.images[0], prediction.classifier
        return _result(
            item,
            key,
            timings,
            labels=classifier.rank(prediction.scores[0]),
            decision=prediction.decisions[0],
            model=ModelName(classifier.manifest.name, classifier.version),
            image=ImageFacts(image.width, image.height, image.format),
        )

    def _guard(
        self, item: UploadedObject, version: str, message: Message, invocation: Invocation, timings: Timings
    ) -> AbstractContextManager[None]:
        """What a suspect is tried under. The model is loaded first: what that costs or breaks is no fault of an image."""
        if message.receives == 1:
            return nullcontext()
        self._recogniser.classifier(timings)
        return self._claims.alone(item, version, message, invocation.time_left())

    def _open(self, item: UploadedObject) -> "tuple[UploadedObject, GetObjectOutputTypeDef]":
        """The object with all that S3 says of it, and S3's answer, its bytes unread. Raises what s3_errors says."""
        exactly: Any = {"VersionId": item.version_id} if item.version_id else {"IfMatch": f'"{item.etag}"'}
        with s3_errors(address_of(item.bucket, item.key)):
            answer = self._client.get_object(Bucket=item.bucket, Key=item.key, **exactly)
            return replace(item, etag=answer["ETag"].strip('"'), size=answer["ContentLength"]), answer

    def _read(self, item: UploadedObject, answer: "GetObjectOutputTypeDef") -> bytes:
        with closing(answer["Body"]), s3_errors(address_of(item.bucket, item.key)):
            refuse_too_large(item.size or 0, self._max_bytes)
            body = read_body(answer["Body"])
        return unpacked(body, answer.get("ContentEncoding"), self._max_bytes)


def _may_have_changed(result: UploadResult) -> bool:
    """Whether it is about what lay in S3 then: a bucket without versions may hold that content again, an archive be restored."""
    return result.error is not None and result.error.code in OF_THE_OBJECT


def _result(item: UploadedObject, key: str, timings: Timings, **outcome: Any) -> UploadResult:
    timing = Timing(round(timings.read_ms, 1), round(timings.decode_ms, 1), round(timings.infer_ms, 1))
    return UploadResult(item, key, datetime.now(UTC).isoformat(timespec="milliseconds"), timing, **outcome)


def _facts(result: UploadResult) -> dict[str, object]:
    """What the log says of a result."""
    facts: dict[str, object] = {"result": result.key, "bytes": result.object.size}
    facts |= {f"{name}_ms": value for name, value in asdict(result.timing).items()}
    if result.error:
        facts["code"] = result.error.code
    if result.model and result.labels and result.image:
        best = result.labels[0]
        facts |= {"format": result.image.format, "label": best.name, "score": best.score}
        facts |= {"model": result.model.name, "version": result.model.version}
    if result.decision:
        facts["decision"] = result.decision
    return facts
