"""Reads what ops/checks.py applies its rules to: from the template that `npx serverless package` writes, or from what is deployed."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from model.aws_errors import translated
from ops.checks import Deployment, Function, Queue
from serving.errors import SettingsError

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_sqs import SQSClient

Json = dict[str, Any]

HTTP, UPLOADS = "handler.http", "handler.uploads"  # image commands
STORAGE = 512  # MB; Lambda's default


def from_template(template: Json) -> Deployment:
    """Read a CloudFormation template; what only CloudFormation knows (Ref, Fn::Sub) stands as it is written."""
    resources: dict[str, Json] = template["Resources"]
    properties = {name: resource.get("Properties", {}) for name, resource in resources.items()}

    def of_type(type: str) -> dict[str, Json]:
        return {name: properties[name] for name, resource in resources.items() if resource["Type"] == type}

    functions = {found["ImageConfig"]["Command"][0]: found for found in of_type("AWS::Lambda::Function").values()}
    (mapping,) = of_type("AWS::Lambda::EventSourceMapping").values()
    source = properties[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    bucket = properties.get("UploadsBucket")
    return Deployment(
        classify=_function(functions[HTTP]),
        uploads=_function(functions[UPLOADS]),
        queue=Queue(
            visibility=int(source["VisibilityTimeout"]),
            max_receives=source.get("RedrivePolicy", {}).get("maxReceiveCount"),
            partial_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
            told=True,  # by the bucket of this template, or by a rule of it
            prefix=_prefix_in_template(bucket),
        ),
        binary_types=frozenset(api.get("BinaryMediaTypes", [])),
        versioned=None if bucket is None else bucket.get("VersioningConfiguration", {}).get("Status") == "Enabled",
    )


def _function(properties: Json) -> Function:
    variables = properties.get("Environment", {}).get("Variables", {})
    return Function(
        timeout=properties["Timeout"],
        memory=properties["MemorySize"],
        storage=properties.get("EphemeralStorage", {}).get("Size", STORAGE),
        environment={name: value if isinstance(value, str) else _written(value) for name, value in variables.items()},
    )


def _written(value: Json) -> str:
    """A CloudFormation function as text: a bucket that is yet to be made is known by its logical name."""
    text = str(value["Fn::Sub"] if "Fn::Sub" in value else next(iter(value.values())))
    return re.sub(r"\$\{(\w+)\}", r"\1", text)


def _prefix_in_template(bucket: Json | None) -> str | None:
    if bucket is None:
        return None
    (queue,) = bucket["NotificationConfiguration"]["QueueConfigurations"]
    return next((str(rule["Value"]) for rule in queue["Filter"]["S3Key"]["Rules"] if rule["Name"] == "prefix"), "")


def client_of(session: Any, service: Any) -> Any:
    """A service's client, by a boto3 session or boto3 itself. Raises StoreMisconfigured: each may have an address of its own."""
    with translated(service):
        client = session.client(service)
        _ = urlsplit(client.meta.endpoint_url).port  # raises ValueError, as botocore does with the first call
        return client


class Stack:
    """A deployed stack, read through `session`, a boto3 session. Raises StoreMisconfigured, and SettingsError for another's stack."""

    def __init__(self, session: "Session", name: str) -> None:
        self._session, self._name = session, name
        pages = self._client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
        self._ids = {
            entry["LogicalResourceId"]: entry["PhysicalResourceId"]
            for page in pages
            for entry in page["StackResourceSummaries"]
            if "PhysicalResourceId" in entry
        }

    def _client(self, service: Any) -> Any:
        return client_of(self._session, service)

    def _id(self, logical: str) -> str:
        """Raises SettingsError."""
        if logical not in self._ids:
            raise SettingsError(
                f"the stack {self._name} has no {logical}: name a stack of this project, such as image-recognition-dev"
            )
        found: str = self._ids[logical]
        return found

    def read(self) -> Deployment:
        return Deployment(
            classify=self.function("ClassifyLambdaFunction"),
            uploads=self.function("UploadsLambdaFunction"),
            queue=self._queue(),
            binary_types=self._binary_types(),
            versioned=self._versioned(),
        )

    def function(self, logical_id: str) -> Function:
        found = self._client("lambda").get_function(FunctionName=self._id(logical_id))
        described = found["Configuration"]
        return Function(
            timeout=described["Timeout"],
            memory=described["MemorySize"],
            storage=described.get("EphemeralStorage", {}).get("Size", STORAGE),
            environment=described.get("Environment", {}).get("Variables", {}),
            image_bytes=self._image_bytes(found.get("Code", {}).get("ImageUri", "")),
        )

    def invoke_classify(self, event: Json) -> Json:
        """Invoke the deployed classify function."""
        answer = self._client("lambda").invoke(
            FunctionName=self._id("ClassifyLambdaFunction"), Payload=json.dumps(event).encode()
        )
        payload: Json = json.loads(answer["Payload"].read())
        return payload

    def _queue(self) -> Queue:
        sqs = self._client("sqs")
        source = _attributes(sqs, self._id("UploadQueue"))
        mappings = self._client("lambda").list_event_source_mappings(EventSourceArn=source["QueueArn"])
        policy = json.loads(source.get("RedrivePolicy", "{}"))
        prefixes, told = self._notifications(source["QueueArn"])
        return Queue(
            visibility=int(source["VisibilityTimeout"]),
            max_receives=int(policy["maxReceiveCount"]) if policy else None,
            partial_failures=_report_failures(mappings["EventSourceMappings"]),
            told=told,
            prefix=prefixes[0] if prefixes else None,
            failed=int(_attributes(sqs, self._id("FailedUploads"))["ApproximateNumberOfMessages"]),
        )

    def _notifications(self, queue_arn: str) -> tuple[list[str], bool]:
        """The prefixes that the bucket tells the queue of, and whether it is told at all: EventBridge tells everything."""
        found = self._client("s3").get_bucket_notification_configuration(Bucket=self._bucket)
        ours = [one for one in found.get("QueueConfigurations", []) if one["QueueArn"] == queue_arn]
        rules = [rule for one in ours for rule in one.get("Filter", {}).get("Key", {}).get("FilterRules", [])]
        prefixes = [rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"]
        return prefixes, bool(ours) or "EventBridgeConfiguration" in found

    def _versioned(self) -> bool:
        status = self._client("s3").get_bucket_versioning(Bucket=self._bucket).get("Status")
        return bool(status == "Enabled")

    def _binary_types(self) -> frozenset[str]:
        api = self._client("apigateway").get_rest_api(restApiId=self._id("ApiGatewayRestApi"))
        return frozenset(api.get("binaryMediaTypes", []))

    def _image_bytes(self, uri: str) -> int | None:
        from botocore.exceptions import ClientError

        registry, _, digest = uri.partition("@")
        if not digest:
            return None
        try:
            found = self._client("ecr").describe_images(
                repositoryName=registry.partition("/")[2], imageIds=[{"imageDigest": digest}]
            )
        except ClientError:  # another account's registry, or one that this person may not read
            return None
        return int(found["imageDetails"][0]["imageSizeInBytes"])

    @property
    def _bucket(self) -> str:
        variables = self.function("UploadsLambdaFunction").environment
        return variables["UPLOADS_BUCKET"]


def _report_failures(mappings: Sequence[Mapping[str, Any]]) -> bool:
    reporting = ["ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []) for mapping in mappings]
    return bool(reporting) and all(reporting)


def _attributes(sqs: "SQSClient", url: str) -> Mapping[Any, str]:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
