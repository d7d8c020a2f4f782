"""`python -m serving`: the service on this machine, for trying it. In production gunicorn or Lambda runs the same app."""

import logging
import os
import sys
from argparse import ArgumentParser
from pathlib import Path

import msgspec
from werkzeug.serving import make_server

from model.errors import ModelNotFound, RecognitionError
from model.stores.local import LocalStore
from serving.http.app import create_app
from serving.model_loader import open_model_loader
from serving.settings import Settings
from serving.telemetry import LogTelemetry

ARTIFACTS = Path("artifacts")  # the store that `make demo` fills
HOST = "127.0.0.1"  # this machine only, unless it is told otherwise: there is no key unless API_KEYS is set


def main() -> None:
    description = "Serve the newest model of ./artifacts, or MODEL_URI, on this machine. PORT=8081 takes another port."
    parser = ArgumentParser(prog="python -m serving", description=description)
    parser.add_argument(
        "--host",
        default=HOST,
        help="the address to listen on; 0.0.0.0 lets other machines in, with no key unless API_KEYS is set",
    )
    host = parser.parse_args().host
    try:
        serve(Settings.from_environment(os.environ), host)
    except (RecognitionError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print()


def serve(settings: Settings, host: str) -> None:
    settings = msgspec.structs.replace(settings, model_uri=settings.model_uri or newest_model(ARTIFACTS))
    telemetry = LogTelemetry(settings)
    models = open_model_loader(settings, telemetry)
    classifier = models.get()  # now, so that what is wrong with it is said here
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # telemetry has a line for each request
    server = make_server(host, settings.port, create_app(settings, models, telemetry), threaded=True)
    url = f"http://{host}:{server.port}"
    print(
        f"{settings.model_uri}, version {classifier.version}, answers at {url} (engine {classifier.engine.name}; Ctrl-C ends it)"
    )
    print(
        f"Try it: open {url}, or\n  curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' {url}/v1/classify",
        flush=True,
    )
    server.serve_forever()


def newest_model(root: Path) -> str:
    """The URI of the model in this store that was made last."""
    store = LocalStore(root)
    made = {store.read_manifest(name, versions[-1]).created: name for name, versions in store.versions().items()}
    if not made:
        raise ModelNotFound(f"no model in ./{root}: `make demo` makes one, or set MODEL_URI to <store>/<name>")
    return f"{root}/{made[max(made)]}"


if __name__ == "__main__":
    main()
