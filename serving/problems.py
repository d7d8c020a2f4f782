"""The one table from error to HTTP status and stable code, used for HTTP answers and for the results of uploads."""

from http import HTTPStatus

from model.errors import (
    CorruptImage,
    ImageOutOfBounds,
    ImageTooLarge,
    ModelCorrupt,
    ModelIncompatible,
    ModelNotFound,
    RecognitionError,
    StoreForbidden,
    StoreMisconfigured,
    StoreUnavailable,
    UnreadFormat,
    UnsupportedImage,
)
from serving.errors import (
    BatchTooLarge,
    BodyTooLarge,
    Busy,
    FatalImage,
    KeyNeeded,
    MalformedBase64,
    MalformedRequest,
    ObjectArchived,
    ObjectLocked,
    ObjectNotFound,
    OutOfTime,
    ResultNotReady,
    SettingsError,
    SourceForbidden,
    UnknownEvent,
    UnknownModel,
    UnsupportedEncoding,
    UploadsNotOffered,
)
from serving.schemas import Problem

RETRY_AFTER = 5  # s; what a 429 or 503 asks a client to wait
PROBLEM_TYPE = "application/problem+json"  # RFC 9457
OURS = "The service cannot answer now, through no fault of this request. The reason is in its log under the request id."

TABLE: dict[type[RecognitionError], tuple[int, str]] = {
    UnsupportedImage: (415, "unsupported_image"),
    UnreadFormat: (415, "unread_format"),
    CorruptImage: (422, "corrupt_image"),
    ImageTooLarge: (413, "image_too_large"),
    ImageOutOfBounds: (422, "image_out_of_bounds"),
    MalformedRequest: (400, "malformed_request"),
    MalformedBase64: (400, "malformed_base64"),
    KeyNeeded: (401, "key_needed"),
    UnsupportedEncoding: (415, "unsupported_encoding"),
    BodyTooLarge: (413, "body_too_large"),
    BatchTooLarge: (413, "batch_too_large"),
    SourceForbidden: (403, "source_forbidden"),
    ObjectNotFound: (404, "object_not_found"),
    ObjectArchived: (422, "object_archived"),
    ObjectLocked: (422, "object_locked"),
    FatalImage: (422, "fatal_image"),
    UploadsNotOffered: (404, "uploads_not_offered"),
    ResultNotReady: (404, "result_not_ready"),
    UnknownModel: (404, "unknown_model"),
    UnknownEvent: (400, "unknown_event"),
    Busy: (429, "busy"),
    OutOfTime: (503, "out_of_time"),
    ModelNotFound: (503, "model_not_found"),
    ModelCorrupt: (503, "model_corrupt"),
    ModelIncompatible: (503, "model_incompatible"),
    StoreForbidden: (503, "store_forbidden"),
    StoreMisconfigured: (503, "store_misconfigured"),
    StoreUnavailable: (503, "store_unavailable"),
    SettingsError: (500, "misconfigured"),
}
INTERNAL = (500, "internal")


def problem_of(error: Exception) -> Problem:
    """Translate any error. What is ours (5xx) keeps its details for the log: they name buckets and paths."""
    status, code = next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), INTERNAL)
    return Problem(HTTPStatus(status).phrase, status, code, OURS if status >= 500 else str(error))
