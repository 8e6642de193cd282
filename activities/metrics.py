"""What the trading and market processes measure of themselves; ``docs/metrics.md`` explains each.

Only figures live here: nothing decides by them, and recording one costs microseconds. Labels are
bounded: steps, legs, kinds, and the names of accounts and symbols.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product

from prometheus_client import Counter, Gauge, Histogram

from activities.ports.exchange_errors import UnknownOutcomeError
from activities.ports.journal import Discrepancies
from models.trading.orders import Leg, OrderReport, OrderStatus, Side
from models.trading.refusals.kinds import refusal_class
from models.trading.trade.slippage import FillSlippage

SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    *(10.0, 30.0, 60.0, 300.0),
)
"""Buckets from a local commit to a long outage; 5 s is what the platform promises at most."""

ORDER_STEP = Histogram(
    "aether_order_step_seconds",
    "Time that a step of an order's life took, of those that succeeded",
    ("step", "leg"),
    buckets=SECONDS,
)
UNKNOWN_OUTCOMES = Counter(
    "aether_order_unknown_outcomes",
    "Requests whose outcome was unknown, by how asking resolved it",
    ("operation", "leg", "resolution"),
)
KILL_SWITCH_SECONDS = Histogram(
    "aether_kill_switch_halt_seconds",
    "Time from a kill switch's engagement until an account's decision to halt",
    buckets=SECONDS,
)
UNPROTECTED = Histogram(
    "aether_trade_unprotected_seconds",
    "Finished spans during which a trade held coins that no stop and no exit covered",
    ("protection",),
    buckets=SECONDS,
)
PROTECTION_WAITING = Gauge(
    "aether_protection_waiting_count", "Positions that no stop and no exit covers yet"
)
PROTECTION_WAIT = Gauge(
    "aether_protection_wait_seconds", "How long the longest of them has waited, 0 if none does"
)
ENTRIES_REFUSED_FOR_LOAD = Counter(
    "aether_entries_refused_for_load",
    "Entries refused because positions wait for their protection",
)
REFUSALS = Counter(
    "aether_exchange_refusals",
    "Orders, amends and cancels that the exchange refused, by what kind of refusal it was",
    ("request", "kind"),
)
BLOCKED_REQUESTS = Counter(
    "aether_blocked_requests",
    "Requests refused twice unchanged, whose next try waits, and shortfalls of what is held",
    ("event",),
)
ENTRY_RESULTS = Counter(
    "aether_entry_results_total",
    "Entries of trades that ended, by what became of them.",
    ("style", "result"),
)
TRADED = Counter(
    "aether_traded_usd_total", "USD bought and sold by trades that ended.", ("liquidity",)
)
FEES_SAVED = Counter(
    "aether_fees_saved_usd_total", "USD of fees that resting saved trades that ended."
)
QUARANTINED = Counter(
    "aether_record_quarantined_writes",
    "Writes that the record can never hold, set aside with their reason",
    ("step",),
)
RECONCILIATIONS = Counter(
    "aether_reconciliations", "Completed comparisons with the exchange", ("result",)
)
RECONCILIATION_SECONDS = Histogram(
    "aether_reconciliation_seconds",
    "Time that a comparison with the exchange took",
    buckets=SECONDS,
)
DIFFERENCES = Counter(
    "aether_reconciliation_differences",
    "Differences that were still there when looked at again",
    ("kind",),
)
REPAIRS = Counter(
    "aether_reconciliation_repairs", "Missed facts that were told to their trades", ("kind",)
)
STREAM_UP = Gauge(
    "aether_private_stream_up",
    "Whether an account is told of its orders as they change; if not, it asks",
    ("account",),
)
READ_HEADROOM = Gauge(
    "aether_rate_read_headroom_ratio", "Share of the key's REST counter that is free", ("account",)
)
TRADING_HEADROOM = Gauge(
    "aether_rate_trading_headroom_ratio",
    "Free share of the fullest of the key's trading counters, one of which each pair has",
    ("account",),
)
COOL_DOWN = Gauge(
    "aether_exchange_cool_down_seconds",
    "Time until the exchange is asked again after a refusal that asking would prolong; 0: none",
    ("account", "kind"),
)
RATE_REFUSALS = Counter(
    "aether_rate_refusals",
    "Answers 'rate limit exceeded' of the exchange: each is a defect of our model of its limits",
    ("account",),
)
STREAM_MESSAGES = Counter(
    "aether_private_stream_messages", "Messages of the private streams", ("channel",)
)
STREAM_GAPS = Counter(
    "aether_private_stream_sequence_gaps", "Jumps in the private streams' sequences", ("channel",)
)
STREAM_CONNECTIONS = Counter(
    "aether_private_stream_connections", "Connections made for private streams"
)
STREAM_DELIVERY = Histogram(
    "aether_private_stream_delivery_seconds",
    "From the exchange's time stamp of a private message to its receipt",
    ("stamp",),
    buckets=SECONDS,
)
CLOCK_OFFSET = Gauge(
    "aether_exchange_clock_offset_seconds",
    "How far another clock was ahead of this machine's when last heard; missing until it was",
    ("source",),  # without a label every process would tell 0 that never heard it
)
FEED_AGE = Gauge(
    "aether_feed_age_seconds", "Time since a symbol's last public message", ("symbol",)
)
FEED_CHECKSUM_FAILURES = Counter(
    "aether_feed_checksum_failures", "Books whose checksum was wrong; each is read anew"
)
FEED_TRADE_GAPS = Counter(
    "aether_feed_trade_gaps", "Jumps in the numbers of public trades; the missing ones are read"
)

WORKFLOWS_RESTORED = Counter(
    "aether_workflows_restored",
    "Long-lived workflows that were ended from outside and started again from the record",
    ("kind",),
)
WORKFLOWS_MISSING = Gauge(
    "aether_workflows_missing_count",
    "Long-lived workflows that do not run or do not answer, by the last look",
)


RESCUES = Counter(
    "aether_rescues",
    "Settled trades opened again because the exchange told of more than they had settled with",
    ("account",),
)

SLIPPAGE = Histogram(
    "aether_slippage_basis_points",
    "What an execution cost against the price it was decided at; negative is better",
    ("leg",),
    buckets=(-50, -20, -10, -5, -2, 0, 2, 5, 10, 20, 50, 100, 200, 500),
)
SLIPPAGE_UNMEASURED = Counter(
    "aether_slippage_unmeasured", "Executions that no decision price is known of", ("leg",)
)
LIMIT_USED = Gauge(
    "aether_limit_used_ratio",
    "How much of a hard limit on loss or open risk is used; 1 and more refuses, NaN: not known",
    ("account", "limit", "subject"),
)


_RESOLUTIONS = {
    "place": ("found_open", "found_closed", "proven_absent", "interrupted"),
    "cancel": ("canceled", "found_closed", "repeated", "interrupted"),
    "amend": ("amended", "not_amended", "found_closed", "interrupted"),
}
RESTORED_KINDS = ("account", "trade", "stream", "hedge")


def begin_counts(accounts: Iterable[str]) -> None:
    """Tell zero of what alerts count, so that the first event is a step from zero.

    A series that begins with 1 has not increased as Prometheus sees it: nobody would be told.
    """
    for account in accounts:
        RESCUES.labels(account).inc(0)
        RATE_REFUSALS.labels(account).inc(0)
    for kind in RESTORED_KINDS:
        WORKFLOWS_RESTORED.labels(kind).inc(0)
    for operation, resolutions in _RESOLUTIONS.items():
        for leg, resolution in product(Leg, resolutions):
            UNKNOWN_OUTCOMES.labels(operation, leg.value, resolution).inc(0)


@contextmanager
def timed_step(step: str, leg: Leg) -> Iterator[None]:
    """Measure a step of an order; one that fails is not a latency and is not counted here."""
    began = time.perf_counter()
    yield
    observe_step(step, leg, began)


KEY_AGE = Gauge("aether_exchange_key_age_days", "Age of a key in use", ("account", "mode"))
KEY_FAULT = Gauge("aether_exchange_key_fault", "1 while a stored key is not taken up", ("account",))


def observe_step(step: str, leg: Leg, began: float) -> None:
    """Measure a step that began at a reading of ``time.perf_counter``."""
    ORDER_STEP.labels(step, leg.value).observe(time.perf_counter() - began)


def note_refusal(request: str, words: str) -> None:
    """Count a refusal by the exchange; ``request`` is the leg of an order, amend or cancel."""
    REFUSALS.labels(request, refusal_class(words).value).inc()


class Doubt:
    """A request whose outcome is being asked for, and how asking resolved it."""

    def __init__(self) -> None:
        self.resolution = "interrupted"

    def found(self, report: OrderReport | None) -> None:
        """Take the answer of a resolution that came to its end: the order, or proof of absence."""
        if report is None:
            self.resolution = "proven_absent"
        else:
            self.resolution = "found_closed" if report.status.is_final else "found_open"


@contextmanager
def in_doubt(operation: str, leg: Leg) -> Iterator[Doubt]:
    """Count an unknown outcome; ``interrupted`` when nothing proved it and a later attempt asks."""
    doubt = Doubt()
    try:
        yield doubt
    finally:
        UNKNOWN_OUTCOMES.labels(operation, leg.value, doubt.resolution).inc()


@contextmanager
def repeated_when_lost(operation: str, leg: Leg) -> Iterator[None]:
    """Count an unknown outcome that nobody asks about: a later attempt simply repeats the step."""
    try:
        yield
    except UnknownOutcomeError:
        UNKNOWN_OUTCOMES.labels(operation, leg.value, "repeated").inc()
        raise


class Cancelling:
    """One order being withdrawn: ``lost`` counts requests whose answer never came."""

    def __init__(self) -> None:
        self.lost = 0
        self.ended: OrderReport | None = None


@contextmanager
def cancelling() -> Iterator[Cancelling]:
    """Measure a cancel until the exchange shows the order ended, and count lost answers."""
    began, cancel = time.perf_counter(), Cancelling()
    leg, resolution = "unknown", "interrupted"
    try:
        yield cancel
    finally:
        if cancel.ended is not None:
            leg = _leg(cancel.ended).value
            ORDER_STEP.labels("cancel", leg).observe(time.perf_counter() - began)
            canceled = cancel.ended.status is OrderStatus.CANCELED
            resolution = "canceled" if canceled else "found_closed"
        if cancel.lost:
            UNKNOWN_OUTCOMES.labels("cancel", leg, resolution).inc(cancel.lost)


def _leg(report: OrderReport) -> Leg:
    """Return an order's leg as its shape tells: on spot only what was bought is sold."""
    if report.side is Side.BUY:
        return Leg.ENTRY
    return Leg.EXIT if report.trigger_price is None else Leg.STOP


def observe_slippage(measured: Iterable[FillSlippage]) -> None:
    """Measure executions that have just been written down for the first time."""
    for one in measured:
        leg = one.leg.value if one.leg is not None else "unknown"
        if one.basis_points is None:
            SLIPPAGE_UNMEASURED.labels(leg).inc()
        else:
            SLIPPAGE.labels(leg).observe(float(one.basis_points))


def observe_reconciliation(found: Discrepancies, seconds: float) -> None:
    """Count a completed comparison with the exchange and what it came to."""
    RECONCILIATION_SECONDS.observe(seconds)
    RECONCILIATIONS.labels("different" if found.differences else "clean").inc()
    for kind, names in found.differences.items():
        DIFFERENCES.labels(kind).inc(len(names))
    for kind, names in found.repaired.items():
        REPAIRS.labels(kind).inc(len(names))


def observe_delivery(stamp: str, stamped_at: datetime) -> None:
    """Measure how long ago the exchange stamped what has just arrived.

    A clock of the exchange that is ahead of ours counts as no delay at all.
    """
    seconds = (datetime.now(UTC) - stamped_at).total_seconds()  # noqa: TID251 - a figure of delay, no decision
    STREAM_DELIVERY.labels(stamp).observe(max(0.0, seconds))
