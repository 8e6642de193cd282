"""Every limit on losses and risk of an account, and how near the account is to each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from models.trading.account.equity import exit_fee_of, holdings
from models.trading.account.settings.in_force import rules_of_account
from models.trading.account.state import AccountState
from models.trading.capital.valuation import value_holdings
from models.trading.risk.account_assets import issuer_values
from models.trading.risk.account_losses import loss_limits, open_profits
from models.trading.risk.drawdown import DrawdownState
from models.trading.risk.loss_limits import Levels
from models.trading.risk.losses import (
    LossClock,
    LossesMarked,
    StrategyLoss,
    begin_losses,
    levels_of,
    mark_losses,
    strategy_share,
)
from models.trading.risk.open_risk import open_risk, open_risk_share

ONE = Decimal(1)
RESETS = {
    "day": "with the account's day",
    "total": "by people",
    "day_peak": "with the account's day",
    "week": "on Monday, in the account's zone",
    "month": "on the first of the month, in the account's zone",
    "strategy": "on Monday, in the account's zone",
    "open_risk": "as soon as less is at risk",
    "issuer": "as soon as less is held",
}


@dataclass(frozen=True, slots=True)
class LimitStanding:
    """One limit; shares are of equity (0.05 is five percent).

    Attributes:
        name: which limit.
        subject: the strategy it is about, empty for the whole account.
        share: where the account is, None while that is not known.
        soft: from where entries become smaller, None where there is no such level.
        hard: from where none are taken.
        used: the share as a part of the hard level; one and more refuses. None: not known.
        halted_at: market time at which the hard level was reached, where that stands.
        resets: when a reached level ends.
    """

    name: str
    subject: str
    share: Decimal | None
    soft: Decimal | None
    hard: Decimal
    used: Decimal | None
    halted_at: datetime | None
    resets: str

    @property
    def refuses(self) -> bool:
        """Tell whether entries are refused by this limit; what is not known refuses."""
        return self.used is None or self.used >= ONE or self.halted_at is not None


def limits_of(state: AccountState, drawdown: DrawdownState | None) -> tuple[LimitStanding, ...]:
    """Return every limit of an account at its last prices.

    Args:
        state: the account.
        drawdown: its drawdown marked at those prices, None while nothing was measured: then every
            share is unknown.
    """
    limits = loss_limits(state)
    account = _account_limits(state, drawdown)
    if drawdown is None:
        unknown = [
            _standing(clock.value, None, levels_of(limits, clock), None) for clock in LossClock
        ]
        return (*account, *unknown, _open_risk(state, None), *_issuers(state, None))
    marked = _marked(state, drawdown)
    record, growth = marked.record, drawdown.growth
    clocks = [
        _standing(
            clock.value,
            record.mark(clock).share(growth),
            levels_of(limits, clock),
            record.mark(clock).halted_at,
        )
        for clock in LossClock
    ]
    strategies = [
        _standing(
            "strategy",
            strategy_share(record, name),
            limits.strategy,
            record.strategies.get(name, StrategyLoss()).halted_at,
            name,
        )
        for name in sorted({*record.strategies, *state.strategies})
    ]
    return (*account, *clocks, *strategies, _open_risk(state, drawdown), *_issuers(state, drawdown))


def _marked(state: AccountState, drawdown: DrawdownState) -> LossesMarked:
    record = state.loss_record
    if record is None:
        record = begin_losses(drawdown.day, drawdown.growth, drawdown.equity)
    limits, profits = loss_limits(state), open_profits(state)
    at = state.market_time or drawdown.opened_at
    return mark_losses(record, limits, drawdown.growth, drawdown.equity, profits, at)


def _account_limits(
    state: AccountState, drawdown: DrawdownState | None
) -> tuple[LimitStanding, ...]:
    levels = state.drawdown_limits
    day = Levels(levels.soft_share, levels.hard_share)
    total = Levels(levels.total_share, levels.total_share)
    if drawdown is None:
        return (_standing("day", None, day, None), _standing("total", None, total, None))
    return (
        _standing("day", drawdown.daily_share, day, drawdown.daily_halted_at),
        _standing("total", drawdown.total_share, total, drawdown.total_halted_at),
    )


def _open_risk(state: AccountState, drawdown: DrawdownState | None) -> LimitStanding:
    levels = loss_limits(state).open_risk
    known = open_risk(state.trades.values(), state.prices)
    share = None
    if known is not None and drawdown is not None:
        share = open_risk_share(known, drawdown.equity)
    return _standing("open_risk", share, levels, None)


def _issuers(state: AccountState, drawdown: DrawdownState | None) -> tuple[LimitStanding, ...]:
    hard = rules_of_account(state.settings).portfolio.issuer_share
    found = []
    for issuer, value in sorted(issuer_values(state).items()):
        share = None
        if drawdown is not None:
            share = value / drawdown.equity if drawdown.equity > 0 else ONE
        found.append(_standing("issuer", share, Levels(hard, hard), None, issuer))
    return tuple(found)


def _standing(
    name: str,
    share: Decimal | None,
    levels: Levels,
    halted_at: datetime | None,
    subject: str = "",
) -> LimitStanding:
    soft = levels.soft if levels.soft < levels.hard else None
    used = None
    if share is not None:
        used = share / levels.hard if levels.hard > 0 else ONE
    return LimitStanding(name, subject, share, soft, levels.hard, used, halted_at, RESETS[name])


def limits_at(state: AccountState, prices: Mapping[str, Decimal]) -> tuple[LimitStanding, ...]:
    """Return every limit of an account as it was written down, at the prices of now.

    A pair counts as listed when it has a price: the pairs are not written down with an account.
    While its value is not known, neither is any loss.
    """
    now = replace(state, prices={**state.prices, **prices})
    listed = (*now.prices, *(trade.symbol for trade in now.trades.values()))
    equity = value_holdings(holdings(now), now.prices, listed, exit_fee_of(now)).value
    if state.drawdown is None or not state.balances or equity is None:
        return limits_of(now, None)
    return limits_of(now, replace(state.drawdown, equity=equity))
