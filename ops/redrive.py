"""`python -m ops.redrive FAILED_QUEUE_URL`: uploads that failed to the last go back to the queue that they came from.

A message is sent again, then deleted. Whoever kills this in between leaves a message that comes twice, which changes nothing.
"""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from model.errors import RecognitionError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

HIDDEN = 60  # s; the visibility timeout of a message while it is moved


class NothingToRedrive(click.ClickException):
    pass


@click.command()
@click.argument("failed", metavar="FAILED_QUEUE_URL")
def main(failed: str) -> None:
    """Move the messages of a dead-letter queue back to the queue that they came from. Mend first what made them fail.

    `npx serverless info --verbose` tells the queue's address: FailedUploadsUrl.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from model.aws_errors import translated

    try:
        with translated("SQS"):
            sqs = boto3.client("sqs")
        source, waiting = source_of(sqs, failed), count(sqs, failed)
        with click.progressbar(redrive(sqs, failed, source, waiting), waiting, "redriving", file=sys.stderr) as moves:
            moved = sum(1 for _ in moves)
        left = count(sqs, failed)
    except (BotoCoreError, ClientError, RecognitionError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{moved:,} of {waiting:,} messages moved back to {source}; {left:,} are in the dead-letter queue now")


def source_of(sqs: "SQSClient", failed: str) -> str:
    """The one queue whose failures go to this dead-letter queue."""
    sources = sqs.list_dead_letter_source_queues(QueueUrl=failed)["queueUrls"]
    if len(sources) != 1:
        raise NothingToRedrive(f"{failed} must be the dead-letter queue of one queue; it is that of {len(sources)}")
    return str(sources[0])


def count(sqs: "SQSClient", queue: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def redrive(sqs: "SQSClient", failed: str, source: str, at_most: int) -> Iterator[str]:
    """Move messages, at most as many as lie there now: some may fail again and come back. Yields each one's id."""
    moved = 0
    while moved < at_most:
        received = sqs.receive_message(
            QueueUrl=failed, MaxNumberOfMessages=min(10, at_most - moved), VisibilityTimeout=HIDDEN, WaitTimeSeconds=1
        )
        messages = {message["MessageId"]: message for message in received.get("Messages", [])}
        if not messages:
            return
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": id, "MessageBody": message["Body"]} for id, message in messages.items()
        ]
        for sent in sqs.send_message_batch(QueueUrl=source, Entries=entries)["Successful"]:
            sqs.delete_message(QueueUrl=failed, ReceiptHandle=messages[sent["Id"]]["ReceiptHandle"])
            moved += 1
            yield sent["Id"]


if __name__ == "__main__":
    main()
