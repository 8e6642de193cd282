"""Replay recorded candles in lockstep and compare an account's decisions with the backtest's.

``make parity`` writes build/parity.json; exit code 1 when a difference has no explanation.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlmodel import select

from activities.adapters.candle_files.reading import describe, read_file
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings
from models.learning.backtest.bars import Bars
from models.learning.backtest.decision_parity import (
    AccountDecision,
    DecisionParity,
    Proposal,
    compare_decisions,
    reference_buys,
    reference_proposals,
)
from models.tables import IdeaRow
from models.trading.strategies import StrategyStanding, known
from tests.support.own_stack import OwnStack, own_stack
from tests.support.recordings import RECORDINGS

RESULT = Path("build/parity.json")
USUAL = RECORDINGS.parent / "data/kraken/BTC-USD_1d_20230401-20231231.parquet"
ACCOUNT = "company"


def main() -> int:
    """Replay, compare, write."""
    options = _options()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aether-parity-") as directory:
        path = Path(directory) / options.candles.name
        pq.write_table(pq.read_table(options.candles).slice(options.first, options.bars), path)
        named = describe(path)
        assert named is not None, f"{path.name} is no name of a recording"
        bars = read_file(named)
        # One account: what others do is none of this comparison's business, and takes its time.
        market = {"MARKET": f"replay:{path}", "SPEED": "lockstep", "AETHER_ACCOUNTS": "1"}
        with own_stack(options.port_base, **market) as stack:
            _wait(stack, options.seconds)
            decided = asyncio.run(recorded(stack))
    report = judge(bars, decided)
    report["seconds"] = round(time.monotonic() - began, 1)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=2) + "\n")
    sys.stdout.write(
        f"{report['same_proposals']} of {report['proposals']} proposals are the same, "
        f"{len(report['differences'])} differences, {report['unexplained']} unexplained: {RESULT}\n"
    )
    return 1 if report["unexplained"] or not report["proposals"] else 0


def judge(bars: Bars, decided: list[AccountDecision]) -> dict[str, Any]:
    """Return the report of what an account decided on bars."""
    proposals: list[Proposal] = []
    bought: frozenset[tuple[str, datetime]] = frozenset()
    for strategy in known().of(StrategyStanding.SHIPPED):
        proposals += reference_proposals(strategy, bars)
        bought |= reference_buys(strategy, bars)
    parity: DecisionParity = compare_decisions(proposals, bought, decided, _unseen(bars))
    return {
        "bars": len(bars),
        "source": bars.source,
        "proposals": parity.proposals,
        "same_proposals": parity.same_proposals,
        "reference_bought": len(bought),
        "account_acted": sum(one.acted for one in decided),
        "unexplained": parity.unexplained,
        "differences": [one.document() for one in parity.differences],
    }


def _unseen(bars: Bars) -> dict[datetime, str]:
    last = bars.start(len(bars) - 1)
    return {last: "the recording ends with this bar: no later one begins that would close it"}


async def recorded(stack: OwnStack) -> list[AccountDecision]:
    """Return what the account recorded of the shipped strategies' ideas."""
    settings = Settings(home=stack.home, port_base=stack.port_base)
    shipped = {one.name for one in known().of(StrategyStanding.SHIPPED)}
    database = Database(database_url(settings, Role.READER))
    try:
        async with database.account_scope(ACCOUNT) as session:
            rows = (await session.exec(select(IdeaRow))).all()
    finally:
        await database.close()
    return [decision_of(row) for row in rows if row.strategy in shipped]


def decision_of(row: IdeaRow) -> AccountDecision:
    """Return a recorded idea as a decision."""
    proposal = Proposal(
        row.strategy,
        row.bar_start,
        row.target_weight,
        row.stop_price,
        row.take_profit_price,
        row.trailing_distance,
        row.limit_price,
    )
    failed = [one for one in row.verdict.get("checks", []) if not one.get("passed")]
    reasons = tuple(f"{one['code']}: {one['reason']}" for one in failed)
    return AccountDecision(proposal, row.allowed, reasons)


def _wait(stack: OwnStack, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not stack.control()["finished"]:
        if time.monotonic() > end:
            raise TimeoutError(f"the recording did not end within {seconds} s")
        time.sleep(0.5)


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make parity", description=__doc__)
    options.add_argument("--candles", type=Path, default=USUAL, help="a recording (Parquet)")
    options.add_argument("--first", type=int, default=0, help="first row that is replayed")
    options.add_argument("--bars", type=int, default=45, help="how many")
    options.add_argument("--seconds", type=float, default=1800, help="patience")
    options.add_argument("--port-base", type=int, default=24100)
    return options.parse_args()


if __name__ == "__main__":
    sys.exit(main())
