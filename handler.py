"""The Lambda entry points and the only composition root: settings, telemetry, the model's loader, the app, the processor.

Nothing here touches the network, but where Lambda starts ahead of requests (provisioned concurrency, SnapStart): there the
model is loaded with this module.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from serving.http.app import create_app
from serving.http.lambda_adapter import answer
from serving.model_loader import open_model_loader
from serving.settings import Settings
from serving.telemetry import LogTelemetry

if TYPE_CHECKING:
    from serving.bulk.processor import BatchProcessor
    from serving.uploads.processor import UploadProcessor

settings = Settings.from_environment(os.environ)
telemetry = LogTelemetry(settings)
models = open_model_loader(settings, telemetry)


def _settle(event: Any, request_id: str) -> None:
    _processor().settle(event, request_id)


app = create_app(  # gunicorn serves it too: `gunicorn handler:app`; there uploads come over HTTP, on Lambda by their queue
    settings, models, telemetry, settle=None if settings.on_lambda else _settle
)

if settings.load_at_start:
    models.preload()


def http(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """API Gateway REST (v1) and HTTP API (v2), Function URL, Application Load Balancer."""
    return answer(app, event, context)


def uploads(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Events of S3, plain or by EventBridge, in SQS, SNS, Pipes or a destination; tasks of S3 Batch Operations."""
    return _processor().handle(event, context)


def bulk(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Batches of a Distributed Map of Step Functions (deploy/bulk.yml)."""
    return _batch_processor().handle(event, context)


@cache
def _processor() -> "UploadProcessor":
    from serving.uploads.processor import open_processor

    return open_processor(settings, models, telemetry)


@cache
def _batch_processor() -> "BatchProcessor":
    from serving.bulk.processor import open_batch_processor

    return open_batch_processor(settings, models, telemetry)
