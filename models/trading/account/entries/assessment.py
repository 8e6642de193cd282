"""All rules of an account applied to one entry: may it be, how large, is it worth it, who decides.

First the gates, which need no quantity (compliance, drawdown, counts and rates); then the size
under every cap; then what depends on the size (limits, cash, risk, minimums, worth). Every rule of
a stage is applied, so that a refusal names all its reasons; a refusal ends at its stage.
"""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.account.entries.basis import UNBACKED, EntryBasis, check_budget
from models.trading.account.entries.book_costs import BookView, tradable_depth
from models.trading.account.entries.checks import (
    check_cash,
    check_minimum,
    check_pair_trades,
    check_risk,
    check_stop,
    check_volatility,
    is_large_enough,
    too_small,
)
from models.trading.account.entries.claims import Claim
from models.trading.account.entries.worth import EntryCosts, WorthRequest, judge_worth
from models.trading.governance.approval import check_size
from models.trading.hedge.target import hedge_headroom
from models.trading.instruments import Instrument
from models.trading.market import MarketSnapshot
from models.trading.risk.drawdown import DrawdownState, judge_drawdown, size_factor
from models.trading.risk.limits import FeeRates
from models.trading.risk.losses import LossRecord, judge_losses, loss_factor, shrink
from models.trading.risk.open_risk import check_open_risk, open_risk_share
from models.trading.risk.portfolio import EntryAllowance, PortfolioView, allow_entry
from models.trading.risk.sizing import SizingResult, unit_loss
from models.trading.risk.sizing_caps import SizingInputs, size_within_caps
from models.trading.settings.reading import AccountRules
from models.trading.strategies.evidence import Expectation
from models.trading.universe.compliance import (
    ComplianceRules,
    ComplianceSubject,
    PegWatch,
    judge_compliance,
)
from models.trading.universe.fees import BOTTOM_TIER
from models.trading.verdicts import Check, Headroom, Verdict

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class EntryQuestion:
    """An entry as it would be made; prices in USD per base unit. ``quantity`` None: to be sized.

    ``price_bound`` is what cash is reserved at; ``claim`` by what it is worth its costs.
    """

    instrument: Instrument
    market: MarketSnapshot
    entry_price: Decimal
    price_bound: Decimal
    stop_price: Decimal
    claim: Claim
    quantity: Decimal | None = None
    book: BookView | None = None
    maker_entry: bool = False


@dataclass(frozen=True, slots=True)
class AccountSituation:
    """Where the account stands; ``strategy`` is the headroom of its capital, None: not split.

    ``wanted`` is what the strategy itself wants at most, None: whatever the rules leave.

    ``spendable_cash`` is USD beyond the reserve and other entries' promises; no target, no hedge.
    ``value_unknown`` says why the account's value is not known, empty when it is. ``losses`` are
    those on each clock, ``strategy_name`` whose idea the entry is, ``open_risk`` USD down to all
    stops; what is None of them is not known and allows no entry.
    ``unbacked_spent`` is USD that entries without an expectation have cost today.
    """

    view: PortfolioView
    spendable_cash: Decimal
    drawdown: DrawdownState
    pegs: PegWatch
    rates: FeeRates | None
    hedge_target: Decimal | None = None
    strategy: Headroom | None = None
    pair_trades: int = 0
    wanted: Headroom | None = None
    value_unknown: str = ""
    losses: LossRecord | None = None
    strategy_name: str = ""
    open_risk: Decimal | None = None
    unbacked_spent: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class EntryAssessment:
    """The outcome; ``sizing``, ``costs`` and ``approval`` are None where it came not so far.

    ``approval`` has not passed when a person has to decide on an entry that is allowed otherwise.
    ``is_sized`` tells whether the quantity came from ``sizing``, and not from who asked. ``basis``
    is on what the entry's worth rests, ``cost`` USD that its round trip is estimated to cost.
    """

    verdict: Verdict
    quantity: Decimal = ZERO
    sizing: SizingResult | None = None
    costs: EntryCosts | None = None
    approval: Check | None = None
    is_sized: bool = True
    basis: EntryBasis = EntryBasis.UNSTATED
    expectation: Expectation | None = None
    cost: Decimal = ZERO


def assess_entry(
    question: EntryQuestion,
    situation: AccountSituation,
    rules: AccountRules,
    compliance: ComplianceRules,
) -> EntryAssessment:
    """Apply every rule to an entry."""
    symbol, now = question.instrument.symbol, question.market.observed_at
    allowance = allow_entry(situation.view, rules.portfolio, symbol, now)
    gates = Verdict(
        (
            *judge_compliance(ComplianceSubject(symbol), compliance, situation.pegs).checks,
            *judge_drawdown(situation.drawdown, rules.drawdown).checks,
            *_judge_losses(situation, rules),
            *allowance.checks,
            check_pair_trades(situation.pair_trades, rules.limits),
            *_check_value(situation.value_unknown),
            check_volatility(question.market, rules.figures.volatility),
        )
    )
    if not gates.allowed:
        return EntryAssessment(gates)
    headrooms = _rooms(allowance, situation)
    sizing = size_within_caps(_sizing_inputs(question, situation, rules, headrooms))
    quantity = question.quantity
    if quantity is None:
        quantity = sizing.quantity
        limits, instrument = rules.limits, question.instrument
        if not is_large_enough(limits, instrument, quantity, question.stop_price):
            small = too_small(limits, sizing, instrument)
            return EntryAssessment(Verdict((*gates.checks, small)), sizing=sizing)
    worth = judge_worth(_worth_request(question, situation, rules, quantity))
    cost = quantity * question.price_bound * (1 + _rates(situation).taker)
    round_trip = worth.costs.total * quantity * question.entry_price if worth.costs else ZERO
    verdict = Verdict(
        (
            *gates.checks,
            check_minimum(rules.limits, question.instrument, quantity, question.stop_price),
            check_stop(rules.limits, question.entry_price, question.stop_price),
            check_cash(cost, situation.spendable_cash),
            _judge_risk(question, situation, rules, quantity),
            _judge_open_risk(question, situation, rules, quantity),
            *(headroom.check(cost) for headroom in headrooms),
            *worth.verdict.checks,
            *_check_budget(question, situation, worth.basis, round_trip),
        )
    )
    approval = check_size(rules.approval, cost, situation.view.equity)
    is_sized = question.quantity is None
    return EntryAssessment(
        verdict,
        quantity,
        sizing,
        worth.costs,
        approval,
        is_sized=is_sized,
        basis=worth.basis,
        expectation=worth.expectation,
        cost=round_trip,
    )


