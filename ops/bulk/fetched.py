"""What became of a run, read from where it lies in S3: a row for every image, those of batches that failed too.

Step Functions' manifest names files of outputs, one a line for each batch that succeeded: where its results lie. Of a batch that
failed it keeps the input and the reason (docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html).
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ops.bulk.ordered import in_order
from ops.bulk.runs import Run
from ops.bulk.table import Row, row_of
from serving.bulk.batches import read_batch
from serving.errors import MalformedRequest
from serving.schemas import BulkBatch, BulkResult, Problem, Result

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

READERS = 16  # objects that are read at a time
FAILED = {
    "FAILED": "batch_failed",
    "PENDING": "not_begun",
}  # files of batches without results → the code of their images


def fetch_rows(client: "S3Client", bucket: str, prefix: str, run: Run) -> Iterator[Row]:
    """Raises ClickException where the run has left nothing."""
    key = f"{prefix}runs/{run.map_run.rpartition(':')[2]}/manifest.json"
    try:
        manifest = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except client.exceptions.NoSuchKey as error:
        raise click.ClickException(f"s3://{bucket}/{key} is not there: the run has ended without results") from error
    files = manifest["ResultFiles"]

    def read(line: bytes) -> list[Row]:
        return list(_rows_of_batch(client, msgspec.json.decode(line, type=BulkBatch)))

    for rows in in_order(_lines(client, bucket, files["SUCCEEDED"]), read, READERS):
        yield from rows
    for status, code in FAILED.items():
        for line in _lines(client, bucket, files[status]):
            yield from _rows_without_results(json.loads(line), code)


def _lines(client: "S3Client", bucket: str, files: list[dict[str, Any]]) -> Iterator[bytes]:
    for file in files:
        for line in client.get_object(Bucket=bucket, Key=file["Key"])["Body"].iter_lines():
            if line:
                yield line


def _rows_of_batch(client: "S3Client", batch: BulkBatch) -> Iterator[Row]:
    body = client.get_object(Bucket=batch.bucket, Key=batch.key)["Body"].read()
    results = msgspec.json.Decoder(BulkResult).decode_lines(body)
    if len(results) != batch.images:
        place = f"s3://{batch.bucket}/{batch.key}"
        raise click.ClickException(f"{place} holds {len(results)} results of {batch.images}: start the run again")
    for result in results:
        item = result.object
        yield row_of(f"s3://{item.bucket}/{item.key}", result, result.model, item.version_id)


def _rows_without_results(execution: dict[str, Any], code: str) -> Iterator[Row]:
    given = json.loads(execution["Input"])
    detail = f"{execution.get('Error') or code}: {_sentence(execution.get('Cause') or '')}"
    for item in given["Items"]:
        yield row_of(_name(given, item), Result(error=Problem("Batch failed", 500, code, detail)), None)


def _name(given: dict[str, Any], item: Any) -> str:
    try:
        (found,) = read_batch({**given, "Items": [item]}).items
    except (MalformedRequest, ValueError):  # a row of a table that names nothing, or a folder's marker
        return json.dumps(item, ensure_ascii=False)
    return f"s3://{found.bucket}/{found.key}"


def _sentence(cause: str) -> str:
    """What a function raised, out of the JSON that Lambda makes of it."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause
