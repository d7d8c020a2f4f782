"""The documented job of S3 Batch Operations is one that AWS's own description of the request takes, for what the stack has."""

import json
import re

import botocore.session
import pytest
from botocore.exceptions import ParamValidationError
from botocore.validate import validate_parameters

from tests import ROOT

JOB = json.loads(re.findall(r"```json\n(.+?)```", (ROOT / "docs/bulk.md").read_text(), re.DOTALL)[0])
SHAPE = botocore.session.get_session().get_service_model("s3control").operation_model("CreateJob").input_shape


def test_the_job_is_a_request_that_botocore_takes():
    validate_parameters(JOB, SHAPE)
    with pytest.raises(ParamValidationError):
        validate_parameters({**JOB, "Priority": "high"}, SHAPE)


def test_the_jobs_values_are_among_those_that_aws_knows():
    manifest = SHAPE.members["ManifestGenerator"].members["S3JobManifestGenerator"].members["ManifestOutputLocation"]
    assert JOB["Report"]["Format"] in SHAPE.members["Report"].members["Format"].enum
    assert JOB["Report"]["ReportScope"] in SHAPE.members["Report"].members["ReportScope"].enum
    output = JOB["ManifestGenerator"]["S3JobManifestGenerator"]["ManifestOutputLocation"]
    assert output["ManifestFormat"] in manifest.members["ManifestFormat"].enum


def test_the_job_reads_and_writes_where_its_role_may(template):
    [statement] = [
        statement
        for statement in template("bulk")["Resources"]["BatchOperationsRole"]["Properties"]["Policies"][0][
            "PolicyDocument"
        ]["Statement"]
        if "s3:PutObject" in statement["Action"]
    ]
    assert statement["Resource"]["Fn::Sub"].endswith("${UploadsBucket}/bulk/jobs/*")
    assert JOB["Report"]["Prefix"] == "bulk/jobs"
    assert JOB["ManifestGenerator"]["S3JobManifestGenerator"]["ManifestOutputLocation"]["ManifestPrefix"] == "bulk/jobs"
