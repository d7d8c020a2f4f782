import json

import pytest

from model.errors import StoreForbidden, StoreMisconfigured, StoreUnavailable
from serving.errors import UnknownEvent
from serving.settings import Settings
from serving.telemetry import LogTelemetry


def written(capsys, error, name, function="f"):
    LogTelemetry(Settings(service_name=name, aws_lambda_function_name=function)).failed({"message_id": "m"}, error)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("error", [StoreForbidden("no permission; add it"), StoreMisconfigured("no key; renew it")])
def test_what_the_operator_has_to_mend_is_counted_beside_its_line(capsys, error):
    line, metric = written(capsys, error, f"operator {error}")
    assert (line["reason"], line["message_id"]) == (str(error), "m")
    assert metric["OperatorFault"] == [1.0]
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Recognition"


@pytest.mark.parametrize("error", [StoreUnavailable("away"), UnknownEvent("of no shape"), ZeroDivisionError()])
def test_what_may_pass_or_is_the_senders_raises_no_alarm(capsys, error):
    assert len(written(capsys, error, f"other {error}")) == 1


def test_outside_lambda_nobody_reads_metrics_out_of_the_log(capsys):
    assert len(written(capsys, StoreForbidden("no permission"), "laptop", function="")) == 1


def test_decisions_are_counted_in_the_requests_own_line_those_not_made_too(capsys):
    entry = {"path": "/v1/classify", "status": 200, "request_id": "r", "decisions": {"accepted": 2, "unknown": 1}}
    LogTelemetry(Settings(service_name="counted", aws_lambda_function_name="f")).answered(entry)
    line, metric = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line["decisions"] == entry["decisions"]
    assert (metric["Accepted"], metric["Uncertain"], metric["Unknown"]) == ([2.0], [0.0], [1.0])


def test_an_upload_is_counted_when_it_is_classified_not_when_its_event_comes_again(capsys):
    telemetry = LogTelemetry(Settings(service_name="uploads", aws_lambda_function_name="f"))
    for outcome in ("classified", "repeated"):
        telemetry.settled({"outcome": outcome, "decision": "unknown"})
    telemetry.settled({"outcome": "classified"})  # by a model that decides nothing
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [metric] = [line for line in lines if "_aws" in line]
    assert (metric["Accepted"], metric["Uncertain"], metric["Unknown"]) == ([0.0], [0.0], [1.0])
