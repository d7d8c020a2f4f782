import boto3
import pytest
from click.testing import CliRunner

from ops.redrive import count, main, redrive
from tests.support.chain import Chain


@pytest.fixture
def chain(aws):
    return Chain()


def fill(chain, bodies):
    for body in bodies:
        chain.sqs.send_message(QueueUrl=chain.failed, MessageBody=body)


def test_every_message_goes_back_whole(chain):
    chain.delete(chain.receive())  # S3's test event
    bodies = [f'{{"number": {number}}}' for number in range(23)]
    fill(chain, bodies)
    done = CliRunner().invoke(main, [chain.failed])
    assert done.exit_code == 0, done.output
    assert f"23 of 23 messages moved back to {chain.queue}; 0 are in the dead-letter queue now" in done.output
    assert sorted(message["Body"] for message in chain.receive(100)) == sorted(bodies)
    assert chain.count(chain.failed) == 0


def test_an_empty_queue_is_no_error(chain):
    assert "0 of 0 messages moved" in CliRunner().invoke(main, [chain.failed]).output


def test_what_fails_again_meanwhile_does_not_go_round_in_circles(chain):
    fill(chain, ["a", "b"])
    moved = []
    for id in redrive(chain.sqs, chain.failed, chain.queue, at_most=2):
        moved.append(id)
        fill(chain, ["again"])
    assert len(moved) == 2
    assert count(chain.sqs, chain.failed) == 2


def test_what_could_not_be_sent_stays(chain):
    class Full:
        receive_message = chain.sqs.receive_message
        delete_message = chain.sqs.delete_message

        def send_message_batch(self, QueueUrl, Entries):  # noqa: N803 - their names
            return {"Successful": [], "Failed": [{"Id": entry["Id"]} for entry in Entries]}

    fill(chain, ["a"])
    assert list(redrive(Full(), chain.failed, chain.queue, at_most=1)) == []
    assert chain.count(chain.failed) == 1


def test_a_queue_that_is_nobodys_dead_letter_queue_is_refused(chain):
    done = CliRunner().invoke(main, [chain.queue])
    assert done.exit_code == 1
    assert "must be the dead-letter queue of one queue" in done.output


def test_a_queue_that_is_not_there_is_named_without_a_traceback(aws):
    url = f"{aws}/123456789012/none"
    boto3.client("sqs")
    done = CliRunner().invoke(main, [url])
    assert done.exit_code == 1
    assert "Error: " in done.output


def test_an_address_of_aws_that_is_none_is_said(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    done = CliRunner().invoke(main, ["https://sqs/queue"])
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "Invalid endpoint: localhost:9000" in done.output
