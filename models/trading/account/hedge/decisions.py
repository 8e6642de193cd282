"""The hedge of one account: what it holds in USD against what it should, and what to do about it.

Reducing sells parts of open trades in proportion, each trade keeping its stop over what is left.
Restoring opens ordinary trades, with a stop and through every rule, in what the hedge has sold and
not bought back. What is held outside trades is counted and never sold: people brought it in.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.account.capital import portfolio
from models.trading.account.decision import AccountDecision
from models.trading.account.entries.decisions import consider
from models.trading.account.equity import valuation
from models.trading.account.facts import AccountCommand, EnterTrade, RecordAccount
from models.trading.account.hedge.facts import (
    HedgeClearRequested,
    HedgeOverrideRequested,
    HedgeRecord,
    HedgeReviewRequested,
    RecordHedge,
    ReviewHedge,
    SellParts,
    WatchHedge,
)
from models.trading.account.hedge.moves import buy_back, can_shrink, reductions
from models.trading.account.hedge.watches import hedge_watches
from models.trading.account.policies import hedge_settings
from models.trading.account.state import ZERO, AccountState
from models.trading.answers import Answer
from models.trading.hedge.book import (
    HedgeBook,
    claim_bought_back,
    claim_sold,
    end_claim,
    performance,
)
from models.trading.hedge.override import HedgeOverride, judge_override
from models.trading.hedge.target import (
    HedgeDecision,
    HedgeMove,
    HedgeReading,
    HedgeState,
    decide_hedge,
)
from models.trading.risk.account_assets import exposures
from models.trading.trade.state import TradeSummary
from models.trading.universe.fees import BOTTOM_TIER
from models.trading.verdicts import Check, Verdict

MOVE_PATIENCE = timedelta(seconds=10)
"""Protocol time after which parts that were to be sold and were not are no longer waited for."""


def on_override(state: AccountState, fact: HedgeOverrideRequested) -> AccountDecision:
    """Take a share set by hand, and have the hedge looked at."""
    expiry = fact.market_at + fact.expires_after if fact.expires_after is not None else None
    override = HedgeOverride(fact.share, fact.by, fact.reason, fact.market_at, expiry)
    verdict = judge_override(override)
    if not verdict.allowed:
        answer = Answer(fact.request_id, "invalid-override", verdict.reason, verdict=verdict)
        return AccountDecision(state, (), answer)
    details = (
        ("share", str(fact.share)),
        ("reason", fact.reason),
        ("expires_at", expiry.isoformat() if expiry else ""),
        ("request", fact.request_id),
    )
    hedged = replace(
        state, hedge=replace(state.hedge, override=override), hedge_target=override.share
    )
    commands = (RecordAccount("hedge_overridden", fact.by, details), ReviewHedge("override"))
    until = f"until {expiry.isoformat()}" if expiry else "until it is cleared"
    answer = Answer(fact.request_id, "accepted", f"{fact.share:.2%} are held in USD {until}")
    return AccountDecision(hedged, commands, answer)


def on_clear(state: AccountState, fact: HedgeClearRequested) -> AccountDecision:
    """Give the hedge back to the formula, or to nobody where that is not followed."""
    automatic = hedge_settings(state).automatic
    target = state.hedge.target if automatic else None
    cleared = replace(state, hedge=replace(state.hedge, override=None), hedge_target=target)
    details = (("reason", fact.reason), ("request", fact.request_id))
    commands = (
        RecordAccount("hedge_override_cleared", fact.by, details),
        ReviewHedge("override cleared"),
    )
    detail = "the formula decides" if automatic else "there is no hedge"
    return AccountDecision(cleared, commands, Answer(fact.request_id, "accepted", detail))


def on_review(state: AccountState, fact: HedgeReviewRequested) -> AccountDecision:
    """Look at the hedge: follow the formula or the override, move what is worth moving."""
    if fact.request_id == state.hedge_review:
        return AccountDecision(state, (), Answer(fact.request_id, "accepted", "looked at before"))
    settings = hedge_settings(state)
    seen = replace(_with_prices(state, fact), hedge_review=fact.request_id)
    if not settings.automatic and state.hedge.override is None:
        return _off(seen, fact)
    now = fact.market_at or state.market_time
    if now is None or not state.instruments:
        detail = "no price is known yet" if now is None else "the exchange has not answered yet"
        return AccountDecision(state, (), Answer(fact.request_id, "no-market-data", detail))
    if reason := valuation(seen).reason:
        # No share of an unknown value can be told: looked at again at the next review.
        later = WatchHedge(hedge_watches(seen, settings, fact, now))
        return AccountDecision(seen, (later,), Answer(fact.request_id, "no-market-data", reason))
    reading = read_hedge(seen, fact)
    if not settings.automatic:
        reading = replace(reading, volatility=None)
    decided = decide_hedge(settings, seen.hedge, reading, now)
    if not settings.automatic:
        decided = replace(decided, state=replace(decided.state, target=None))
    expired = state.hedge.override is not None and decided.state.override is None
    target = _target_in_force(decided.state)
    shown = target is not None
    seen = replace(seen, hedge=decided.state, hedge_target=target, hedge_shown=shown)
    seen, commands, reason = _move(seen, fact, decided)
    record = _record(seen, fact, decided, reading, now, reason, commands)
    watches = hedge_watches(seen, settings, fact, now)
    audited = RecordAccount("hedge_override_expired") if expired else RecordAccount()
    answer = Answer(fact.request_id, "accepted", record.reason)
    every = (*commands, RecordHedge(record), WatchHedge(watches), audited)
    return AccountDecision(seen, every, answer)


def read_hedge(state: AccountState, fact: HedgeReviewRequested) -> HedgeReading:
    """Read what the hedge follows; what is promised to entries counts as held.

    A stablecoin that is off its peg, or has no known price, is no cash.
    """
    equity = valuation(state).known
    values = exposures(state)
    volatile = sum(values.values(), ZERO)
    known = {s: v for s, v in values.items() if s in fact.volatilities and v > ZERO}
    weight = sum(known.values(), ZERO)
    volatility = fact.market_volatility
    if weight > ZERO:
        volatility = sum((v * fact.volatilities[s] for s, v in known.items()), ZERO) / weight
    drawdown = state.drawdown.total_share if state.drawdown is not None else ZERO
    return HedgeReading(volatility, drawdown, equity - volatile, volatile, _cost(state, fact))


def note_progress(
    state: AccountState, before: TradeSummary, after: TradeSummary, *, closed: bool
) -> AccountState:
    """Take into the hedge's book what its own orders did since a trade last told of itself."""
    turnover = after.hedge_turnover - before.hedge_turnover
    sales = dict(state.hedge_sales)
    target = sales.get(after.number)
    if target is not None and (closed or after.sold >= target):
        del sales[after.number]
        state = replace(state, hedge_sales=sales)
    if turnover > ZERO:
        state = replace(state, hedge_book=_booked(state.hedge_book, before, after))
    if closed and after.number in state.hedge_book.claims:
        ended = end_claim(state.hedge_book, after.number, _net_exit_price(state, after))
        state = replace(state, hedge_book=ended)
    return state


