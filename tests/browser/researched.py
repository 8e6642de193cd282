"""What pages of research show over the seeded record: backtests, training, evidence, reports."""

import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from infra.runtime.database.connections import Role
from models.reporting.costs import SettledTrade
from models.reporting.documents import ReportDocument, as_json
from models.reporting.scheduled import JudgedIdea, cost_sections, explanation_sections
from tests.support.postgres import PostgresServer

Insert = Callable[..., Awaitable[None]]
DAYS = 200


async def research(
    server: PostgresServer, database: str, insert: Insert, now: datetime, account: str
) -> None:
    """Fill the record with what research leaves in it."""
    connect = psycopg.AsyncConnection.connect
    async with await connect(server.url(Role.API, database)) as api:
        for run, state in (("a1", "finished"), ("a2", "finished"), ("a3", "refused")):
            await insert(api, "backtests", **_backtest(run, state, now))
        await insert(api, "backtests", **_backtest("a4", "running", now))
    async with await connect(server.url(Role.LEARNING, database)) as learning:
        for run, drift in (("a1", 0.0009), ("a2", 0.0004)):
            document = _result(drift, now)
            await insert(learning, "backtest_results", run_id=run, number=1, document=document)
            await insert(learning, "backtest_pages", run_id=run, html="<p>backtest</p>")
        await _training(learning, insert, now)
        await learning.execute("SELECT set_config('aether.account_id', %s, true)", (account,))
        for kind, document in _reports(account, now).items():
            await insert(
                learning, "reports", account_id=account, kind=kind, since=now - timedelta(days=1),
                until=now, made_at=now, document=document,
            )  # fmt: skip
    async with await connect(server.url(Role.APP, database)) as workers:
        await workers.execute("SELECT set_config('aether.account_id', %s, true)", (account,))
        for number in range(1, 9):
            await insert(
                workers, "strategy_results", strategy="trend", strategy_version="1",
                source="simulation", reference=f"t{number}", account_id=account, trade=number,
                symbol="BTC/USD", move=Decimal(number - 4) / 1000,
                net=Decimal(number - 6) / 1000, exit_reason="stop",
                closed_at=now - timedelta(hours=number), recorded_at=now,
            )  # fmt: skip


def _backtest(run: str, state: str, now: datetime) -> dict[str, Any]:
    asked = {
        "strategies": ["donchian_ensemble" if run == "a1" else "volatility_managed"],
        "venue": "kraken", "pairs": ["BTC/USD", "ETH/USD"], "interval_minutes": None,
        "begin": "2022-01-01T00:00:00Z", "end": None, "together": True, "capital": 100000.0,
        "fees": "", "slippage": 0.0005 if run == "a1" else 0.001, "latency": 1.0,
    }  # fmt: skip
    ended = None if state == "running" else now
    reason = "the venue kraken holds no candles of 1440 minutes for this"
    return {
        "run_id": run, "requested_by": "aether", "requested_at": now - timedelta(minutes=len(run)),
        "asked": asked, "state": state, "stage": "volatility_managed on kraken BTC/USD",
        "done": 1, "planned": 3, "reason": reason if state == "refused" else "",
        "started_at": now, "ended_at": ended,
    }  # fmt: skip


def _result(drift: float, now: datetime) -> dict[str, Any]:
    begins = now - timedelta(days=DAYS)
    equity = [100_000 * math.exp(drift * n + 0.02 * math.sin(n / 9)) for n in range(DAYS)]
    holding = [100_000 * math.exp(0.0006 * n + 0.06 * math.sin(n / 17)) for n in range(DAYS)]
    figures = {
        "years": "2.5", "total": f"{equity[-1] / 1e5 - 1:.6f}", "yearly": "0.118",
        "volatility": "0.14", "sharpe": f"{drift * 1200:.2f}", "drawdown": "0.091",
        "exposure": "0.31", "turnover": "2.1", "fees": "0.018", "yearly_cost": "0.0072",
        "trades": "41", "won": "0.44", "behind_holding": "0.24", "ambiguous_share": "0.002",
        "total_if_ambiguous_for_us": "0.2",
    }  # fmt: skip
    trade = {
        "symbol": "BTC/USD", "bought_at": begins.isoformat(), "sold_at": now.isoformat(),
        "entry_price": "38120.5", "exit_price": "41007.1", "cost": "9120.4", "fees": "61.2",
        "profit": "611.7", "gain": "0.067", "left": "trailing_stop",
    }  # fmt: skip
    return {
        "strategy": "donchian_ensemble", "label": "kraken 2 series 2022-01…2024-06",
        "pairs": ["BTC/USD", "ETH/USD"], "sources": ["kraken/BTC", "kraken/ETH"],
        "figures": figures, "holding": {"total": "0.31", "sharpe": "0.8", "drawdown": "0.46"},
        "intervals": {"sharpe": ["-0.30", "2.49"]}, "other_fees": {"2024-01-01": "0.14"},
        "curve": [
            {"at": (begins + timedelta(days=n)).isoformat(), "equity": f"{equity[n]:.2f}",
             "holding": f"{holding[n]:.2f}"} for n in range(DAYS)
        ],
        "trades": [trade], "trades_total": 41, "notes": ["2 of 58 entries not filled whole"],
    }  # fmt: skip


async def _training(connection: psycopg.AsyncConnection, insert: Insert, now: datetime) -> None:
    for run, planned in (("r0a1b2c3", 4), ("r9f8e7d6", 1)):
        await insert(
            connection, "training_runs", run_id=run, requested_by="schedule", reason="weekly",
            data_hash=f"data-{run}", question="daily", feature_hash="f", code_version="c",
            samples=5381, planned=planned, started_at=now,
        )  # fmt: skip
        await insert(
            connection, "trials", data_hash=f"data-{run}", question="daily",
            trial="committee(leaves=3)", run_id=run, begins=0, period_seconds=86400,
            net=[0.01, -0.004, 0.006], costs=[0.0, 0.0, 0.0], failures=[], milliseconds=41_200,
            finished_at=now,
        )  # fmt: skip
    await insert(
        connection, "training_verdicts", run_id="r9f8e7d6", passed=False, candidate=None,
        reasons=["deflated_sharpe_2025", "superior_to_primary"], findings=[], judged_at=now,
    )  # fmt: skip


def _reports(account: str, now: datetime) -> dict[str, dict[str, Any]]:
    trade = SettledTrade(
        "BTC/USD", Decimal(12), Decimal(4), Decimal(1), Decimal(1000), strategy="trend",
        entry_result="took", order_type="limit, takes at once", decided_at=now,
        spread=Decimal("0.4"), maker_share=Decimal("0.5"), fees_saved=Decimal(2), executions=3,
        unmeasured=1, unprotected_seconds=Decimal(2),
    )  # fmt: skip
    ideas = [JudgedIdea("trend", "BTC/USD", False, "R-6 not-worth-it")]
    parts = {
        "costs": ("Transaction costs", cost_sections([trade])),
        "explanation": ("Weekly explanation", explanation_sections(ideas, [trade])),
    }
    return {
        kind: as_json(ReportDocument(kind, title, account, now - timedelta(days=1), now, sections))
        for kind, (title, sections) in parts.items()
    }