def _rooms(allowance: EntryAllowance, situation: AccountSituation) -> tuple[Headroom, ...]:
    view, target = situation.view, situation.hedge_target
    held = sum(view.exposures.values(), ZERO)
    hedge = (hedge_headroom(target, view.equity, held),) if target is not None else ()
    strategy = (situation.strategy,) if situation.strategy is not None else ()
    wanted = (situation.wanted,) if situation.wanted is not None else ()
    return (*allowance.headrooms, *hedge, *strategy, *wanted)


def _rates(situation: AccountSituation) -> FeeRates:
    return situation.rates if situation.rates is not None else BOTTOM_TIER


def _judge_risk(
    question: EntryQuestion, situation: AccountSituation, rules: AccountRules, quantity: Decimal
) -> Check:
    limits, equity = rules.limits, max(ZERO, situation.view.equity)
    loss = unit_loss(question.entry_price, question.stop_price, _rates(situation), limits)
    factor = _size_factor(situation, rules)
    return check_risk(loss * quantity, equity * limits.risk_share * factor)


def _judge_losses(situation: AccountSituation, rules: AccountRules) -> tuple[Check, ...]:
    growth = situation.drawdown.growth
    return judge_losses(situation.losses, rules.losses, growth, situation.strategy_name)


def _judge_open_risk(
    question: EntryQuestion, situation: AccountSituation, rules: AccountRules, quantity: Decimal
) -> Check:
    added = quantity * max(ZERO, question.entry_price - question.stop_price)
    levels = rules.losses.open_risk
    return check_open_risk(situation.open_risk, added, situation.view.equity, levels)


def _size_factor(situation: AccountSituation, rules: AccountRules) -> Decimal:
    """Return by how much entries are made smaller: the strictest of all soft levels."""
    smallest, growth = rules.drawdown.smallest_factor, situation.drawdown.growth
    losses = loss_factor(situation.losses, rules.losses, growth, smallest, situation.strategy_name)
    if situation.open_risk is None:
        return ZERO
    share = open_risk_share(situation.open_risk, situation.view.equity)
    risk = shrink(share, rules.losses.open_risk, smallest)
    return min(size_factor(situation.drawdown, rules.drawdown), losses, risk)


def _risk_left(situation: AccountSituation, rules: AccountRules) -> Decimal:
    """Return USD that may still be put at risk down to the stops."""
    if situation.open_risk is None:
        return ZERO
    limit = max(ZERO, situation.view.equity) * rules.losses.open_risk.hard
    return max(ZERO, limit - situation.open_risk)


def _sizing_inputs(
    question: EntryQuestion,
    situation: AccountSituation,
    rules: AccountRules,
    headrooms: tuple[Headroom, ...],
) -> SizingInputs:
    market = question.market
    return SizingInputs(
        instrument=question.instrument,
        limits=rules.limits,
        fees=_rates(situation),
        equity=situation.view.equity,
        entry_price=question.entry_price,
        price_bound=question.price_bound,
        stop_price=question.stop_price,
        headrooms=headrooms,
        spendable_cash=situation.spendable_cash,
        volatility_share=rules.volatility_share,
        average_true_range=market.average_true_range,
        volatility=market.volatility,
        size_factor=_size_factor(situation, rules),
        risk_left=_risk_left(situation, rules),
        depth_quantity=_depth(question),
    )


def _depth(question: EntryQuestion) -> Decimal | None:
    """Return the depth near the best prices: of both sides where a book is seen."""
    if question.book is None:
        return question.market.depth_quantity
    return tradable_depth(question.book)


def _worth_request(
    question: EntryQuestion, situation: AccountSituation, rules: AccountRules, quantity: Decimal
) -> WorthRequest:
    return WorthRequest(
        quantity=quantity,
        bid=question.market.bid,
        ask=question.market.ask,
        claim=question.claim,
        rates=situation.rates,
        book=question.book,
        assumed_slippage=rules.limits.slippage_share,
        reward_to_cost_minimum=rules.limits.reward_to_cost_minimum,
        maker_entry=question.maker_entry,
        depth_quantity=_depth(question),
    )


def _check_budget(
    question: EntryQuestion, situation: AccountSituation, basis: EntryBasis, cost: Decimal
) -> tuple[Check, ...]:
    """Hold what rests on no expectation to its budget of the day."""
    if basis not in UNBACKED:
        return ()
    share = question.claim.policy.cost_budget_share
    allowed = max(ZERO, situation.view.equity) * share
    return (check_budget(situation.unbacked_spent, cost, allowed),)


def _check_value(reason: str) -> tuple[Check, ...]:
    """Refuse while the account's value is unknown: no share of it can be judged."""
    return (Check("R-2", "equity-unknown", passed=False, reason=reason),) if reason else ()
