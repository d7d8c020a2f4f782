"""What an upload does: each object under the uploads prefix gets exactly one result, whatever comes twice, late or dies.

    message → its objects → [a result already? done] → read → decode → score → write once → announce

The result is written by a conditional put under a name that the object's version decides, so that doing anything again changes
nothing. What can never be classified gets an error as its result; what may pass fails its own message, to be tried again. What
ends the invocation is found by the claims of claims.py: a message that was received before is tried alone.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict, replace

from model.aws_errors import translated
from model.errors import ImageError
from model.stores.addresses import address_of, in_s3
from serving.errors import FatalImage, ObjectArchived, ObjectLocked, ObjectNotFound, OutOfTime, SourceForbidden
from serving.inference import Recogniser, Timings, milliseconds_since
from serving.model_loader import ModelLoader
from serving.problems import TABLE, problem_of
from serving.results import Results
from serving.s3 import FOLDERS, cloud_client, look_up, read_body, refuse_too_large, s3_client, s3_errors, unpacked
from serving.schemas import ImageFacts, ModelName, Timing, UploadedObject, UploadResult
from serving.settings import Settings
from serving.telemetry import Telemetry
from serving.uploads.claims import Claims
from serving.uploads.envelopes import Event
from serving.uploads.events import Message, MessageOutcome, contents_of, messages_in, reply
from serving.uploads.notifications import EventPublisher, Notify, ObjectTagger
from serving.uploads.objects import Upload

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

PARALLEL = 4  # messages at a time: while one waits for S3, another is scored; each may hold 150 MB of decoded picture
LAST_START_MS = 5000  # with less than this left of the invocation no message is begun; one takes about 100 ms
DELIVERY_MS = 25_000  # Event Grid waits for 30, Knative's broker as long as it is told
ANSWER_MS = 1500  # with this left the answer is given: what is still at work then is handed back
OF_THE_OBJECT = {  # codes of errors that are true of an object as it lies there now, and may not be when it comes again
    TABLE[kind][1] for kind in (ObjectNotFound, ObjectArchived, ObjectLocked)
}


@dataclass(frozen=True)
class Invocation:
    """What Lambda grants: its name in the log, and time."""

    id: str
    time_left: Callable[[], int]  # ms
    granted: int  # ms; what was left at its begin

    def begins(self, message: Message) -> bool:
        """Whether there is time for it: a suspect that ends the invocation must have had a fair share of it."""
        return self.time_left() >= (LAST_START_MS if message.receives == 1 else max(LAST_START_MS, self.granted // 2))


class UploadProcessor:
    """Settles what events bring. `client` is a boto3 S3 client, or what stands for one where UPLOADS_BUCKET is not in S3."""

    def __init__(
        self,
        settings: Settings,
        models: ModelLoader,
        telemetry: Telemetry,
        client: "S3Client",
        notify: Sequence[Notify] = (),
    ) -> None:
        self._bucket, self._prefix, self._max_bytes = (
            settings.uploads_bucket,
            settings.uploads_prefix,
            settings.max_image_bytes,
        )
        self._recogniser = Recogniser(
            models, settings.limits, 2 * PARALLEL
        )  # what was handed back may still be at work
        self._results = Results(client, settings.results_prefix)
        self._claims = Claims(client, settings.results_prefix)
        self._client, self._telemetry, self._notify = client, telemetry, notify

    def handle(self, event: Any, context: Any) -> Event:
        """Settle every message of an event; answer in the sender's own form. Raises UnknownEvent."""
        messages, time_left = messages_in(event), context.get_remaining_time_in_millis
        invocation = Invocation(context.aws_request_id, time_left, time_left())
        return reply(event, self._outcomes(messages, invocation))

    def settle(self, event: Any, request_id: str) -> None:
        """Settle what came over HTTP, where nobody but this asks which bucket it is. Raises what may pass, too."""
        if any(upload.bucket != self._bucket for upload in contents_of(event).uploads):
            raise SourceForbidden("an object of another bucket than UPLOADS_BUCKET: its events are not settled here")
        until = time.monotonic() + DELIVERY_MS / 1000
        delivery = Invocation(request_id, lambda: int((until - time.monotonic()) * 1000), DELIVERY_MS)
        [outcome] = self._outcomes([Message(request_id, event)], delivery)
        if outcome.failure:
            raise outcome.failure

    def _outcomes(self, messages: list[Message], invocation: Invocation) -> list[MessageOutcome]:
        pool = ThreadPoolExecutor(PARALLEL)
        try:
            return self._settle_messages(messages, invocation, pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _settle_messages(
        self, messages: list[Message], invocation: Invocation, pool: ThreadPoolExecutor
    ) -> list[MessageOutcome]:
        """Suspects first, one at a time, those that were received most often ahead (claims.py says why); then the others."""

        def begin(number: int) -> Future[MessageOutcome]:
            return pool.submit(self._settle_message, messages[number], invocation)

        outcomes: dict[int, MessageOutcome] = {}
        order = sorted(range(len(messages)), key=lambda number: -messages[number].receives)
        for number in (number for number in order if messages[number].receives > 1):
            outcomes[number] = self._await(begin(number), messages[number], invocation)
        begun = {number: begin(number) for number in order if number not in outcomes}
        for number, future in begun.items():
            outcomes[number] = self._await(future, messages[number], invocation)
        return [outcomes[number] for number in range(len(messages))]

    def _await(self, future: Future[MessageOutcome], message: Message, invocation: Invocation) -> MessageOutcome:
        try:
            return future.result(timeout=max(0, invocation.time_left() - ANSWER_MS) / 1000)
        except TimeoutError:  # of the waiting: a message's own errors are in its outcome
            return self._hand_back(message, invocation, "the function's time ended while it was at work on this one")

    def _hand_back(self, message: Message, invocation: Invocation, why: str) -> MessageOutcome:
        self._telemetry.settled(_entry(message, invocation) | {"outcome": "handed back"})
        return MessageOutcome(message, [], OutOfTime(why))

    def _settle_message(self, message: Message, invocation: Invocation) -> MessageOutcome:
        if not invocation.begins(message):
            return self._hand_back(message, invocation, "too little of the function's time was left to begin this one")
        entry, results = _entry(message, invocation), []
        try:
            contents = contents_of(message.payload)
            for name in contents.ignored:
                self._telemetry.settled(entry | {"outcome": "ignored", "event": name})
            for upload in contents.uploads:
                entry |= {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id}
                results += self._settle(upload, message, invocation, entry)
            contents.raise_refused()
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails this message and no other
            self._telemetry.failed(entry | {"code": problem_of(error).code}, error)
            return MessageOutcome(message, results, error)
        return MessageOutcome(message, results, None)

    def _settle(
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


def _entry(message: Message, invocation: Invocation) -> dict[str, object]:
    entry: dict[str, object] = {"request_id": invocation.id, "message_id": message.id}
    return entry | ({"receives": message.receives} if message.receives > 1 else {})


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


def open_processor(settings: Settings, models: ModelLoader, telemetry: Telemetry) -> UploadProcessor:
    """The processor of this process, with the clients that the settings ask for."""
    client = s3_client() if in_s3(settings.uploads_bucket) else cloud_client()
    notify: list[Notify] = [ObjectTagger(client)] if settings.tag_uploads else []
    if settings.publish_events:
        import boto3

        with translated("EventBridge"):
            notify.append(EventPublisher(boto3.client("events")))
    return UploadProcessor(settings, models, telemetry, client, notify)
