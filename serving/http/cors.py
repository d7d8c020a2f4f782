"""Which other web sites may call from a browser.

What a gateway answers itself, errors and preflights, has the same headers from deploy/gateway.yml and serverless.yml.
"""

from flask import Flask, Response, request

EXPOSED = "X-Request-Id, X-Model-Version, Server-Timing, Retry-After"
ACCEPTED = (  # with those of a call that is signed for AWS
    "Content-Type, Content-Encoding, Authorization, X-Api-Key, X-Request-Id, X-Amz-Date, X-Amz-Security-Token, "
    "X-Amz-Content-Sha256"
)
PREFLIGHT_SECONDS = 7200  # the longest that Chromium keeps one


def allow_origins(app: Flask, origins: tuple[str, ...]) -> None:
    """Let pages of these origins (`*`: any) read the answers."""

    @app.after_request
    def allow(response: Response) -> Response:
        if not origins:
            return response
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if origin in origins or "*" in origins:
            response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, POST")
                response.headers["Access-Control-Allow-Headers"] = ACCEPTED
                response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return response
