"""The scale benchmark: the same stack with ever more accounts, each of them with an open trade.

For each number of accounts a stack of its own is measured at rest, holding one open trade for each
account, under the same load for every number, under a load that grows with it, and when the market
falls through every stop at once.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cli.bench.figures import BUDGETS, load_average, machine
from cli.bench.latency import Records, figures_of, raise_limits
from cli.bench.load import LOWEST, Load, Market, wait_until
from cli.bench.meter import Meter
from cli.bench.stack import throwaway_stack
from cli.client import ApiClient
from cli.commands.platform import verify
from infra.runtime.errors import PlatformError
from infra.runtime.settings import Settings

HELD_PAIRS = ("ADA/USD", "XRP/USD", "LTC/USD")
"""What the accounts hold all the time."""
LOAD_PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD")
LOADED_ACCOUNTS = 10
STEADY_RATE = 3.0
STEADY_WAVES = 2
GROWING_RATE = 0.1
"""Trades that each account opens a second while the load grows with the accounts."""
GROWING_SECONDS = 15.0
AT_ONCE = 32
READY_SECONDS = 240.0

Tell = Callable[[str], None]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scale:
    """How many accounts, and for how many seconds each state is watched."""

    accounts: int
    watch_seconds: float


def measure(
    settings: Settings, numbers: Sequence[int], watch_seconds: float, tell: Tell
) -> dict[str, Any]:
    """Measure a stack for each number of accounts and return the report."""
    loads = {"before": load_average()}
    rows: list[Row] = []
    for number in numbers:
        tell(f"{number} accounts")
        began = time.monotonic()
        with throwaway_stack(settings, tell, number, READY_SECONDS) as own:
            ready = time.monotonic() - began
            row = _Scaled(own, Scale(number, watch_seconds), tell).run()
        rows.append({"accounts": number, "ready_seconds": round(ready, 1), **row})
        loads[f"after {number}"] = load_average()
    return {
        "rows": rows,
        "growth": growth(rows),
        "failures": [failure for row in rows for failure in row["failures"]],
        "clean": all(row["clean"] for row in rows),
        "machine": machine(loads),
    }


def growth(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what one account more costs, and the first number of accounts that is too many.

    Costs come from the fewest and the most accounts. Too many is where the growing load misses
    the budget for the acknowledgement of an entry.
    """
    rows = [row for row in rows if "growing" in row]
    if not rows:
        return {"p99_over_budget_from": None}
    least, most = rows[0], rows[-1]
    more = most["accounts"] - least["accounts"]
    budget = BUDGETS["request_to_ack"]["p99_ms"]
    bend = next(
        (
            row["accounts"]
            for row in rows
            if (found := row["growing"]["request_to_ack"]["p99_ms"]) is None or found > budget
        ),
        None,
    )
    per_account = {}
    for name, place in (
        ("memory_megabytes", "memory_megabytes"),
        ("cores", "cores"),
        ("database_transactions_a_second", "database_transactions_a_second"),
        ("temporal_requests_a_second", "temporal_requests_a_second"),
    ):
        rise = most["holding"][place] - least["holding"][place]
        per_account[name] = round(rise / more, 4) if more else None
    return {"per_account_holding_a_trade": per_account, "p99_over_budget_from": bend}


