"""`python -m ops.cost`: write docs/cost.md. One price list with its date; each figure is computed from the line beside it.

List prices of us-east-1 in US dollars, free tier left out, of 2025: Lambda (x86), API Gateway (REST), S3 (Standard), S3 Batch
Operations, SQS, Step Functions, EC2 (on demand), CloudWatch, X-Ray, ECR and Rekognition (DetectLabels). CHECKED says where
those of bulk runs were looked up again.
ops/scaling.py computes docs/scaling.md from the same list.
"""

import ast
import operator
import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "cost.md"

# $ for a thousand, a million, a GB, a GB and second, a GB and month, or one a month
MILLION_REST_CALLS, MILLION_LAMBDA_CALLS, MILLION_MESSAGES, MILLION_TRACES = 3.50, 0.20, 0.40, 5.00
GB_SECOND, GB_SECOND_PROVISIONED, GB_SECOND_SNAPSHOT = 0.0000166667, 0.0000041667, 0.0000015046
THOUSAND_WRITES, THOUSAND_READS, GB_STORED, GB_LOGGED, GB_IN_ECR = 0.005, 0.0004, 0.023, 0.50, 0.10
MILLION_TRANSITIONS, MILLION_EXPRESS_RUNS, GB_SECOND_EXPRESS = 25.00, 1.00, 0.00001667
BATCH_JOB, MILLION_BATCH_OBJECTS, MILLION_LISTED_BY_BATCH = 0.25, 1.00, 0.015
HOUR_OF_2_CPUS, HOUR_OF_16_CPUS = 0.08925, 0.714  # c7i.large, c7i.4xlarge
ALARM, METRIC, THOUSAND_OF_REKOGNITION = 0.10, 0.30, 1.00

STEP_FUNCTIONS = "aws.amazon.com/step-functions/pricing, in copies without a date"
CHECKED = {  # on 2026-11-28: what it is of → $, and where that was read
    "Step Functions, a million state transitions of a standard workflow": (MILLION_TRANSITIONS, STEP_FUNCTIONS),
    "Step Functions, a million express executions": (MILLION_EXPRESS_RUNS, STEP_FUNCTIONS),
    "Step Functions, a GB and second of an express execution, in steps of 64 MB": (
        GB_SECOND_EXPRESS,
        f"{STEP_FUNCTIONS}: 0.06 a GB and hour for the first 1,000",
    ),
    "S3 Batch Operations, a job": (BATCH_JOB, "aws.amazon.com/s3/pricing, in a copy without a date"),
    "S3 Batch Operations, a million objects": (MILLION_BATCH_OBJECTS, "the same"),
    "S3 Batch Operations, a million objects of the bucket, for a manifest that S3 makes": (
        MILLION_LISTED_BY_BATCH,
        "the same",
    ),
    "EC2, an hour of a c7i.large": (
        HOUR_OF_2_CPUS,
        "AWS's Price List API as others read it, on 2026-10-05; not on AWS's own page",
    ),
    "EC2, an hour of a c7i.4xlarge": (HOUR_OF_16_CPUS, "eight times that, as others' lists have it too"),
}
NOT_CHECKED = "Lambda, API Gateway, requests and storage of S3, SQS, CloudWatch, X-Ray, ECR, Rekognition"

