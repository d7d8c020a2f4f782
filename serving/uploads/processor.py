"""What an upload does: each object under the uploads prefix gets exactly one result, whatever comes twice, late or dies.

    message → its objects → [a result already? done] → read → decode → score → write once → announce

The result is written by a conditional put under a name that the object's version decides, so that doing anything again changes
nothing. What can never be classified gets an error as its result; what may pass fails its own message, to be tried again.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict, replace

from model.errors import ImageError
from serving.errors import ObjectNotFound, OutOfTime
from serving.inference import Recogniser, Timings, milliseconds_since
from serving.model_loader import ModelLoader
from serving.problems import problem_of
from serving.results import Results
from serving.s3 import read_body, refuse_too_large, s3_client, s3_errors
from serving.schemas import ImageFacts, ModelName, Timing, UploadedObject, UploadResult
from serving.settings import Settings
from serving.telemetry import Telemetry
from serving.uploads.events import Event, Message, MessageOutcome, Upload, messages_in, reply, uploads_in
from serving.uploads.notifications import EventPublisher, Notify, ObjectTagger

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

PARALLEL = 4  # messages at a time: while one waits for S3, another is scored; each may hold 150 MB of decoded picture
LAST_START_MS = 5000  # with less than this left of the invocation no message is begun; one takes about 100 ms


class UploadProcessor:
    """Settles what events bring. `client` is a boto3 S3 client."""

    def __init__(
        self,
        settings: Settings,
        models: ModelLoader,
        telemetry: Telemetry,
        client: "S3Client",
        notify: Sequence[Notify] = (),
    ) -> None:
        self._prefix, self._max_bytes = settings.uploads_prefix, settings.max_image_bytes
        self._recogniser = Recogniser(models, settings.limits, PARALLEL)
        self._results = Results(client, settings.results_prefix)
        self._client, self._telemetry, self._notify = client, telemetry, notify

    def handle(self, event: Any, context: Any) -> Event:
        """Settle every message of an event; answer in the sender's own form. Raises UnknownEvent."""
        from concurrent.futures import ThreadPoolExecutor

        def settle(message: Message) -> MessageOutcome:
            return self._process_message(message, context.aws_request_id, context.get_remaining_time_in_millis)

        with ThreadPoolExecutor(PARALLEL) as pool:
            return reply(event, list(pool.map(settle, messages_in(event))))

    def _process_message(self, message: Message, request_id: str, time_left: Callable[[], int]) -> MessageOutcome:
        entry: dict[str, object] = {"request_id": request_id, "message_id": message.id}
        if time_left() < LAST_START_MS:
            self._telemetry.settled(entry | {"outcome": "handed back"})
            return MessageOutcome(
                message, [], OutOfTime("too little of the function's time was left to begin this one")
            )
        results = []
        try:
            for upload in uploads_in(message.payload):
                entry |= {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id}
                results += self._settle(upload, entry)
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails this message and no other
            self._telemetry.failed(entry | {"code": problem_of(error).code}, error)
            return MessageOutcome(message, results, error)
        return MessageOutcome(message, results, None)

    def _settle(self, upload: Upload, entry: dict[str, object]) -> list[UploadResult]:
        """The one result of an object, made now or before; none where the object is not ours to classify."""
        if not upload.key.startswith(self._prefix):
            self._telemetry.settled(entry | {"outcome": "outside"})
            return []
        try:
            item = self._identify(upload)
        except ObjectNotFound:
            self._telemetry.settled(entry | {"outcome": "gone"})
            return []
        key = self._results.key_of(item.key, item.version_id or str(item.etag))
        result, outcome, timings = self._results.read(item.bucket, key), "repeated", Timings()
        if result is None:
            result = self._results.write_once(self._classify(item, key, str(entry["request_id"]), timings))
            outcome = "rejected" if result.error else "classified"
        for notify in self._notify:
            notify(result)
        self._telemetry.settled(entry | {"outcome": outcome, "cold": timings.cold} | _facts(result))
        return [result]

    def _identify(self, upload: Upload) -> UploadedObject:
        """The object of an event that may not say which version it means: then it is the one that is there now."""
        if upload.version_id or upload.etag:
            return UploadedObject(upload.bucket, upload.key, upload.version_id, upload.etag)
        with s3_errors(f"s3://{upload.bucket}/{upload.key}"):
            head = self._client.head_object(Bucket=upload.bucket, Key=upload.key)
        return UploadedObject(upload.bucket, upload.key, head.get("VersionId"), head["ETag"].strip('"'))

    def _classify(self, item: UploadedObject, key: str, request_id: str, timings: Timings) -> UploadResult:
        """Raises what may pass: ModelError or StoreError."""
        started = time.perf_counter()
        try:
            item, body = self._open(item)
            timings.read_ms = milliseconds_since(started)
            prediction = self._recogniser.recognise([lambda: self._read(item, body)], timings, batch=False)
        except (ImageError, ObjectNotFound) as error:
            return _result(item, key, timings, error=replace(problem_of(error), request_id=request_id))
        image, classifier = prediction.images[0], prediction.classifier
        return _result(
            item,
            key,
            timings,
            labels=classifier.rank(prediction.scores[0]),
            model=ModelName(classifier.manifest.name, classifier.version),
            image=ImageFacts(image.width, image.height, image.format),
        )

    def _open(self, item: UploadedObject) -> "tuple[UploadedObject, StreamingBody]":
        """The object with all that S3 says of it, and the stream of its bytes. Raises ObjectNotFound or StoreError."""
        exactly: Any = {"VersionId": item.version_id} if item.version_id else {"IfMatch": f'"{item.etag}"'}
        with s3_errors(f"s3://{item.bucket}/{item.key}"):
            answer = self._client.get_object(Bucket=item.bucket, Key=item.key, **exactly)
        return replace(item, etag=answer["ETag"].strip('"'), size=answer["ContentLength"]), answer["Body"]

    def _read(self, item: UploadedObject, body: "StreamingBody") -> bytes:
        refuse_too_large(item.size or 0, self._max_bytes)
        with s3_errors(f"s3://{item.bucket}/{item.key}"):
            return read_body(body)


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
    return facts


def open_processor(settings: Settings, models: ModelLoader, telemetry: Telemetry) -> UploadProcessor:
    """The processor of this process, with the clients that the settings ask for."""
    client = s3_client()
    notify: list[Notify] = [ObjectTagger(client)] if settings.tag_uploads else []
    if settings.publish_events:
        import boto3

        notify.append(EventPublisher(boto3.client("events")))
    return UploadProcessor(settings, models, telemetry, client, notify)
