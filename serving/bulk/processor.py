"""What a batch does: its objects → one object of JSON Lines, a result each, kept under what the batch holds and who answered.

    batch → [its results already? done] → read, decode, score, several at a time → write → say where

Doing a batch again writes the same object again, so Step Functions may try as often as it likes. An image that cannot be named is
a result with its error; what may pass fails the batch, to be tried again. What ended the function is tried again one image at a
time (claims.py).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from model.errors import ImageError, RecognitionError, StoreForbidden, StoreMisconfigured
from serving.bulk.batches import Batch, read_batch
from serving.bulk.claims import FATAL, Claims
from serving.errors import FatalImage, ObjectArchived, ObjectLocked, ObjectNotFound, OutOfTime
from serving.inference import Recogniser, Timings
from serving.model_loader import ModelLoader
from serving.problems import TABLE, problem_of
from serving.s3 import kept, look_up, read_body, refuse_too_large, s3_client, s3_errors, unpacked
from serving.schemas import BulkBatch, BulkResult, ImageFacts, ModelName, UploadedObject
from serving.settings import Settings
from serving.telemetry import Telemetry

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PARALLEL = 4  # images at a time: while some wait for S3, others are scored; each may hold 150 MB of decoded picture
LAST_START_MS = 5000  # with less than this left of the invocation no image is begun; one takes about 100 ms
TOP_K = 5  # labels an image
FINAL = {TABLE[kind][1] for kind in TABLE if issubclass(kind, ImageError)}  # codes that are true of a content for ever


class BatchProcessor:
    """Names batches. `client` is a boto3 S3 client (threads may share one)."""

    def __init__(self, settings: Settings, models: ModelLoader, telemetry: Telemetry, client: "S3Client") -> None:
        self._bucket, self._prefix = settings.uploads_bucket, settings.bulk_prefix
        self._max_bytes = settings.max_image_bytes
        self._recogniser = Recogniser(models, settings.limits, PARALLEL)
        self._client, self._telemetry = client, telemetry

    def handle(self, event: Any, context: Any) -> dict[str, Any]:
        """Raises UnknownEvent, MalformedRequest, ModelError, StoreError or OutOfTime."""
        batch, timings = read_batch(event), Timings()
        try:
            classifier = self._recogniser.classifier(timings)
            place = f"{self._prefix}{classifier.manifest.name}/{classifier.version}/{batch.digest}.jsonl"
            done = self._before(place) if batch.settled else None
            outcome = "batch repeated" if done else "batch"
            name = self._name_alone if batch.alone else self._name
            done = done or self._write(place, name(batch, context.get_remaining_time_in_millis))
        except RecognitionError as error:
            self._telemetry.failed({"request_id": context.aws_request_id, "images": len(batch.items)}, error)
            raise
        facts = msgspec.structs.asdict(done)
        self._telemetry.settled(
            {"request_id": context.aws_request_id, "outcome": outcome, "cold": timings.cold} | facts
        )
        return facts

    def _before(self, place: str) -> BulkBatch | None:
        """What an earlier try wrote, unless an error in it may have passed, or something else lies there."""
        try:
            with kept(f"s3://{self._bucket}/{place}"):
                told = look_up(self._client, {"Bucket": self._bucket, "Key": place})["Metadata"]
        except ObjectNotFound:
            return None
        counts = [told.get("images", ""), told.get("failed", "")]
        if told.get("final") != "yes" or not all(count.isdecimal() for count in counts):
            return None
        return BulkBatch(self._bucket, place, *map(int, counts))

    def _name_alone(self, batch: Batch, time_left: Callable[[], int]) -> list[BulkResult]:
        """One image at a time, each claimed when it has been read, so that nothing which may pass is taken for its doing."""
        claims = Claims(self._client, self._bucket, f"{self._prefix}claims/{batch.digest}-{batch.alone}.json")
        results = []
        for number, item in enumerate(batch.items):
            if number in claims.fatal:
                results.append(BulkResult(item, error=problem_of(FatalImage(FATAL))))
            else:
                results.append(self._result(item, time_left, partial(claims.take, number)))
        claims.give_back()
        return results

    def _name(self, batch: Batch, time_left: Callable[[], int]) -> list[BulkResult]:
        with ThreadPoolExecutor(PARALLEL) as pool:
            begun = [pool.submit(self._result, item, time_left) for item in batch.items]
            try:
                results = [future.result() for future in begun]
            finally:
                pool.shutdown(cancel_futures=True)
        if results and all(result.error and result.error.code == TABLE[StoreForbidden][1] for result in results):
            raise StoreForbidden(
                f"none of {len(results)} objects may be read: check bulkBucket, and the bucket's policy"
            )
        return results

    def _result(
        self, item: UploadedObject, time_left: Callable[[], int], claim: Callable[[], None] = lambda: None
    ) -> BulkResult:
        """Raises what may pass: ModelError, StoreError or OutOfTime."""

        def read() -> bytes:
            data = self._read(item)
            claim()
            return data

        if time_left() < LAST_START_MS:
            raise OutOfTime("too little of the function's time is left: make batches smaller, or bulkTimeout longer")
        try:
            prediction = self._recogniser.recognise([read], Timings(), batch=False)
        except (ImageError, ObjectNotFound, ObjectArchived, ObjectLocked) as error:
            return BulkResult(item, error=problem_of(error))
        except StoreMisconfigured:
            raise  # no object could be read
        except StoreForbidden as error:  # its reason is for the operator, who alone reads these results
            return BulkResult(item, error=msgspec.structs.replace(problem_of(error), detail=str(error)))
        image, classifier = prediction.images[0], prediction.classifier
        return BulkResult(
            item,
            labels=classifier.rank(prediction.scores[0], TOP_K),
            decision=prediction.decisions[0],
            model=ModelName(classifier.manifest.name, classifier.version),
            image=ImageFacts(image.width, image.height, image.format),
        )

    def _read(self, item: UploadedObject) -> bytes:
        """Exactly the content that the batch means, where it says which."""
        exactly: Any = {"VersionId": item.version_id} if item.version_id else {}
        if item.etag and not item.version_id:
            exactly = {"IfMatch": f'"{item.etag}"'}
        with s3_errors(f"s3://{item.bucket}/{item.key}"):
            answer = self._client.get_object(Bucket=item.bucket, Key=item.key, **exactly)
            with answer["Body"] as body:
                refuse_too_large(answer["ContentLength"], self._max_bytes)
                data = read_body(body)
        return unpacked(data, answer.get("ContentEncoding"), self._max_bytes)

    def _write(self, place: str, results: list[BulkResult]) -> BulkBatch:
        codes = [result.error.code for result in results if result.error]
        done = BulkBatch(self._bucket, place, len(results), len(codes))
        final = "yes" if set(codes) <= FINAL else "no"
        with kept(f"s3://{self._bucket}/{place}"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=place,
                Body=msgspec.json.Encoder().encode_lines(results),
                ContentType="application/x-ndjson",
                Metadata={"images": str(done.images), "failed": str(done.failed), "final": final},
            )
        return done


def open_batch_processor(settings: Settings, models: ModelLoader, telemetry: Telemetry) -> BatchProcessor:
    """The processor of this process, with the client that it needs."""
    return BatchProcessor(settings, models, telemetry, s3_client())
