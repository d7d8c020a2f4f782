"""SageMaker's container contract (its /ping is in probes.py), and InvokeEndpoint as the SDK's sagemaker-runtime calls it.

An invocation takes and gives what POST /v1/classify does. Contract: docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from flask import Response, current_app, request

from serving.http.dialects import Call
from serving.http.responses import json_answer
from serving.http.responses import refused as refused_as_problem
from serving.schemas import Problem

INVOKE_ENDPOINT = "/endpoints/"
MODEL_ERROR = 424  # how InvokeEndpoint passes on whatever a container refuses


def invoke(_: Call, **_named: str) -> Response:
    classified: Response = current_app.view_functions["classify"]()  # type: ignore[assignment]  # Flask allows others
    return classified


def refused(problem: Problem, request_id: str) -> Response:
    """SageMaker repeats what a container answers. Without it in between, InvokeEndpoint's form is written here."""
    if not request.path.startswith(INVOKE_ENDPOINT):
        return refused_as_problem(problem, request_id)
    message = {"OriginalStatusCode": problem.status, "OriginalMessage": problem.detail, "Message": problem.detail}
    response = json_answer(message, MODEL_ERROR)
    response.headers["x-amzn-ErrorType"] = "ModelError"
    return response
