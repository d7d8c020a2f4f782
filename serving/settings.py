"""What the edge can be told, read once from the environment into one frozen value. Nothing else reads variables."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from model.image import Limits
from serving.errors import SettingsError

MB_PER_CPU = 1769  # Lambda's documentation: a function of 1,769 MB has the equivalent of one vCPU
ON_DEMAND = "on-demand"  # of Lambda's AWS_LAMBDA_INITIALIZATION_TYPE; the others: provisioned-concurrency, snap-start
CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")  # "quota period" in µs, or "max period"

Value = TypeVar("Value")


@dataclass(frozen=True)
class S3Prefix:
    """A place in S3 from which images may be read."""

    bucket: str
    prefix: str  # of the key; empty: the whole bucket

    def covers(self, bucket: str, key: str) -> bool:
        return bucket == self.bucket and key.startswith(self.prefix)


@dataclass(frozen=True)
class Settings:
    model_uri: str = ""  # MODEL_URI: <store>/<name>[/<version> or @<alias>]; a store is a folder or s3://bucket/prefix
    model_refresh: int = 60  # MODEL_REFRESH_SECONDS: how often a running process looks where an alias points
    engine: str = "auto"  # ENGINE: auto, litert or tensorflow
    cache: Path | None = None  # MODEL_CACHE: where files of a remote store are kept; else under the temporary directory
    threads: int = 1  # THREADS: that score one image; else as many as Lambda or the container grants CPUs
    limits: Limits = Limits()  # noqa: RUF009 - a frozen value. MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MIN_IMAGE_SIDE
    max_body_bytes: int = 32 * 2**20  # MAX_BODY_BYTES: a whole request; Lambda itself stops at 6 MB
    max_batch: int = 16  # MAX_BATCH: images in one request
    max_in_flight: int = 32  # MAX_IN_FLIGHT: requests one process works on at once; each may hold a decoded image
    image_sources: tuple[S3Prefix, ...] = ()  # IMAGE_SOURCES: where S3 references may point: s3://bucket/prefix, …
    uploads_bucket: str = ""  # UPLOADS_BUCKET: where POST /v1/uploads lets images be put; none: that is not offered
    uploads_prefix: str = "uploads/"  # UPLOADS_PREFIX: what is put under it is classified …
    results_prefix: str = "results/"  # RESULTS_PREFIX: … and has its result here; neither may begin with the other
    tag_uploads: bool = False  # TAG_UPLOADS: write the best label onto the uploaded object as a tag
    publish_events: bool = False  # PUBLISH_EVENTS: put each result on the account's default event bus
    cors_origins: tuple[str, ...] = ()  # CORS_ORIGINS: https://site.example, … or *; none: no other site may call
    api_key_needed: bool = False  # API_KEY_NEEDED: the gateway in front asks for one, so the page and OpenAPI do too
    port: int = 8080  # PORT: of `python -m serving`; gunicorn is told its own
    log_level: str = "INFO"  # LOG_LEVEL
    service: str = (
        "recognition"  # SERVICE_NAME: in each line of the log, and what tells one stage's metrics from another's
    )
    metrics: bool = False  # on Lambda: CloudWatch reads them from the log
    load_at_start: bool = False  # on Lambda: it starts ahead of requests, provisioned or for a snapshot

    def __post_init__(self) -> None:
        if self.uploads_prefix.startswith(self.results_prefix) or self.results_prefix.startswith(self.uploads_prefix):
            raise SettingsError(
                f"UPLOADS_PREFIX={self.uploads_prefix!r} and RESULTS_PREFIX={self.results_prefix!r}: neither may begin with "
                "the other, or a result would be taken for an upload; use uploads/ and results/"
            )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable."""

        def read(name: str, parse: Callable[[str], Value], default: Value) -> Value:
            text = environ.get(name, "").strip()
            try:
                return parse(text) if text else default
            except ValueError as error:
                raise SettingsError(f"{name}={text!r}: {error}") from error

        return cls(
            model_uri=read("MODEL_URI", str, cls.model_uri),
            model_refresh=read("MODEL_REFRESH_SECONDS", _positive, cls.model_refresh),
            engine=read("ENGINE", _one_of("auto", "litert", "tensorflow"), cls.engine),
            cache=read("MODEL_CACHE", Path, cls.cache),
            threads=read("THREADS", _positive, 0)
            or read("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", lambda megabytes: max(1, int(megabytes) // MB_PER_CPU), 0)
            or granted_cpus(),
            limits=Limits(
                max_bytes=read("MAX_IMAGE_BYTES", _positive, Limits.max_bytes),
                max_pixels=read("MAX_IMAGE_PIXELS", _positive, Limits.max_pixels),
                min_side=read("MIN_IMAGE_SIDE", _positive, Limits.min_side),
            ),
            max_body_bytes=read("MAX_BODY_BYTES", _positive, cls.max_body_bytes),
            max_batch=read("MAX_BATCH", _positive, cls.max_batch),
            max_in_flight=read("MAX_IN_FLIGHT", _positive, cls.max_in_flight),
            image_sources=read("IMAGE_SOURCES", _s3_prefixes, cls.image_sources),
            uploads_bucket=read("UPLOADS_BUCKET", str, cls.uploads_bucket),
            uploads_prefix=read("UPLOADS_PREFIX", str, cls.uploads_prefix),
            results_prefix=read("RESULTS_PREFIX", str, cls.results_prefix),
            tag_uploads=read("TAG_UPLOADS", _yes_or_no, cls.tag_uploads),
            publish_events=read("PUBLISH_EVENTS", _yes_or_no, cls.publish_events),
            cors_origins=read("CORS_ORIGINS", _origins, cls.cors_origins),
            api_key_needed=read("API_KEY_NEEDED", _yes_or_no, cls.api_key_needed),
            port=read("PORT", _positive, cls.port),
            log_level=read("LOG_LEVEL", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), cls.log_level),
            service=read("SERVICE_NAME", str, cls.service),
            metrics="AWS_LAMBDA_FUNCTION_NAME" in environ,
            load_at_start=environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", ON_DEMAND) != ON_DEMAND,
        )


def granted_cpus(cgroup: Path = CGROUP_CPU) -> int:
    """Whole CPUs this process may use: the cgroup's quota, else its affinity. os.cpu_count() sees the whole machine."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cgroup.read_text().split()
        return max(1, min(cpus, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max": no quota
        return cpus


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return parse


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("must be a whole number above 0")
    return int(text)


def _yes_or_no(text: str) -> bool:
    return _one_of("yes", "no")(text) == "yes"


def _list(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _s3_prefixes(text: str) -> tuple[S3Prefix, ...]:
    parts = [place.removeprefix("s3://").partition("/") for place in _list(text) if place.startswith("s3://")]
    if len(parts) < len(_list(text)) or not all(bucket for bucket, _, _ in parts):
        raise ValueError("must list places like s3://bucket/prefix, separated by spaces or commas")
    return tuple(S3Prefix(bucket, prefix) for bucket, _, prefix in parts)


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(_list(text))
    if not all(origin == "*" or origin.startswith(("https://", "http://")) for origin in origins):
        raise ValueError("must list origins like https://site.example, separated by spaces or commas, or be *")
    return origins
