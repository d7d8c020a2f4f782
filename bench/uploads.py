"""The uploads function over a burst: `python -m bench.uploads OBJECTS BATCH CORES IMAGE`, with AWS_ENDPOINT_URL set.

It puts the objects, hands their messages to handler.uploads a batch at a time, as Lambda's poller does, and counts results.
"""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.process import on_cores

BUCKET = "uploads-bucket"


@dataclass(frozen=True)
class Burst:
    objects: int
    batch: int  # messages in one invocation
    cores: int

    def __str__(self) -> str:
        return f"{self.objects} uploads, {self.batch} a batch, {self.cores} cores"


class Context:
    """What Lambda tells a function of its invocation."""

    aws_request_id = "8b6f6b5e-5b0c-4b0e-9d0a-0a4d3f6a2c11"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def describe(port: int) -> dict[str, str]:
    """The environment in which S3 is what listens on this port."""
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    return os.environ | keys | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_EC2_METADATA_DISABLED": "true"}


def main(burst: Burst, image: Path) -> None:
    import boto3

    on_cores(burst.cores)()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    data = image.read_bytes()
    records = [
        _message(f"uploads/{number}.jpg", s3.put_object(Bucket=BUCKET, Key=f"uploads/{number}.jpg", Body=data)["ETag"])
        for number in range(burst.objects)
    ]

    import handler

    handler.models.get()  # its cold start is measured elsewhere
    started = time.perf_counter()
    for first in range(0, burst.objects, burst.batch):
        failed = handler.uploads({"Records": records[first : first + burst.batch]}, Context())["batchItemFailures"]
        assert not failed, failed
    seconds = time.perf_counter() - started
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="results/")
    results = sum(page["KeyCount"] for page in pages)
    print(json.dumps(asdict(burst) | {"per_second": burst.objects / seconds, "results": results}))


def _message(key: str, etag: str) -> dict[str, Any]:
    entry = {"bucket": {"name": BUCKET}, "object": {"key": key, "eTag": etag.strip('"')}}
    body = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": entry}]}
    return {"messageId": key, "eventSource": "aws:sqs", "body": json.dumps(body)}


if __name__ == "__main__":
    objects, batch, cores, image = sys.argv[1:]
    main(Burst(int(objects), int(batch), int(cores)), Path(image))
