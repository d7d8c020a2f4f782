"""What the edge can be told: one declaration a variable, read once from the environment into one frozen value.

A field's name in capitals is its variable. `python -m ops.configuration` writes docs/configuration.md from these declarations.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from model.image import Limits
from model.machine import granted_cpus, granted_memory_mb
from model.stores.addresses import in_s3, is_remote, split_address
from serving.errors import SettingsError
from serving.unmatched import complaint

MB_PER_CPU = 1769  # Lambda's documentation: a function of 1,769 MB has the equivalent of one vCPU
DECODE_SHARE = (
    0.4  # of the granted memory: in 512 MB it leaves 300 to the process and the model, in 1,769 MB 1,060 to TensorFlow
)
MOST = 2**40  # of whatever is counted; a number that no machine has is a slip, and C takes none much larger
LONGEST_PREFIX = 512  # characters; a result's key holds more than this
ROUTE = r"^(/[A-Za-z0-9._~:@-]*)*$"
MOST_DECODE_MB = 1024  # more than any picture within the limits takes
ON_DEMAND = "on-demand"  # of AWS_LAMBDA_INITIALIZATION_TYPE; the others: provisioned-concurrency, snap-start
FAULT = re.compile(r"(?P<reason>.*) - at `\$\.(?P<name>\w+)")  # of msgspec's sentences


@dataclass(frozen=True)
class S3Prefix:
    """A place in a bucket from which images may be read."""

    bucket: Annotated[
        str, Meta(pattern=r"^((az|gs)://)?[a-zA-Z0-9._-]{1,255}$")
    ]  # no ARN, no wildcard: neither would match what callers name
    prefix: Annotated[
        str, Meta(pattern=r"^(.*[^*])?$")
    ]  # of the key; empty: the whole bucket; `*` at its end stands for nothing

    def covers(self, bucket: str, key: str) -> bool:
        return bucket == self.bucket and key.startswith(self.prefix)


def variable(description: str, unit: str = "", default: str = "", **bounds: Any) -> Meta:
    """`default` is what the documentation says where the value is found at start."""
    return Meta(description=description, extra={"unit": unit, "default": default}, **bounds)


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    # One line a variable.
    # fmt: off
    model_uri: Annotated[str, variable("`<store>/<name>`, its newest version, or `<store>/<name>/<version>`, or `<store>/<name>@<alias>`; a store is a folder, `s3://bucket/prefix`, `az://container/prefix` (Azure Blob Storage) or `gs://bucket/prefix` (Google Cloud Storage).")] = ""
    model_refresh_seconds: Annotated[int, variable("How often a running process looks which version is the newest, or the alias's; never where MODEL_URI names a version.", "s", ge=1, le=MOST)] = 60
    model_cache: Annotated[Path | None, variable("Where files of a remote store are kept; else under the temporary directory.")] = None
    engine: Annotated[Literal["auto", "litert", "tensorflow"], variable("What computes the scores: auto takes the compiled model where there is one.")] = "auto"
    threads: Annotated[int, variable("Threads that score one image; not set: one for each CPU that Lambda or the container grants, shared out among `WEB_CONCURRENCY` processes.", default="CPUs", ge=1, le=1024)] = 1
    max_image_bytes: Annotated[int, variable("The largest encoded image.", "bytes", ge=1, le=MOST)] = Limits.max_bytes
    max_image_pixels: Annotated[int, variable("The most pixels, width × height, that are decoded.", "pixels", ge=1, le=MOST)] = Limits.max_pixels
    min_image_side: Annotated[int, variable("The least width and height.", "pixels", ge=1, le=MOST)] = Limits.min_side
    max_decode_mb: Annotated[int, variable("What decoders hold at their peak, all requests together; 0: two fifths of the memory that Lambda or the container grants.", "MB", ge=0, le=MOST)] = 0
    max_decode_seconds: Annotated[float, variable("CPU time of a decode that no header bounds, for each 8 megapixels or less.", "s", gt=0, le=3600)] = Limits.max_decode_seconds
    max_body_bytes: Annotated[int, variable("The largest request; Lambda itself stops at 6 MB.", "bytes", ge=1, le=MOST)] = 32 * 2**20
    max_batch: Annotated[int, variable("Images in one request.", ge=1, le=MOST)] = 16
    max_in_flight: Annotated[int, variable("Requests that one process works on at once; each may hold a decoded image.", ge=1, le=MOST)] = 32
    image_sources: Annotated[tuple[S3Prefix, ...], variable("Where references may point: places like `s3://bucket/prefix`, `az://` and `gs://` too, between blanks or commas; none: nowhere.")] = ()
    uploads_bucket: Annotated[str, variable("Where uploads lie: a bucket of S3, into which `POST /v1/uploads` lets images be put, or `az://container` or `gs://bucket`, whose events come to `POST /v1/events`; none: neither is offered.", pattern=r"^([^:/]*|arn:[^/]+|(az|gs)://[a-z0-9._-]{3,222})$")] = ""
    uploads_prefix: Annotated[str, variable("What is put under it is classified.", max_length=LONGEST_PREFIX)] = "uploads/"
    results_prefix: Annotated[str, variable("Where results go; neither prefix may begin with the other.", max_length=LONGEST_PREFIX)] = "results/"
    bulk_prefix: Annotated[str, variable("Where `handler.bulk` puts its results, in the bucket of the uploads; not below the uploads' prefix.", max_length=LONGEST_PREFIX)] = "bulk/"
    tag_uploads: Annotated[bool, variable("yes or no: write the best label onto the uploaded object as a tag; in S3 only.")] = False
    publish_events: Annotated[bool, variable("yes or no: put each result on the account's default event bus.")] = False
    cors_origins: Annotated[tuple[Annotated[str, Meta(pattern=r"^(\*|https?://.+)$")], ...], variable("Whose pages may call: origins like `https://site.example`, between blanks or commas, or `*`; none: no other site's.")] = ()
    base_path: Annotated[str, variable("The sub-path under which a proxy, load balancer or custom domain puts the service, like `/recognise`; `/`: none. Unset, a Lambda event's path is tried as it is, then without its stage, mapping or sub-path.", pattern=r"^(/[A-Za-z0-9._~-]+)+/?$|^/$")] = ""
    api_key_needed: Annotated[bool, variable("yes or no: the gateway in front asks for a key, so the page and OpenAPI do too.")] = False
    aip_http_port: Annotated[int, variable("Set by Vertex AI, in place of PORT; 0: not.", ge=0, le=65535)] = 0
    functions_customhandler_port: Annotated[int, variable("Set by Azure Functions, in place of PORT; 0: not.", ge=0, le=65535)] = 0
    api_keys: Annotated[tuple[Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")], ...], variable("SHA-256 digests, in hexadecimal, of the keys that let callers in, between blanks or commas; `python -m ops.keys` makes one. None: the app itself asks for no key.")] = ()
    port: Annotated[int, variable("Where `python -m serving` and gunicorn listen.", ge=1, le=65535)] = 8080
    web_concurrency: Annotated[int, variable("Processes of gunicorn, each with a model of its own; 0: one a CPU.", ge=0, le=1024)] = 0
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], variable("The least severity that is logged.")] = "INFO"
    service_name: Annotated[str, variable("In each line of the log, and what tells one stage's metrics from another's.")] = "recognition"
    aip_predict_route: Annotated[str, variable("Set by Vertex AI: where it sends what TensorFlow Serving's predict would get.", pattern=ROUTE)] = ""
    aip_health_route: Annotated[str, variable("Set by Vertex AI: where it asks whether the model is loaded.", pattern=ROUTE)] = ""
    aws_lambda_function_name: Annotated[str, variable("Set by Lambda: metrics go into the log, where CloudWatch reads them.")] = ""
    aws_lambda_function_memory_size: Annotated[int, variable("Set by Lambda: decides the threads.", "MB", ge=0, le=MOST)] = 0
    aws_lambda_initialization_type: Annotated[str, variable("Set by Lambda: what starts ahead of requests loads the model then.")] = ON_DEMAND
    # fmt: on

    def __post_init__(self) -> None:
        if self.uploads_prefix.startswith(self.results_prefix) or self.results_prefix.startswith(self.uploads_prefix):
            raise SettingsError(
                f"UPLOADS_PREFIX={self.uploads_prefix!r} and RESULTS_PREFIX={self.results_prefix!r}: neither may begin with "
                "the other, or a result would be taken for an upload; use uploads/ and results/"
            )
        if self.uploads_prefix.startswith(f"claims-{self.results_prefix}"):
            raise SettingsError(
                f"UPLOADS_PREFIX={self.uploads_prefix!r} lies where claims are kept, and no claim is an upload; use uploads/"
            )
        if self.bulk_prefix.startswith(self.uploads_prefix):
            raise SettingsError(
                f"BULK_PREFIX={self.bulk_prefix!r} begins with UPLOADS_PREFIX={self.uploads_prefix!r}: its results would be taken "
                "for uploads; use bulk/"
            )
        if not in_s3(self.uploads_bucket) and (self.tag_uploads or self.publish_events):
            raise SettingsError(
                f"UPLOADS_BUCKET={self.uploads_bucket!r} is not in S3: TAG_UPLOADS and PUBLISH_EVENTS are AWS's, take them away"
            )

    @property
    def limits(self) -> Limits:
        granted = self.aws_lambda_function_memory_size or granted_memory_mb()
        return Limits(
            max_bytes=self.max_image_bytes,
            max_pixels=self.max_image_pixels,
            min_side=self.min_image_side,
            max_decode_mb=self.max_decode_mb or min(MOST_DECODE_MB, int(granted * DECODE_SHARE)),
            max_decode_seconds=self.max_decode_seconds,
        )

    @property
    def asks_for_key(self) -> bool:
        """Whether callers need one, of the app itself or of a gateway in front."""
        return self.api_key_needed or bool(self.api_keys)

    @property
    def on_lambda(self) -> bool:
        return bool(self.aws_lambda_function_name)

    @property
    def load_at_start(self) -> bool:
        """Whether Lambda starts this process ahead of requests, provisioned or for a snapshot."""
        return self.aws_lambda_initialization_type != ON_DEMAND

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable. An empty variable counts as none."""
        fields = {field.encode_name: field for field in msgspec.structs.fields(cls)}
        texts = {name: environ[name].strip() for name in fields if environ.get(name, "").strip()}
        for name, text in texts.items():
            if wrong := _no_text(text) or complaint(name, text):
                raise SettingsError(f"{name}={text!r}: {wrong}")
        try:
            given = {name: _plain(text, fields[name].type) for name, text in texts.items()}
            settings = msgspec.convert(given, cls, strict=False, dec_hook=_path)  # not strict: numbers come as text
        except msgspec.ValidationError as error:
            raise _fault(error, texts) from error
        if chosen := settings.functions_customhandler_port or settings.aip_http_port:
            settings = msgspec.structs.replace(settings, port=chosen)
        if "THREADS" in given:
            return settings
        memory = settings.aws_lambda_function_memory_size
        threads = max(1, memory // MB_PER_CPU) if memory else granted_cpus()
        return msgspec.structs.replace(settings, threads=threads)


def _no_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "it holds bytes that are no UTF-8"
    return ""


def _plain(text: str, annotation: Any) -> Any:
    """The value that msgspec is to check: a list's entries stand between blanks or commas, yes and no are true and false."""
    kind = annotation.__origin__
    if kind is bool:
        return {"yes": True, "no": False}.get(text, text)
    if get_origin(kind) is not tuple:
        return text
    entries = text.replace(",", " ").split()
    return [_place(entry) for entry in entries] if get_args(kind)[0] is S3Prefix else entries


def _path(_: type, text: str) -> Path:
    return Path(text)


def _place(text: str) -> dict[str, str]:
    bucket, prefix = split_address(text) if is_remote(text) else ("", "")  # an empty bucket is refused
    return {"bucket": bucket, "prefix": prefix}


def _fault(error: msgspec.ValidationError, texts: Mapping[str, str]) -> SettingsError:
    found = FAULT.match(str(error))
    if not found:
        return SettingsError(str(error))
    name, reason = found["name"], found["reason"]
    declared = next(field.type for field in msgspec.structs.fields(Settings) if field.encode_name == name)
    if get_origin(declared.__origin__) is Literal:
        reason = f"must be one of {', '.join(get_args(declared.__origin__))}"
    given = "…" if name == "API_KEYS" else repr(texts[name])  # it may be a key itself, taken for its digest
    return SettingsError(f"{name}={given}: {reason} ({declared.__metadata__[0].description})")
