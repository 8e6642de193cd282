"""What pages of the market, of shadows and of a trade's moves show over the seeded record."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg

Insert = Callable[..., Awaitable[None]]
MOVED = (4, 8, 12)
"""Trades whose stop and target were moved before they came to where they stand."""


async def doubts(market: psycopg.AsyncConnection, insert: Insert, now: datetime) -> None:
    """Let one doubt about the prices stand, and one have ended."""
    for symbol, kind, detail, minutes, lasted in (
        ("ETH/USD", "diverging", "3.1 % apart from the second source in three looks", 6, None),
        ("BTC/USD", "silent_source", "the second source has said nothing for 5 min", 190, 12),
    ):
        began = now - timedelta(minutes=minutes)
        ended = None if lasted is None else began + timedelta(minutes=lasted)
        await insert(
            market, "market_quality_events", symbol=symbol, kind=kind, detail=detail,
            began_at=began, ended_at=ended,
        )  # fmt: skip


async def correlations(
    workers: psycopg.AsyncConnection, insert: Insert, now: datetime, symbols: Sequence[str]
) -> None:
    """Let two pairs move together, and one have too few bars to tell."""
    young = symbols[-1]
    estimates = [
        {
            "first": first, "second": second, "returns": 2 if young in (first, second) else 90,
            "sample": None if young in (first, second) else 0.86 - 0.19 * place,
            "value": 0.31 if young in (first, second) else 0.83 - 0.17 * place,
        }
        for place, (first, second) in enumerate(itertools.combinations(sorted(symbols), 2))
    ]  # fmt: skip
    groups = {symbol: symbols[0] if symbol in symbols[:2] else symbol for symbol in symbols}
    await insert(
        workers, "correlations", at=now, market_time=now, target="0.31", groups=groups,
        estimates=estimates,
    )  # fmt: skip


async def ideas(
    workers: psycopg.AsyncConnection, insert: Insert, now: datetime, account: str, place: int
) -> None:
    """Let accounts decide on the same ideas, and not always alike."""
    for number in range(1, 12):
        traded = number % 3 != 0 and (place == 0 or number % 4 != 1)
        if place == 1 and number == 10:
            continue  # one that the shadow never saw
        check = {
            "rule": "R-6", "code": "not-worth-it", "passed": traded,
            "reason": "", "figure": None, "limit": None,
        }  # fmt: skip
        bar = now - timedelta(minutes=10 * (13 - number))
        await insert(
            workers, "ideas", account_id=account, idea_id=f"trend-{number}", strategy="trend",
            strategy_version="1", symbol="BTC/USD", bar_start=bar,
            expires_at=bar + timedelta(minutes=5), stop_price=63000, reasons=["breakout"],
            allowed=traded, verdict={"checks": [check], "allowed": traded},
            trade=number if traded else None, decided_at=now,
        )  # fmt: skip


async def moves(
    workers: psycopg.AsyncConnection, insert: Insert, now: datetime, account: str
) -> None:
    """Let stops have followed the price; the trigger has kept where they stand now."""
    for number in MOVED:
        opened = now - timedelta(minutes=10 * (13 - number))
        entry = Decimal("63950.5") + number
        for place, (stop, target) in enumerate(((-700, 1500), (-520, 1500))):
            at = opened + timedelta(minutes=3 * place)
            await insert(
                workers, "trade_levels", account_id=account, number=number, at=at, market_time=at,
                stop_price=entry + stop, take_profit_price=entry + target,
            )  # fmt: skip
