"""What an upload does: each object under the uploads prefix gets exactly one result, whatever comes twice, late or dies.

    delivery → its objects → [a result already? done] → read → decode → score → write once → announce

The result is written by a conditional put under a name that the object's version decides, so that doing anything again changes
nothing. What can never be classified gets an error as its result; what may pass fails its own delivery, to be tried again.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import asdict, replace

from model.classifier import Label
from model.errors import ImageError, ImageTooLarge
from serving.announcements import Announce, Events, Tags
from serving.errors import ObjectNotFound, OutOfTime
from serving.events import Delivery, Event, Upload, Verdict, deliveries_of, reply, uploads_in
from serving.journal import Journal, LogJournal
from serving.messages import ImageFacts, ModelName
from serving.models import ModelHolder
from serving.objects import s3_client
from serving.problems import problem_of
from serving.recognition import Cost, Recogniser, milliseconds_since
from serving.results import Results, Timing, UploadedObject, UploadResult, s3_errors
from serving.settings import Settings

PARALLEL = 4  # deliveries at a time: while one waits for S3, another is scored; each may hold 150 MB of decoded picture
LAST_START_MS = 5000  # with less than this left of the invocation no delivery is begun; one takes about 100 ms
GONE = {  # beside model.s3.MISSING
    "PreconditionFailed",  # overwritten since, in a bucket without versions
    "MethodNotAllowed",  # the version is a delete marker
    "InvalidArgument",  # there cannot be such a version
}


class UploadDesk:
    """Settles what events bring. `client` is a boto3 S3 client."""

    def __init__(
        self, settings: Settings, models: ModelHolder, journal: Journal, client: Any, announce: Sequence[Announce] = ()
    ) -> None:
        self._prefix, self._max_bytes = settings.uploads_prefix, settings.limits.max_bytes
        self._recogniser = Recogniser(models, settings.limits, PARALLEL)
        self._results = Results(client, settings.results_prefix)
        self._client, self._journal, self._announce = client, journal, announce

    def handle(self, event: Any, context: Any) -> Event:
        """Settle every delivery of an event; answer in the sender's own form. Raises UnknownEvent."""
        from concurrent.futures import ThreadPoolExecutor

        def settle(delivery: Delivery) -> Verdict:
            return self._settle_delivery(delivery, context.aws_request_id, context.get_remaining_time_in_millis)

        with ThreadPoolExecutor(PARALLEL) as pool:
            return reply(event, list(pool.map(settle, deliveries_of(event))))

    def _settle_delivery(self, delivery: Delivery, request_id: str, time_left: Callable[[], int]) -> Verdict:
        entry: dict[str, object] = {"request_id": request_id, "delivery": delivery.id}
        if time_left() < LAST_START_MS:
            self._journal.settled(entry | {"outcome": "handed back"})
            return Verdict(delivery, [], OutOfTime("too little of the function's time was left to begin this one"))
        results = []
        try:
            for upload in uploads_in(delivery.payload):
                entry |= {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id}
                results += self._settle(upload, entry)
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails this delivery and no other
            self._journal.failed(entry | {"code": problem_of(error).code}, error)
            return Verdict(delivery, results, error)
        return Verdict(delivery, results, None)

    def _settle(self, upload: Upload, entry: dict[str, object]) -> list[UploadResult]:
        """The one result of an object, made now or before; none where the object is not ours to classify."""
        if not upload.key.startswith(self._prefix):
            self._journal.settled(entry | {"outcome": "outside"})
            return []
        try:
            item = self._identify(upload)
        except ObjectNotFound:
            self._journal.settled(entry | {"outcome": "gone"})
            return []
        key = self._results.key_of(item.key, item.version_id or str(item.etag))
        result, outcome, cost = self._results.read(item.bucket, key), "repeated", Cost()
        if result is None:
            result = self._results.write_once(self._classify(item, key, str(entry["request_id"]), cost))
            outcome = "rejected" if result.error else "classified"
        for announce in self._announce:
            announce(result)
        self._journal.settled(entry | {"outcome": outcome, "cold": cost.cold} | _facts(result))
        return [result]

    def _identify(self, upload: Upload) -> UploadedObject:
        """The object of an event that may not say which version it means: then it is the one that is there now."""
        if upload.version_id or upload.etag:
            return UploadedObject(upload.bucket, upload.key, upload.version_id, upload.etag)
        with s3_errors(f"s3://{upload.bucket}/{upload.key}"):
            head = self._client.head_object(Bucket=upload.bucket, Key=upload.key)
        return UploadedObject(upload.bucket, upload.key, head.get("VersionId"), head["ETag"].strip('"'))

    def _classify(self, item: UploadedObject, key: str, request_id: str, cost: Cost) -> UploadResult:
        """Raises what may pass: ModelError or StoreError."""
        started = time.perf_counter()
        try:
            item, body = self._open(item)
            cost.read_ms = milliseconds_since(started)
            scored = self._recogniser.recognise([lambda: self._read(item, body)], cost, batch=False)
        except (ImageError, ObjectNotFound) as error:
            return _result(item, key, cost, error=replace(problem_of(error), request_id=request_id))
        image, classifier = scored.images[0], scored.classifier
        labels = [Label(label.name, round(label.score, 4)) for label in classifier.rank(scored.scores[0])]
        return _result(
            item,
            key,
            cost,
            labels=labels,
            model=ModelName(classifier.manifest.name, classifier.version),
            image=ImageFacts(image.width, image.height, image.format),
        )

    def _open(self, item: UploadedObject) -> tuple[UploadedObject, Any]:
        """The object with all that S3 says of it, and the stream of its bytes. Raises ObjectNotFound or StoreError."""
        from botocore.exceptions import ClientError

        from model.s3 import code_of

        exactly = {"VersionId": item.version_id} if item.version_id else {"IfMatch": f'"{item.etag}"'}
        with s3_errors(f"s3://{item.bucket}/{item.key}"):
            try:
                answer = self._client.get_object(Bucket=item.bucket, Key=item.key, **exactly)
            except ClientError as error:
                if code_of(error) in GONE:
                    raise ObjectNotFound(f"s3://{item.bucket}/{item.key} is not what was uploaded any more") from error
                raise
        return replace(item, etag=answer["ETag"].strip('"'), size=answer["ContentLength"]), answer["Body"]

    def _read(self, item: UploadedObject, body: Any) -> bytes:
        with closing(body), s3_errors(f"s3://{item.bucket}/{item.key}"):
            if item.size is not None and item.size > self._max_bytes:
                raise ImageTooLarge(
                    f"the object has {item.size:,} bytes; at most {self._max_bytes:,} are read: upload a smaller one"
                )
            data: bytes = body.read()
            return data


