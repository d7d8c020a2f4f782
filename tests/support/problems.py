"""Errors as the service answers them."""

from typing import Any

from werkzeug.test import TestResponse


def problem(response: TestResponse) -> dict[str, Any]:
    """The body of an error, of which every field is as it must be."""
    assert response.mimetype == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert body["title"]
    assert body["detail"]
    return body
