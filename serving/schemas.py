"""What goes over the wire, as types: msgspec checks requests against them, and openapi.py writes their schemas."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from model.classifier import Label
from model.decision import Decision, Thresholds

TopK = Annotated[int, Meta(ge=1, le=1000, description="How many labels at most, best first.")]
MinScore = Annotated[float, Meta(ge=0, le=1, description="Labels below this probability are left out.")]

Explain = Annotated[bool, Meta(description="Whether to say where in the image the first label comes from: `heat_map`.")]
Decided = Annotated[
    Decision | None,
    Meta(
        description="`accepted`; `uncertain`: the first label scores less than it takes to be right as often as was wished; "
        "`unknown`: the image is unlike all that was taught, so that its scores say nothing. Absent where the model is older."
    ),
]
HeatMap = Annotated[
    list[list[float]] | None,
    Meta(
        description="Where `explain` asks for it: rows, from the top, of what each place of the image adds to the first label's "
        "log-odds against the mean of all labels; their mean is those log-odds. Below 0 it speaks against the label. "
        "Absent where the model is older."
    ),
]


class S3Reference(Struct, frozen=True, forbid_unknown_fields=True):
    """An object in S3 or beside it, in a place that this service is allowed to read."""

    bucket: Annotated[
        str,
        Meta(min_length=1, description="Of S3 its name; else `az://container` (Azure), `gs://bucket` (Google Cloud)."),
    ]
    key: Annotated[str, Meta(min_length=1, description="As it is, not URL-encoded.")]
    version_id: str | None = None


class ImageSource(Struct, frozen=True, forbid_unknown_fields=True):
    """An image: either its bytes or where they are."""

    bytes: Annotated[str, Meta(description="Base64: standard or URL-safe, padded or not, or a data: URI.")] | None = (
        None
    )
    s3: S3Reference | None = None

    def __post_init__(self) -> None:
        if (self.bytes is None) == (self.s3 is None):
            raise ValueError('an image is {"bytes": "<base64>"} or {"s3": {"bucket": …, "key": …}}: exactly one')


class ClassifyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One image, or a batch."""

    image: ImageSource | None = None
    images: Annotated[list[ImageSource], Meta(min_length=1)] | None = None
    top_k: TopK | None = None
    min_score: MinScore | None = None
    explain: Explain | None = None

    def __post_init__(self) -> None:
        if (self.image is None) == (self.images is None):
            raise ValueError(
                'send {"image": {…}} for one image or {"images": [{…}, …]} for several: exactly one of them'
            )


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The same options as query parameters."""

    top_k: TopK = 5
    min_score: MinScore = 0.0
    explain: Explain = False


class ImageFacts(Struct, frozen=True):
    width: Annotated[int, Meta(description="Pixels, as a person sees it: after EXIF orientation.")]
    height: int
    format: Annotated[str, Meta(description="Read from the content.", examples=["JPEG"])]


class ModelName(Struct, frozen=True):
    name: Annotated[str, Meta(examples=["flowers"])]
    version: Annotated[int, Meta(examples=[3])]


class ClassifyResponse(Struct, frozen=True, omit_defaults=True, kw_only=True):
    labels: list[Label]
    decision: Decided = None
    model: ModelName
    image: ImageFacts
    request_id: str
    heat_map: HeatMap = None


class Problem(Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    title: str
    status: Annotated[int, Meta(examples=[415])]
    code: Annotated[str, Meta(description="Stable: rely on it.", examples=["unsupported_image"])]
    detail: Annotated[str, Meta(description="One sentence that says what to do.")]
    request_id: str | None = None


class Result(Struct, frozen=True, omit_defaults=True):
    """One image of a batch: its labels and facts, or its own error."""

    labels: list[Label] | None = None
    decision: Decided = None
    image: ImageFacts | None = None
    heat_map: HeatMap = None
    error: Problem | None = None


class BatchResponse(Struct, frozen=True):
    results: Annotated[list[Result], Meta(description="In the order of the request.")]
    model: ModelName
    request_id: str


class Health(Struct, frozen=True):
    status: Annotated[str, Meta(examples=["ok"])]


class Readiness(Struct, frozen=True):
    model: ModelName
    engine: Annotated[str, Meta(examples=["litert"])]


class ModelCard(Struct, frozen=True):
    """The model that answers, as its manifest describes it."""

    name: str
    version: int
    engine: Annotated[str, Meta(description="What computes the scores here: litert or tensorflow.")]
    labels: Annotated[tuple[str, ...], Meta(description="In score order.")]
    created: str
    metrics: Annotated[dict[str, Any], Meta(description="On images kept out of training, with N and 95 % intervals.")]
    parity: Annotated[dict[str, Any], Meta(description="The compiled model against the SavedModel.")]
    thresholds: Annotated[Thresholds | None, Meta(description="What decides; null where the model is older.")]
    digests: Annotated[dict[str, str], Meta(description="SHA-256 of every file of the model.")]
    card: Annotated[
        str | None, Meta(description="What it is for and where it ends, as Markdown; null of an old model.")
    ]


class UploadedObject(Struct, frozen=True):
    bucket: Annotated[str, Meta(description="Of S3 its name; else `az://container` or `gs://bucket`.")]
    key: str
    version_id: Annotated[
        str | None, Meta(description="Google's generation; null where the bucket keeps no versions, and of Azure.")
    ] = None
    etag: str | None = None
    size: Annotated[int | None, Meta(description="Bytes; null where the object was gone before it could be read.")] = (
        None
    )


class Timing(Struct, frozen=True):
    """Milliseconds."""

    read: float
    decode: float
    infer: float


class UploadResult(Struct, frozen=True, omit_defaults=True):
    """What became of an uploaded image: its labels, or an error that trying again would not mend."""

    object: UploadedObject
    key: Annotated[str, Meta(description="Of this result, in the same bucket.")]
    created: Annotated[str, Meta(description="ISO 8601, UTC.")]
    timing: Timing
    labels: list[Label] | None = None
    decision: Decided = None
    model: ModelName | None = None
    image: ImageFacts | None = None
    error: Problem | None = None


class CloudEvent(Struct, frozen=True):
    """That an object was created, by whoever says it in the form of CloudEvents 1.0."""

    id: str
    source: str
    type: Annotated[str, Meta(examples=["com.amazonaws.s3.ObjectCreated:Put"])]
    specversion: Literal["1.0", "0.3"]
    subject: str | None = None
    data: Annotated[
        Any,
        Meta(
            description="The record of an S3 notification, an EventBridge event of S3, or what Azure Blob Storage or Google Cloud "
            "Storage says of an object."
        ),
    ] = None
    data_base64: str | None = None


class BulkResult(Struct, frozen=True, omit_defaults=True):
    """What became of an image of a bulk run: its labels, or an error."""

    object: UploadedObject
    labels: list[Label] | None = None
    decision: Decided = None
    model: ModelName | None = None
    image: ImageFacts | None = None
    error: Problem | None = None


class BulkBatch(Struct, frozen=True):
    """Where the results of a batch lie, as JSON Lines, and how many."""

    bucket: str
    key: str
    images: int
    failed: int


class PredictRequest(Struct, frozen=True):
    """TensorFlow Serving's rows or columns: encoded images as {"b64": …}, or pixels (299, 299, 3) as nested lists."""

    instances: Annotated[list[Any], Meta(min_length=1, description="A row for each image.")] | None = None
    inputs: (
        Annotated[list[Any], Meta(min_length=1, description="All images as one column.")]
        | Annotated[dict[str, list[Any]], Meta(min_length=1, description="That column by its input's name.")]
        | None
    ) = None
    signature_name: str = ""

    def __post_init__(self) -> None:
        if (self.instances is None) == (self.inputs is None):
            raise ValueError(
                "send `instances`, a row for each image, or `inputs`, a column of all: exactly one of them"
            )


class PredictResponse(Struct, frozen=True):
    """Of `instances`: a row of scores for each image of pixels; scores and classes for each encoded one."""

    predictions: list[Any]


class PredictColumns(Struct, frozen=True):
    """Of `inputs`: the rows of scores of pixels; the columns `scores` and `classes` of encoded images."""

    outputs: Any


class VersionStatus(Struct, frozen=True):
    version: str
    state: Annotated[str, Meta(examples=["AVAILABLE"])]
    status: dict[str, str]


class ModelStatus(Struct, frozen=True):
    """TensorFlow Serving's GetModelStatusResponse."""

    model_version_status: list[VersionStatus]


class ModelMetadata(Struct, frozen=True):
    """TensorFlow Serving's GetModelMetadataResponse."""

    model_spec: dict[str, str]
    metadata: dict[str, Any]


class PredictError(Struct, frozen=True):
    error: str
