"""The latency benchmark: load on a whole running stack, then figures from both records.

The platform's record says when it decided, sent and was answered; the exchange's says when orders
were accepted and filled. All of them and this client read one clock, the host's.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cli.bench.chain import chain_beside
from cli.bench.figures import add_ratios, figure, load_average, machine, milliseconds
from cli.bench.kill_switch import KillSwitchBench
from cli.bench.load import PAIRS, Load, Market, Opened
from cli.client import ApiClient
from cli.commands.platform import verify
from infra.runtime.errors import PlatformError
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.temporal.access import client_tls
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey
from models.contracts.names import account_workflow_id
from models.trading.account.facts import LimitsChangeRequested, SettingsChangeRequested
from models.trading.answers import Answer
from models.trading.risk.limits import AccountLimits

Tell = Callable[[str], None]
Row = dict[str, Any]

SLOWEST = 12
"""Samples kept of each figure: outliers in a row have another cause than scattered ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done. ``raise_limits``: let the accounts hold as many trades as the plan opens."""

    trades: int
    rate: float
    kill_switches: int
    withdrawals: int
    raise_limits: bool


def measure(settings: Settings, plan: Plan, tell: Tell) -> dict[str, Any]:
    """Run the plan on a running stack and return the report."""
    loads = {"before": load_average()}
    api, market = ApiClient(settings), Market(settings)
    accounts = [row["account"] for row in api.get("/accounts")]
    load = Load(api, market, accounts, plan.rate)
    started = datetime.now(UTC)
    if plan.raise_limits:
        asyncio.run(raise_limits(settings, accounts))
    waves = -(-plan.trades // (len(accounts) * len(PAIRS)))
    switches = KillSwitchBench(settings, api, load, market, accounts)
    figures: dict[str, Any] = {}
    try:
        load.await_readiness()
        with chain_beside(settings) as chain:
            for wave in range(waves):
                load.run_wave(wave)
                tell(f"{len(load.opened)} trades, load average {load_average():.1f}")
        loads["during"] = load_average()
        figures = figures_of(load, Records(api, market, load.opened), started)
        add_ratios(figures, chain.signal_to_activity)
        figures |= {
            "bare_signal_to_activity": figure("bare", chain.signal_to_activity),
            "bare_update_round_trip": figure("bare", chain.update_round_trip),
        }
        if plan.raise_limits:
            tell("Kill switch: engaging and lifting")
            figures |= asyncio.run(switches.run(plan.kill_switches, plan.withdrawals))
        else:
            tell("Kill switch: not measured, for only people of the stack lift it again")
    except PlatformError as error:
        load.failures.append(str(error))
    tell("Comparing with the exchange's own record")
    report = asyncio.run(verify.run(settings, verify.GRACE_SECONDS))
    loads["after"] = load_average()
    market.close()
    return {
        "figures": figures,
        "trades": len(load.opened),
        "failures": load.failures,
        "verify": report,
        "machine": machine(loads),
        "started_at": started.isoformat(),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
    }


class Records:
    """Orders of the measured trades on both sides."""

    def __init__(self, api: ApiClient, market: Market, trades: Sequence[Opened]) -> None:
        self.ours: dict[tuple[str, int], list[Row]] = {
            (t.account, t.number): api.get(f"/accounts/{t.account}/orders", trade=t.number)
            for t in trades
        }
        self._theirs: dict[str, Row] = {}
        self._accepted: dict[str, str] = {}
        self.first_fill: dict[str, datetime] = {}
        for account in {trade.account for trade in trades}:
            record = market.record(account)
            times = record["protocol_times"]
            self._theirs |= {order["order_id"]: order for order in record["orders"]}
            self._accepted |= times["orders"]
            for fill in record["fills"]:
                at = _time(times["fills"][fill["execution_id"]])
                self.first_fill.setdefault(fill["order_id"], at)

    def orders(self, trade: Opened, leg: str) -> list[Row]:
        """Return our orders of one leg that the exchange knows, oldest first."""
        found = [order for order in self.ours[trade.account, trade.number] if order["leg"] == leg]
        return sorted(
            (order for order in found if order["order_id"] in self._theirs),
            key=self.accepted,
        )

    def accepted(self, order: Row) -> datetime:
        """Return when the exchange took an order."""
        return _time(self._accepted[order["order_id"]])

    def is_attached(self, order: Row) -> bool:
        """Tell whether the exchange made an order itself, as the close of another."""
        return self._theirs[order["order_id"]]["parent_order_id"] is not None


def figures_of(load: Load, records: Records, started: datetime) -> dict[str, Any]:
    """Return the figures of what a load opened, and note what is missing as its failures."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    slowest: defaultdict[str, list[Row]] = defaultdict(list)
    for trade in load.opened:
        before = {name: len(found) for name, found in values.items()}
        problem = _measure_trade(trade, records, load, values)
        for name, found in values.items():
            if len(found) > before.get(name, 0):
                slowest[name].append(_sample(trade, started, found[-1]))
        if problem:
            load.failures.append(f"{trade.account} trade {trade.number}: {problem}")
    parts = {name.removeprefix("part:"): values[name] for name in list(values) if ":" in name}
    document = {
        "request_to_ack": figure("request_to_ack", values["request_to_ack"], parts),
        "request_to_answer": figure("request_to_answer", values["request_to_answer"]),
        "fill_to_stop": figure("fill_to_stop", values["fill_to_stop"]),
        "fill_to_stop_attached": figure("fill_to_stop", values["fill_to_stop_attached"]),
        "cross_to_exit": figure("cross_to_exit", values["cross_to_exit"]),
    }
    for name, entry in document.items():
        ranked = sorted(slowest[name], key=lambda row: float(row["ms"]), reverse=True)
        entry["slowest"] = ranked[:SLOWEST]
    return document


