"""The OpenAPI description: msgspec writes the schemas from the very types that check requests; OPERATIONS lists the routes.

It is built when it is asked for. A test holds it against the app's own routes.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

from serving import schemas
from serving.http import dialects, presigned
from serving.problems import PROBLEM_TYPE, TABLE
from serving.settings import Settings

Json = dict[str, Any]

JSON_TYPE = "application/json"
IMAGE_TYPES = ("image/*", "application/octet-stream")
FILES = {"type": "array", "items": {"type": "string", "contentMediaType": "image/*"}}
FORM = {"type": "object", "required": ["image"], "properties": {"image": FILES}}
HTTP_CODES = {404: ["not_found"], 500: ["internal"]}  # beside those of the table
PATH_TYPES = {"name": "string", "label": "string", "version": "integer", "id": "string"}
OF_AN_IMAGE = (400, 403, 404, 413, 415, 422, 429, 500, 503)
OF_THE_MODEL = (404, 429, 500, 503)


@dataclass(frozen=True)
class Operation:
    method: str
    paths: tuple[str, ...]
    summary: str
    answers: tuple[Any, ...] = ()  # types of JSON answers; none: a page
    takes: Any = None  # type of the JSON body
    images: bool = False  # takes images as body or form too, and the options as query parameters
    errors: tuple[int, ...] = ()  # statuses
    error: Any = schemas.Problem
    description: str = ""
    body_types: tuple[str, ...] = (JSON_TYPE,)
    empty: bool = False  # answers with no content
    sample: str = ""  # of curl's arguments; {base} is this service's address


OPERATIONS = (
    Operation(
        method="POST",
        paths=("/v1/classify",),
        summary="Name what an image shows",
        description="Send the image as the body, as one or several files `image` of a form, or as JSON. Several files and "
        "`images` make a batch: `results` come in order, each with its labels or its own error. JPEG, PNG, WebP, GIF, BMP, "
        "TIFF, AVIF, HEIC, JPEG 2000, TGA and Netpbm are read; the content decides, never the Content-Type.",
        answers=(schemas.ClassifyResponse, schemas.BatchResponse),
        takes=schemas.ClassifyRequest,
        images=True,
        errors=OF_AN_IMAGE,
        sample="--data-binary @photo.jpg -H 'Content-Type: image/jpeg' '{base}v1/classify?top_k=3'",
    ),
    Operation(
        method="GET",
        paths=("/v1/model",),
        summary="Describe the model: labels, version, metrics, digests",
        answers=(schemas.ModelCard,),
        errors=OF_THE_MODEL,
        sample="{base}v1/model",
    ),
    Operation(
        method="POST",
        paths=dialects.PREDICT,
        summary="Score images as TensorFlow Serving does",
        description='An instance is `{"b64": "…"}`, an encoded image, or pixels (299, 299, 3) as nested lists. Rows, '
        "`instances`, get rows, `predictions`; a column, `inputs`, gets columns, `outputs`. A label is the alias that is served.",
        answers=(schemas.PredictResponse, schemas.PredictColumns),
        takes=schemas.PredictRequest,
        errors=OF_AN_IMAGE,
        error=schemas.PredictError,
        # No argument of a command may have more than 128 kB on Linux, so the image comes from a file.
        sample='-d @<(printf \'{"instances": [{"b64": "%s"}]}\' "$(base64 < photo.jpg)") {base}v1/models/NAME:predict',
    ),
    Operation(
        method="GET",
        paths=dialects.SERVABLES,
        summary="Tell a model's status as TensorFlow Serving does",
        answers=(schemas.ModelStatus,),
        errors=OF_THE_MODEL,
        error=schemas.PredictError,
    ),
    Operation(
        method="GET",
        paths=dialects.METADATA,
        summary="Tell a model's signatures as TensorFlow Serving does",
        answers=(schemas.ModelMetadata,),
        errors=OF_THE_MODEL,
        error=schemas.PredictError,
    ),
    Operation(
        method="POST",
        paths=("/v1/uploads",),
        summary="Sign a form for uploading an image too large for a request",
        description="Send the form's `fields` and then the image as the field `file` to `url`, as multipart/form-data. Then "
        "classify it as `s3`, or wait for its result.",
        answers=(presigned.UploadForm,),
        takes=presigned.UploadRequest,
        errors=(400, 404, 500, 503),
        sample='-d \'{"content_type": "image/jpeg"}\' {base}v1/uploads',
    ),
    Operation(
        method="GET",
        paths=("/v1/results/{id}",),
        summary="Tell what became of an upload",
        description="404 until there is a result; ask again after the seconds of `Retry-After`. It follows an upload within seconds.",
        answers=(schemas.UploadResult,),
        errors=(404, 500, 503),
        sample="{base}v1/results/ID",
    ),
    Operation(
        method="POST",
        paths=("/v1/events",),
        summary="Settle an upload that a platform tells of by a CloudEvent",
        description="Binary, structured or batched mode; its data is what S3, Azure Blob Storage or Google Cloud Storage says "
        "of an object that was created. It is answered when the result is written; after 429 or 5xx, deliver it again. Offered where UPLOADS_BUCKET is set, off AWS Lambda.",
        takes=schemas.CloudEvent,
        body_types=("application/cloudevents+json",),
        empty=True,
        errors=(400, 403, 404, 413, 415, 429, 500, 503),
    ),
    Operation("GET", ("/health",), "Tell that the process is alive", (schemas.Health,), sample="{base}health"),
    Operation(
        "GET",
        ("/ready",),
        "Tell whether the model is loaded, loading it first",
        (schemas.Readiness,),
        errors=(500, 503),
    ),
    Operation("GET", ("/openapi.json",), "Describe this service", (dict,)),
    Operation("GET", ("/docs",), "Describe this service to a person"),
    Operation("GET", ("/",), "Try this service in a browser"),
)


def describe(settings: Settings) -> Json:
    """The whole document, OpenAPI 3.1."""
    types = {type for operation in OPERATIONS for type in (*operation.answers, operation.takes, operation.error)}
    kept = sorted(types - {dict, None}, key=str)
    _, described = msgspec.json.schema_components([*kept, schemas.Options], ref_template="#/components/schemas/{name}")
    options = described.pop("Options")["properties"]
    components: Json = {"schemas": described}
    if settings.asks_for_key:
        components["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}}
    paths: Json = {}
    for operation in OPERATIONS:
        for path in operation.paths:
            entry = _operation(operation, path, options, settings)
            paths.setdefault(path, {})[operation.method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image recognition",
            "version": "1",
            "description": "Send an image, get the labels of what it shows.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],  # where this document lies: an API Gateway puts its stage before the path
        "paths": paths,
        "components": components,
    }


def _operation(operation: Operation, path: str, options: Json, settings: Settings) -> Json:
    named = [part.partition("}")[0] for part in path.split("{")[1:]]
    parameters = [_parameter("path", name, {"type": PATH_TYPES[name]}) for name in named]
    if operation.images:
        parameters += [_parameter("query", name, schema) for name, schema in options.items()]
    entry: Json = {"summary": operation.summary, "responses": _responses(operation)}
    if operation.description:
        entry["description"] = operation.description
    if parameters:
        entry["parameters"] = parameters
    if operation.takes:
        entry["requestBody"] = {"required": True, "content": _body(operation)}
    # What costs money asks for the key; the app itself leaves /ready open, since no probe has one.
    private = settings.asks_for_key and (path.startswith("/v1/") or (path == "/ready" and not settings.api_keys))
    if operation.sample:
        key = "-H 'X-Api-Key: …' " if private else ""
        entry["x-codeSamples"] = [
            {"lang": "shell", "source": f"curl {key}{operation.sample}"}
        ]  # an extension that viewers know
    if private:
        entry["security"] = [{"key": []}]
        if settings.api_keys:
            entry["responses"]["401"] = _error(operation, 401)
    return entry


def _parameter(place: str, name: str, schema: Json) -> Json:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _body(operation: Operation) -> Json:
    content: Json = (
        {type: {} for type in IMAGE_TYPES} | {"multipart/form-data": {"schema": FORM}} if operation.images else {}
    )
    return content | {type: {"schema": _reference(operation.takes)} for type in operation.body_types}


def _responses(operation: Operation) -> Json:
    done = {"204": {"description": "Done"}} if operation.empty else {"200": _answer(operation)}
    return done | {str(status): _error(operation, status) for status in operation.errors}


def _answer(operation: Operation) -> Json:
    if not operation.answers:
        return {"description": "A page", "content": {"text/html": {}}}
    schemas = [_reference(type) for type in operation.answers]
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {"description": "Done", "content": {JSON_TYPE: {"schema": schema}}}


def _error(operation: Operation, status: int) -> Json:
    codes = [code for known, code in TABLE.values() if known == status] + HTTP_CODES.get(status, [])
    kind = PROBLEM_TYPE if operation.error is schemas.Problem else JSON_TYPE
    description = f"{HTTPStatus(status).phrase}: {', '.join(codes)}"
    return {"description": description, "content": {kind: {"schema": _reference(operation.error)}}}


def _reference(type: Any) -> Json:
    return {"type": "object"} if type is dict else {"$ref": f"#/components/schemas/{type.__name__}"}
