"""One structured line a request, and on Lambda the metrics that CloudWatch reads out of the log (EMF).

What it is given it writes, so it is given facts about images, never their content, and no header at all: no key either.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from model.decision import Decision
from model.errors import RecognitionError, StoreForbidden
from serving.settings import Settings

NAMESPACE = "Recognition"
PROBES = ("/health", "/ready", "/ping", "/_/health", "/_/ready", "/v2/health/live", "/v2/health/ready")

Entry = Mapping[str, object]


class Telemetry(Protocol):
    def answered(self, entry: Entry) -> None:
        """Note an answered request."""
        ...

    def settled(self, entry: Entry) -> None:
        """Note what became of an upload."""
        ...

    def failed(self, entry: Entry, error: Exception) -> None:
        """Note why a request or an upload failed through no fault of its sender; raise the alarm where waiting mends nothing."""
        ...

    def refused(self, entry: Entry, error: Exception) -> None:
        """Note a version of the model that is not taken into service, and raise the alarm."""
        ...


class LogTelemetry:
    """Writes to standard output, which Lambda and containers keep."""

    def __init__(self, settings: Settings) -> None:
        self._service, self._metrics = settings.service_name, settings.on_lambda  # there CloudWatch reads the log
        self._probes = {*PROBES, settings.aip_health_route}
        self._logger = Logger(
            service=self._service, level=settings.log_level, location=None, utc=True, use_rfc3339=True
        )

    def answered(self, entry: Entry) -> None:
        if entry["path"] in self._probes:  # a load balancer asks every few seconds
            self._logger.debug("answered", extra=dict(entry))
            return
        self._logger.info("answered", extra=dict(entry))
        if self._metrics:
            _emit(entry, self._service)

    def settled(self, entry: Entry) -> None:
        self._logger.info("settled", extra=dict(entry))
        if self._metrics and entry["outcome"] == "classified" and "decision" in entry:
            _emit_decision(str(entry["decision"]), self._service)

    def failed(self, entry: Entry, error: Exception) -> None:
        self._logger.error("failed", **_why(entry, error))
        if self._metrics and isinstance(error, StoreForbidden):
            _alarm(self._service, "OperatorFault")

    def refused(self, entry: Entry, error: Exception) -> None:
        self._logger.error("model refused", **_why(entry, error))
        if self._metrics:
            _alarm(self._service, "ModelRefused")


def _why(entry: Entry, error: Exception) -> dict[str, Any]:
    """The reason in a sentence; with the traceback, where the error is none that is raised on purpose."""
    expected = isinstance(error, RecognitionError)
    return {"extra": {**entry, "reason": str(error)}, "exc_info": None if expected else error}


def _alarm(service: str, name: str) -> None:
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics(namespace=NAMESPACE, service=service)
    metrics.add_metric(name, MetricUnit.Count, 1)
    metrics.flush_metrics()


def _emit(entry: Entry, service: str) -> None:
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics(namespace=NAMESPACE, service=service)  # its own state: requests may run in threads
    status = int(str(entry["status"]))
    metrics.add_metric("Rejected", MetricUnit.Count, int(400 <= status < 500))
    metrics.add_metric("Failed", MetricUnit.Count, int(status >= 500))
    for name, field in {"Decode": "decode_ms", "Infer": "infer_ms", "Load": "load_ms"}.items():
        if field in entry:
            metrics.add_metric(name, MetricUnit.Milliseconds, float(str(entry[field])))
    decisions = entry.get("decisions")
    if isinstance(decisions, Mapping):
        for decision in Decision:  # those that were not made too: a share is of all
            metrics.add_metric(decision.capitalize(), MetricUnit.Count, decisions.get(decision, 0))
    metrics.add_metadata("request_id", entry["request_id"])
    metrics.flush_metrics()


def _emit_decision(made: str, service: str) -> None:
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics(namespace=NAMESPACE, service=service)
    for decision in Decision:
        metrics.add_metric(decision.capitalize(), MetricUnit.Count, int(decision == made))
    metrics.flush_metrics()