def _sample(trade: Opened, started: datetime, value: float) -> Row:
    """Return one measured time with what tells outliers apart: whose, of what, and when."""
    second = (trade.asked - started).total_seconds()
    return {
        "ms": round(value, 1),
        "second": round(second, 1),
        "account": trade.account,
        "symbol": trade.symbol,
        "trade": trade.number,
    }


def _measure_trade(
    trade: Opened, records: Records, load: Load, values: dict[str, list[float]]
) -> str | None:
    """Add one trade's milliseconds; return what is missing of it."""
    entry = next(iter(records.orders(trade, "entry")), None)
    if entry is None or entry["acknowledged_at"] is None:
        return "its entry was not acknowledged"
    for name, begin, end in _steps(trade, entry, records.accepted(entry)):
        values[name].append(milliseconds(begin, end))
    filled = records.first_fill.get(entry["order_id"])
    stop = next(iter(records.orders(trade, "stop")), None)
    if filled is None or stop is None:
        return "it was not filled or not protected"
    kind = "fill_to_stop_attached" if records.is_attached(stop) else "fill_to_stop"
    values[kind].append(milliseconds(filled, records.accepted(stop)))
    crossed = load.crossed.get((trade.account, trade.number))
    if crossed is not None:
        leaving = next(iter(records.orders(trade, "exit")), None)
        if leaving is None:
            return "it has no exit"
        values["cross_to_exit"].append(milliseconds(crossed, records.accepted(leaving)))
    return None


def _steps(
    trade: Opened, entry: Row, accepted: datetime
) -> Iterator[tuple[str, datetime, datetime]]:
    intended, sent, known = (
        _time(entry[name]) for name in ("intended_at", "sent_at", "acknowledged_at")
    )
    yield "request_to_ack", trade.asked, known
    yield "part:asked_to_decision", trade.asked, intended
    yield "part:decision_to_activity", intended, sent
    yield "part:activity_to_accepted", sent, accepted
    yield "part:accepted_to_acknowledged", accepted, known
    yield "request_to_answer", trade.asked, trade.answered


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


UNBOUNDED = '{"evidence.cost_budget_share":"1","portfolio.orders_maximum":100000}'
"""Settings under which what a benchmark opens is held to no budget of the day."""


async def raise_limits(settings: Settings, accounts: Sequence[str]) -> None:
    """Let accounts hold as many trades at once as a benchmark opens."""
    keys = installation_secrets(settings).codec_keys()
    pairs = [PayloadKey(name, secret) for name, secret in reversed(keys.items())]
    client = await connect(
        settings.temporal_target, settings.temporal_namespace, pairs, tls=client_tls(settings)
    )
    limits = replace(AccountLimits(), open_trades_maximum=100, open_trades_per_pair=100)
    for account in accounts:
        request = LimitsChangeRequested(str(uuid.uuid4()), "benchmark", limits, datetime.now(UTC))
        handle = client.get_workflow_handle(account_workflow_id(account))
        await handle.execute_update("change_limits", request, result_type=Answer)
        unbounded = SettingsChangeRequested(
            str(uuid.uuid4()),
            "benchmark",
            UNBOUNDED,
            "a benchmark opens more at once than a careful account does",
            datetime.now(UTC),
            confirmed=True,
        )
        await handle.execute_update("change_settings", unbounded, result_type=Answer)
