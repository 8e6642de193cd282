"""From a request or an idea to an entry: check, round, size, judge, plan.

Ideas enter at market: a strategy's exits are measured from the price at bar close, and an entry
that waits would be filled when the market goes the wrong way. Requests enter as they say. What
enters at market is sent as a limit order that takes at once, up to the collar around the ask.
"""

from dataclasses import replace
from decimal import Decimal

from models.trading.account.approvals import Sized, hold_for_approval
from models.trading.account.entries.assessment import EntryAssessment
from models.trading.account.entries.basis import EntryBasis
from models.trading.account.entries.exits import check_exits, entry_exits
from models.trading.account.entries.outcomes import EntryOutcome
from models.trading.account.entries.preconditions import EntryIntent, check_intent
from models.trading.account.entries.prices import check_limit
from models.trading.account.entries.situation import (
    STRATEGY_BY,
    assess,
    entry_orders_with,
    record_of_entry,
    strategy_of,
    unbacked_costs_with,
)
from models.trading.account.facts import EnterTrade, IdeaArrived, OpenRequested
from models.trading.account.rules import rules_in_force
from models.trading.account.settings.in_force import rules_of_account
from models.trading.account.state import AccountState
from models.trading.execution import EntryStyle, ExecutionPolicy, entry_limit
from models.trading.exits.distances import Exits, round_exits
from models.trading.exits.requests import ExitsChange
from models.trading.ideas import StrategyStanding
from models.trading.identities import client_order_id, userref
from models.trading.instruments import Instrument
from models.trading.market import MarketSnapshot
from models.trading.orders import (
    ConditionalClose,
    Leg,
    OrderSpec,
    OrderType,
    Side,
    TimeInForce,
)
from models.trading.risk.dust import dust_to_carry, with_dust_moved
from models.trading.risk.limits import FeeRates, Mode, ProtectionMode
from models.trading.strategies.evidence import Evidence, EvidenceSource
from models.trading.strategies.orchestrator import check_cost
from models.trading.trade.decisions import begin
from models.trading.trade.figures import HEDGE_SOURCE, entry_price_bound, summarise
from models.trading.trade.state import TradePlan
from models.trading.universe.fees import BOTTOM_TIER
from models.trading.verdicts import Check, Verdict


def intent_of_request(state: AccountState, fact: OpenRequested) -> EntryIntent:
    """Read a request as an intent; its own target and stop say what it is worth."""
    return EntryIntent(
        source=f"request/{fact.request_id}",
        symbol=fact.symbol,
        order_type=fact.order_type,
        limit_price=fact.limit_price,
        quantity=fact.quantity,
        exits=Exits(fact.stop_price, fact.take_profit_price, fact.trailing_distance),
        protection=fact.protection or state.protection,
        market=fact.market,
        expires_at=None,
        at=fact.at,
        by=fact.by,
        change=fact.exits,
    )


def intent_of_idea(state: AccountState, fact: IdeaArrived) -> EntryIntent:
    """Read an idea as an intent, sized by the account: at market unless it names a limit."""
    idea = fact.idea
    kind = OrderType.MARKET if idea.limit_price is None else OrderType.LIMIT
    return EntryIntent(
        source=f"idea/{idea.idea_id}",
        symbol=idea.symbol,
        order_type=kind,
        limit_price=idea.limit_price,
        quantity=None,
        exits=Exits(idea.stop_price, idea.take_profit_price, idea.trailing_distance),
        protection=state.protection,
        market=fact.market,
        expires_at=idea.expires_at,
        at=fact.at,
        by=f"strategy/{idea.strategy}",
        evidence=_evidence_of(fact),
        strategy_version=idea.strategy_version,
        shown_only=idea.standing is StrategyStanding.DEMONSTRATION,
        change=None if idea.hold_maximum is None else ExitsChange(hold_maximum=idea.hold_maximum),
    )


def _evidence_of(fact: IdeaArrived) -> Evidence | None:
    """Return the evidence that came with an idea, None when it is not that of its version."""
    found, idea = fact.evidence, fact.idea
    own = found is not None and (found.strategy, found.version) == (
        idea.strategy,
        idea.strategy_version,
    )
    return found if own else None


