"""OpenTelemetry traces and metrics, and structured JSON logs that carry the trace's id.

A trace travels in the log and through Kafka as a W3C traceparent: append, publishing and handling are one trace.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

REPEAT_S = 10.0

_tracer = trace.get_tracer("spacecom")
_meter = metrics.get_meter("spacecom")
_propagator = TraceContextTextMapPropagator()

events_appended = _meter.create_counter("spacecom.events.appended", unit="{event}")
events_published = _meter.create_counter("spacecom.events.published", unit="{event}")
messages_handled = _meter.create_counter("spacecom.messages.handled", unit="{message}")
messages_parked = _meter.create_counter("spacecom.messages.parked", unit="{message}")
messages_skipped = _meter.create_counter("spacecom.messages.skipped", unit="{message}")
handling_seconds = _meter.create_histogram("spacecom.messages.handling", unit="s")
source_requests = _meter.create_counter("spacecom.sources.requests", unit="{request}")
source_failures = _meter.create_counter("spacecom.sources.failures", unit="{failure}")
source_age = _meter.create_gauge("spacecom.sources.age", unit="s")
source_state = _meter.create_gauge("spacecom.sources.state")
source_halted = _meter.create_gauge("spacecom.sources.halted")

log: Any = structlog.get_logger()


class TelemetrySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    otlp_endpoint: str = Field("", description="OpenTelemetry collector, such as http://127.0.0.1:4317; empty: none.")
    traces_file: str = Field("", description="File that receives each finished span as a JSON line; empty: none.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged.")


def setup(service: str, settings: TelemetrySettings) -> Callable[[], None]:
    """Returns what flushes and stops it."""
    _setup_logs(service, settings.log_level)
    resource = Resource.create({"service.name": f"spacecom-{service}"})
    traces = TracerProvider(resource=resource)
    if settings.traces_file:
        traces.add_span_processor(SimpleSpanProcessor(_SpanFile(Path(settings.traces_file))))
    readers = []
    if settings.otlp_endpoint:
        traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.otlp_endpoint, insecure=True)))
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(settings.otlp_endpoint, insecure=True)))
    meters = MeterProvider(readers, resource)
    trace.set_tracer_provider(traces)
    metrics.set_meter_provider(meters)

    def stop() -> None:
        traces.shutdown()
        meters.shutdown()

    return stop


@contextmanager
def span(name: str, *, parent: str | None = None, **attributes: str | float | bool) -> Iterator[trace.Span]:
    """`parent` is the traceparent of what caused this; without one the current span is the parent."""
    context = _propagator.extract({"traceparent": parent}) if parent else None
    spaced = {f"spacecom.{key}": value for key, value in attributes.items()}
    with _tracer.start_as_current_span(name, context=context, attributes=spaced) as current:
        yield current


def current_traceparent() -> str:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent", "")


class _SpanFile(SpanExporter):
    """Appends whole lines, so that processes may share a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._path.open("a") as file:
            file.write("".join(_line(span) for span in spans))
        return SpanExportResult.SUCCESS


def _line(span: ReadableSpan) -> str:
    context = span.get_span_context()
    fields = {
        "service": span.resource.attributes.get("service.name"),
        "name": span.name,
        "trace_id": f"{context.trace_id:032x}" if context else "",
        "span_id": f"{context.span_id:016x}" if context else "",
        "parent_span_id": f"{span.parent.span_id:016x}" if span.parent else "",
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "attributes": dict(span.attributes or {}),
    }
    return json.dumps(fields) + "\n"


def _setup_logs(service: str, level: str) -> None:
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    handler.addFilter(_Repeats())
    _quieten_libraries()
    structlog.contextvars.bind_contextvars(service=service)


def _quieten_libraries() -> None:
    # An HTTP client writes addresses and, at debug level, headers with credentials.
    for noisy in ("aiokafka", "faststream", "asyncio", "grpc", "numba", "httpx", "httpcore", "hpack"):
        logging.getLogger(noisy).setLevel(logging.ERROR if noisy == "aiokafka" else logging.WARNING)


class _Repeats(logging.Filter):
    """Drops what the Kafka client says again within REPEAT_S: with the broker away that is ten lines a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        text, now = record.getMessage(), time.monotonic()
        self._said = {said: at for said, at in self._said.items() if now - at < REPEAT_S}
        return self._said.setdefault(text, now) == now


def _add_trace(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event
