"""What is checked before anything is computed: halts, the pair, the market, the numbers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from models.trading.account.entries.book import check_book
from models.trading.account.figures import why_clock_stands
from models.trading.account.settings.in_force import rules_of_account
from models.trading.account.state import AccountState, HaltKind
from models.trading.exits.distances import Exits
from models.trading.exits.requests import ExitsChange
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.market import MarketSnapshot
from models.trading.orders import OrderType
from models.trading.risk.limits import Mode, ProtectionMode
from models.trading.strategies.evidence import Evidence
from models.trading.verdicts import Check, Headroom

_HALT_CODES = {
    HaltKind.KILL_SWITCH: "kill-switch-engaged",
    HaltKind.NO_EXCHANGE: "no-exchange",
    HaltKind.COOLING_DOWN: "exchange-cooling-down",
    HaltKind.UNMEASURED: "equity-unknown",
    HaltKind.DAY_OVERDUE: "day-overdue",
    HaltKind.OUTDATED: "figures-outdated",
    HaltKind.REQUEST_BLOCKED: "request-blocked",
    HaltKind.HOLDING_SHORT: "holding-short",
    HaltKind.FOREIGN_INSTANCE: "foreign-instance",
    HaltKind.DAILY_DRAWDOWN: "daily-drawdown",
    HaltKind.TOTAL_DRAWDOWN: "total-drawdown",
    HaltKind.DAY_PEAK_LOSS: "day-peak-loss",
    HaltKind.WEEK_LOSS: "week-loss",
    HaltKind.MONTH_LOSS: "month-loss",
}

TARGET_WEIGHT = "target weight"
"""Name of the headroom that a strategy's weight leaves."""

_TRADABLE = {
    OrderType.MARKET: (InstrumentStatus.ONLINE,),
    OrderType.LIMIT: (InstrumentStatus.ONLINE, InstrumentStatus.LIMIT_ONLY),
}


@dataclass(frozen=True, slots=True)
class EntryIntent:
    """A wish to enter a trade, whoever has it. ``quantity`` None: the account sizes it.

    ``change`` are exits beyond ``exits``; ``approved``: a person has let it be this large.
    ``evidence`` is that of the strategy version whose idea it is, None where there is none.
    ``headroom`` is what a strategy wants at most, None: as much as the rules allow.
    ``shown_only``: it comes from a demonstration, which no live account follows.
    """

    source: str
    symbol: str
    order_type: OrderType
    limit_price: Decimal | None
    quantity: Decimal | None
    exits: Exits
    protection: ProtectionMode
    market: MarketSnapshot | None
    expires_at: datetime | None
    at: datetime
    by: str = "aether"
    change: ExitsChange | None = None
    approved: bool = False
    evidence: Evidence | None = None
    strategy_version: str = ""
    headroom: Headroom | None = None
    shown_only: bool = False


def check_intent(state: AccountState, intent: EntryIntent) -> Check | None:
    """Return the first reason why an intent cannot even be judged, None when it can."""
    return (
        _check_halts(state)
        or _check_pair_stops(state, intent)
        or _check_standing(state, intent)
        or _check_pair(state, intent)
        or _check_market(state, intent)
        or _check_numbers(state.instruments[intent.symbol], intent)
    )


def _refused(rule: str, code: str, reason: str) -> Check:
    return Check(rule, code, passed=False, reason=reason)


def _check_halts(state: AccountState) -> Check | None:
    if state.halts:
        # The kill switch is named first: it is the one that people have to lift.
        halts = sorted(state.halts, key=lambda halt: halt.kind is not HaltKind.KILL_SWITCH)
        code = _HALT_CODES.get(halts[0].kind, "account-halted")
        return _refused("halt", code, "; ".join(f"{h.kind.value}: {h.reason}" for h in halts))
    if not state.instruments:
        return _refused("halt", "no-exchange", "the exchange has not answered yet")
    return None


def _check_pair_stops(state: AccountState, intent: EntryIntent) -> Check | None:
    stops = [stop for stop in state.pair_stops if intent.symbol in stop.symbols]
    if stops:
        reason = "; ".join(f"kill switch of {intent.symbol}: {stop.reason}" for stop in stops)
        return _refused("halt", "kill-switch-engaged", reason)
    return None


def _check_standing(state: AccountState, intent: EntryIntent) -> Check | None:
    if intent.shown_only and state.mode is Mode.LIVE:
        return _refused("L-5", "unproven-strategy", f"{intent.by} is a demonstration")
    return None


