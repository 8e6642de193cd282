"""The rules an entry must pass, one function each, in the order in which they are applied.

Every rule is applied, also after one has failed, so that a refusal names all its reasons. A new
rule is one more line in ``RULES``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from models.trading import portfolio
from models.trading.account_state import ZERO, AccountState
from models.trading.instruments import Instrument
from models.trading.limits import FeeRates
from models.trading.market import MarketSnapshot
from models.trading.sizing import unit_loss
from models.trading.verdicts import Check, Verdict


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry as it would be placed. ``expected_move`` is a share of the price, None: unknown."""

    state: AccountState
    instrument: Instrument
    market: MarketSnapshot
    fees: FeeRates
    quantity: Decimal
    entry_price: Decimal
    price_bound: Decimal
    stop_price: Decimal
    take_profit_price: Decimal | None
    expected_move: Decimal | None

    @property
    def cash_needed(self) -> Decimal:
        """Return USD that the entry may cost at worst, fees included."""
        return self.quantity * self.price_bound * (1 + self.fees.taker)


Rule = Callable[[Proposal], Check]


def judge(proposal: Proposal) -> Verdict:
    """Apply every rule."""
    return Verdict(tuple(rule(proposal) for rule in RULES))


def spendable_cash(state: AccountState) -> Decimal:
    """Return cash an entry may use: available, less the reserve, never below zero."""
    reserve = portfolio.equity(state) * state.limits.cash_reserve_share
    return max(ZERO, state.available_cash - reserve)


def round_trip_cost(proposal: Proposal) -> Decimal:
    """Return what entering and leaving costs, as a share of the price.

    Both fees at the taker rate (a limit entry may turn out cheaper, never dearer), the spread once,
    and the assumed slippage on both sides.
    """
    market = proposal.market
    spread = market.spread / market.mid
    return 2 * proposal.fees.taker + spread + 2 * proposal.state.limits.slippage_share


def check_stop(proposal: Proposal) -> Check:
    """Require a stop below the entry, not closer than the account allows (R-1)."""
    distance = (proposal.entry_price - proposal.stop_price) / proposal.entry_price
    least = proposal.state.limits.stop_distance_minimum
    passed = distance >= least
    reason = f"stop is {distance:.4%} below the entry, at least {least:.4%} is asked for"
    return Check("R-1", "stop-on-wrong-side", passed, reason, distance, least)


def check_risk(proposal: Proposal) -> Check:
    """Bound what is lost at the stop, fees and slippage included (R-2)."""
    limits = proposal.state.limits
    loss = unit_loss(proposal.entry_price, proposal.stop_price, proposal.fees, limits)
    figure = loss * proposal.quantity
    limit = portfolio.equity(proposal.state) * limits.risk_share
    reason = f"loss at the stop {figure:.2f} USD against {limit:.2f} USD at risk allowed"
    return Check("R-2", "limit-exceeded", figure <= limit, reason, figure, limit)


def check_minimum(proposal: Proposal) -> Check:
    """Require the pair's minimums, also at the stop: what cannot be protected is not bought (R-1).

    Cost is taken at the stop price, where the protective order would have to be accepted.
    """
    instrument, quantity = proposal.instrument, proposal.quantity
    passed = instrument.meets_minimum(quantity, proposal.stop_price)
    least = instrument.quantity_minimum
    reason = f"{quantity} against the minimum of {least} and {instrument.cost_minimum} USD"
    return Check("R-1", "below-minimum", passed, reason, quantity, least)


def check_pair_exposure(proposal: Proposal) -> Check:
    """Bound what is held and promised in the pair (R-3)."""
    held = portfolio.pair_exposure(proposal.state, proposal.instrument.symbol)
    limit = portfolio.equity(proposal.state) * proposal.state.limits.pair_exposure_share
    return _exposure_check("pair exposure", held + proposal.cash_needed, limit)


def check_gross_exposure(proposal: Proposal) -> Check:
    """Bound what is held and promised in all pairs together (R-3)."""
    held = portfolio.gross_exposure(proposal.state)
    limit = portfolio.equity(proposal.state) * proposal.state.limits.gross_exposure_share
    return _exposure_check("gross exposure", held + proposal.cash_needed, limit)


def check_open_trades(proposal: Proposal) -> Check:
    """Bound the number of trades at once (R-3)."""
    figure = Decimal(len(proposal.state.trades) + 1)
    limit = Decimal(proposal.state.limits.open_trades_maximum)
    reason = f"{figure} trades at once against {limit} allowed"
    return Check("R-3", "limit-exceeded", figure <= limit, reason, figure, limit)


def check_pair_trades(proposal: Proposal) -> Check:
    """Bound the number of trades at once in the pair (R-3)."""
    symbol = proposal.instrument.symbol
    figure = Decimal(sum(t.symbol == symbol for t in proposal.state.trades.values()) + 1)
    limit = Decimal(proposal.state.limits.open_trades_per_pair)
    reason = f"{figure} trades at once in {symbol} against {limit} allowed"
    return Check("R-3", "limit-exceeded", figure <= limit, reason, figure, limit)


def check_cash(proposal: Proposal) -> Check:
    """Require the cash, beyond the reserve and what other entries are promised (R-5)."""
    figure, limit = proposal.cash_needed, spendable_cash(proposal.state)
    reason = f"{figure:.2f} USD needed against {limit:.2f} USD to spend"
    return Check("R-5", "insufficient-balance", figure <= limit, reason, figure, limit)


def check_worth(proposal: Proposal) -> Check:
    """Require the expected move to be worth its costs (R-6)."""
    move = proposal.expected_move
    if move is None:
        reason = "no expected move is known without a take-profit: not applicable"
        return Check("R-6", "not-worth-costs", passed=True, reason=reason)
    least = round_trip_cost(proposal) * proposal.state.limits.reward_to_cost_minimum
    reason = f"expected move {move:.4%} against {least:.4%} that costs call for"
    return Check("R-6", "not-worth-costs", move >= least, reason, move, least)


# Limits per group of correlated assets and per bucket, the daily drawdown, the
# compliance filter and human approval take their places in this list.
RULES: tuple[Rule, ...] = (
    check_minimum,
    check_stop,
    check_cash,
    check_risk,
    check_pair_exposure,
    check_gross_exposure,
    check_open_trades,
    check_pair_trades,
    check_worth,
)


def _exposure_check(name: str, figure: Decimal, limit: Decimal) -> Check:
    reason = f"{name} {figure:.2f} USD against {limit:.2f} USD allowed"
    return Check("R-3", "limit-exceeded", figure <= limit, reason, figure, limit)
