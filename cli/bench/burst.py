"""The overload benchmark: many entries at the same moment, judged by the exchange's own record.

Whatever the burst, a position has its stop within the promised time: entries that the machine
cannot protect in time are refused, in words that a program understands, and taken again afterwards.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from cli.bench.figures import figure, load_average, machine, milliseconds
from cli.bench.latency import Records, raise_limits
from cli.bench.load import LOWEST, PAIRS, Load, Market, Opened, entry_body, wait_until
from cli.client import ApiClient, RefusedError
from cli.commands.platform import verify
from infra.runtime.errors import PlatformError
from infra.runtime.settings import Settings

PROMISED_SECONDS = 5.0
"""How long a stop placed apart may rest after its fill, whatever else is asked of the machine."""
AGAIN_SECONDS = 30.0
TRY_AGAIN_SECONDS = 0.5
SETTLE_SECONDS = 120.0

Tell = Callable[[str], None]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request for an entry was answered: ``accepted`` or the kind of its refusal."""

    kind: str
    status: int
    retry_after: str | None
    seconds: float


def measure(settings: Settings, opens: int, bursts: int, tell: Tell) -> Row:
    """Send the bursts to a running stack and return the report; ``failures`` break the promise."""
    loads = {"before": load_average()}
    with ApiClient(settings) as api:
        bench = _Burst(settings, api, Market(settings), tell)
        rows: list[Row] = []
        try:
            bench.prepare()
            for number in range(bursts):
                tell(f"burst {number + 1} of {bursts}")
                rows.append(bench.burst(opens))
        except PlatformError as error:
            bench.failures.append(str(error))
        loads["during"] = load_average()
        stops = figure("fill_to_stop_in_a_burst", [])
        try:
            stops = bench.stops()
            bench.fall()
        except PlatformError as error:
            bench.failures.append(str(error))
        finally:
            bench.market.close()
    report = asyncio.run(verify.run(settings, verify.GRACE_SECONDS))
    loads["after"] = load_average()
    return {
        "fill_to_stop": stops,
        "promised_ms": PROMISED_SECONDS * 1000,
        "bursts": rows,
        "failures": bench.failures,
        "verify": report,
        "machine": machine(loads),
    }


def summary(answers: Sequence[Answer]) -> Row:
    """Count the answers of a burst by kind and name those that a caller cannot act upon."""
    unclear = Counter(
        f"{answer.status} {answer.kind}"
        for answer in answers
        if answer.kind == "overloaded"
        and (answer.status != HTTPStatus.SERVICE_UNAVAILABLE or not answer.retry_after)
    )
    return {
        "answers": dict(Counter(answer.kind for answer in answers)),
        "slowest_answer_seconds": round(max((a.seconds for a in answers), default=0.0), 2),
        "unclear": dict(unclear),
    }


class _Burst:
    """One stack under bursts."""

    def __init__(self, settings: Settings, api: ApiClient, market: Market, tell: Tell) -> None:
        self._settings = settings
        self._api = api
        self._tell = tell
        self._accounts: list[str] = [row["account"] for row in api.get("/accounts")]
        self._load = Load(api, market, self._accounts, rate=1.0)
        self.market = market
        self.failures: list[str] = []

    def prepare(self) -> None:
        """Let the accounts hold what is asked, and wait until they take entries."""
        asyncio.run(raise_limits(self._settings, self._accounts))
        self._load.await_readiness()

    def burst(self, opens: int) -> Row:
        """Send so many requests at once; wait until entries are taken again."""
        prices = self._load.prices()
        bodies = [
            (
                self._accounts[number % len(self._accounts)],
                entry_body(symbol, prices[symbol], "separate"),
            )
            for number in range(opens)
            for symbol in [PAIRS[number // len(self._accounts) % len(PAIRS)]]
        ]
        # A connection for each, made ready beforehand: the requests are to meet.
        with ExitStack() as stack, ThreadPoolExecutor(opens) as threads:
            callers = [stack.enter_context(ApiClient(self._settings)) for _ in bodies]
            answers = list(threads.map(_ask, callers, *zip(*bodies, strict=True)))
        row = summary(answers)
        if row["unclear"]:
            self.failures.append(f"refusals without status 503 or Retry-After: {row['unclear']}")
        self._tell(f"answers: {row['answers']}")
        began = time.monotonic()
        wait_until(
            "no entry is refused for load any more",
            lambda: self._is_judged(*bodies[0]),
            TRY_AGAIN_SECONDS,
            AGAIN_SECONDS,
        )
        return {**row, "taken_again_after_seconds": round(time.monotonic() - began, 2)}

    def _is_judged(self, account: str, body: Row) -> bool:
        """Tell whether the account itself decides again, whatever it decides."""
        answer = _ask(self._api, account, body)
        decided = 0 < answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        if not decided:
            self._tell(f"not yet: {answer.kind}")
        return decided

    def stops(self) -> Row:
        """Return how long after their fills the stops rested, of all trades there are."""
        wait_until("every position has its stop", self._noneis_bare, seconds=SETTLE_SECONDS)
        now = datetime.now(UTC)
        trades = [
            Opened(account, row["symbol"], row["number"], "", now, now, takes_profit=False)
            for account in self._accounts
            for row in self._api.get(f"/accounts/{account}/trades", open=True, limit=500)
        ]
        records, values = Records(self._api, self.market, trades), []
        for trade in trades:
            entry = next(iter(records.orders(trade, "entry")), None)
            filled = None if entry is None else records.first_fill.get(entry["order_id"])
            if filled is None:
                continue
            stop = next(iter(records.orders(trade, "stop")), None)
            if stop is None:
                self.failures.append(f"{trade.account} trade {trade.number} has no stop")
                continue
            values.append(milliseconds(filled, records.accepted(stop)))
        late = sum(value > PROMISED_SECONDS * 1000 for value in values)
        if late:
            self.failures.append(f"{late} stops rested later than {PROMISED_SECONDS:.0f} s")
        return {
            **figure("fill_to_stop_in_a_burst", values),
            "longest_ms": round(max(values, default=0.0), 1),
        }

    def _noneis_bare(self) -> bool:
        return not any(
            trade["phase"] == "entering" or is_bare(trade)
            for account in self._accounts
            for trade in self._api.get(f"/accounts/{account}/trades", open=True, limit=500)
        )

    def fall(self) -> None:
        """Let the market close everything, so that both records can be compared at rest."""
        self._tell("closing everything")
        prices = self._load.prices()
        for symbol in PAIRS:
            self.market.print_at(symbol, prices[symbol] * LOWEST)
        wait_until("everything is settled", self._nothing_is_open, seconds=SETTLE_SECONDS)

    def _nothing_is_open(self) -> bool:
        return not any(row["open_trades"] for row in self._api.get("/accounts"))


def is_bare(trade: Row) -> bool:
    """Tell whether an open trade holds more than its stop protects."""
    held = Decimal(trade["bought"]) - Decimal(trade["sold"])
    return trade["phase"] == "open" and Decimal(trade["protected_quantity"]) < held


def _ask(api: ApiClient, account: str, body: Row) -> Answer:
    began = time.monotonic()
    try:
        api.post(f"/accounts/{account}/trades", body)
    except RefusedError as refusal:
        kind, spent = refusal.type.rpartition(":")[2], time.monotonic() - began
        return Answer(kind, refusal.status, refusal.retry_after, spent)
    except PlatformError as error:
        return Answer(str(error), 0, None, time.monotonic() - began)
    return Answer("accepted", HTTPStatus.ACCEPTED, None, time.monotonic() - began)