GB = "1.7275 GB"  # 1,769 MB, one vCPU
MONTH = "2,592,000 s"
TABLES = {
    "1,000 images over HTTPS": {
        "API Gateway REST": f"1,000 × {MILLION_REST_CALLS} / 1,000,000",
        "Lambda, requests": f"1,000 × {MILLION_LAMBDA_CALLS} / 1,000,000",
        "Lambda, time": f"1,000 × 0.05 s × {GB} × {GB_SECOND:.10f}",
        "CloudWatch logs": f"1,000 × 0.000002 GB × {GB_LOGGED}",
        "X-Ray, 5 % sampled": f"50 × {MILLION_TRACES} / 1,000,000",
    },
    "1,000 images put into the bucket": {
        "S3, image and result written": f"2,000 × {THOUSAND_WRITES} / 1,000",
        "S3, image and former result read": f"2,000 × {THOUSAND_READS} / 1,000",
        "SQS, at most": f"3,000 × {MILLION_MESSAGES} / 1,000,000",
        "Lambda, requests": f"1,000 × {MILLION_LAMBDA_CALLS} / 1,000,000",
        "Lambda, time": f"1,000 × 0.11 s × {GB} × {GB_SECOND:.10f}",
        "CloudWatch logs": f"1,000 × 0.000002 GB × {GB_LOGGED}",
    },
    "1,000 images by the state machine": {
        "S3, images read": f"1,000 × {THOUSAND_READS} / 1,000",
        "S3, results of 10 batches written, and looked for before": f"10 × {THOUSAND_WRITES + THOUSAND_READS} / 1,000",
        "S3, listed": f"1 × {THOUSAND_WRITES} / 1,000",
        "Lambda, requests": f"10 × {MILLION_LAMBDA_CALLS} / 1,000,000",
        "Lambda, time": f"1,000 × 0.05 s × {GB} × {GB_SECOND:.10f}",
        "Step Functions, express executions": f"10 × {MILLION_EXPRESS_RUNS} / 1,000,000",
        "Step Functions, their time": f"10 × 6 s × 0.0625 GB × {GB_SECOND_EXPRESS:.8f}",
        "Step Functions, transitions of the map, at most": f"10 × {MILLION_TRANSITIONS} / 1,000,000",
        "CloudWatch logs": f"10 × 0.000002 GB × {GB_LOGGED}",
    },
    "standing still, a month": {
        "alarms, by the metrics they watch": f"14 × {ALARM}",
        "metrics of the app": f"10 × {METRIC}",
        "images in ECR, compressed, at most": f"5 × 0.5 GB × {GB_IN_ECR}",
        "the queue being polled": f"5 × 3 × 43,200 × {MILLION_MESSAGES} / 1,000,000",
    },
    "what may come on top": {
        "a provisioned instance, a month": f"{GB} × {MONTH} × {GB_SECOND_PROVISIONED:.10f}",
        "SnapStart, a published version, a month": f"{GB} × {MONTH} × {GB_SECOND_SNAPSHOT:.10f}",
        "a cold start of 3 s": f"3 s × {GB} × {GB_SECOND:.10f}",
        "keeping 1,000 images of 0.5 MB for a month": f"0.5 GB × {GB_STORED}",
        "1,000 images by Rekognition's DetectLabels": f"1,000 × {THOUSAND_OF_REKOGNITION} / 1,000",
    },
}
INTRODUCTION = """# What it costs

List prices of us-east-1 in US dollars, free tier left out; the last table says where they are from: look them up before you rely on them. A warm
answer to a 230 kB JPEG took 24 ms here on one CPU with the compiled model; 50 ms are assumed for Lambda, and 60 ms more where S3 is read and
written. TensorFlow instead takes about four times the time. `make docs` computes this page from the price list in `ops/cost.py`.
"""
OPERATORS = {ast.Mult: operator.mul, ast.Div: operator.truediv}


def dollars(arithmetic: str) -> float:
    """Compute a line as it is written: numbers with their units, × and /."""
    plain = re.sub(r"\s*(GB|s)(?=\s|$)", "", arithmetic).replace(",", "").replace("×", "*")
    return _value(ast.parse(plain, mode="eval").body)


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.BinOp):
        result: float = OPERATORS[type(node.op)](_value(node.left), _value(node.right))
        return result
    assert isinstance(node, ast.Constant)
    return float(str(node.value))


def total(table: str) -> float:
    return sum(dollars(arithmetic) for arithmetic in TABLES[table].values())


def page() -> str:
    return "\n".join([INTRODUCTION, *(_table(title, lines) for title, lines in TABLES.items()), _sources()])


def _sources() -> str:
    rows = ["| prices looked up on 2026-11-28 | $ | where |", "| --- | ---: | --- |"]
    rows += [f"| {what} | {_plain(price)} | {where} |" for what, (price, where) in CHECKED.items()]
    return "\n".join([*rows, f"| {NOT_CHECKED} | | not checked then: as they stood here since 2025 |"]) + "\n"


def _plain(price: float) -> str:
    return f"{price:.8f}".rstrip("0").rstrip(".")


def _table(title: str, lines: dict[str, str]) -> str:
    rows = [f"| {title} | arithmetic | $ |", "| --- | --- | ---: |"]
    rows += [f"| {what} | {arithmetic} | {dollars(arithmetic):.4f} |" for what, arithmetic in lines.items()]
    if title != "what may come on top":
        rows.append(f"| **together** | | **{total(title):.4f}** |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