def _result(item: UploadedObject, key: str, cost: Cost, **outcome: Any) -> UploadResult:
    timing = Timing(round(cost.read_ms, 1), round(cost.decode_ms, 1), round(cost.infer_ms, 1))
    return UploadResult(item, key, datetime.now(UTC).isoformat(timespec="milliseconds"), timing, **outcome)


def _facts(result: UploadResult) -> dict[str, object]:
    """What the journal says of a result."""
    facts: dict[str, object] = {"result": result.key, "bytes": result.object.size}
    facts |= {f"{name}_ms": value for name, value in asdict(result.timing).items()}
    if result.error:
        facts["code"] = result.error.code
    if result.model and result.labels and result.image:
        best = result.labels[0]
        facts |= {"format": result.image.format, "label": best.name, "score": best.score}
        facts |= {"model": result.model.name, "version": result.model.version}
    return facts


def open_desk(settings: Settings, models: ModelHolder) -> UploadDesk:
    """The desk of this process, with the clients that the settings ask for."""
    client = s3_client()
    announce: list[Announce] = [Tags(client)] if settings.tag_uploads else []
    if settings.publish_events:
        import boto3

        announce.append(Events(boto3.client("events")))
    return UploadDesk(
        settings, models, LogJournal(settings.log_level, settings.metrics, settings.service), client, announce
    )
