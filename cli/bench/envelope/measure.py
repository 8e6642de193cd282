"""The envelope of one machine: reads alone, entries alone, then both at half of what each held.

Each ramp ends at the first step that breaks a limit: `limits` says which. The stack is a throwaway
one; after each step the market falls through all stops, and everything is settled before the next.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psutil
from temporalio.service import RPCError

from cli.bench.burst import is_bare
from cli.bench.envelope.asking import Reads, kind_of, send_entries, send_reads
from cli.bench.envelope.limits import broken, envelope
from cli.bench.figures import figure, load_average, machine
from cli.bench.latency import Records, figures_of, raise_limits
from cli.bench.load import LOWEST, Load, Market, wait_until
from cli.bench.meter import Meter
from cli.bench.stack import throwaway_stack
from cli.client import ApiClient
from cli.commands.platform import verify
from infra.runtime.errors import PlatformError
from infra.runtime.settings import Settings

REQUEST_RATES = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
TRADE_RATES = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
READY_SECONDS, SETTLE_SECONDS = 240.0, 180.0

Tell = Callable[[str], None]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many accounts, and for how many seconds each step is kept up."""

    accounts: int
    step_seconds: float


def measure(
    settings: Settings, numbers: Sequence[int], step_seconds: float, tell: Tell
) -> dict[str, Any]:
    """Measure a stack for each number of accounts and return the report."""
    loads = {"before": load_average()}
    rows: list[Row] = []
    for number in numbers:
        tell(f"{number} accounts")
        with throwaway_stack(settings, tell, number, READY_SECONDS) as own:
            rows.append(_Machine(own, Plan(number, step_seconds), tell).run())
        loads[f"after {number}"] = load_average()
    return {
        "rows": rows,
        "failures": [failure for row in rows for failure in row["failures"]],
        "clean": all(row["clean"] for row in rows),
        "machine": machine(loads),
    }


class _Machine:
    """One stack under ever more of each load."""

    def __init__(self, settings: Settings, plan: Plan, tell: Tell) -> None:
        self._settings = settings
        self._plan = plan
        self._tell = tell
        self._api = ApiClient(settings)
        self._market = Market(settings)
        self._accounts: list[str] = []

    def run(self) -> Row:
        """Raise each load until something breaks."""
        failures: list[str] = []
        ramps: dict[str, list[Row]] = {"reads": [], "entries": [], "both": []}
        cores = psutil.cpu_count() or 1
        try:
            with Meter(self._settings) as meter:
                self._prepare()
                self._ramp(ramps["reads"], meter, ((0.0, rate) for rate in REQUEST_RATES))
                self._ramp(ramps["entries"], meter, ((rate, 0.0) for rate in TRADE_RATES))
                held = envelope(ramps, cores)
                self._ramp(ramps["both"], meter, _half_of(held))
        except (PlatformError, RPCError) as error:
            failures.append(f"{self._plan.accounts} accounts: {error}")
        finally:
            self._market.close()
        checked = asyncio.run(verify.run(self._settings, verify.GRACE_SECONDS))
        return {
            "accounts": self._plan.accounts,
            "ramps": ramps,
            "envelope": envelope(ramps, cores),
            "clean": checked["clean"],
            "findings": checked["findings"],
            "failures": failures,
        }

    def _prepare(self) -> None:
        load = self._load()
        wait_until("the accounts take entries", load.are_free, seconds=READY_SECONDS)
        load.await_readiness()
        self._accounts = [row["account"] for row in self._api.get("/accounts")]
        asyncio.run(raise_limits(self._settings, self._accounts))

    def _ramp(self, steps: list[Row], meter: Meter, rates: Iterator[tuple[float, float]]) -> None:
        for trades, requests in rates:
            self._tell(f"{trades:g} trades and {requests:g} reads a second")
            step = self._step(meter, trades, requests)
            step["broken"] = broken(step)
            steps.append(step)
            if step["broken"]:
                self._tell("; ".join(step["broken"]))
                return

    def _step(self, meter: Meter, trades: float, requests: float) -> Row:
        load, seconds = self._load(), self._plan.step_seconds
        started, before, reads, asked = datetime.now(UTC), _processors(), Reads(), 0
        meter.begin()
        with ThreadPoolExecutor(2) as both:
            entering = (
                both.submit(send_entries, load, self._accounts, trades, seconds) if trades else None
            )
            reading = (
                both.submit(send_reads, self._api, self._accounts, requests, seconds)
                if requests
                else None
            )
            asked = entering.result() if entering else 0
            reads = reading.result() if reading else Reads()
        used = meter.end()
        refused = Counter(kind_of(failure) for failure in load.failures)
        load.failures.clear()
        row: Row = {
            "trades_a_second": trades,
            "requests_a_second": requests,
            "entries": asked,
            "refused_entries": dict(refused),
            "reads": reads.sent,
            "refused_reads": dict(reads.refused),
            "read": figure("read", reads.milliseconds) if requests else None,
            **used,
            **_beside(before, _processors(), used),
        }
        return {**row, **(self._entries(load, started) if trades else {})}

    def _entries(self, load: Load, started: datetime) -> Row:
        """Wait until every position has its stop, measure, and let the market close them all."""
        wait_until("every position has its stop", self._none_is_bare, seconds=SETTLE_SECONDS)
        figures = figures_of(load, Records(self._api, self._market, load.opened), started)
        prices = load.prices()
        for symbol in load.pairs:
            self._market.print_at(symbol, prices[symbol] * LOWEST)
        wait_until("everything is settled", self._nothing_is_open, seconds=SETTLE_SECONDS)
        load.calm(prices)
        names = ("p50_ms", "p99_ms", "n")
        return {
            **{
                name: {key: figures[name][key] for key in names}
                for name in ("request_to_ack", "request_to_answer", "fill_to_stop")
            },
            "incomplete": load.failures,
        }

    def _none_is_bare(self) -> bool:
        return not any(
            trade["phase"] == "entering" or is_bare(trade)
            for account in self._accounts
            for trade in self._api.get(f"/accounts/{account}/trades", open=True, limit=500)
        )

    def _nothing_is_open(self) -> bool:
        return not any(row["open_trades"] for row in self._api.get("/accounts"))

    def _load(self) -> Load:
        return Load(self._api, self._market, self._accounts, rate=1.0)


def _half_of(held: Row) -> Iterator[tuple[float, float]]:
    entries, reads = held["entries"]["held"], held["reads"]["held"]
    if entries and reads:
        yield entries["trades_a_second"] / 2, reads["requests_a_second"] / 2


def _processors() -> tuple[float, float, float]:
    """Return the processor seconds of everything here and of this process, and the time."""
    whole, own = psutil.cpu_times(), psutil.Process().cpu_times()
    busy = sum(whole) - whole.idle - getattr(whole, "iowait", 0.0) - getattr(whole, "guest", 0.0)
    return busy, own.user + own.system, time.monotonic()


def _beside(before: tuple[float, ...], now: tuple[float, ...], used: Row) -> Row:
    """Return the cores that the client and all other programs used meanwhile."""
    busy, own, seconds = (later - earlier for later, earlier in zip(now, before, strict=True))
    client = own / seconds
    others = busy / seconds - client - used["cores"]
    return {"cores_of_client": round(client, 3), "cores_of_others": round(max(0.0, others), 3)}
