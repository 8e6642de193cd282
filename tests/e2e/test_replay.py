"""Recorded candles through the whole running stack: trades live and die by themselves."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.client import bearer_token
from infra.runtime.settings import Settings
from tests.support.demanded import absent
from tests.support.own_stack import OwnStack, own_stack, wait_until
from tests.support.recordings import RECORDINGS

pytestmark = [
    pytest.mark.stack,
    pytest.mark.alone,
    pytest.mark.recordings,
    pytest.mark.timeout(600),
]

CANDLES = RECORDINGS.parent / "data/coinbase/BTC-USD_15m_20240418-20250630.parquet"
ACCOUNTS = ("company", "director-1", "director-2")
FIRST_BAR, BARS = 17015, 265
"""A stretch of the recording in which the baseline strategy opens and closes trades."""
EXITS = {"stop_loss", "take_profit", "trailing_stop"}
FIGURES = (
    "number", "symbol", "quantity", "reference_price", "average_entry_price", "bought", "sold",
    "average_exit_price", "fees", "pnl", "slippage", "exit_reason", "opened_at", "closed_at",
)  # fmt: skip


@pytest.fixture(scope="module")
def stretch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part of the recorded candles as a file of its own."""
    if not CANDLES.exists():
        absent("the recorded candles are not beside the checkout")
    path = tmp_path_factory.mktemp("candles") / CANDLES.name
    table: pa.Table = pq.read_table(CANDLES).slice(FIRST_BAR, BARS)
    pq.write_table(table, path)
    return path


def run(stretch: Path, port_base: int) -> dict[str, Any]:
    """Replay the stretch in lockstep and return what came of it."""
    with own_stack(port_base, MARKET=f"replay:{stretch}", SPEED="lockstep") as stack:
        wait_until(lambda: stack.control()["finished"], "the recording ends", 400)
        verified = stack.aether("verify", "--json")
        assert verified.returncode == 0, verified.stdout
        trades = {account: stack.trades(account) for account in ACCOUNTS}
        decided = assessments(stack, trades)
        seen_in_temporal(stack)
    return {"trades": trades, "decided": decided}


def assessments(stack: OwnStack, trades: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return what each entry was decided by: if two runs differ, this says where it began."""
    token = bearer_token(Settings(home=stack.home, port_base=stack.port_base))
    base = f"http://127.0.0.1:{stack.port_base}/api/v1/accounts"
    headers = {"Authorization": f"Bearer {token}"}
    found: dict[str, Any] = {}
    with httpx.Client(headers=headers, timeout=20) as client:
        for account, rows in trades.items():
            for number in sorted(row["number"] for row in rows):
                answer = client.get(f"{base}/{account}/trades/{number}/assessment")
                found[f"{account}/{number}"] = answer.raise_for_status().json()
    return found


def histories(trade: str, *runs: dict[str, Any]) -> str:
    """Return how the account's trades went in each run, one run below the other."""
    account = trade.partition("/")[0]
    shown = ("number", "phase", "bought", "refusals", "opened_at", "closed_at", "exit_reason")
    rows = [[[t[name] for name in shown] for t in run["trades"][account]] for run in runs]
    return "\n".join((trade, *map(repr, rows)))


def seen_in_temporal(stack: OwnStack) -> None:
    """Every trade is a workflow that the web UI can list."""
    status = stack.json("status")
    assert {process["name"] for process in status["processes"] if not process["ready"]} == set()


def test_same_candles_in_lockstep_give_the_same_protected_trades(stretch: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda base: run(stretch, base), (21910, 21930))
    for trade, decided in first["decided"].items():
        assert second["decided"].get(trade) == decided, histories(trade, first, second)
    for account in ACCOUNTS:
        settled = [t for t in first["trades"][account] if t["phase"] == "settled"]
        assert settled, f"{account} closed no trade"
        assert {t["exit_reason"] for t in settled} <= EXITS
        figures = [
            [[t[name] for name in FIGURES] for t in run["trades"][account]]
            for run in (first, second)
        ]
        assert figures[0] == figures[1]
