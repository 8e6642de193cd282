"""Traces of OpenTelemetry, from a request over HTTP to the orders that came of it. Off by default.

What carries a trade out meets the request in no call: the account decides in a turn of its own, and
the trade is a workflow. So the trace of a trade has an id that every process computes from account
and number. Nothing rides on messages or in histories, and no decision can depend on who watches.

The libraries are loaded only where ``AETHER_TRACES_URL`` is set. Spans leave from a thread of their
own, out of a bounded queue: a collector that is slow or away costs spans, never a trade's time.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory

if TYPE_CHECKING:
    from opentelemetry.context import Context

QUEUE_SPANS = 2_048
BATCH_SPANS = 256
SEND_EVERY_MS = 1_000
SEND_SECONDS = 3.0
"""How long a collector may take; the end of a process waits for it once."""


@dataclass(frozen=True, slots=True)
class Trade:
    """The trade that a span belongs to."""

    account: str
    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """One span: what was done, from when until when (nanoseconds since 1970), and how it ended.

    Attributes:
        failure: in words, "" when it did not fail.
        is_root: whether the trade came of it.
        inner: what was done within it.
    """

    name: str
    began: int
    ended: int
    trade: Trade | None = None
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    failure: str = ""
    is_root: bool = False
    inner: tuple["Step", ...] = ()


class Traces:
    """Sends spans to a collector."""

    def __init__(self, url: str, process: str, installation: str) -> None:
        """Begin to send.

        Args:
            url: of a collector that takes OTLP over HTTP.
            process: the name that spans are told under.
            installation: tells the trades of one installation from those of another.
        """
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

        self._installation = installation
        self._ids = _chosen_ids()
        resource = Resource({"service.name": f"aether-{process}", "service.namespace": "aether"})
        self._provider: TracerProvider = TracerProvider(
            resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        self._exporter: SpanExporter = OTLPSpanExporter(endpoint=url, timeout=SEND_SECONDS)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=QUEUE_SPANS,
                max_export_batch_size=BATCH_SPANS,
                schedule_delay_millis=SEND_EVERY_MS,
            )
        )
        self._tracer = self._provider.get_tracer("aether")

    def tell(self, step: Step) -> None:
        """Send a step that is over, with what was done within it. Never waits."""
        if step.trade is None:
            self._tell(step, None)
        elif step.is_root:
            self._ids.trace, self._ids.span = self._ids_of(step.trade)
            self._tell(step, None)
        else:
            self._tell(step, self._within(step.trade))

    def close(self) -> None:
        """Send what waits, as far as the collector takes it at once."""
        sending = Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(SEND_SECONDS)
        # What is still being tried is given up.
        give_up: Callable[[], None] = self._exporter.shutdown
        give_up()

    def _tell(self, step: Step, parent: "Context | None") -> None:
        from opentelemetry.context import Context
        from opentelemetry.trace import Status, StatusCode, set_span_in_context

        attributes: dict[str, str | int] = dict(step.attributes)
        if step.trade is not None:
            attributes |= {"aether.account": step.trade.account, "aether.trade": step.trade.number}
        span = self._tracer.start_span(
            step.name, parent or Context(), attributes=attributes, start_time=step.began
        )
        for inner in step.inner:
            self._tell(inner, set_span_in_context(span, Context()))
        if step.failure:
            span.set_status(Status(StatusCode.ERROR, step.failure))
        span.end(step.ended)

    def _within(self, trade: Trade) -> "Context":
        from opentelemetry.context import Context
        from opentelemetry.trace import (
            NonRecordingSpan,
            SpanContext,
            TraceFlags,
            set_span_in_context,
        )

        trace, span = self._ids_of(trade)
        flags = TraceFlags(TraceFlags.SAMPLED)
        remote = NonRecordingSpan(SpanContext(trace, span, is_remote=True, trace_flags=flags))
        return set_span_in_context(remote, Context())

    def _ids_of(self, trade: Trade) -> tuple[int, int]:
        """Return the ids of a trade's trace and of its first span."""
        content = f"{self._installation}\0{trade.account}\0{trade.number}".encode()
        digest = hashlib.sha256(content).digest()
        return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])


def open_traces(settings: Settings, process: str) -> Traces | None:
    """Return where spans of one of the platform's processes go, None where nobody asks for them."""
    if settings.traces_url is None:
        return None
    made = StateDirectory(settings.home).manifest()
    known = [str(settings.home)] if made is None else [made.place, made.created_at.isoformat()]
    return Traces(settings.traces_url, process, "\0".join(known))


def _chosen_ids() -> Any:
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class ChosenIds(RandomIdGenerator):
        """Random ids, but for the next span those that were chosen."""

        trace: int | None = None
        span: int | None = None

        def generate_trace_id(self) -> int:
            chosen, self.trace = self.trace, None
            return chosen or super().generate_trace_id()

        def generate_span_id(self) -> int:
            chosen, self.span = self.span, None
            return chosen or super().generate_span_id()

    return ChosenIds()
