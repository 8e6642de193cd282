"""The account that a backtest decides by: the platform's own state, under stated rules."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal

from models.learning.backtest.rules import FillRules, Portfolio
from models.trading.account.figures import FigureTimes
from models.trading.account.settings.in_force import SettingsInForce, values_text
from models.trading.account.state import AccountState
from models.trading.governance.approval import ApprovalPolicy
from models.trading.instruments import Instrument
from models.trading.risk.drawdown_limits import DrawdownLimits
from models.trading.risk.limits import AccountLimits
from models.trading.risk.loss_limits import LossLimits
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.versions import default_version

ONE = Decimal(1)
MANY = 10_000
NAME = "backtest"
INSTALLATION = "00000000-0000-4000-8000-000000000000"
ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
TOLD = FigureTimes(fees=ALWAYS, universe=ALWAYS, groups=ALWAYS)
"""A backtest's figures are its own: none of them grows old."""
_OPEN: dict[str, Decimal | int] = {
    "portfolio.group_share": ONE,
    "portfolio.bucket_share": ONE,
    "portfolio.orders_maximum": MANY,
    "portfolio.losses_maximum": 0,
    "risk.volatility_share": Decimal("0.2"),
    "strategies.turnover_maximum": Decimal(1_000_000),
    "strategies.cost_share_maximum": ONE,
    "strategies.trades_minimum": MANY,
    "evidence.cost_budget_share": ONE,
    # Sales go at market at once: the fill rules say at what price.
    "execution.exit_tries": 0,
    **{f"losses.{level.name}": ONE for level in fields(LossLimits)},
}


def strategy_account(
    instrument: Instrument, portfolio: Portfolio, rules: FillRules, strategy: str
) -> AccountState:
    """Return an account in which nothing but cash, minimums and the strategy itself is a limit.

    What a strategy is worth is judged without the limits of one account; under those of a real one
    it is judged by ``account_under``.
    """
    values: dict[str, Decimal | int] = {
        **_OPEN,
        "strategies.band": _decimal(portfolio.band),
        # Cash is reserved up to the collar; where the next bar opens is not bounded by it.
        "execution.entry_collar": _decimal(portfolio.price_margin),
    }
    limits = AccountLimits(
        risk_share=ONE,
        pair_exposure_share=ONE,
        gross_exposure_share=ONE,
        cash_reserve_share=_decimal(portfolio.reserve_share),
        open_trades_maximum=MANY,
        open_trades_per_pair=1,
        reward_to_cost_minimum=Decimal(0),
        stop_distance_minimum=Decimal(0),
        slippage_share=Decimal(0),
        depth_share=ONE,
        trade_minimum=Decimal(0),
    )
    whole = DrawdownLimits(soft_share=ONE, hard_share=ONE, total_share=ONE)
    account = account_under(_settings(values), instrument, portfolio, rules, strategy)
    return replace(
        account,
        limits=limits,
        drawdown_limits=whole,
        approval=ApprovalPolicy(equity_share_minimum=None),
    )


def account_under(
    settings: SettingsInForce,
    instrument: Instrument,
    portfolio: Portfolio,
    rules: FillRules,
    strategy: str,
) -> AccountState:
    """Return an account under settings as accounts have them."""
    return AccountState(
        account=NAME,
        installation=INSTALLATION,
        strategies=(strategy,),
        instruments={instrument.symbol: instrument},
        fees={instrument.symbol: rules.fees.rates(Decimal(0))},
        balances={"USD": _decimal(portfolio.capital)},
        settings=settings,
        figure_times=TOLD,
    )


def _settings(values: dict[str, Decimal | int]) -> SettingsInForce:
    known = default_version(NAME, SettingScope.ACCOUNT)
    changed = replace(known, values={**known.values, **values})
    return SettingsInForce(1, values_text(changed))


def _decimal(figure: float) -> Decimal:
    return Decimal(repr(figure))
