"""The two pages for people: one to try the service, one that describes it. Each is one answer: nothing else is fetched."""

import secrets

from flask import Response, render_template

from serving.http.openapi import describe
from serving.settings import Settings

KEEP_SECONDS = 300  # a page may be shown again without asking; it holds nothing of the person who sees it


def page(settings: Settings) -> Response:
    return _html("page.html", api_key_needed=settings.asks_for_key)


def docs(settings: Settings) -> Response:
    return _html("docs.html", document=describe(settings))


def _html(template: str, **values: object) -> Response:
    nonce = secrets.token_urlsafe(16)  # only our own style and script run: an image's name or label cannot add one
    response = Response(render_template(template, nonce=nonce, **values), mimetype="text/html")
    response.headers["Cache-Control"] = f"max-age={KEEP_SECONDS}"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return response