def _check_pair(state: AccountState, intent: EntryIntent) -> Check | None:
    if not intent.symbol.endswith("/USD"):
        return _refused("T-2", "not-usd-spot", f"{intent.symbol} is not a spot pair in USD")
    instrument = state.instruments.get(intent.symbol)
    if instrument is None:
        return _refused("T-2", "unknown-pair", f"{intent.symbol} is not traded here")
    if not instrument.is_spot_usd:
        return _refused("T-2", "not-usd-spot", f"{intent.symbol} is not a spot pair in USD")
    if state.universe is not None and intent.symbol not in state.universe:
        return _refused("T-2", "not-in-universe", f"{intent.symbol} is not in the universe")
    if intent.order_type not in _TRADABLE:
        return _refused("T-1", "invalid-price", "an entry is a market or a limit order")
    if instrument.status not in _TRADABLE[intent.order_type]:
        reason = f"{intent.symbol} is {instrument.status.value}"
        return _refused("T-7", "pair-not-trading", reason)
    return None


def _check_market(state: AccountState, intent: EntryIntent) -> Check | None:
    market = intent.market
    if market is None or market.symbol != intent.symbol:
        return _refused("T-7", "no-market-data", f"no price of {intent.symbol} is known")
    prices = (market.bid, market.ask, market.last)
    if not all(_is_positive(price) for price in prices) or market.ask < market.bid:
        return _refused("T-7", "no-market-data", f"the prices of {intent.symbol} are not usable")
    if market.stale:
        return _refused("T-7", "stale-market", f"the feed of {intent.symbol} is stale")
    limits = rules_of_account(state.settings).figures
    doubt = _check_second_price(state, market, limits.second_feed_apart)
    if doubt is not None:
        return doubt
    newest = max(state.market_time or market.observed_at, market.observed_at)
    if state.mode is Mode.LIVE:  # Kraken's own market, whose time is the wall clock's
        newest = max(newest, intent.at)
    age = (newest - market.observed_at).total_seconds()
    if age > state.limits.market_data_age_seconds:
        reason = f"the market was seen {age:.0f} s before the newest time known"
        return _refused("T-7", "stale-market", reason)
    stands = why_clock_stands(state.figure_times, limits, intent.at)
    if stands:
        return _refused("T-7", "stale-market", stands)
    if intent.expires_at is not None and newest > intent.expires_at:
        return _refused("T-7", "idea-expired", f"the idea expired at {intent.expires_at}")
    return check_book(market, newest, state.limits.market_data_age_seconds)


def _check_second_price(state: AccountState, market: MarketSnapshot, most: Decimal) -> Check | None:
    """Let no live account enter at a price that a second source has not confirmed for a while.

    Without a second source there is nothing to confirm it by, which the platform names as a
    degraded mode. Simulated money may follow any price.
    """
    apart = market.second_apart
    if state.mode is not Mode.LIVE or apart is None:
        return None
    if apart.is_finite() and apart <= most:
        return None
    reason = f"a second source's price of {market.symbol} is {apart:.2%} off, {most:.2%} allowed"
    return _refused("T-7", "price-in-doubt", reason)


def _check_numbers(instrument: Instrument, intent: EntryIntent) -> Check | None:
    exits = intent.exits
    prices = (exits.stop_price, exits.take_profit_price, exits.trailing_distance)
    if any(price is not None and not _is_positive(price) for price in prices):
        return _refused("R-1", "invalid-price", "prices must be positive numbers")
    wants_limit = intent.order_type is OrderType.LIMIT
    limit = intent.limit_price
    if wants_limit != (limit is not None) or (limit is not None and not _is_positive(limit)):
        return _refused("R-1", "invalid-price", "a limit order, and only that, has a limit price")
    if limit is not None and limit < instrument.price_increment:
        return _refused("R-1", "invalid-price", "the limit price is below one tick")
    return _check_quantity(instrument, intent.quantity)


def _check_quantity(instrument: Instrument, quantity: Decimal | None) -> Check | None:
    if quantity is None:
        return None
    if not _is_positive(quantity):
        return _refused("R-2", "invalid-quantity", "the quantity must be a positive number")
    if quantity > 10**15 or instrument.floor_quantity(quantity) != quantity:
        reason = f"the quantity has more than {instrument.quantity_precision} decimals"
        return _refused("R-2", "invalid-quantity", reason)
    return None


def _is_positive(number: Decimal) -> bool:
    # Numbers beyond any market are no numbers: rounding them to the tick would raise.
    return number.is_finite() and 0 < number < 10**15
