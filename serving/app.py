"""The Flask app: one table of routes, the same behind API Gateway, behind gunicorn and on a laptop."""

from flask import Flask

from serving.models import ModelHolder
from serving.settings import Settings


def create_app(settings: Settings, models: ModelHolder) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False  # a redirect costs a second invocation, and loses a stage in the path

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return app
