"""Access control where no gateway in front has it: a key in X-Api-Key, or as a bearer token.

Only digests of keys are known here, and a key is compared with all of them in constant time. The pages and the probes stay open.
"""

import hashlib
import hmac

from flask import Flask, Request, request

from serving.errors import KeyNeeded
from serving.settings import Settings

OPEN = {"page", "docs", "openapi", "health", "ready"}  # endpoints: no probe has a key, and the page asks for it
BEARER = "Bearer "


def require_key(app: Flask, settings: Settings) -> None:
    """Refuse whoever has none, before anything of the request but its head is looked at."""

    @app.before_request
    def check() -> None:
        if request.method == "OPTIONS" or request.endpoint in OPEN or _known(_key(request), settings.api_keys):
            return
        if request.routing_exception is not None:
            from serving.http.dialects import is_open

            if is_open(request, settings):
                return
        raise KeyNeeded("this needs a key that is known here, in X-Api-Key or as Authorization: Bearer")


def _key(request: Request) -> str:
    authorization = request.headers.get("Authorization", "")
    bearer = authorization.removeprefix(BEARER) if authorization.startswith(BEARER) else ""
    return request.headers.get("X-Api-Key", bearer)


def _known(key: str, digests: tuple[str, ...]) -> bool:
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    found = [hmac.compare_digest(digest, known) for known in digests]  # all of them, whichever it is
    return any(found)
