"""A local AWS on which the real CLI deploys, invokes and removes: moto's server, taught what moto 5.2 still lacks.

    python tests/deploy/local_aws.py CODE_ROOT      prints its port, and ends when its standard input does

A function runs as a process of this Python in CODE_ROOT, started by its image's command, with the environment that its
template gives it. There is no gateway (HTTP is tested with recorded events), no signatures, no policies, no time limits.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import moto.cloudformation.models as cloudformation
from moto.awslambda.models import ImageConfig, LambdaFunction
from moto.core.config import default_user_config
from moto.s3 import notifications
from moto.s3.models import FakeBucket, s3_backends
from moto.server import ThreadedMotoServer
from moto.stepfunctions import models as stepfunctions
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

sys.path.insert(0, str(Path(__file__).parents[2]))  # this is run as a file
from tests.deploy import distributed_map

RUNNER = Path(__file__).with_name("local_function.py")


def adapt(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Replace a function, method or property by what `wrap` makes of the function inside it."""
    original = owner.__dict__[name]
    inside = getattr(original, "__func__", None) or getattr(original, "fget", None)
    setattr(owner, name, type(original)(wrap(inside)) if inside else wrap(original))


def errors_only(lint: Any) -> Any:
    """ValidateTemplate refuses errors; moto refuses warnings too, such as the framework's own W3005."""
    return lambda template: [finding for finding in lint(template) if finding.rule.severity == "error"]


def known_words(parse_template: Any) -> Any:
    """Say in older words what moto's CloudFormation does not know yet."""

    def parse(template: str) -> dict[str, Any]:
        parsed: dict[str, Any] = parse_template(template)
        for resource in parsed["Resources"].values():
            if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
                resource["DeletionPolicy"] = "Retain"
            integration = resource.get("Properties", {}).get("Integration", {})
            if integration.get("Type") == "MOCK":  # CORS preflights
                integration |= {"IntegrationHttpMethod": "OPTIONS", "Uri": ""}
        return parsed

    return parse


def known_resources(stack_resources: Any) -> Any:
    """Leave out what moto could not make, instead of failing over it."""
    return lambda stack: [resource for resource in stack_resources(stack) if resource is not None]


def with_image(from_template: Any) -> Any:
    """Keep PackageType and ImageConfig of a function in a template."""

    def make(cls: Any, *args: Any, **kwargs: Any) -> LambdaFunction:
        function: LambdaFunction = from_template(cls, *args, **kwargs)
        properties = next(arg for arg in args if isinstance(arg, dict))["Properties"]
        function.package_type = properties["PackageType"]
        function.image_config = ImageConfig(properties["ImageConfig"])
        return function

    return make


def with_settings(from_template: Any) -> Any:
    """Apply the versioning and the notifications of a bucket in a template; S3 sends its test event then."""

    def make(cls: Any, name: str, template: dict[str, Any], account: str, region: str, **kwargs: Any) -> FakeBucket:
        bucket: FakeBucket = from_template(cls, name, template, account, region, **kwargs)
        properties = template.get("Properties", {})
        if "VersioningConfiguration" in properties:
            s3_backends[account]["aws"].put_bucket_versioning(name, properties["VersioningConfiguration"]["Status"])
        queues = properties.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
        bucket.set_notification_configuration(
            {
                "QueueConfiguration": [
                    {
                        **queue,
                        "Event": [queue["Event"]],
                        "Filter": {"S3Key": {"FilterRule": queue["Filter"]["S3Key"]["Rules"]}},
                    }
                    for queue in queues
                ]
            }
        )
        return bucket

    return make


def with_definition(from_template: Any) -> Any:
    """Take a state machine's definition as an object, with its substitutions, for the text that moto knows."""

    def make(cls: Any, name: str, template: dict[str, Any], *args: Any, **kwargs: Any) -> StateMachine:
        properties = template["Properties"]
        text = json.dumps(properties["Definition"])
        for placeholder, value in properties["DefinitionSubstitutions"].items():
            text = text.replace("${" + placeholder + "}", value)
        template = {**template, "Properties": {**properties, "DefinitionString": text}}
        machine: StateMachine = from_template(cls, name, template, *args, **kwargs)
        return machine

    return make


def with_version(s3_event: Any) -> Any:
    """An S3 notification names the version of its object."""

    def make(event_name: str, bucket: FakeBucket, key: Any, notification_id: str) -> dict[str, Any]:
        event: dict[str, Any] = s3_event(event_name, bucket, key, notification_id)
        if bucket.is_versioned:
            event["Records"][0]["s3"]["object"]["versionId"] = key.version_id
        return event

    return make


def as_process(endpoint: str, code_root: str) -> Any:
    """Invoke a function by its image's command, where moto wants Docker."""

    def invoke(self: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
        self.logs_backend.ensure_log_group(self.logs_group_name)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/tmp",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_size),
            **self.environment_vars,
        }
        done = subprocess.run(
            [sys.executable, RUNNER, self.image_config.cmd[0], self.function_arn, str(self.timeout)],
            input=event if isinstance(event, str) else json.dumps(event),
            cwd=code_root,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
        )
        self.save_logs(done.stderr or "-")
        if done.returncode < 0:
            ended = {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited with error: signal: killed"}
            return json.dumps(ended), True, done.stderr
        failures = done.stdout and (json.loads(done.stdout) or {}).get("batchItemFailures")
        if done.returncode or failures:  # moto knows no partial failure: a message that failed stays on the queue
            return done.stdout or json.dumps({"errorMessage": done.stderr.splitlines()[-1]}), True, done.stderr
        return done.stdout, False, done.stderr

    return invoke


def main(code_root: str) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["MOTO_PORT"] = str(port)  # where the interpreter of state machines finds the other services
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    stepfunctions.stepfunctions_backends = stepfunctions_parser_backends  # CloudFormation's, which would run nothing
    distributed_map.teach()
    adapt(cloudformation, "validate_template_cfn_lint", errors_only)
    adapt(cloudformation.Stack, "parse_template", known_words)
    adapt(cloudformation.Stack, "stack_resources", known_resources)
    adapt(LambdaFunction, "create_from_cloudformation_json", with_image)
    adapt(LambdaFunction, "update_from_cloudformation_json", with_image)
    adapt(LambdaFunction, "_invoke_lambda", lambda _: as_process(f"http://{host}:{port}", code_root))
    adapt(FakeBucket, "create_from_cloudformation_json", with_settings)
    adapt(StateMachine, "create_from_cloudformation_json", with_definition)
    adapt(notifications, "_get_s3_event", with_version)
    print(port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
