"""What can be wrong with a deployment, as rules over plain values that ops/inspection.py reads.

A rule yields what is wrong, each with its remedy; a rule that yields nothing found nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from model.image import FORMATS
from serving.errors import SettingsError
from serving.settings import Settings
from serving.uploads.invocation import LAST_START_MS

GATEWAY_TIMEOUT = 29  # s; API Gateway answers 504 then
COLD_START = 10  # s; what TensorFlow and its model need at most to load, on one vCPU
VISIBILITY = 6  # times the function's timeout: AWS's rule for a queue that a function reads
MAX_RECEIVES = 12  # what ten uploads of a batch need where each ends the function (serving/uploads/claims.py)
ENOUGH_MEMORY = 1024  # MB; an engine and one 50-megapixel picture, decoded
IMAGE_LIMIT = 10 * 2**30  # bytes; Lambda's, uncompressed
BINARY_TYPES = {f"image/{name.lower()}" for name in FORMATS if name not in {"PNM", "TGA"}} | {
    "image/x-portable-anymap",
    "image/x-portable-bitmap",
    "image/x-portable-graymap",
    "image/x-portable-pixmap",
    "image/x-tga",
    "image/heif",
    "image/jpg",
    "image/pjpeg",
    "image/x-ms-bmp",
    "image/x-png",
    "multipart/form-data",
    "application/octet-stream",
}


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    severity: Severity
    what: str
    remedy: str


@dataclass(frozen=True)
class Function:
    timeout: int  # s
    memory: int  # MB
    storage: int  # MB of /tmp
    environment: Mapping[str, str]
    image_bytes: int | None = None  # compressed, as the registry tells it; None: not known


@dataclass(frozen=True)
class Queue:
    visibility: int  # s
    max_receives: int | None  # None: no dead-letter queue
    partial_failures: bool  # the function may fail single messages
    told: bool  # something tells it of uploads
    prefix: str | None  # of the objects that it is told of; None: not known
    failed: int | None = None  # messages in the dead-letter queue; None: not known


@dataclass(frozen=True)
class Deployment:
    classify: Function
    uploads: Function
    queue: Queue
    binary_types: frozenset[str]
    versioned: bool | None  # the uploads bucket; None: it is not ours, and not known


Rule = Callable[[Deployment], Iterator[Finding]]


def settings(deployment: Deployment) -> Iterator[Finding]:
    for function in (deployment.classify, deployment.uploads):
        try:
            Settings.from_environment(function.environment)
        except SettingsError as error:
            yield Finding(Severity.ERROR, f"the function would not start: {error}", "correct that variable")


def prefixes(deployment: Deployment) -> Iterator[Finding]:
    names = ("UPLOADS_PREFIX", "RESULTS_PREFIX")
    mine, others = ([f.environment.get(name) for name in names] for f in (deployment.classify, deployment.uploads))
    if mine != others:
        what = f"classify is told {mine}, uploads {others}: an id of POST /v1/uploads would lead to no result"
        yield Finding(Severity.ERROR, what, "give both functions the same UPLOADS_PREFIX and RESULTS_PREFIX")
    if not deployment.queue.told:
        what = "nothing tells the queue of what is put into the bucket: no upload gets a result"
        yield Finding(Severity.ERROR, what, "turn the bucket's EventBridge notifications on (docs/deploying.md)")
    elif deployment.queue.prefix is not None and deployment.queue.prefix != others[0]:
        what = f"the queue is told of {deployment.queue.prefix!r}, the function classifies what is under {others[0]!r}"
        yield Finding(Severity.ERROR, what, "set the notification's prefix to UPLOADS_PREFIX: deploy again")


def binary_types(deployment: Deployment) -> Iterator[Finding]:
    place = "provider.apiGateway.binaryMediaTypes in serverless.yml"
    if "*/*" in deployment.binary_types:
        what = "*/* is a binary type: JSON too becomes base64, and a quarter less fits into Lambda's 6 MB"
        yield Finding(Severity.WARNING, what, f"list the image types one by one in {place}")
    elif missing := sorted(BINARY_TYPES - deployment.binary_types):
        what = f"API Gateway would turn bodies of these types into text, and spoil them: {', '.join(missing)}"
        yield Finding(Severity.ERROR, what, f"add them to {place}")


def timeouts(deployment: Deployment) -> Iterator[Finding]:
    classify, uploads = deployment.classify.timeout, deployment.uploads.timeout
    if classify > GATEWAY_TIMEOUT:
        what = f"classify may take {classify} s, API Gateway answers 504 after {GATEWAY_TIMEOUT} s"
        yield Finding(Severity.WARNING, what, f"classifyTimeout={GATEWAY_TIMEOUT}")
    for name, timeout in {"classify": classify, "uploads": uploads}.items():
        if timeout < COLD_START:
            what = f"{name} may take {timeout} s: a cold start with TensorFlow can take up to {COLD_START} s"
            yield Finding(Severity.WARNING, what, f"{name}Timeout={2 * COLD_START}")
    if uploads * 1000 <= LAST_START_MS:
        what = f"uploads may take {uploads} s, and begins nothing in its last {LAST_START_MS // 1000} s: every upload fails"
        yield Finding(Severity.ERROR, what, "uploadsTimeout=60")


def queue(deployment: Deployment) -> Iterator[Finding]:
    found, needed = deployment.queue, VISIBILITY * deployment.uploads.timeout
    if found.visibility < needed:
        what = f"a message is seen again after {found.visibility} s, while it may still be worked on"
        yield Finding(Severity.ERROR, what, f"uploadsVisibility={needed}: {VISIBILITY} × the function's timeout")
    if not found.partial_failures:
        what = "one failed upload makes its whole batch be delivered again, or none of it"
        yield Finding(Severity.ERROR, what, "functionResponseType: ReportBatchItemFailures on the function's sqs event")
    if found.max_receives is None:
        what = "an upload that fails to the last is lost: the queue has no dead-letter queue"
        yield Finding(Severity.ERROR, what, "give it a RedrivePolicy (deploy/upload-queue.yml)")
    elif found.max_receives < MAX_RECEIVES:
        what = f"an upload is given up after {found.max_receives} receives, and those that Lambda throttled count"
        yield Finding(Severity.WARNING, what, f"maxReceiveCount: {MAX_RECEIVES} or more")
    if found.failed:
        what = f"{found.failed:,} uploads failed to the last and wait in the dead-letter queue"
        yield Finding(Severity.WARNING, what, "find the cause in the log, mend it, then python -m ops.redrive")


def bucket(deployment: Deployment) -> Iterator[Finding]:
    if deployment.versioned is False:
        what = "the uploads bucket keeps no versions: an object that is overwritten before it is read gets no labels"
        yield Finding(Severity.WARNING, what, "turn versioning on")


def sizes(deployment: Deployment) -> Iterator[Finding]:
    for name, function in {"classify": deployment.classify, "uploads": deployment.uploads}.items():
        if function.memory < ENOUGH_MEMORY:
            what = f"{name} has {function.memory} MB: a large picture may not fit beside the model, and CPU is as short"
            yield Finding(Severity.WARNING, what, f"{name}Memory=1769, one vCPU")
        if function.image_bytes and function.image_bytes > IMAGE_LIMIT:
            what = f"the container image has {function.image_bytes / 2**30:.1f} GiB, Lambda takes {IMAGE_LIMIT / 2**30:.0f}"
            yield Finding(Severity.ERROR, what, "build it with --param engines=litert")


RULES: dict[str, Rule] = {
    "settings": settings,
    "prefixes": prefixes,
    "binary media types": binary_types,
    "timeouts": timeouts,
    "queue": queue,
    "uploads bucket": bucket,
    "memory and image size": sizes,
}
