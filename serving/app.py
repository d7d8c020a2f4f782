"""The Flask app: one table of routes, the same behind API Gateway, behind gunicorn and on a laptop.

What naming an image does not need (the page, the docs, TensorFlow Serving's dialect) is imported by the request that does.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from serving.answers import classified, json_answer
from serving.cors import allow_origins
from serving.intake import read_json, take_in
from serving.journal import Journal, LogJournal
from serving.messages import Health, ModelCard, ModelName, Readiness
from serving.models import ModelHolder
from serving.objects import ObjectReader, s3_client
from serving.observation import observe, record
from serving.recognition import Recogniser
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.presign import UploadForms


def create_app(
    settings: Settings, models: ModelHolder, journal: Journal | None = None, connect_s3: Callable[[], Any] = s3_client
) -> Flask:
    """Wire the routes to their collaborators. Nothing is read, loaded or connected to yet."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False  # a redirect costs a second call, and loses the stage of an API Gateway
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    recogniser = Recogniser(models, settings.limits, settings.max_in_flight)
    observe(app, journal or LogJournal(settings.log_level, settings.metrics, settings.service))
    allow_origins(app, settings.cors_origins)
    _recognition(app, settings, recogniser, ObjectReader(settings.image_sources, settings.limits.max_bytes, connect_s3))
    _dialect(app, settings, recogniser)
    _uploads(app, settings)
    _description(app, settings)
    return app


def _recognition(app: Flask, settings: Settings, recogniser: Recogniser, objects: ObjectReader) -> None:
    @app.post("/v1/classify")
    def classify() -> Response:
        intake = take_in(request, settings.max_batch, objects.read)
        record().source = intake.source
        record().scored = scored = recogniser.recognise(intake.reads, record().cost, intake.batch)
        return classified(intake, scored, record().cost, record().request_id)

    @app.get("/v1/model")
    def model() -> Response:
        classifier = recogniser.classifier(record().cost)
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
                digests={path: entry.sha256 for path, entry in manifest.files.items()},
            )
        )

    @app.get("/health")
    def health() -> Response:
        return json_answer(Health("ok"))

    @app.get("/ready")
    def ready() -> Response:
        """Load the model if that is not done yet: whoever asks wants to send images next."""
        classifier = recogniser.classifier(record().cost)
        return json_answer(Readiness(ModelName(classifier.manifest.name, classifier.version), classifier.engine.name))


def _dialect(app: Flask, settings: Settings, recogniser: Recogniser) -> None:
    """TensorFlow Serving's addresses."""

    @app.post("/v1/models/<name>:predict")
    @app.post("/v1/models/<name>/versions/<int:version>:predict")
    def predict(name: str, version: int | None = None) -> Response:
        from serving import dialect

        return dialect.predict(request, record(), recogniser, dialect.Servable(name, version), settings.max_batch)

    @app.get("/v1/models/<name>")
    @app.get("/v1/models/<name>/versions/<int:version>")
    def status(name: str, version: int | None = None) -> Response:
        from serving import dialect

        return dialect.status(record(), recogniser, dialect.Servable(name, version))

    @app.get("/v1/models/<name>/metadata")
    @app.get("/v1/models/<name>/versions/<int:version>/metadata")
    def metadata(name: str, version: int | None = None) -> Response:
        from serving import dialect

        return dialect.metadata(record(), recogniser, dialect.Servable(name, version))


def _uploads(app: Flask, settings: Settings) -> None:
    """For images too large for a request: the way past it."""

    @cache
    def forms() -> "UploadForms":
        from serving.presign import UploadForms, signing_client

        return UploadForms(settings, signing_client)

    @app.post("/v1/uploads")
    def upload() -> Response:
        from serving.presign import UploadRequest

        return json_answer(forms().sign(read_json(request.get_data(cache=False), UploadRequest).content_type))

    @app.get("/v1/results/<id>")
    def result(id: str) -> Response:
        return json_answer(forms().result(id))


def _description(app: Flask, settings: Settings) -> None:
    """What a person or a program reads before they send an image."""

    @app.get("/")
    def page() -> Response:
        from serving import pages

        return pages.page(settings)

    @app.get("/docs")
    def docs() -> Response:
        from serving import pages

        return pages.docs(settings)

    @app.get("/openapi.json")
    def openapi() -> Response:
        from serving.openapi import describe

        return json_answer(describe(settings))
