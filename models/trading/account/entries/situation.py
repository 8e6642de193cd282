"""Where an account stands when an entry is judged, and what it remembers of it afterwards."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from models.trading.account.capital.allocation import headroom_of_strategy
from models.trading.account.entries.assessment import (
    AccountSituation,
    EntryAssessment,
    EntryQuestion,
    assess_entry,
)
from models.trading.account.entries.basis import UNBACKED, CostBudget
from models.trading.account.entries.claims import Claim, Claimant
from models.trading.account.entries.preconditions import TARGET_WEIGHT, EntryIntent
from models.trading.account.entries.record import EntryRecord
from models.trading.account.equity import valuation, why_prices_are_old
from models.trading.account.rules import compliance_in_force, rules_in_force
from models.trading.account.settings.in_force import rules_of_account, rules_of_platform
from models.trading.account.state import ZERO, AccountState
from models.trading.instruments import Instrument
from models.trading.market import MarketSnapshot
from models.trading.risk.account_assets import asset_rules, exposures, stablecoin_values
from models.trading.risk.drawdown import start as start_drawdown
from models.trading.risk.limits import Mode
from models.trading.risk.open_risk import open_risk
from models.trading.risk.portfolio import LossStreak, PortfolioView, note_result, recent_orders
from models.trading.settings.reading import AccountRules
from models.trading.trade.figures import HEDGE_SOURCE, STRATEGY_SOURCE
from models.trading.trade.state import TradeSummary
from models.trading.trading_day import day_of
from models.trading.universe.compliance import ComplianceRules, PegWatch, note_peg

STRATEGY_BY = "strategy/"
"""How the author of an entry that a strategy wants begins."""


def assess(
    state: AccountState,
    intent: EntryIntent,
    instrument: Instrument,
    market: MarketSnapshot,
    price_bound: Decimal,
    *,
    rests: bool = False,
) -> EntryAssessment:
    """Apply all rules of the account and the platform to an entry; ``rests``: it never takes."""
    rules = rules_in_force(state)
    question = EntryQuestion(
        instrument=instrument,
        market=market,
        entry_price=intent.limit_price if intent.limit_price is not None else market.ask,
        price_bound=price_bound,
        stop_price=intent.exits.stop_price,
        claim=_claim_of(state, intent, market, rules),
        quantity=intent.quantity,
        book=market.book,
        maker_entry=rests,
    )
    compliance = compliance_in_force(state, intent.symbol)
    situation = situation_of(state, intent, market, rules, compliance)
    return assess_entry(question, situation, rules, compliance)


def situation_of(
    state: AccountState,
    intent: EntryIntent,
    market: MarketSnapshot,
    rules: AccountRules,
    compliance: ComplianceRules,
) -> AccountSituation:
    """Gather what the rules ask about.

    While the account's value is not known an entry is refused, whatever the known part leaves. A
    drawdown that could not be measured yet holds nothing back. A pause after losses is for what
    trades by itself: who asks for a trade in person knows of them.
    """
    worth = valuation(state)
    equity = worth.known
    by_itself = intent.source.startswith(STRATEGY_SOURCE)
    assets, stable = asset_rules(state), stablecoin_values(state)
    issuers = {
        symbol: issuer
        for symbol in {*stable, intent.symbol}
        if (issuer := assets.issuer(symbol.partition("/")[0])) is not None
    }
    view = PortfolioView(
        equity=equity,
        exposures=exposures(state),
        groups=state.groups,
        buckets=state.buckets,
        open_trades=len(state.trades),
        entry_orders=state.entry_orders,
        losses=state.losses if by_itself else LossStreak(),
        stablecoins=stable,
        issuers=issuers,
    )
    reserve = equity * rules.limits.cash_reserve_share
    unmeasured = start_drawdown(equity, market.observed_at.date(), market.observed_at)
    return AccountSituation(
        view=view,
        spendable_cash=max(ZERO, state.available_cash - reserve),
        drawdown=state.drawdown if state.drawdown is not None else unmeasured,
        pegs=_pegs(state, compliance),
        rates=state.fees.get(intent.symbol),
        hedge_target=state.hedge_target,
        strategy=headroom_of_strategy(
            state, strategy_of(intent), rules.allocation, rules.fixed_shares
        ),
        wanted=intent.headroom,
        # A weight is held in as many trades as it took to reach it; the pair's share bounds it.
        pair_trades=0
        if intent.headroom is not None and intent.headroom.name == TARGET_WEIGHT
        else sum(t.symbol == intent.symbol for t in state.trades.values()),
        value_unknown=worth.reason or why_prices_are_old(state, market.observed_at),
        losses=state.loss_record,
        strategy_name=strategy_of(intent),
        open_risk=open_risk(state.trades.values(), state.prices),
        unbacked_spent=state.unbacked_costs.on(_day(state, market.observed_at)).spent,
    )


def _claim_of(
    state: AccountState, intent: EntryIntent, market: MarketSnapshot, rules: AccountRules
) -> Claim:
    """Return by what an entry says that it is worth its costs."""
    by = Claimant.PERSON
    if intent.source.startswith(STRATEGY_SOURCE):
        by = Claimant.STRATEGY
    elif intent.source.startswith(HEDGE_SOURCE):
        by = Claimant.HEDGE
    return Claim(
        by=by,
        entry_price=intent.limit_price if intent.limit_price is not None else market.ask,
        stop_price=intent.exits.stop_price,
        target_price=intent.exits.take_profit_price,
        policy=rules.evidence,
        is_live=state.mode is Mode.LIVE,
        now=market.observed_at,
        evidence=intent.evidence,
    )


def unbacked_costs_with(state: AccountState, found: EntryAssessment, at: datetime) -> CostBudget:
    """Return what entries without an expectation cost today, with one more at a market time."""
    if found.basis not in UNBACKED:
        return state.unbacked_costs
    return state.unbacked_costs.with_entry(_day(state, at), found.cost)


def _day(state: AccountState, at: datetime) -> date:
    return day_of(state.day, at)


def strategy_of(intent: EntryIntent) -> str:
    """Return the strategy that wants an entry, empty where none does."""
    return intent.by.removeprefix(STRATEGY_BY) if intent.by.startswith(STRATEGY_BY) else ""


def record_of_entry(state: AccountState, trade: int, found: EntryAssessment) -> EntryRecord:
    """Return what is written down of an entry."""
    sizing = found.sizing
    return EntryRecord(
        trade=trade,
        quantity=found.quantity,
        settings_version=state.settings.version,
        platform_version=state.platform.version,
        verdict=found.verdict,
        caps=() if sizing is None else sizing.caps,
        binding=sizing.binding.name if sizing is not None and found.is_sized else None,
        costs=found.costs,
        approval=found.approval,
        basis=found.basis,
        expectation=found.expectation,
    )


def entry_orders_with(state: AccountState, at: datetime) -> tuple[datetime, ...]:
    """Return the entry orders that still count with one more at a market time."""
    window = rules_of_account(state.settings).portfolio.orders_window
    return (*recent_orders(state.entry_orders, window, at), at)


def with_result_noted(state: AccountState, closed: TradeSummary, at: datetime) -> AccountState:
    """Count what a trade of a strategy came to; ``at`` is market time.

    What is left unsold, too little to be sold, counts at the last price.
    """
    if not closed.by_strategy or not closed.bought:
        return state
    left = closed.bought - closed.sold
    price = state.prices.get(closed.symbol, closed.stop_price)
    profit = closed.cash_flow + left * price
    return replace(state, losses=note_result(state.losses, profit, at))


def with_pegs_noted(state: AccountState) -> AccountState:
    """Remember which stablecoins are off their peg at the last prices seen."""
    pegs = _pegs(state, rules_of_platform(state.platform).compliance)
    off = tuple(sorted(pegs.off))
    return state if off == state.off_peg else replace(state, off_peg=off)


def _pegs(state: AccountState, compliance: ComplianceRules) -> PegWatch:
    watch = PegWatch(off=frozenset(state.off_peg))
    for asset in sorted(compliance.stablecoins):
        price = state.prices.get(f"{asset}/USD")
        if price is not None:
            watch = note_peg(watch, compliance, asset, price)
    return watch
