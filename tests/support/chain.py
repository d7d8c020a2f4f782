"""A bucket, its queue and the dead-letter queue on the local AWS, and the poller that Lambda puts before a function."""

import hashlib
from collections.abc import Callable
from typing import Any

import boto3
import msgspec

from serving.schemas import UploadResult
from serving.uploads.processor import UploadProcessor

BUCKET = "uploads-bucket"
MAX_RECEIVES = 3  # then a message moves to the dead-letter queue

Handle = Callable[[dict[str, Any]], dict[str, Any]]  # one invocation


class Context:
    """What Lambda tells a function of its invocation."""

    aws_request_id = "8b6f6b5e-5b0c-4b0e-9d0a-0a4d3f6a2c11"

    def __init__(self, milliseconds_left: int = 60_000) -> None:
        self._left = milliseconds_left

    def get_remaining_time_in_millis(self) -> int:
        return self._left


def handle(processor: UploadProcessor, milliseconds_left: int = 60_000) -> Handle:
    return lambda event: processor.handle(event, Context(milliseconds_left))


class Chain:
    """S3 → SQS → function, as serverless.yml wires them."""

    def __init__(self, versioned: bool = True) -> None:
        self.s3, self.sqs = boto3.client("s3"), boto3.client("sqs")
        self.failed = self.sqs.create_queue(QueueName="failed")["QueueUrl"]
        redrive = {"deadLetterTargetArn": self._arn(self.failed), "maxReceiveCount": MAX_RECEIVES}
        attributes = {"RedrivePolicy": msgspec.json.encode(redrive).decode()}
        self.queue = self.sqs.create_queue(QueueName="uploads", Attributes=attributes)["QueueUrl"]
        self.s3.create_bucket(Bucket=BUCKET)
        if versioned:
            self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        notification = {
            "QueueArn": self._arn(self.queue),
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "uploads/"}]}},
        }
        self.s3.put_bucket_notification_configuration(  # S3 sends its test event now
            Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [notification]}
        )

    def put(self, key: str, data: bytes) -> str | None:
        """Upload; return the version."""
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=data).get("VersionId")

    def receive(self, at_most: int = 10) -> list[dict[str, Any]]:
        """Take messages, which nobody sees again until they reappear."""
        messages: list[dict[str, Any]] = []
        while len(messages) < at_most:
            wanted = min(10, at_most - len(messages))
            answer = self.sqs.receive_message(
                QueueUrl=self.queue,
                MaxNumberOfMessages=wanted,
                VisibilityTimeout=600,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            if not answer.get("Messages"):
                break
            messages += answer["Messages"]
        return messages

    def reappear(self, messages: list[dict[str, Any]]) -> None:
        """What happens when the visibility timeout has passed."""
        for message in messages:
            self.sqs.change_message_visibility(
                QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )

    def delete(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])

    def invoke(self, handle: Handle, messages: list[dict[str, Any]]) -> list[str]:
        """One invocation: what it does not report as failed is deleted. Returns the ids of what failed."""
        failed = [failure["itemIdentifier"] for failure in handle(sqs_event(messages))["batchItemFailures"]]
        self.delete([message for message in messages if message["MessageId"] not in failed])
        self.reappear([message for message in messages if message["MessageId"] in failed])
        return failed

    def drain(self, handle: Handle, batch: int = 10) -> int:
        """Poll until nothing is left to deliver; return how many invocations it took."""
        invocations = 0
        while messages := self.receive(batch):
            self.invoke(handle, messages)
            invocations += 1
        return invocations

    def count(self, queue: str) -> int:
        """Messages in a queue, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def results(self) -> dict[str, UploadResult]:
        """Every result by its key. Fails where one was ever written twice."""
        answer = [
            entry
            for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix="results/")
            for entry in page.get("Versions", [])
        ]
        keys = [entry["Key"] for entry in answer]
        assert len(keys) == len(set(keys)), "a result was written twice"
        return {key: self.result(key) for key in keys}

    def result(self, key: str) -> UploadResult:
        body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return msgspec.json.decode(body, type=UploadResult)

    def _arn(self, queue: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])


def sqs_event(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Received messages as Lambda hands them to a function."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(message["Body"].encode()).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:uploads",
                "awsRegion": "us-east-1",
            }
            for message in messages
        ]
    }


def last_outcomes(chain: Chain) -> list[str]:
    """What each result says: its best label, or its error's code."""
    outcomes = []
    for result in chain.results().values():
        if result.error:
            outcomes.append(result.error.code)
        else:
            assert result.labels
            outcomes.append(result.labels[0].name)
    return sorted(outcomes)
