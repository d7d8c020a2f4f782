import json

import pytest

from bench.candidates import Candidate
from bench.process import Died, run

CANDIDATE = """
def handler(event, context):
    print("to the log")
    if event["body"] == "crash":
        raise SystemExit("no memory left")
    header = {"Server-Timing": ["decode;dur=1.0, infer;dur=12.5"]}
    return {"statusCode": 200, "body": event["body"], "multiValueHeaders": header}
"""


@pytest.fixture
def candidate(tmp_path):
    (tmp_path / "candidate.py").write_text(CANDIDATE)
    return Candidate("candidate", environment={"PYTHONPATH": str(tmp_path)})


def event(folder, body):
    file = folder / f"{body}.json"
    file.write_text(json.dumps({"body": body}))
    return file


def test_a_candidate_answers_its_first_event_and_then_as_often_as_it_is_asked(candidate, tmp_path):
    with run(candidate, event(tmp_path, "hello")) as process:
        later = process.answer(event(tmp_path, "again"), 3)
    assert process.first.body == "hello"
    assert 0 < process.first.ready <= process.first.total
    assert len(later.ms) == 3
    assert later.engine_ms == [12.5] * 3
    assert later.peak_mb >= process.first.peak_mb > 1


def test_a_candidate_that_ends_is_told_with_its_last_words(candidate, tmp_path):
    with pytest.raises(Died, match="no memory left"), run(candidate, event(tmp_path, "crash")):
        pass
    with pytest.raises(Died, match="no memory left"), run(candidate, event(tmp_path, "hello")) as process:
        process.answer(event(tmp_path, "crash"), 1)