def _booked(book: HedgeBook, before: TradeSummary, after: TradeSummary) -> HedgeBook:
    asset = after.symbol.partition("/")[0]
    book = claim_sold(book, after.number, asset, after.hedge_sold - before.hedge_sold)
    book = claim_bought_back(book, asset, after.hedge_bought - before.hedge_bought)
    return replace(
        book,
        cash=book.cash + after.hedge_flow - before.hedge_flow,
        fees=book.fees + after.hedge_fees - before.hedge_fees,
        turnover=book.turnover + after.hedge_turnover - before.hedge_turnover,
    )


def _net_exit_price(state: AccountState, closed: TradeSummary) -> Decimal:
    """Return what a unit that the hedge sold would have brought by the trade's end, after the fee.

    A trade that closed under an earlier release tells none where the hedge sold its last unit: the
    hedge's sales are what is known of its end.
    """
    price = closed.exit_price
    if price is None and closed.hedge_sold > ZERO:
        price = closed.hedge_turnover / closed.hedge_sold
    if price is None:
        price = portfolio.price_of(state, closed.symbol) or ZERO
    fee = state.fees.get(closed.symbol, BOTTOM_TIER).taker
    return price * (1 - fee)


def reviews_due(
    state: AccountState, before: TradeSummary, after: TradeSummary
) -> tuple[ReviewHedge, ...]:
    """Have the hedge look at a position that can be made smaller now: before, it could not."""
    due = can_shrink(after) and not can_shrink(before)
    return (ReviewHedge("a trade was opened"),) if due and state.hedge_target is not None else ()