def consider(state: AccountState, intent: EntryIntent) -> EntryOutcome:
    """Decide whether a trade is entered, and how large."""
    refusal = check_intent(state, intent)
    if refusal is not None:
        return EntryOutcome(state, Verdict((refusal,)))
    instrument = state.instruments[intent.symbol]
    assert intent.market is not None
    rounded = replace(
        intent,
        exits=round_exits(instrument, intent.exits),
        limit_price=instrument.floor_price(intent.limit_price) if intent.limit_price else None,
    )
    refusal = (
        check_sides(rounded)
        or check_limit(rounded, execution_of(state).fat_finger)
        or check_exits(state, rounded, instrument, _entry_reference(rounded))
    )
    if refusal is not None:
        return EntryOutcome(state, Verdict((refusal,)))
    return _size_and_judge(state, rounded, instrument, intent.market)


def execution_of(state: AccountState) -> ExecutionPolicy:
    """Return how the account's orders are priced."""
    return rules_of_account(state.settings).execution


def check_sides(intent: EntryIntent) -> Check | None:
    """Refuse exits that lie on the wrong side of the market or of the entry."""
    market, exits = intent.market, intent.exits
    assert market is not None
    entry = _entry_reference(intent)
    # A stop at or above the last price would fire at once, whatever the entry's own price is.
    floor = min(entry, market.bid, market.last)
    if exits.stop_price >= floor or exits.stop_price <= 0:
        reason = f"stop {exits.stop_price} is not below {floor}"
        return Check("R-1", "stop-on-wrong-side", passed=False, reason=reason)
    target = exits.take_profit_price
    ceiling = max(entry, market.ask)
    if target is not None and target <= ceiling:
        reason = f"take-profit {target} is not above {ceiling}"
        return Check("R-1", "take-profit-on-wrong-side", passed=False, reason=reason)
    return None


def _entry_reference(intent: EntryIntent) -> Decimal:
    """Return the price that an entry's exits are judged from: its limit, else the ask."""
    assert intent.market is not None
    return intent.limit_price if intent.limit_price is not None else intent.market.ask


def _size_and_judge(
    state: AccountState, intent: EntryIntent, instrument: Instrument, market: MarketSnapshot
) -> EntryOutcome:
    fees = state.fees.get(intent.symbol, BOTTOM_TIER)
    spec = _entry_spec(state, intent, instrument, intent.quantity or Decimal(0))
    style = style_of(state, intent)
    spec = _priced(spec, instrument, market, execution_of(state), style)
    spec = replace(spec, decision_price=market.mid)
    bound = entry_price_bound(spec, max(market.mid, market.ask))
    if style is not EntryStyle.TAKE:
        bound = max(bound, entry_limit(instrument, market.ask, execution_of(state)))
    found = assess(state, intent, instrument, market, bound, rests=style is EntryStyle.REST_ONLY)
    if not found.verdict.allowed:
        return EntryOutcome(state, found.verdict)
    refusal = _check_cost(state, intent, found)
    if refusal is not None:
        return EntryOutcome(state, Verdict((*found.verdict.checks, refusal)))
    quantity, large = found.quantity, found.approval
    assert large is not None
    if not large.passed and not intent.approved:
        value = quantity * bound * (1 + fees.taker)
        sized = Sized(quantity, market.mid, value)
        return hold_for_approval(state, intent, sized, found.verdict, large)
    plan = _plan(state, intent, instrument, market, fees, replace(spec, quantity=quantity))
    plan = replace(plan, carried=dust_to_carry(state, instrument, intent.protection))
    plan = _with_basis(state, intent, plan, found.basis)
    summary = summarise(begin(plan).state)
    entered = replace(
        state,
        entry_orders=entry_orders_with(state, market.observed_at),
        unbacked_costs=unbacked_costs_with(state, found, market.observed_at),
        trades={**state.trades, plan.number: summary},
        next_trade=plan.number + 1,
        traded_at=plan.requested_at,
    )
    entered = with_dust_moved(entered, instrument.base, -plan.carried)
    record = record_of_entry(state, plan.number, found)
    return EntryOutcome(entered, found.verdict, EnterTrade(plan, found.verdict, record))


