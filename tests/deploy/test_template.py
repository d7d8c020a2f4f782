"""What serverless.yml makes of its parameters: valid for CloudFormation, and holding together."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint import lint_file

from model.decision import Decision
from ops.cost import TABLES
from serving.http.app import create_app
from serving.model_loader import open_model_loader
from serving.settings import S3Prefix, Settings
from tests import ROOT
from tests.deploy.conftest import CHOICES, Template
from tests.deploy.test_policy import of_type
from tests.support.fakes import ListTelemetry

NOT_OURS_TO_MEND = {
    "W3005",  # the framework names dependencies that a GetAtt has named already
}
OPEN = {"/", "/health", "/openapi.json", "/docs"}
PRIVATE = {("GET", "/ready"), ("GET", "/v1/{proxy+}"), ("POST", "/v1/{proxy+}")}


@pytest.mark.parametrize("choice", CHOICES)
def test_cfn_lint_finds_nothing(packaged: Callable[[str], Path], choice: str):
    found = [finding for finding in lint_file(packaged(choice)) if finding.rule.id not in NOT_OURS_TO_MEND]

    assert found == []


def test_parameters_from_the_command_line_arrive(template: Callable[[str], Template]):
    warm, pinned, snapshot = (template(choice)["Resources"] for choice in ("warm", "pinned", "snapshot"))

    assert warm["ClassifyLambdaFunction"]["Properties"]["ReservedConcurrentExecutions"] == 20
    assert warm["ClassifyProvConcLambdaAlias"]["Properties"]["ProvisionedConcurrencyConfig"] == {
        "ProvisionedConcurrentExecutions": 2
    }
    assert pinned["ClassifyLambdaFunction"]["Properties"]["Architectures"] == ["arm64"]
    assert environment(pinned, "Classify")["MODEL_URI"] == "s3://ModelBucket/models/flowers/7"
    assert environment(snapshot, "Classify")["MODEL_URI"] == "/opt/models/flowers/"
    assert "SnapStart" not in pinned["ClassifyLambdaFunction"]["Properties"]
    assert snapshot["ClassifyLambdaFunction"]["Properties"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}


@pytest.mark.parametrize(
    ("choice", "key", "authorization"),
    [("default", True, "NONE"), ("iam", False, "AWS_IAM"), ("jwt", False, "COGNITO_USER_POOLS")],
)
def test_what_costs_money_is_private(template: Callable[[str], Template], choice: str, key: bool, authorization: str):
    methods = dict(api_methods(template(choice)))

    private = {route: method for route, method in methods.items() if route[1] not in OPEN and route[0] != "OPTIONS"}

    assert set(private) == PRIVATE
    for method in private.values():
        assert (method["ApiKeyRequired"], method["AuthorizationType"]) == (key, authorization)
    for (verb, path), method in methods.items():
        if path in OPEN or verb == "OPTIONS":
            assert (method.get("ApiKeyRequired", False), method["AuthorizationType"]) == (False, "NONE")


def test_a_key_is_bound_by_a_throttle_and_a_quota_and_other_ways_have_no_key(template: Callable[[str], Template]):
    [(_, plan)] = of_type(template("default"), "ApiGateway::UsagePlan")

    assert plan["Properties"]["Throttle"] == {"RateLimit": 10, "BurstLimit": 20}
    assert plan["Properties"]["Quota"] == {"Limit": 10000, "Period": "DAY"}
    assert len(of_type(template("default"), "ApiGateway::UsagePlanKey")) == 1
    for choice in ("iam", "jwt"):
        assert of_type(template(choice), "ApiGateway::ApiKey") == []


def test_everything_the_app_serves_has_a_route(template: Callable[[str], Template]):
    telemetry = ListTelemetry()
    app = create_app(Settings(), open_model_loader(Settings(), telemetry), telemetry)
    served = {
        (verb, rule.rule) for rule in app.url_map.iter_rules() for verb in rule.methods or () if verb in ("GET", "POST")
    }
    routes = {(verb, path) for verb, path in dict(api_methods(template("default"))) if verb != "OPTIONS"}

    assert {path for _, path in served if not path.startswith("/v1/")} == {"/ready", *OPEN}
    assert routes == {("GET", path) for path in OPEN} | PRIVATE


@pytest.mark.parametrize(("function", "choice"), [("Classify", "default"), ("Uploads", "default"), ("Bulk", "bulk")])
def test_the_functions_settings_are_those_that_serving_reads(
    template: Callable[[str], Template], function: str, choice: str
):
    variables = environment(template(choice)["Resources"], function)
    read = Recorder(variables)

    settings = Settings.from_environment(read)

    assert set(variables) <= read.seen
    assert settings.model_uri == "s3://ModelBucket/models/flowers/"
    if function == "Classify":
        assert settings.image_sources == (S3Prefix("UploadsBucket", "uploads/"),)
        assert (settings.cors_origins, settings.api_key_needed) == (("*",), True)


def test_a_message_stays_hidden_for_six_timeouts_and_the_alarm_rings_before_one_is_over(
    template: Callable[[str], Template],
):
    resources = template("default")["Resources"]
    timeout = resources["UploadsLambdaFunction"]["Properties"]["Timeout"]

    assert resources["UploadQueue"]["Properties"]["VisibilityTimeout"] >= 6 * timeout
    longest, share = resources["UploadsDurationAlarm"]["Properties"]["Metrics"]
    assert longest["MetricStat"]["Metric"]["MetricName"] == "Duration"  # ms
    assert share["Expression"] == f"longest / (10 * {timeout})"
    assert resources["ClassifyLambdaFunction"]["Properties"]["Timeout"] <= 29  # API Gateway's


def test_an_upload_fails_alone_and_is_kept_longer_in_the_dead_letter_queue(template: Callable[[str], Template]):
    resources = template("default")["Resources"]
    queue, failed = (resources[name]["Properties"] for name in ("UploadQueue", "FailedUploads"))
    mapping = resources["UploadsEventSourceMappingSQSUploadQueue"]["Properties"]

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["FailedUploads", "Arn"]}
    assert failed["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


def test_a_result_cannot_trigger_the_function(template: Callable[[str], Template]):
    bucket = template("default")["Resources"]["UploadsBucket"]["Properties"]
    [watched] = bucket["NotificationConfiguration"]["QueueConfigurations"]
    [rule] = watched["Filter"]["S3Key"]["Rules"]

    assert rule == {"Name": "prefix", "Value": "uploads/"}
    assert environment(template("default")["Resources"], "Uploads")["RESULTS_PREFIX"] == "results/"


@pytest.mark.parametrize("bucket", ["ModelBucket", "UploadsBucket"])
def test_buckets_are_closed_encrypted_versioned_and_outlive_the_stack(template: Callable[[str], Template], bucket: str):
    resource = template("default")["Resources"][bucket]
    properties = resource["Properties"]

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in properties
    assert "LifecycleConfiguration" in properties
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_buckets_of_ones_own_are_neither_made_nor_reconfigured(template: Callable[[str], Template]):
    packaged = template("own")

    assert [name for name, _ in of_type(packaged, "S3::Bucket")] == ["ServerlessDeploymentBucket"]
    assert {name: parameter["Default"] for name, parameter in packaged["Parameters"].items()} == {
        "ModelBucket": "my-models",
        "UploadsBucket": "my-photos",
    }


def test_images_reach_the_function_as_bytes_and_json_as_text(template: Callable[[str], Template]):
    types = template("default")["Resources"]["ApiGatewayRestApi"]["Properties"]["BinaryMediaTypes"]

    assert {"image/jpeg", "image/png", "image/webp", "multipart/form-data", "application/octet-stream"} <= set(types)
    assert not [name for name in types if "*" in name or "json" in name]


def test_errors_of_the_gateway_itself_can_be_read_by_a_page(template: Callable[[str], Template]):
    resources = template("pinned")["Resources"]
    answers = [resources[name]["Properties"] for name in ("GatewayError4xx", "GatewayError5xx")]

    assert [answer["ResponseType"] for answer in answers] == ["DEFAULT_4XX", "DEFAULT_5XX"]
    for answer in answers:
        assert (
            answer["ResponseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"]
            == "'https://site.example'"
        )
        body = re.sub(
            r"\$context\.error\.messageString", '"Forbidden"', answer["ResponseTemplates"]["application/json"]
        )
        assert set(json.loads(body)) == {"title", "code", "request_id"}


def test_every_alarm_reaches_a_person_and_is_explained(template: Callable[[str], Template]):
    alarms = dict(of_type(template("default"), "CloudWatch::Alarm"))
    manual = (ROOT / "docs/operating.md").read_text()

    for name, alarm in alarms.items():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert f"`{name}`" in manual


def test_the_share_of_unknown_images_is_of_all_that_were_judged(template: Callable[[str], Template]):
    alarm = template("default")["Resources"]["UnknownShareAlarm"]["Properties"]
    *counts, share = alarm["Metrics"]
    watched = [count["MetricStat"]["Metric"] for count in counts]
    dimensions = [{"Name": "service", "Value": "image-recognition-dev"}]

    assert {metric["MetricName"] for metric in watched} == {decision.capitalize() for decision in Decision}
    assert all(metric["Dimensions"] == dimensions for metric in watched)
    assert {count["Id"] for count in counts} == {str(decision) for decision in Decision}
    assert share["Expression"].startswith("IF(accepted + uncertain + unknown >= 50, 100 * unknown / (")
    assert int(alarm["Threshold"]) == 20


def test_the_cost_of_alarms_is_that_of_the_metrics_they_watch(template: Callable[[str], Template]):
    alarms = [alarm["Properties"] for _, alarm in of_type(template("default"), "CloudWatch::Alarm")]
    watched = [sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1 for alarm in alarms]

    assert TABLES["standing still, a month"]["alarms, by the metrics they watch"].startswith(f"{sum(watched)} × ")


def test_the_cli_is_pinned_and_its_lock_names_no_private_registry():
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())

    assert all(re.fullmatch(r"(npm:\w+@)?[\d.]+", version) for version in package["devDependencies"].values())
    assert package["devDependencies"]["serverless"] == "npm:osls@4.3.1"
    for entry in lock["packages"].values():
        assert entry.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/")


class Recorder(dict[str, str]):
    """An environment that remembers what was asked of it."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.seen: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.seen.add(name)
        return super().get(name, default)


def environment(resources: dict[str, Any], function: str) -> dict[str, str]:
    """A function's variables, with a bucket's logical name for the name that CloudFormation will give it."""
    variables = resources[f"{function}LambdaFunction"]["Properties"]["Environment"]["Variables"]
    return {name: _plain(value) for name, value in variables.items()}


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("Ref") or re.sub(r"\$\{(\w+)\}", r"\1", value["Fn::Sub"])
    return str(value)


def api_methods(template: Template) -> Iterator[tuple[tuple[str, str], Any]]:
    for _, method in of_type(template, "ApiGateway::Method"):
        yield (
            (method["Properties"]["HttpMethod"], path_of(template, method["Properties"]["ResourceId"])),
            method["Properties"],
        )


def path_of(template: Template, resource: Any) -> str:
    if "Fn::GetAtt" in resource:  # the API's root
        return "/"
    properties = template["Resources"][resource["Ref"]]["Properties"]
    return f"{path_of(template, properties['ParentId']).rstrip('/')}/{properties['PathPart']}"
