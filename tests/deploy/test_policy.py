"""Who may do what, read from the packaged template action by action: an addition to deploy/roles.yml is an addition here."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deploy.conftest import CHOICES, Template

Grant = tuple[str, str]  # action, resource without its arn:partition:

LOGS = "logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/image-recognition-dev"
MODEL_BUCKET, UPLOADS_BUCKET = "s3:::${ModelBucket}", "s3:::${UploadsBucket}"

WITHOUT_RESOURCES = {  # AWS lets nobody name one: Service Authorization Reference, AWS X-Ray
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
}
BOTH = WITHOUT_RESOURCES | {
    ("s3:ListBucket", MODEL_BUCKET),
    ("s3:ListBucket", UPLOADS_BUCKET),
    ("s3:GetObject", f"{MODEL_BUCKET}/models/flowers/*"),
    ("s3:GetObject", f"{UPLOADS_BUCKET}/uploads/*"),
    ("s3:GetObjectVersion", f"{UPLOADS_BUCKET}/uploads/*"),
    ("s3:GetObject", f"{UPLOADS_BUCKET}/results/*"),
}
CLASSIFY = BOTH | {
    ("logs:CreateLogStream", f"{LOGS}-classify:*"),
    ("logs:PutLogEvents", f"{LOGS}-classify:*"),
    ("s3:PutObject", f"{UPLOADS_BUCKET}/uploads/*"),
}
UPLOADS = BOTH | {
    ("logs:CreateLogStream", f"{LOGS}-uploads:*"),
    ("logs:PutLogEvents", f"{LOGS}-uploads:*"),
    ("sqs:ReceiveMessage", "${UploadQueue.Arn}"),
    ("sqs:DeleteMessage", "${UploadQueue.Arn}"),
    ("sqs:GetQueueAttributes", "${UploadQueue.Arn}"),
    ("s3:PutObject", f"{UPLOADS_BUCKET}/results/*"),
    ("s3:GetObject", f"{UPLOADS_BUCKET}/claims-results/*"),
    ("s3:PutObject", f"{UPLOADS_BUCKET}/claims-results/*"),
}
TAGGING = {
    (f"s3:{verb}Object{version}Tagging", f"{UPLOADS_BUCKET}/uploads/*")
    for verb in ("Get", "Put")
    for version in ("", "Version")
}
PUBLISHING = {("events:PutEvents", "events:${AWS::Region}:${AWS::AccountId}:event-bus/default")}


BULK_PHOTOS, RESULTS = "s3:::my-photos", f"{UPLOADS_BUCKET}/bulk/*"  # of the choice "bulk"
BULK = WITHOUT_RESOURCES | {
    ("logs:CreateLogStream", f"{LOGS}-bulk:*"),
    ("logs:PutLogEvents", f"{LOGS}-bulk:*"),
    ("s3:ListBucket", MODEL_BUCKET),
    ("s3:ListBucket", UPLOADS_BUCKET),
    ("s3:ListBucket", BULK_PHOTOS),
    ("s3:GetObject", f"{MODEL_BUCKET}/models/flowers/*"),
    ("s3:GetObject", f"{BULK_PHOTOS}/all/*"),
    ("s3:GetObjectVersion", f"{BULK_PHOTOS}/all/*"),
    ("s3:GetObject", RESULTS),
    ("s3:PutObject", RESULTS),
}
STATES = "states:${AWS::Region}:${AWS::AccountId}"
STATE_MACHINE = {
    ("lambda:InvokeFunction", "${BulkLambdaFunction.Arn}"),
    ("states:StartExecution", f"{STATES}:stateMachine:image-recognition-dev-bulk"),
    ("states:DescribeExecution", f"{STATES}:execution:image-recognition-dev-bulk/*"),
    ("states:StopExecution", f"{STATES}:execution:image-recognition-dev-bulk/*"),
    ("states:RedriveExecution", f"{STATES}:execution:image-recognition-dev-bulk/*"),
    ("s3:ListBucket", BULK_PHOTOS),
    ("s3:GetObject", f"{BULK_PHOTOS}/all/*"),
    ("s3:GetObject", RESULTS),
    *(
        (f"s3:{action}", f"{UPLOADS_BUCKET}/bulk/runs/*")
        for action in ("PutObject", "GetObject", "ListMultipartUploadParts", "AbortMultipartUpload")
    ),
}
BATCH_OPERATIONS = {
    ("lambda:InvokeFunction", "${UploadsLambdaFunction.Arn}"),
    ("lambda:InvokeFunction", "${UploadsLambdaFunction.Arn}:*"),
    ("s3:PutInventoryConfiguration", UPLOADS_BUCKET),
    ("s3:ListBucket", UPLOADS_BUCKET),
    *((f"s3:{action}", f"{UPLOADS_BUCKET}/bulk/jobs/*") for action in ("PutObject", "GetObject", "GetObjectVersion")),
}

EXPECTED = dict.fromkeys(CHOICES, (CLASSIFY, UPLOADS)) | {
    "iam": (CLASSIFY, UPLOADS | TAGGING),
    "jwt": (CLASSIFY, UPLOADS | PUBLISHING),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_each_function_may_do_exactly_what_is_listed(template: Callable[[str], Template], choice: str):
    assert (grants(template(choice), "ClassifyRole"), grants(template(choice), "UploadsRole")) == EXPECTED[choice]


def test_a_bulk_run_may_do_exactly_what_is_listed(template: Callable[[str], Template]):
    assert grants(template("bulk"), "BulkRole") == BULK
    assert grants(template("bulk"), "BulkStateMachineRole") == STATE_MACHINE
    assert grants(template("bulk"), "BatchOperationsRole") == BATCH_OPERATIONS
    assert who_assumes(template("bulk")["Resources"]["BulkStateMachineRole"]) == "states.amazonaws.com"
    assert who_assumes(template("bulk")["Resources"]["BatchOperationsRole"]) == "batchoperations.s3.amazonaws.com"
    assert not [name for name in template("default")["Resources"] if name.startswith(("Bulk", "Batch"))]


@pytest.mark.parametrize("choice", CHOICES)
def test_each_function_has_its_own_role_which_nothing_but_lambda_may_assume(
    template: Callable[[str], Template], choice: str
):
    packaged = template(choice)
    functions = of_type(packaged, "Lambda::Function")
    expected = {"ClassifyLambdaFunction": "ClassifyRole", "UploadsLambdaFunction": "UploadsRole"}
    expected |= {"BulkLambdaFunction": "BulkRole"} if choice == "bulk" else {}
    others = {"GatewayLogRole", "BulkStateMachineRole", "BatchOperationsRole"}  # of services, not of functions

    assert {name: function["Properties"]["Role"]["Fn::GetAtt"][0] for name, function in functions} == expected
    assert {name: who_assumes(role) for name, role in of_type(packaged, "IAM::Role") if name not in others} == (
        dict.fromkeys(expected.values(), "lambda.amazonaws.com")
    )


def test_the_gateway_gets_the_role_that_aws_made_for_writing_its_logs_and_no_other(template: Callable[[str], Template]):
    role = template("default")["Resources"]["GatewayLogRole"]

    assert who_assumes(role) == "apigateway.amazonaws.com"
    assert "Policies" not in role["Properties"]
    assert [text(arn) for arn in role["Properties"]["ManagedPolicyArns"]] == [
        "iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    ]
    assert "GatewayLogRole" not in template("own")["Resources"]


def test_only_s3_of_this_account_may_send_to_the_queue(template: Callable[[str], Template]):
    [statement] = template("default")["Resources"]["UploadQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_for_a_bucket_of_ones_own_only_our_rule_may_send_to_the_queue(template: Callable[[str], Template]):
    [statement] = template("own")["Resources"]["UploadQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["UploadsRule", "Arn"]}}}


def grants(template: Template, role: str) -> set[Grant]:
    statements = [
        statement
        for policy in policies(template, role)
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    return {
        (action, text(resource))
        for statement in statements
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def policies(template: Template, role: str) -> Iterator[Any]:
    properties = template["Resources"][role]["Properties"]
    assert "ManagedPolicyArns" not in properties, "a managed policy grants what is not written here"
    yield from properties["Policies"]
    for _, policy in of_type(template, "IAM::RolePolicy"):
        if policy["Properties"]["RoleName"] == {"Ref": role}:
            yield policy["Properties"]


def of_type(template: Template, kind: str) -> list[tuple[str, Any]]:
    return [(name, resource) for name, resource in template["Resources"].items() if resource["Type"] == f"AWS::{kind}"]


def who_assumes(role: Any) -> str:
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    service: str = statement["Principal"]["Service"]
    return service


def text(value: Any) -> str:
    """A resource as it is written in serverless.yml, without its arn:partition:."""
    if isinstance(value, dict):
        [(function, argument)] = value.items()
        value = argument if function == "Fn::Sub" else "${" + ".".join(as_list(argument)) + "}"
    return str(value).removeprefix("arn:${AWS::Partition}:")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
