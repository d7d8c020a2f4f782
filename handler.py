"""The Lambda entry points, thin: what arrived goes to the right door of `serving`.

Nothing here touches the network, but where Lambda starts ahead of requests (provisioned concurrency, SnapStart): there the
model is loaded with this module.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from serving.app import create_app
from serving.gateway import answer
from serving.models import open_models
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.uploads import UploadDesk

settings = Settings.from_environment(os.environ)
models = open_models(settings)
app = create_app(settings, models)  # gunicorn serves it too: `gunicorn handler:app`

if settings.load_at_start:
    models.prepare()


def http(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """API Gateway REST (v1) and HTTP API (v2), Function URL, Application Load Balancer."""
    return answer(app, event, context)


def uploads(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """S3, SQS-wrapped S3, EventBridge and S3 Batch Operations."""
    return _upload_desk().handle(event, context)


@cache
def _upload_desk() -> "UploadDesk":
    from serving.uploads import open_desk

    return open_desk(settings, models)