def _check_cost(state: AccountState, intent: EntryIntent, found: EntryAssessment) -> Check | None:
    """Refuse what a strategy wants at a cost that eats too much of the gain it expects (L-5)."""
    if not intent.by.startswith(STRATEGY_BY) or intent.shown_only or found.costs is None:
        return None
    policy = rules_in_force(state).strategies
    expected = None if found.expectation is None else found.expectation.counted
    check = check_cost(policy, found.costs.total, expected)
    return None if check.passed else check


def _entry_spec(
    state: AccountState, intent: EntryIntent, instrument: Instrument, quantity: Decimal
) -> OrderSpec:
    number = state.next_trade
    name = client_order_id(state.installation, state.account, number, Leg.ENTRY, 1)
    attached = intent.protection is ProtectionMode.ATTACHED
    stop = intent.exits.stop_price
    return OrderSpec(
        account=state.account,
        trade=number,
        leg=Leg.ENTRY,
        client_order_id=name,
        userref=userref(name),
        symbol=instrument.symbol,
        side=Side.BUY,
        order_type=intent.order_type,
        quantity=quantity,
        limit_price=intent.limit_price,
        close=ConditionalClose(OrderType.STOP_LOSS, stop) if attached else None,
    )


def style_of(state: AccountState, intent: EntryIntent) -> EntryStyle:
    """Return how an entry enters: who asks for a limit, and the hedge, get what they ask for."""
    if intent.order_type is not OrderType.MARKET or intent.source.startswith(HEDGE_SOURCE):
        return EntryStyle.TAKE
    strategy = intent.by.removeprefix(STRATEGY_BY) if intent.by.startswith(STRATEGY_BY) else ""
    return execution_of(state).style_of(strategy)


def _priced(
    spec: OrderSpec,
    instrument: Instrument,
    market: MarketSnapshot,
    policy: ExecutionPolicy,
    style: EntryStyle,
) -> OrderSpec:
    """Return an entry at market as one that takes up to its collar, or rests at the best bid."""
    if spec.order_type is not OrderType.MARKET:
        return spec
    if style is not EntryStyle.TAKE:
        bid = instrument.floor_price(market.bid)
        return replace(spec, order_type=OrderType.LIMIT, limit_price=bid, post_only=True)
    limit = entry_limit(instrument, market.ask, policy)
    return replace(
        spec, order_type=OrderType.LIMIT, limit_price=limit, time_in_force=TimeInForce.IOC
    )


def _plan(
    state: AccountState,
    intent: EntryIntent,
    instrument: Instrument,
    market: MarketSnapshot,
    fees: FeeRates,
    entry: OrderSpec,
) -> TradePlan:
    return TradePlan(
        account=state.account,
        number=state.next_trade,
        installation=state.installation,
        instrument=instrument,
        protection=intent.protection,
        entry=entry,
        stop_price=intent.exits.stop_price,
        take_profit_price=intent.exits.take_profit_price,
        trailing_distance=intent.exits.trailing_distance,
        fees=fees,
        reference_price=market.mid,
        source=intent.source,
        decided_at=market.observed_at,
        requested_at=intent.at,
        exits=entry_exits(state, intent, instrument),
        average_true_range=market.average_true_range,
        settings_version=state.settings.version,
        execution=execution_of(state),
        entry_style=style_of(state, intent),
        entry_ceiling=entry_limit(instrument, market.ask, execution_of(state))
        if entry.post_only
        else None,
        entry_until=intent.expires_at if intent.order_type is OrderType.LIMIT else None,
    )


def _with_basis(
    state: AccountState, intent: EntryIntent, plan: TradePlan, basis: EntryBasis
) -> TradePlan:
    """Mark a plan with what its worth rests on, and whose evidence its result will be."""
    live = state.mode is Mode.LIVE
    simulated = rules_of_account(state.settings).evidence.recorded_as
    by_strategy = intent.by.startswith(STRATEGY_BY)
    return replace(
        plan,
        basis=basis,
        strategy=strategy_of(intent) if by_strategy else "",
        strategy_version=intent.strategy_version if by_strategy else "",
        evidence_source=EvidenceSource.LIVE if live else simulated,
    )