class _Scaled:
    """One stack under measure."""

    def __init__(self, settings: Settings, scale: Scale, tell: Tell) -> None:
        self._settings = settings
        self._scale = scale
        self._tell = tell
        self._api = ApiClient(settings)
        self._market = Market(settings)
        self._accounts: list[str] = []
        self._failures: list[str] = []

    def run(self) -> Row:
        """Take it through every state."""
        found: Row = {}
        try:
            with Meter(self._settings) as meter:
                self._accounts = self._when_all_are_ready()
                asyncio.run(raise_limits(self._settings, self._accounts))
                found["resting"] = self._watch(meter)
                self._hold()
                found["holding"] = self._watch(meter)
                found["steady"] = self._under(meter, self._steady)
                found["growing"] = self._under(meter, self._growing)
                found["fall_of_all_stops_seconds"] = self._fall()
        except PlatformError as error:
            self._failures.append(f"{self._scale.accounts} accounts: {error}")
        finally:
            self._market.close()
        checked = asyncio.run(verify.run(self._settings, verify.GRACE_SECONDS))
        return {
            **found,
            "clean": checked["clean"],
            "findings": checked["findings"],
            "failures": self._failures,
        }

    def _when_all_are_ready(self) -> list[str]:
        load = Load(self._api, self._market, [], STEADY_RATE)
        wait_until("the accounts take entries", load.are_free, seconds=READY_SECONDS)
        load.await_readiness()
        return [row["account"] for row in self._api.get("/accounts")]

    def _watch(self, meter: Meter) -> Row:
        meter.begin()
        time.sleep(self._scale.watch_seconds)
        return meter.end()

    def _under(self, meter: Meter, load: Callable[[], Row]) -> Row:
        meter.begin()
        figures = load()
        return {**meter.end(), **figures}

    # --- loads

    def _hold(self) -> None:
        self._tell("opening a trade for each account to hold")
        load = self._load(STEADY_RATE)
        prices = load.prices()
        for symbol, account in self._turns(HELD_PAIRS, len(self._accounts)):
            load.open(account, symbol, prices[symbol], "attached")
        self._failures += load.failures

    def _steady(self) -> Row:
        """The same load whatever the number of accounts: a few of them trade."""
        self._tell("the same load as for every number")
        few = self._accounts[:LOADED_ACCOUNTS]
        load = Load(self._api, self._market, few, STEADY_RATE, LOAD_PAIRS)
        started = datetime.now(UTC)
        for wave in range(max(STEADY_WAVES, STEADY_WAVES * LOADED_ACCOUNTS // len(few))):
            load.run_wave(wave)
        return self._figures(load, started)

    def _growing(self) -> Row:
        """A load that grows with the accounts, opened without waiting for answers."""
        rate = GROWING_RATE * len(self._accounts)
        count = max(AT_ONCE, round(rate * GROWING_SECONDS))
        self._tell(f"{rate:.1f} trades a second, {count} in all")
        load = self._load(rate)
        prices, started = load.prices(), datetime.now(UTC)
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for number, (symbol, account) in enumerate(self._turns(LOAD_PAIRS, count)):
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                threads.submit(load.open_now, account, symbol, prices[symbol], "separate")
        figures = self._figures(load, started)
        return {**figures, "rate": round(len(load.opened) / (time.monotonic() - began), 2)}

    def _fall(self) -> float:
        """Let the market fall through every stop; return how long until all is settled."""
        prices = self._load(STEADY_RATE).prices()
        began = time.monotonic()
        for symbol in (*HELD_PAIRS, *LOAD_PAIRS):
            self._market.print_at(symbol, prices[symbol] * LOWEST)
        wait_until("everything is settled", self._nothing_is_open, seconds=READY_SECONDS)
        return round(time.monotonic() - began, 2)

    def _nothing_is_open(self) -> bool:
        return not any(row["open_trades"] for row in self._api.get("/accounts"))

    def _load(self, rate: float) -> Load:
        return Load(self._api, self._market, self._accounts, rate, LOAD_PAIRS)

    def _turns(self, pairs: Sequence[str], count: int) -> Iterator[tuple[str, str]]:
        for number in range(count):
            account = self._accounts[number % len(self._accounts)]
            yield pairs[(number // len(self._accounts) + number) % len(pairs)], account

    def _figures(self, load: Load, started: datetime) -> Row:
        figures = figures_of(load, Records(self._api, self._market, load.opened), started)
        self._failures += load.failures
        return {
            name: {key: figure[key] for key in ("p50_ms", "p99_ms", "n")}
            for name, figure in figures.items()
        }
