"""What an upload does: each object under the uploads prefix gets exactly one result, whatever comes twice, late or dies.

    event → messages → the objects of each → classification.py → what the sender wants to hear

What may pass fails its own message, to be tried again. What ends the invocation is found by the claims of claims.py: a message
that was received before is tried alone.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from model.aws_errors import translated
from model.stores.addresses import in_s3
from serving.errors import OutOfTime, SourceForbidden
from serving.inference import Recogniser
from serving.model_loader import ModelLoader
from serving.problems import problem_of
from serving.s3 import cloud_client, s3_client
from serving.settings import Settings
from serving.telemetry import Telemetry
from serving.uploads.classification import UploadClassifier
from serving.uploads.envelopes import Event
from serving.uploads.events import Message, MessageOutcome, contents_of, messages_in, reply
from serving.uploads.invocation import Invocation
from serving.uploads.notifications import EventPublisher, Notify, ObjectTagger

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PARALLEL = 4  # messages at a time: while one waits for S3, another is scored; each may hold 150 MB of decoded picture
DELIVERY_MS = 25_000  # Event Grid waits for 30, Knative's broker as long as it is told
ANSWER_MS = 1500  # with this left the answer is given: what is still at work then is handed back


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
        recogniser = Recogniser(models, settings.limits, 2 * PARALLEL)  # what was handed back may still be at work
        self._classifier = UploadClassifier(settings, recogniser, telemetry, client, notify)
        self._bucket, self._telemetry = settings.uploads_bucket, telemetry

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
        self._telemetry.settled(invocation.entry(message) | {"outcome": "handed back"})
        return MessageOutcome(message, [], OutOfTime(why))

    def _settle_message(self, message: Message, invocation: Invocation) -> MessageOutcome:
        if not invocation.begins(message):
            return self._hand_back(message, invocation, "too little of the function's time was left to begin this one")
        entry, results = invocation.entry(message), []
        try:
            contents = contents_of(message.payload)
            for name in contents.ignored:
                self._telemetry.settled(entry | {"outcome": "ignored", "event": name})
            for upload in contents.uploads:
                entry |= {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id}
                results += self._classifier.settle(upload, message, invocation, entry)
            contents.raise_refused()
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails this message and no other
            self._telemetry.failed(entry | {"code": problem_of(error).code}, error)
            return MessageOutcome(message, results, error)
        return MessageOutcome(message, results, None)


def open_processor(settings: Settings, models: ModelLoader, telemetry: Telemetry) -> UploadProcessor:
    """The processor of this process, with the clients that the settings ask for."""
    client = s3_client() if in_s3(settings.uploads_bucket) else cloud_client()
    notify: list[Notify] = [ObjectTagger(client)] if settings.tag_uploads else []
    if settings.publish_events:
        import boto3

        with translated("EventBridge"):
            notify.append(EventPublisher(boto3.client("events")))
    return UploadProcessor(settings, models, telemetry, client, notify)
