"""What wakes the hedge of an account: a market time, and large moves of what is held."""

from datetime import datetime
from decimal import Decimal

from models.trading.account.hedge.facts import HedgeReviewRequested
from models.trading.account.state import ZERO, AccountState
from models.trading.hedge.target import HedgeSettings
from models.trading.risk.account_assets import exposures
from models.trading.trade.facts import HEDGE_WATCH, Direction, PriceWatch, WatchKind

WATCHED_MAXIMUM = 10
"""Pairs whose large moves wake the hedge: those in which most is held."""


def hedge_watches(
    state: AccountState, settings: HedgeSettings, fact: HedgeReviewRequested, now: datetime
) -> tuple[PriceWatch, ...]:
    """Return the watches until the next review; their ids differ from those of every other."""
    due = now + settings.review_every
    override = state.hedge.override
    if override is not None and override.expires_at is not None:
        due = min(due, override.expires_at)
    moment = _watch(state, fact, "", WatchKind.TIME, Direction.COMES, ZERO, due)
    values = exposures(state)
    held = sorted((s for s, v in values.items() if v > ZERO), key=lambda s: (-values[s], s))
    moves = []
    for symbol in held[:WATCHED_MAXIMUM]:
        price, instrument = state.prices.get(symbol), state.instruments.get(symbol)
        if price is None or instrument is None or not ZERO < settings.react_share < 1:
            continue
        high = instrument.ceil_price(price * (1 + settings.react_share))
        low = instrument.floor_price(price * (1 - settings.react_share))
        moves.append(_watch(state, fact, symbol, WatchKind.MOVE, Direction.RISES_TO, high, None))
        moves.append(_watch(state, fact, symbol, WatchKind.MOVE, Direction.FALLS_TO, low, None))
    return (moment, *moves)


def _watch(
    state: AccountState,
    fact: HedgeReviewRequested,
    symbol: str,
    kind: WatchKind,
    direction: Direction,
    level: Decimal,
    due_at: datetime | None,
) -> PriceWatch:
    name = f"{fact.request_id}/{symbol}/{direction.value}"
    return PriceWatch(name, state.account, HEDGE_WATCH, symbol, kind, direction, level, due_at)
