"""The Flask app: one table of routes, the same behind API Gateway, behind gunicorn and on a laptop.

What naming an image does not need (the page, the docs, the APIs of other servers) is imported by the request that does.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from serving.http.addresses import mounted
from serving.http.bodies import read_body
from serving.http.cors import allow_origins
from serving.http.middleware import add_middleware
from serving.http.record import record
from serving.http.requests import parse_request, read_json
from serving.http.responses import classified, json_answer
from serving.inference import Recogniser
from serving.model_loader import ModelLoader
from serving.s3 import ObjectReader, s3_client
from serving.schemas import Health, ModelCard, ModelName, Readiness
from serving.settings import Settings
from serving.telemetry import Telemetry

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from serving.http.dialects import Settle
    from serving.http.presigned import UploadForms


def create_app(
    settings: Settings,
    models: ModelLoader,
    telemetry: Telemetry,
    connect_s3: "Callable[[], S3Client]" = s3_client,
    settle: "Settle | None" = None,
) -> Flask:
    """Wire the routes to their collaborators. Nothing is read, loaded or connected to yet."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False  # a redirect costs a second call, and loses the stage of an API Gateway
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    app.config["BASE_PATH"] = settings.base_path
    app.wsgi_app = mounted(app.wsgi_app, settings.base_path)  # type: ignore[assignment, method-assign]  # Flask's own way to wrap it
    recogniser = Recogniser(models, settings.limits, settings.max_in_flight)
    add_middleware(app, settings, telemetry)
    if settings.api_keys:
        from serving.http.keys import require_key

        require_key(app, settings)
    allow_origins(app, settings.cors_origins)
    objects = ObjectReader(settings.image_sources, settings.max_image_bytes, connect_s3)
    _recognition(app, settings, recogniser, objects)
    _dialects(app, settings, recogniser, objects, settle)
    _uploads(app, settings)
    _description(app, settings)
    return app


def _recognition(app: Flask, settings: Settings, recogniser: Recogniser, objects: ObjectReader) -> None:
    @app.post("/v1/classify")
    def classify() -> Response:
        parsed = parse_request(request, settings.max_batch, objects.read)
        record().source = parsed.source
        record().prediction = prediction = recogniser.recognise(parsed.reads, record().timings, parsed.batch)
        return classified(parsed, prediction, record().timings, record().request_id)

    @app.get("/v1/model")
    def model() -> Response:
        classifier = recogniser.classifier(record().timings)
        manifest = classifier.manifest
        return json_answer(
            ModelCard(
                name=manifest.name,
                version=classifier.version,
                engine=classifier.engine.name,
                labels=manifest.labels,
                created=manifest.created,
                metrics=dict(manifest.metrics),
                parity=dict(manifest.parity),
                thresholds=manifest.thresholds,
                digests={path: entry.sha256 for path, entry in manifest.files.items()},
                card=classifier.card,
            )
        )

    @app.get("/health")
    def health() -> Response:
        return json_answer(Health("ok"))

    @app.get("/ready")
    def ready() -> Response:
        """Load the model if that is not done yet: whoever asks wants to send images next."""
        classifier = recogniser.classifier(record().timings)
        return json_answer(Readiness(ModelName(classifier.manifest.name, classifier.version), classifier.engine.name))


def _dialects(
    app: Flask, settings: Settings, recogniser: Recogniser, objects: ObjectReader, settle: "Settle | None"
) -> None:
    """The APIs of other servers, whose addresses are none of the app's own."""

    @app.before_request
    def answer() -> Response | None:
        if request.routing_exception is None:
            return None
        from serving.http import dialects

        return dialects.answer(dialects.Call(request, record(), settings, recogniser, objects.read, settle))


def _uploads(app: Flask, settings: Settings) -> None:
    """For images too large for a request: the way past it."""

    @cache
    def forms() -> "UploadForms":
        from serving.http.presigned import UploadForms, signing_client

        return UploadForms(settings, signing_client)

    @app.post("/v1/uploads")
    def upload() -> Response:
        from serving.http.presigned import UploadRequest

        return json_answer(forms().sign(read_json(read_body(request), UploadRequest).content_type))

    @app.get("/v1/results/<id>")
    def result(id: str) -> Response:
        return json_answer(forms().result(id))


def _description(app: Flask, settings: Settings) -> None:
    """What a person or a program reads before they send an image."""

    @app.get("/")
    def page() -> Response:
        from serving.http import pages

        return pages.page(settings)

    @app.get("/docs")
    def docs() -> Response:
        from serving.http import pages

        return pages.docs(settings)

    @app.get("/openapi.json")
    def openapi() -> Response:
        from serving.http.openapi import describe

        return json_answer(describe(settings))
