"""All rules of an account applied to one entry: may it be, how large, is it worth it, who decides.

First the gates, which need no quantity (compliance, drawdown, counts and rates); then the size
under every cap; then what depends on the size (limits, cash, risk, minimums, worth). Every rule of
a stage is applied, so that a refusal names all its reasons; a refusal ends at its stage.
"""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.account.entries.book_costs import BookView
from models.trading.account.entries.checks import (
    check_cash,
    check_minimum,
    check_pair_trades,
    check_risk,
    check_stop,
    too_small,
)
from models.trading.account.entries.worth import EntryCosts, WorthRequest, judge_worth
from models.trading.governance.approval import check_size
from models.trading.hedge.target import hedge_room
from models.trading.instruments import Instrument
from models.trading.market import MarketSnapshot
from models.trading.risk.drawdown import DrawdownState, judge_drawdown, size_factor
from models.trading.risk.limits import FeeRates
from models.trading.risk.portfolio import EntryAllowance, PortfolioView, allow_entry
from models.trading.risk.sizing import SizingResult, unit_loss
from models.trading.risk.sizing_caps import SizingInputs, size_within_caps
from models.trading.settings.reading import AccountRules
from models.trading.universe.compliance import (
    ComplianceRules,
    ComplianceSubject,
    PegWatch,
    judge_compliance,
)
from models.trading.universe.fees import BOTTOM_TIER
from models.trading.verdicts import Check, Room, Verdict

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class EntryQuestion:
    """An entry as it would be made; prices in USD per base unit. ``quantity`` None: to be sized.

    ``price_bound`` is what cash is reserved at; ``expected_move`` a share of the price.
    """

    instrument: Instrument
    market: MarketSnapshot
    entry_price: Decimal
    price_bound: Decimal
    stop_price: Decimal
    expected_move: Decimal | None
    quantity: Decimal | None = None
    book: BookView | None = None
    maker_entry: bool = False


@dataclass(frozen=True, slots=True)
class AccountSituation:
    """Where the account stands; ``strategy`` is the room of its capital, None: not split.

    ``wanted`` is what the strategy itself wants at most, None: whatever the rules leave.

    ``spendable_cash`` is USD beyond the reserve and other entries' promises; no target, no hedge.
    ``value_unknown`` says why the account's value is not known, empty when it is.
    """

    view: PortfolioView
    spendable_cash: Decimal
    drawdown: DrawdownState
    pegs: PegWatch
    rates: FeeRates | None
    hedge_target: Decimal | None = None
    strategy: Room | None = None
    pair_trades: int = 0
    wanted: Room | None = None
    value_unknown: str = ""


@dataclass(frozen=True, slots=True)
class EntryAssessment:
    """The outcome; ``sizing``, ``costs`` and ``approval`` are None where it came not so far.

    ``approval`` has not passed when a person has to decide on an entry that is allowed otherwise.
    ``is_sized`` tells whether the quantity came from ``sizing``, and not from who asked.
    """

    verdict: Verdict
    quantity: Decimal = ZERO
    sizing: SizingResult | None = None
    costs: EntryCosts | None = None
    approval: Check | None = None
    is_sized: bool = True


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
            *allowance.checks,
            check_pair_trades(situation.pair_trades, rules.limits),
            *_check_value(situation.value_unknown),
        )
    )
    if not gates.allowed:
        return EntryAssessment(gates)
    rooms = _rooms(allowance, situation)
    sizing = size_within_caps(_sizing_inputs(question, situation, rules, rooms))
    quantity = question.quantity
    if quantity is None:
        quantity = sizing.quantity
        if not question.instrument.meets_minimum(quantity, question.stop_price):
            small = too_small(sizing, question.instrument)
            return EntryAssessment(Verdict((*gates.checks, small)), sizing=sizing)
    worth = judge_worth(_worth_request(question, situation, rules, quantity))
    cost = quantity * question.price_bound * (1 + _rates(situation).taker)
    verdict = Verdict(
        (
            *gates.checks,
            check_minimum(question.instrument, quantity, question.stop_price),
            check_stop(rules.limits, question.entry_price, question.stop_price),
            check_cash(cost, situation.spendable_cash),
            _judge_risk(question, situation, rules, quantity),
            *(room.check(cost) for room in rooms),
            *worth.verdict.checks,
        )
    )
    approval = check_size(rules.approval, cost, situation.view.equity)
    is_sized = question.quantity is None
    return EntryAssessment(verdict, quantity, sizing, worth.costs, approval, is_sized=is_sized)


def _rooms(allowance: EntryAllowance, situation: AccountSituation) -> tuple[Room, ...]:
    view, target = situation.view, situation.hedge_target
    held = sum(view.exposures.values(), ZERO)
    hedge = (hedge_room(target, view.equity, held),) if target is not None else ()
    strategy = (situation.strategy,) if situation.strategy is not None else ()
    wanted = (situation.wanted,) if situation.wanted is not None else ()
    return (*allowance.rooms, *hedge, *strategy, *wanted)


def _rates(situation: AccountSituation) -> FeeRates:
    return situation.rates if situation.rates is not None else BOTTOM_TIER


def _judge_risk(
    question: EntryQuestion, situation: AccountSituation, rules: AccountRules, quantity: Decimal
) -> Check:
    limits, equity = rules.limits, max(ZERO, situation.view.equity)
    loss = unit_loss(question.entry_price, question.stop_price, _rates(situation), limits)
    factor = size_factor(situation.drawdown, rules.drawdown)
    return check_risk(loss * quantity, equity * limits.risk_share * factor)


def _sizing_inputs(
    question: EntryQuestion,
    situation: AccountSituation,
    rules: AccountRules,
    rooms: tuple[Room, ...],
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
        rooms=rooms,
        spendable_cash=situation.spendable_cash,
        volatility_share=rules.volatility_share,
        average_true_range=market.average_true_range,
        volatility=market.volatility,
        size_factor=size_factor(situation.drawdown, rules.drawdown),
        depth_quantity=market.depth_quantity,
    )


def _worth_request(
    question: EntryQuestion, situation: AccountSituation, rules: AccountRules, quantity: Decimal
) -> WorthRequest:
    return WorthRequest(
        quantity=quantity,
        bid=question.market.bid,
        ask=question.market.ask,
        expected_move=question.expected_move,
        rates=situation.rates,
        book=question.book,
        assumed_slippage=rules.limits.slippage_share,
        reward_to_cost_minimum=rules.limits.reward_to_cost_minimum,
        maker_entry=question.maker_entry,
        depth_quantity=question.market.depth_quantity,
    )


def _check_value(reason: str) -> tuple[Check, ...]:
    """Refuse while the account's value is unknown: no share of it can be judged."""
    return (Check("R-2", "equity-unknown", passed=False, reason=reason),) if reason else ()