def _target_in_force(hedge: HedgeState) -> Decimal | None:
    return hedge.override.share if hedge.override is not None else hedge.target


def _off(state: AccountState, fact: HedgeReviewRequested) -> AccountDecision:
    answer = Answer(fact.request_id, "accepted", "there is no hedge")
    idle = replace(state, hedge=HedgeState(), hedge_target=None, hedge_sales={}, hedge_shown=False)
    now = fact.market_at or state.market_time
    if not state.hedge_shown or now is None:
        return AccountDecision(idle, (WatchHedge(()),), answer)
    reading = read_hedge(state, fact)
    verdict = Verdict((Check("H-2", "hedge-off", passed=False, reason=answer.detail),))
    nothing = HedgeDecision(HedgeState(), ZERO, reading.actual, None, ZERO, verdict)
    record = _record(idle, fact, nothing, reading, now, answer.detail, ())
    return AccountDecision(idle, (RecordHedge(record), WatchHedge(())), answer)


def _move(
    state: AccountState, fact: HedgeReviewRequested, decided: HedgeDecision
) -> tuple[AccountState, tuple[AccountCommand, ...], str]:
    """Return the account with the moves under way, their commands, and why there are none."""
    if decided.move is None:
        return state, (), decided.verdict.reason
    if state.hedge_sales and state.hedge_moved_at is not None:
        if fact.at - state.hedge_moved_at < MOVE_PATIENCE:
            return state, (), "parts are still being sold"
        state = replace(state, hedge_sales={})
    if decided.move is HedgeMove.REDUCE:
        targets = reductions(state, decided.value)
        if not targets:
            return state, (), "no open trade can be made smaller"
        moved = replace(state, hedge_sales=targets, hedge_moved_at=fact.at)
        return moved, (SellParts(targets, portfolio.prices_of_trades(state, targets)),), ""
    bought = buy_back(state, fact, decided.value, consider)
    return bought.state, bought.commands, bought.reason


def _record(
    state: AccountState,
    fact: HedgeReviewRequested,
    decided: HedgeDecision,
    reading: HedgeReading,
    now: datetime,
    reason: str,
    commands: tuple[AccountCommand, ...],
) -> HedgeRecord:
    book = state.hedge_book
    prices = {symbol.partition("/")[0]: price for symbol, price in state.prices.items()}
    trades = [n for c in commands if isinstance(c, SellParts) for n in sorted(c.targets)]
    trades += [c.plan.number for c in commands if isinstance(c, EnterTrade)]
    moving = decided.move.value if decided.move is not None and trades else None
    return HedgeRecord(
        review_id=fact.request_id,
        cause=fact.cause,
        at=now,
        decided_at=fact.at,
        target=state.hedge_target,
        automatic_target=state.hedge.target,
        actual=decided.actual,
        equity=reading.equity,
        volatility=reading.volatility,
        drawdown=reading.drawdown,
        override=state.hedge.override,
        move=moving,
        value=decided.value if moving else ZERO,
        reason=reason or moving or "",
        trades=tuple(trades),
        fees=book.fees,
        turnover=book.turnover,
        lacking=dict(book.lacking),
        profit=performance(book, prices).profit,
    )


def _with_prices(state: AccountState, fact: HedgeReviewRequested) -> AccountState:
    known, newest = state.prices, state.market_time
    fresh = {
        m.symbol: m.bid
        for m in fact.market
        if not m.stale
        and m.mid.is_finite()
        and m.mid > 0
        # A review that comes late, or again, takes no price back.
        and (newest is None or m.observed_at >= newest or m.symbol not in known)
    }
    seen = [m.observed_at for m in fact.market]
    if fact.market_at is not None:
        seen.append(fact.market_at)
    if state.market_time is not None:
        seen.append(state.market_time)
    return replace(state, prices={**state.prices, **fresh}, market_time=max(seen, default=None))


def _cost(state: AccountState, fact: HedgeReviewRequested) -> Decimal:
    """Return what moving a value costs in the dearest pair: fee, half the spread, slippage."""
    costs = [
        state.fees.get(m.symbol, BOTTOM_TIER).taker + m.spread / 2 / m.mid
        for m in fact.market
        if m.mid > 0
    ]
    return max(costs, default=BOTTOM_TIER.taker) + state.limits.slippage_share
